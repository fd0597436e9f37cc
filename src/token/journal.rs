//! The one writer of what must survive a restart: sealed tokens, and their timeline.
//!
//! Requests never wait for it. Its queue is bounded; an entry that finds it full is dropped
//! with a log line, and costs one fetch after a restart or a gap in the timeline.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rusqlite::Transaction;
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::{MissedTickBehavior, interval},
};

use super::{
    change::Changes,
    generation::{End, Generation},
    issued::Issued,
    timeline, vault,
};
use crate::{
    base::{chain::Chain, clock::SharedClock, tasks::Tasks},
    store::{Database, StoreError},
};

/// Something to write down.
pub(super) enum Entry {
    /// A generation began; `sealed` is its row in the vault.
    Born { slot: String, issued: Arc<Issued>, sealed: Option<Vec<u8>> },
    /// The issuer gave the same token out again.
    Extended { slot: String, issued: Arc<Issued>, sealed: Option<Vec<u8>> },
    /// The platform refused the token: it must not be used after a restart.
    Refused { slot: String, issued: Arc<Issued> },
    /// A generation ended.
    Ended { issued: Arc<Issued>, end: End },
    /// What an earlier run left open may have run out since.
    Lapsed { slot: String },
    /// The slot's sealed value is of no use.
    Forgotten { slot: String },
    /// Something that is no token is worth keeping; `sealed` goes into its row.
    Kept { row: String, sealed: Vec<u8> },
    /// Everything before this is written.
    Barrier(oneshot::Sender<()>),
}

/// Takes entries.
pub(super) struct Journal {
    queue: mpsc::Sender<Entry>,
}

impl Journal {
    /// Starts the writer.
    pub(super) fn start(
        store: Arc<Database>,
        clock: SharedClock,
        changes: Changes,
        tasks: &Tasks,
        runtime: &Handle,
    ) -> Self {
        let (queue, entries) = mpsc::channel(QUEUED_ENTRIES);
        let scribe = Scribe { store, clock, changes, living: HashMap::new(), is_failing: false };
        tasks.spawn_on(scribe.run(entries, tasks.clone()), runtime);
        Self { queue }
    }

    /// Notes `entry` without waiting.
    pub(super) fn note(&self, entry: Entry) {
        match self.queue.try_send(entry) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => tracing::warn!(
                queued = QUEUED_ENTRIES,
                "a change of a token is not written: the database is too slow"
            ),
            Err(TrySendError::Closed(_)) => tracing::debug!("the token journal is shut down"),
        }
    }

    /// Ends when everything that was noted before is written.
    pub(super) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Entry::Barrier(done)).await.is_ok() {
            // An error means that the writer has ended, and it wrote all before that.
            let _ = written.await;
        }
    }
}

/// The writer's task.
struct Scribe {
    store: Arc<Database>,
    clock: SharedClock,
    changes: Changes,
    /// Generations in use, with the last good use that was written; at most one a slot.
    living: HashMap<u64, (Arc<Issued>, Option<i64>)>,
    is_failing: bool,
}

impl Scribe {
    async fn run(mut self, mut entries: mpsc::Receiver<Entry>, tasks: Tasks) {
        let mut stamps = interval(STAMP_EVERY);
        stamps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                count = entries.recv_many(&mut batch, ENTRIES_PER_WRITE) => match count {
                    0 => break,
                    _ => self.write(std::mem::take(&mut batch)).await,
                },
                _ = stamps.tick() => self.stamp_living().await,
                () = tasks.stopping(), if !entries.is_closed() => entries.close(),
            }
        }
        self.stamp_living().await;
    }

    async fn write(&mut self, entries: Vec<Entry>) {
        let (barriers, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| matches!(entry, Entry::Barrier(_)));
        entries.iter().for_each(|entry| self.follow(entry));
        let now_ms = self.clock.unix_ms();
        if !entries.is_empty() {
            let apply_all = move |t: &Transaction<'_>| {
                let closed: rusqlite::Result<Vec<_>> =
                    entries.iter().map(|entry| apply(t, entry, now_ms)).collect();
                closed.map(|closed| closed.concat())
            };
            let closed = self.store.write(apply_all).await;
            closed.iter().flatten().for_each(|life| self.changes.closed(life));
            self.report(closed.map(drop));
        }
        for barrier in barriers {
            if let Entry::Barrier(done) = barrier {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }

    /// Keeps [`Scribe::living`] up to date.
    fn follow(&mut self, entry: &Entry) {
        match entry {
            Entry::Born { issued, .. } | Entry::Extended { issued, .. } => {
                self.living.insert(issued.generation, (issued.clone(), None));
            }
            Entry::Ended { issued, .. } => {
                self.living.remove(&issued.generation);
            }
            Entry::Refused { .. }
            | Entry::Lapsed { .. }
            | Entry::Forgotten { .. }
            | Entry::Kept { .. }
            | Entry::Barrier(_) => {}
        }
    }

    /// Writes down the last good use of each living token that was used since.
    async fn stamp_living(&mut self) {
        let mut used = Vec::new();
        for (issued, written) in self.living.values_mut() {
            let last_good = issued.last_good_ms();
            if last_good != *written {
                *written = last_good;
                used.push(issued.clone());
            }
        }
        if !used.is_empty() {
            let stamp =
                move |t: &Transaction<'_>| used.iter().try_for_each(|i| timeline::stamp(t, i));
            let written = self.store.write(stamp).await;
            self.report(written);
        }
    }

    /// Logs the first failure of a row of failures, and its end.
    fn report(&mut self, written: Result<(), StoreError>) {
        let was_failing = std::mem::replace(&mut self.is_failing, written.is_err());
        match written {
            Err(error) if !was_failing => tracing::warn!(
                error = %Chain(&error),
                "tokens are not written to disk; a restart will fetch new ones"
            ),
            Ok(()) if was_failing => tracing::info!("tokens are written to disk again"),
            Ok(()) | Err(_) => {}
        }
    }
}

/// Tells which generations of an earlier run it closed.
fn apply(t: &Transaction<'_>, entry: &Entry, now_ms: i64) -> rusqlite::Result<Vec<Generation>> {
    match entry {
        Entry::Born { slot, issued, sealed } => {
            let closed = timeline::begin(t, slot, issued)?;
            keep(t, slot, sealed.as_deref(), now_ms)?;
            return Ok(closed);
        }
        Entry::Lapsed { slot } => return timeline::lapse(t, slot, now_ms),
        Entry::Extended { slot, issued, sealed } => {
            timeline::extend(t, issued)?;
            keep(t, slot, sealed.as_deref(), now_ms)?;
        }
        Entry::Refused { slot, issued } => {
            timeline::stamp(t, issued)?;
            vault::remove(t, slot)?;
        }
        Entry::Ended { issued, end } => timeline::end(t, issued, *end)?,
        Entry::Forgotten { slot } => vault::remove(t, slot)?,
        Entry::Kept { row, sealed } => vault::put(t, row, sealed, now_ms)?,
        Entry::Barrier(_) => {}
    }
    Ok(Vec::new())
}

fn keep(
    t: &Transaction<'_>,
    slot: &str,
    sealed: Option<&[u8]>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    match sealed {
        Some(sealed) => vault::put(t, slot, sealed, now_ms),
        None => vault::remove(t, slot),
    }
}

/// Some entries a token; a page of a platform's merchants has 500.
const QUEUED_ENTRIES: usize = 4096;

const ENTRIES_PER_WRITE: usize = 64;

/// How far the last good use on disk may be behind.
const STAMP_EVERY: Duration = Duration::from_secs(60);
