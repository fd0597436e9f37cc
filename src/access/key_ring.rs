//! All keys of this gateway: read once, looked up for every request.
//!
//! How keys come and go is in `key_change.rs`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use subtle::ConstantTimeEq as _;

use super::{
    fixed_keys::FixedKeys,
    key::Key,
    key_error::KeyError,
    key_id::KeyId,
    key_index::KeyIndex,
    key_subject::{SubjectIndex, Subjects},
    key_table,
    key_text::{read, sha256},
    metrics::AccessMetrics,
    refusal::KeyRefusal,
};
use crate::{
    base::{clock::SharedClock, name::Name},
    config::model::FixedKey,
    store::Database,
};

/// The keys of the database and of proxy.toml.
///
/// A look-up takes no lock and does not allocate. A change copies one of 256 small maps and is
/// in force when its method returns.
pub struct KeyRing {
    pub(super) index: KeyIndex,
    pub(super) fixed: ArcSwap<FixedKeys>,
    /// Names of the keys that are not revoked. Locked for a look or an insertion, never while
    /// the database works.
    pub(super) live: RwLock<HashMap<Name, KeyId>>,
    /// The key of the database that had the subject last.
    pub(super) subjects: SubjectIndex,
    /// Held by whoever changes keys, so that changes come one after the other.
    pub(super) changing: Mutex<()>,
    pub(super) db: Arc<Database>,
    pub(super) clock: SharedClock,
    pub(super) metrics: AccessMetrics,
}

impl KeyRing {
    /// Reads all keys. Blocks on the database: for the start, and for the command line.
    ///
    /// # Errors
    /// [`KeyError::Store`], or [`KeyError::Damaged`] for a row that nobody can read.
    pub fn load(
        db: Arc<Database>,
        fixed: &[FixedKey],
        clock: SharedClock,
        metrics: AccessMetrics,
    ) -> Result<Arc<Self>, KeyError> {
        let mut live = HashMap::new();
        let mut entries = Vec::new();
        let mut subjects = Subjects::default();
        for row in db.read_blocking(key_table::all)? {
            let entry = row.parse()?;
            if entry.key.revoked.is_none() {
                live.insert(entry.key.name.clone(), entry.key.id);
            }
            subjects.offer(&entry.key);
            entries.push(entry);
        }
        let ring = Self {
            index: KeyIndex::new(entries),
            fixed: ArcSwap::default(),
            live: RwLock::new(live),
            subjects: subjects.into_index(),
            changing: Mutex::default(),
            db,
            clock,
            metrics,
        };
        ring.set_fixed(fixed);
        Ok(Arc::new(ring))
    }

    /// The key that `presented` is the text of, if it opens anything at `now`.
    ///
    /// A wrong secret and an unknown id take the same way through this function: both hash the
    /// text, compare one hash in constant time, and look among the fixed keys.
    ///
    /// # Errors
    /// [`KeyRefusal`]; counted.
    pub fn check(&self, presented: &str, now: SystemTime) -> Result<Arc<Key>, KeyRefusal> {
        self.look_up(presented, now).inspect_err(|refusal| self.metrics.refused(refusal.code()))
    }

    /// The key with this id, for credentials that were made from a key: a surrogate dies with
    /// its key.
    ///
    /// # Errors
    /// [`KeyRefusal`]; counted.
    pub fn check_id(&self, id: &KeyId, now: SystemTime) -> Result<Arc<Key>, KeyRefusal> {
        self.with_id(id)
            .ok_or(KeyRefusal::Unknown)
            .and_then(|key| key.usable_at(now).map(|()| key))
            .inspect_err(|refusal| self.metrics.refused(refusal.code()))
    }

    fn look_up(&self, presented: &str, now: SystemTime) -> Result<Arc<Key>, KeyRefusal> {
        let id = read(presented)?;
        let hash = sha256(presented);
        let stored = self.index.find(&id);
        let expected = stored.as_ref().map_or(&NOBODY, |entry| &entry.hash);
        let is_right = bool::from(expected.ct_eq(&hash));
        let fixed = self.fixed.load().with_hash(&hash).cloned();
        // The database first: a key that was revoked there stays revoked, also if its hash
        // was left in the file.
        let key = match stored {
            Some(entry) if is_right => entry.key,
            Some(_) | None => fixed.ok_or(KeyRefusal::Unknown)?,
        };
        key.usable_at(now).map(|()| key)
    }

    /// Every key, revoked and fixed ones too, by name, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Key>> {
        let mut keys = self.index.all();
        keys.extend(self.fixed.load().all().cloned());
        keys.sort_by(|a, b| (&a.name, a.created, a.id).cmp(&(&b.name, b.created, b.id)));
        keys
    }

    /// Whether there never was a key: then this is a first start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0 && self.fixed.load().len() == 0
    }

    /// Replaces the keys of proxy.toml. A key of the database may have the same name; both
    /// open, and a change by name means the one in the database.
    pub fn set_fixed(&self, tables: &[FixedKey]) {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let fixed = FixedKeys::new(tables, &self.fixed.load(), self.clock.now());
        for name in fixed.names().filter(|name| self.live_key(name.as_str()).is_some()) {
            tracing::warn!(key.name = %name, "two keys are called {name}: one in the database, one in proxy.toml");
        }
        self.fixed.store(Arc::new(fixed));
        self.count();
    }

    /// The key with this id, whatever its state.
    pub(super) fn with_id(&self, id: &KeyId) -> Option<Arc<Key>> {
        let stored = self.index.find(id).map(|entry| entry.key);
        stored.or_else(|| self.fixed.load().with_id(id).cloned())
    }

    /// The key of the database that has the name now. It may have expired.
    pub(super) fn live_key(&self, name: &str) -> Option<Arc<Key>> {
        let id = self.live.read().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        id.and_then(|id| self.index.find(&id)).map(|entry| entry.key)
    }

    /// Tells the metrics how many keys there are.
    pub(super) fn count(&self) {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner).len();
        let keys = live.saturating_add(self.fixed.load().len());
        self.metrics.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.index.len()).finish_non_exhaustive()
    }
}

/// Compared with where no key has the id. Nothing hashes to it, and nobody would profit.
const NOBODY: [u8; 32] = [0; 32];
