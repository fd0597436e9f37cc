//! The gate before paths whose quota is used up.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::table::{self, Row};
use crate::{
    access::metrics::{AccessMetrics, LimitKind},
    base::{
        clock::{from_unix_ms, unix_ms},
        code::ErrorCode,
        day::Day,
        name::Name,
    },
    store::{Database, StoreError},
};

/// Paths that the platform refuses for now, by account. Kept over a restart, written behind the
/// requests' backs. One atomic read where nothing is blocked.
///
/// Not to be asked for calls that go to an account's shadow in the sandbox: its quotas are
/// counted apart, and it shows what the platform would answer.
pub struct QuotaGate {
    blocks: RwLock<HashMap<Name, Paths>>,
    count: AtomicUsize,
    is_unsaved: AtomicBool,
    db: Arc<Database>,
    metrics: AccessMetrics,
}

type Paths = HashMap<Box<str>, Block>;

/// One path of one account.
#[derive(Debug)]
struct Block {
    errcode: i64,
    since_ms: i64,
    until_ms: i64,
    next_probe_ms: AtomicI64,
}

/// The call may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Whether the path is blocked and this call is to find out if it still has to be.
    pub is_probe: bool,
}

/// The platform would refuse the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the platform answered {errcode} to this path: its quota is used up")]
pub struct Blocked {
    /// What the platform said.
    pub errcode: i64,
    /// When its quota turns.
    pub until: SystemTime,
}

impl Blocked {
    /// What the caller is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::QuotaExhausted
    }

    /// How long to wait, for `Retry-After`; at least a second.
    #[must_use]
    pub fn retry_after(&self, now: SystemTime) -> Duration {
        self.until.duration_since(now).unwrap_or_default().max(Duration::from_secs(1))
    }
}

impl QuotaGate {
    /// Reads the blocks that are still on. Blocks the thread on the database.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub fn load(
        db: Arc<Database>,
        now: SystemTime,
        metrics: AccessMetrics,
    ) -> Result<Arc<Self>, StoreError> {
        let now_ms = unix_ms(now);
        let mut blocks: HashMap<Name, Paths> = HashMap::new();
        for row in db.read_blocking(move |connection| table::since(connection, now_ms))? {
            let probes = now_ms.saturating_sub(row.since_ms).max(0) / PROBE_EACH_MS + 1;
            let next_probe_ms = row.since_ms.saturating_add(probes.saturating_mul(PROBE_EACH_MS));
            // A row with a name that is none cannot be asked for.
            let Ok(account) = row.account.parse() else { continue };
            let block = Block {
                errcode: row.errcode,
                since_ms: row.since_ms,
                until_ms: row.until_ms,
                next_probe_ms: AtomicI64::new(next_probe_ms),
            };
            blocks.entry(account).or_default().insert(row.path.into(), block);
        }
        let gate = Self {
            blocks: RwLock::default(),
            count: AtomicUsize::new(0),
            is_unsaved: AtomicBool::new(false),
            db,
            metrics,
        };
        *gate.write() = blocks;
        gate.recount();
        Ok(Arc::new(gate))
    }

    /// Whether a call of `path` may go on.
    ///
    /// # Errors
    /// [`Blocked`], counted, while the platform would refuse it.
    pub fn check(&self, account: &Name, path: &str, now: SystemTime) -> Result<Pass, Blocked> {
        const FREE: Pass = Pass { is_probe: false };
        if self.count.load(Ordering::Acquire) == 0 {
            return Ok(FREE);
        }
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        let Some(block) = blocks.get(account).and_then(|paths| paths.get(path)) else {
            return Ok(FREE);
        };
        let now_ms = unix_ms(now);
        if now_ms >= block.until_ms {
            return Ok(FREE);
        }
        let due = |next_ms: i64| (next_ms <= now_ms).then_some(now_ms + PROBE_EACH_MS);
        let probe = &block.next_probe_ms;
        if probe.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok() {
            return Ok(Pass { is_probe: true });
        }
        self.metrics.hit(LimitKind::Quota);
        Err(Blocked { errcode: block.errcode, until: from_unix_ms(block.until_ms) })
    }

    /// Notes what the platform answered. Only [`DAY_QUOTA`] and [`MINUTE_QUOTA`] block; a block
    /// that is on and lasts longer stays.
    pub fn note(&self, account: &Name, path: &str, errcode: i64, now: SystemTime) {
        let now_ms = unix_ms(now);
        let until_ms = match errcode {
            DAY_QUOTA => unix_ms(Day::of(now).end()),
            MINUTE_QUOTA => (now_ms / MINUTE_MS + 1) * MINUTE_MS,
            _ => return,
        };
        let mut blocks = self.write();
        let known = blocks.get(account).and_then(|paths| paths.get(path));
        if known.is_some_and(|block| block.until_ms >= until_ms && block.until_ms > now_ms) {
            return;
        }
        if known.is_none()
            && (self.count.load(Ordering::Acquire) >= MOST_BLOCKS
                || path.len() > LONGEST_PATH_BYTES)
        {
            tracing::debug!(%account, "too many paths are out of quota; {errcode} is passed on without a block");
            return;
        }
        let block = Block {
            errcode,
            since_ms: now_ms,
            until_ms,
            next_probe_ms: AtomicI64::new(now_ms + PROBE_EACH_MS),
        };
        blocks.entry(account.clone()).or_default().insert(path.into(), block);
        drop(blocks);
        self.changed();
    }

    /// Notes that the platform took a call again. Only a probe frees its path: the answer of a
    /// call that was sent before the block proves nothing.
    pub fn note_ok(&self, account: &Name, path: &str, pass: Pass) {
        if !pass.is_probe {
            return;
        }
        let mut blocks = self.write();
        if let Some(paths) = blocks.get_mut(account) {
            paths.remove(path);
        }
        drop(blocks);
        self.changed();
    }

    /// Frees every path of an account: `clear_quota` went through, or somebody said so. Returns
    /// how many there were.
    pub fn clear(&self, account: &Name) -> usize {
        let freed = self.write().remove(account).map_or(0, |paths| paths.len());
        self.changed();
        freed
    }

    /// Forgets blocks whose quota has turned, and stores what has changed.
    ///
    /// # Errors
    /// [`StoreError`]; what was not stored is stored by the next call.
    pub async fn flush(&self, now: SystemTime) -> Result<(), StoreError> {
        if self.forget_past(unix_ms(now)) > 0 {
            self.changed();
        }
        if !self.is_unsaved.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let rows = self.rows();
        let stored = self.db.write(move |transaction| table::replace(transaction, &rows)).await;
        stored.inspect_err(|_| self.is_unsaved.store(true, Ordering::Release))
    }

    fn forget_past(&self, now_ms: i64) -> usize {
        if self.count.load(Ordering::Acquire) == 0 {
            return 0;
        }
        let mut forgotten = 0;
        self.write().retain(|_, paths| {
            let before = paths.len();
            paths.retain(|_, block| block.until_ms > now_ms);
            forgotten += before - paths.len();
            !paths.is_empty()
        });
        forgotten
    }

    fn rows(&self) -> Vec<Row> {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        let rows = blocks.iter().flat_map(|(account, paths)| {
            paths.iter().map(|(path, block)| Row {
                account: account.to_string(),
                path: path.to_string(),
                errcode: block.errcode,
                since_ms: block.since_ms,
                until_ms: block.until_ms,
            })
        });
        rows.collect()
    }

    fn changed(&self) {
        self.recount();
        self.is_unsaved.store(true, Ordering::Release);
    }

    fn recount(&self) {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        let count = blocks.values().map(HashMap::len).sum();
        self.count.store(count, Ordering::Release);
        self.metrics.quota_blocks.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Name, Paths>> {
        self.blocks.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for QuotaGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuotaGate").field("blocks", &self.count).finish_non_exhaustive()
    }
}

/// "reach max api daily quota limit": the quota turns at 00:00 UTC+8.
pub const DAY_QUOTA: i64 = 45009;
/// "api minute-quota reach limit, must slower, retry next minute".
pub const MINUTE_QUOTA: i64 = 45011;

const MINUTE_MS: i64 = 60_000;
const PROBE_EACH_MS: i64 = 10 * MINUTE_MS;
/// Bounds the memory and the table; the platform has under 2,000 paths.
const MOST_BLOCKS: usize = 10_000;
/// Far longer than any path of the platform.
const LONGEST_PATH_BYTES: usize = 512;
