//! The writer thread: takes batches, redacts, packs, commits, publishes, tidies up.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    batch::{Batch, Pending},
    error::CaptureError,
    metrics::DropReason,
    queue::Taken,
    recorder::Shared,
    redaction::Rules,
    retention::{self, Retention},
    segment::{Packer, Sealed, Segment},
    set_aside::{open_or_set_aside, set_aside},
    settings::CaptureSettings,
    storage::Storage,
    stored::StoredExchange,
};
use crate::base::{backoff::Backoff, chain::Chain};

/// Everything the thread owns.
pub(super) struct Writer {
    shared: Arc<Shared>,
    storage: Storage,
    /// Goes on where the file ends; a dropped exchange leaves a gap.
    next_seq: u64,
    /// Those that `rules` was made of.
    settings: Arc<CaptureSettings>,
    rules: Rules,
    /// Redacted, not yet committed.
    segment: Segment,
    packer: Packer,
    /// Exchanges of the open segment, for subscribers; empty while there are none.
    unpublished: Vec<Arc<StoredExchange>>,
    backoff: Backoff,
    /// After a failed write: not before this moment again.
    retry_at: Option<Instant>,
    retention: Retention,
    /// Segments that were stored since retention last deleted.
    fresh_segments: usize,
    /// When small segments are looked for again.
    merge_at: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, storage: Storage, next_seq: u64) -> Self {
        let settings = shared.settings.load_full();
        Self {
            rules: Rules::new(&settings.redact, settings.body_cap.as_usize()),
            shared,
            storage,
            next_seq,
            settings,
            segment: Segment::default(),
            packer: Packer::default(),
            unpublished: Vec::new(),
            backoff: Backoff::new(RETRY_FIRST, RETRY_MOST),
            retry_at: None,
            retention: Retention::default(),
            fresh_segments: 0,
            merge_at: Instant::now(),
        }
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let ended = NoteEnd(self.shared.clone());
        let mut batch = Batch::default();
        loop {
            let taken = self.shared.queue.take(&mut batch, IDLE);
            match taken {
                Taken::Batch => self.store(&mut batch),
                Taken::Idle => {}
                Taken::Closed => break,
            }
            self.tidy(taken == Taken::Idle);
        }
        if let Err(error) = self.storage.empty_log() {
            tracing::debug!(error = %Chain(&error), "the capture's log stays for the next start");
        }
        // The file is closed before anybody is told that it is.
        drop(self);
        drop(ended);
    }

    /// Packs and commits one batch; an exchange is in the file within some milliseconds.
    fn store(&mut self, batch: &mut Batch) {
        self.follow_settings();
        let (count, mut packed) = (batch.len(), 0_usize);
        batch.drain(|pending| {
            self.pack(pending);
            packed += 1;
            if packed.is_multiple_of(TURN) && count < BEHIND {
                // A worker on the same core has a request that waits; the file does not.
                std::thread::yield_now();
            }
            if self.segment.is_full() {
                self.commit();
            }
        });
        self.commit();
        self.shared.settled.send_modify(|settled| *settled += count as u64);
    }

    /// Takes over what a reload has changed.
    fn follow_settings(&mut self) {
        let settings = self.shared.settings.load_full();
        if !Arc::ptr_eq(&settings, &self.settings) {
            self.rules = Rules::new(&settings.redact, settings.body_cap.as_usize());
            self.settings = settings;
        }
    }

    /// Redacts one exchange into the open segment. A panic over strange input costs that one
    /// exchange, not the capture.
    fn pack(&mut self, pending: Pending<'_>) {
        let (rules, redactor, seq) = (&self.rules, &self.shared.redactor, self.next_seq);
        let redacted = catch_unwind(AssertUnwindSafe(|| rules.redact(pending, seq, redactor)));
        let Ok(redacted) = redacted else {
            tracing::error!("an exchange could not be redacted, so it is not stored");
            self.shared.drop_for(DropReason::Encoding, 1);
            return;
        };
        self.next_seq += 1;
        if let Err(error) = self.segment.push(&redacted) {
            tracing::error!(error = %Chain(&error), id = %redacted.id, "an exchange is not stored");
            self.shared.drop_for(DropReason::Encoding, 1);
            return;
        }
        if self.shared.live.receiver_count() > 0 {
            self.unpublished.extend(redacted.to_stored().map(Arc::new));
        }
    }

    /// Stores the open segment, then shows it to subscribers, stored or not.
    fn commit(&mut self) {
        let count = self.segment.count() as u64;
        let is_due = self.retry_at.is_none_or(|at| Instant::now() >= at);
        let sealed = if is_due { self.segment.seal(true, &mut self.packer) } else { Ok(None) };
        self.segment.clear();
        let stored = match sealed {
            Ok(Some(sealed)) => self.write(&sealed),
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        match stored {
            Ok(true) => {
                self.fresh_segments += 1;
                self.retry_at = None;
                self.backoff.reset();
                self.shared.note_stored(count);
            }
            Ok(false) => self.shared.drop_for(DropReason::Storage, count),
            Err(error) => {
                self.retry_at = Some(Instant::now() + self.backoff.next_pause());
                self.shared.note_stopped(Chain(&error).to_string());
                self.shared.drop_for(DropReason::Storage, count);
            }
        }
        for exchange in self.unpublished.drain(..) {
            // Nobody is left to see it: fine.
            let _ = self.shared.live.send(exchange);
        }
    }

    /// Writes a segment; waits while somebody else holds the file, and begins a new file when
    /// this one turns out to be damaged.
    fn write(&mut self, sealed: &Sealed) -> Result<bool, CaptureError> {
        if !self.storage.is_open() {
            self.open_anew()?;
        }
        self.keep_log_short()?;
        loop {
            match self.storage.insert(sealed) {
                Ok(()) => return Ok(true),
                Err(error) if error.is_busy() && !self.shared.queue.is_closed() => {
                    self.shared.note_stopped(Chain(&error).to_string());
                }
                Err(error) if error.is_damage() => {
                    self.begin_anew(&error)?;
                    return self.storage.insert(sealed).map(|()| true);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A reader that does not end keeps the write-ahead log growing: rather no capture than a
    /// full disk.
    fn keep_log_short(&mut self) -> Result<(), CaptureError> {
        if self.storage.log_bytes() < LOG_MOST_BYTES {
            return Ok(());
        }
        if self.storage.empty_log()? {
            return Ok(());
        }
        Err(CaptureError::LogHeld { path: self.storage.path().to_owned() })
    }

    /// Moves a damaged file away and goes on with a new one.
    fn begin_anew(&mut self, error: &CaptureError) -> Result<(), CaptureError> {
        // First: SQLite deletes the log by its name when it closes, and that must not be the
        // log of the new file.
        self.storage.close()?;
        set_aside(self.storage.path(), self.shared.clock.unix_ms(), error)?;
        self.open_anew()
    }

    fn open_anew(&mut self) -> Result<(), CaptureError> {
        let path = self.storage.path().to_owned();
        let (storage, _, _) = open_or_set_aside(&path, self.shared.clock.unix_ms())?;
        self.storage = storage;
        self.retention = Retention::default();
        Ok(())
    }

    /// Retention: longer while nothing else is to do, shortly between batches.
    fn tidy(&mut self, is_idle: bool) {
        self.follow_settings();
        let until = Instant::now() + if is_idle { TIDY_IDLE } else { Duration::ZERO };
        // Each segment goes in two steps, its bodies first, so with less than two for each new
        // one the file would grow as long as exchanges come. Old ones may be smaller than those
        // that come, so there may be more; mostly there is nothing at all to delete.
        let mut steps = DELETED_BETWEEN + 2 * std::mem::take(&mut self.fresh_segments);
        while (steps > 0 || Instant::now() < until) && self.did(Tidying::Delete) {
            steps = steps.saturating_sub(1);
        }
        while Instant::now() >= self.merge_at {
            if !self.did(Tidying::Merge) {
                self.merge_at = Instant::now() + MERGE_EVERY;
            }
            if Instant::now() >= until {
                break;
            }
        }
        if let Ok((used, _)) = self.storage.used_and_free_bytes() {
            self.shared.metrics.stored_bytes.set(i64::try_from(used).unwrap_or(i64::MAX));
        }
    }

    /// One step; tells whether there was something to do.
    fn did(&mut self, tidying: Tidying) -> bool {
        let Self { storage, settings, .. } = self;
        let now_ms = self.shared.clock.unix_ms();
        let did = match tidying {
            Tidying::Delete => retention::delete(storage, settings, now_ms),
            Tidying::Merge => self.retention.merge(storage, settings, now_ms),
        };
        did.unwrap_or_else(|error| {
            tracing::debug!(error = %Chain(&error), "the capture could not be tidied up");
            false
        })
    }
}

/// What retention does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tidying {
    Delete,
    Merge,
}

/// Says that the thread is over, also when it panics.
struct NoteEnd(Arc<Shared>);

impl Drop for NoteEnd {
    fn drop(&mut self) {
        self.0.note_ended();
    }
}

/// How often an idle writer looks whether there is something to tidy up.
const IDLE: Duration = Duration::from_millis(250);

/// How often small segments are looked for when there were none.
const MERGE_EVERY: Duration = Duration::from_secs(1);

/// How long retention may go on before the queue is looked at again.
const TIDY_IDLE: Duration = Duration::from_millis(20);

/// How many segments, or their bodies, may be deleted between two batches beyond the new ones':
/// some milliseconds.
const DELETED_BETWEEN: usize = 64;

/// So many small exchanges take a hundred microseconds or less; long bodies take longer.
const TURN: usize = 8;

/// A batch grows to this when exchanges come faster than they are stored. Then nothing is given
/// way to: the queue must not fill.
const BEHIND: usize = 1024;

/// Pause after a first failed write.
const RETRY_FIRST: Duration = Duration::from_millis(200);

/// Longest pause between tries while the disk is full.
const RETRY_MOST: Duration = Duration::from_secs(5);

/// The write-ahead log may become this long before it must be emptied.
const LOG_MOST_BYTES: u64 = 56 << 20;
