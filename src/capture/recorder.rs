//! The door to the capture: takes finished exchanges and never makes the proxy wait.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, watch};

use super::{
    error::CaptureError,
    exchange::Exchange,
    metrics::{CaptureMetrics, DropReason},
    query::Reader,
    queue::Queue,
    set_aside::{SetAside, open_or_set_aside},
    settings::CaptureSettings,
    storage::Storage,
    stored::StoredExchange,
    writer::Writer,
};
use crate::base::{clock::SharedClock, redact::Redactor};

/// Records exchanges. Clones share the queue and the writer thread, which stores what is queued
/// and ends when the last clone is gone.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    _closes: Arc<CloseOnDrop>,
}

/// What recorder and writer thread share.
pub(super) struct Shared {
    pub(super) queue: Queue,
    /// Those of the last reload.
    pub(super) settings: ArcSwap<CaptureSettings>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) clock: SharedClock,
    pub(super) metrics: CaptureMetrics,
    pub(super) live: broadcast::Sender<Arc<StoredExchange>>,
    /// How many exchanges the writer is done with, stored or dropped.
    pub(super) settled: watch::Sender<u64>,
    /// Whether the writer thread is over and the file closed.
    pub(super) has_ended: watch::Sender<bool>,
    state: Mutex<CaptureState>,
    /// Beside `settings`, because every request asks.
    is_enabled: AtomicBool,
    path: PathBuf,
}

/// Whether exchanges are being stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureState {
    /// Yes.
    Recording,
    /// No: switched off in proxy.toml.
    Disabled,
    /// No: the file cannot be written. It resumes by itself.
    Stopped {
        /// What the system says.
        reason: String,
        /// Since when, in milliseconds since 1970.
        since_ms: i64,
    },
    /// No: the gateway is shutting down.
    Closed,
}

impl Recorder {
    /// Opens `capture.db`, starts the writer thread. A damaged file is set aside, a new one
    /// begun, and that told.
    ///
    /// # Errors
    /// [`CaptureError`] when the file cannot be opened, or the thread not started.
    pub fn start(
        path: &Path,
        settings: CaptureSettings,
        redactor: Arc<Redactor>,
        clock: SharedClock,
        metrics: CaptureMetrics,
    ) -> Result<(Self, Option<SetAside>), CaptureError> {
        let (storage, next_seq, set_aside) = open_or_set_aside(path, clock.unix_ms())?;
        let shared = Arc::new(Shared::new(path, settings, redactor, clock, metrics));
        let recorder = Self::start_writer(shared, storage, next_seq)?;
        Ok((recorder, set_aside))
    }

    fn start_writer(
        shared: Arc<Shared>,
        storage: Storage,
        next_seq: u64,
    ) -> Result<Self, CaptureError> {
        let writer = Writer::new(shared.clone(), storage, next_seq);
        std::thread::Builder::new()
            .name("capture-writer".into())
            .spawn(move || writer.run())
            .map_err(|source| CaptureError::Thread { source })?;
        let closes = Arc::new(CloseOnDrop(shared.clone()));
        Ok(Self { shared, _closes: closes })
    }

    /// Hands a finished exchange to the writer thread. Never waits: if the queue is full the
    /// exchange is dropped and counted, because a slow disk must not slow the proxy.
    pub fn record(&self, exchange: &Exchange) {
        if !self.is_enabled() {
            return;
        }
        if let Err(reason) = self.shared.queue.push(exchange) {
            self.shared.metrics.drop_for(reason, 1);
        }
    }

    /// Whether exchanges are wanted at all; if not, a tee is wasted work.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.shared.is_enabled.load(Ordering::Relaxed)
    }

    /// How much of each body to keep, in bytes.
    #[must_use]
    pub fn body_cap(&self) -> usize {
        self.shared.settings.load().body_cap.as_usize()
    }

    /// Takes over new settings; the next batch obeys them.
    pub fn apply(&self, settings: CaptureSettings) {
        self.shared.is_enabled.store(settings.enabled, Ordering::Relaxed);
        let mut state = self.shared.lock_state();
        match (&*state, settings.enabled) {
            (CaptureState::Disabled, true) => *state = CaptureState::Recording,
            (CaptureState::Recording | CaptureState::Stopped { .. }, false) => {
                *state = CaptureState::Disabled;
            }
            _ => {}
        }
        self.shared.metrics.running.set(i64::from(*state == CaptureState::Recording));
        drop(state);
        self.shared.settings.store(Arc::new(settings));
    }

    /// Every exchange from now on, as it is stored. Bounded: a receiver that is too slow is
    /// told how many it missed (`RecvError::Lagged`), and goes on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<StoredExchange>> {
        self.shared.live.subscribe()
    }

    /// A connection for queries; for a thread that may block.
    ///
    /// # Errors
    /// [`CaptureError::Store`] when the file cannot be opened.
    pub fn reader(&self) -> Result<Reader, CaptureError> {
        Reader::open(&self.shared.path)
    }

    /// Whether exchanges are being stored.
    #[must_use]
    pub fn state(&self) -> CaptureState {
        self.shared.lock_state().clone()
    }

    /// How many exchanges were lost since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.metrics.dropped_total()
    }

    /// How many exchanges wait for the writer.
    #[must_use]
    pub fn queue_len(&self) -> usize {
        self.shared.queue.len_and_bytes().0
    }

    /// Brings the gauges up to date; for whoever is about to read them.
    pub fn observe(&self) {
        let (len, bytes) = self.shared.queue.len_and_bytes();
        self.shared.metrics.queue_len.set(len as i64);
        self.shared.metrics.queue_bytes.set(bytes as i64);
    }

    /// Waits until everything that was recorded before is stored or dropped.
    pub async fn flush(&self) {
        let pushed = self.shared.queue.hurry();
        let mut settled = self.shared.settled.subscribe();
        let mut has_ended = self.shared.has_ended.subscribe();
        tokio::select! {
            // Neither sender can go away before `self`.
            _ = settled.wait_for(|settled| *settled >= pushed) => {}
            _ = has_ended.wait_for(|has_ended| *has_ended) => {}
        }
    }

    /// Stores what is queued and closes the file; `false` when that took longer than `limit`.
    pub async fn flush_and_close(&self, limit: Duration) -> bool {
        self.shared.queue.close();
        let mut has_ended = self.shared.has_ended.subscribe();
        tokio::time::timeout(limit, has_ended.wait_for(|has_ended| *has_ended)).await.is_ok()
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Shared {
    fn new(
        path: &Path,
        settings: CaptureSettings,
        redactor: Arc<Redactor>,
        clock: SharedClock,
        metrics: CaptureMetrics,
    ) -> Self {
        let state = if settings.enabled { CaptureState::Recording } else { CaptureState::Disabled };
        metrics.running.set(i64::from(settings.enabled));
        Self {
            queue: Queue::new(),
            is_enabled: AtomicBool::new(settings.enabled),
            settings: ArcSwap::from_pointee(settings),
            redactor,
            clock,
            metrics,
            live: broadcast::Sender::new(LIVE_CAPACITY),
            settled: watch::Sender::new(0),
            has_ended: watch::Sender::new(false),
            state: Mutex::new(state),
            path: path.to_owned(),
        }
    }

    fn lock_state(&self) -> std::sync::MutexGuard<'_, CaptureState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that storing works, and says so if it did not before.
    pub(super) fn note_stored(&self, count: u64) {
        self.metrics.recorded.inc_by(count);
        let mut state = self.lock_state();
        if let CaptureState::Stopped { since_ms, .. } = &*state {
            let stopped_ms = self.clock.unix_ms().saturating_sub(*since_ms);
            let dropped = self.metrics.dropped_total();
            tracing::warn!(stopped_ms, dropped, "capture has resumed; what came meanwhile is lost");
            *state = CaptureState::Recording;
            self.metrics.running.set(1);
        }
    }

    /// Notes that storing does not work; logs it only the first time.
    pub(super) fn note_stopped(&self, reason: String) {
        let mut state = self.lock_state();
        if *state == CaptureState::Recording {
            tracing::error!(
                path = %self.path.display(), %reason,
                "capture has stopped, requests are still served; it resumes by itself"
            );
            *state = CaptureState::Stopped { reason, since_ms: self.clock.unix_ms() };
            self.metrics.running.set(0);
        }
    }

    /// The writer thread is over, in order or by a panic.
    pub(super) fn note_ended(&self) {
        self.queue.close();
        *self.lock_state() = CaptureState::Closed;
        self.metrics.running.set(0);
        self.has_ended.send_replace(true);
    }

    pub(super) fn drop_for(&self, reason: DropReason, count: u64) {
        self.metrics.drop_for(reason, count);
    }
}

/// Ends the writer thread when the last recorder is gone.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

/// Exchanges that a slow subscriber may lag behind; they are shared, not copied.
const LIVE_CAPACITY: usize = 1024;

#[cfg(test)]
mod tests;
