//! What a connection is doing right now, as its parts report it to the watchdog.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Shared by the two I/O wrappers, the service wrapper, the bodies and the watchdog of one
/// connection. All of them run on one worker's thread, so the atomics are never contended;
/// they are atomics only because hyper wants `Send`.
///
/// Moments are kept in microseconds since the connection began, plus one; 0 is "not now".
#[derive(Debug)]
pub(super) struct Pulse {
    begun: Instant,
    /// Requests and bodies that have not ended.
    open: AtomicU32,
    /// Requests in all.
    requests: AtomicU32,
    /// Since when nothing is open.
    idle_since: AtomicU64,
    /// When the unfinished request head, header block or control frame began.
    head_since: AtomicU64,
    /// When we lose patience with a client that does not take bytes.
    write_deadline: AtomicU64,
    /// The client has shown that it speaks the protocol.
    greeted: AtomicBool,
    /// Each answer from now on says that it is the last.
    closing: AtomicBool,
    /// HTTP/2 frames that cost work and carry nothing: a bucket that leaks.
    idle_frames: AtomicU32,
    idle_frames_at: AtomicU64,
    /// The socket is to be reset, not closed: the kernel shall not go on trying to deliver.
    reset: AtomicBool,
}

impl Pulse {
    /// Of a connection that was just accepted.
    pub(super) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self {
            begun: now,
            open: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            write_deadline: AtomicU64::new(0),
            greeted: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            idle_frames: AtomicU32::new(0),
            idle_frames_at: AtomicU64::new(0),
            reset: AtomicBool::new(false),
        })
    }

    /// Begins the HTTP part: what came before (PROXY header, TLS) is no idling.
    pub(super) fn begin_http(&self, now: Instant) {
        self.idle_since.store(self.stamp(now), Relaxed);
    }

    /// When the connection was accepted: its age counts from here.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// A request head is complete. How many there were, this one included.
    pub(super) fn request(&self) -> u32 {
        self.greeted.store(true, Relaxed);
        self.requests.fetch_add(1, Relaxed) + 1
    }

    /// Whether no request, body or answer is open. Bytes of a head do not count.
    pub(super) fn is_idle(&self) -> bool {
        self.open.load(Relaxed) == 0
    }

    /// When the last of them ended; means nothing while one is open.
    pub(super) fn idle_since(&self) -> Instant {
        self.moment(self.idle_since.load(Relaxed)).unwrap_or(self.begun)
    }

    /// On HTTP/2 the preface and SETTINGS are enough: browsers connect before they ask.
    pub(super) fn greet(&self) {
        self.greeted.store(true, Relaxed);
    }

    pub(super) fn is_greeted(&self) -> bool {
        self.greeted.load(Relaxed)
    }

    /// A head has begun at `now`, unless it began before.
    pub(super) fn head_begins(&self, now: Instant) {
        if self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.stamp(now), Relaxed);
        }
    }

    /// What had begun is whole.
    pub(super) fn head_ends(&self) {
        self.head_since.store(0, Relaxed);
    }

    pub(super) fn head_since(&self) -> Option<Instant> {
        self.moment(self.head_since.load(Relaxed))
    }

    /// None once the client has taken something.
    pub(super) fn set_write_deadline(&self, at: Option<Instant>) {
        self.write_deadline.store(at.map_or(0, |at| self.stamp(at)), Relaxed);
    }

    pub(super) fn write_deadline(&self) -> Option<Instant> {
        self.moment(self.write_deadline.load(Relaxed))
    }

    /// The next answer is the last. Set, and never taken back.
    pub(super) fn close_after_answer(&self) {
        self.closing.store(true, Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// Fills the bucket, after what has leaked since the last time.
    pub(super) fn add_idle_frames(&self, count: u32, now: Instant) {
        let now = self.stamp(now);
        let seconds = now.saturating_sub(self.idle_frames_at.load(Relaxed)) / 1_000_000;
        if seconds > 0 {
            self.idle_frames_at.store(now, Relaxed);
        }
        let leaked = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(IDLE_FRAMES_PER_S);
        let level = self.idle_frames.load(Relaxed).saturating_sub(leaked).saturating_add(count);
        self.idle_frames.store(level, Relaxed);
    }

    pub(super) fn idle_frames(&self) -> u32 {
        self.idle_frames.load(Relaxed)
    }

    /// For a client that takes nothing: a polite close would wait for it in the kernel.
    pub(super) fn reset_on_drop(&self) {
        self.reset.store(true, Relaxed);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset.load(Relaxed)
    }

    fn stamp(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.begun).as_micros();
        u64::try_from(micros).map_or(u64::MAX, |micros| micros.saturating_add(1))
    }

    fn moment(&self, stamp: u64) -> Option<Instant> {
        Some(self.begun + Duration::from_micros(stamp.checked_sub(1)?))
    }
}

/// Keeps a connection busy: held by each request, its body and its answer until they end.
#[derive(Debug)]
pub(super) struct Busy(Arc<Pulse>);

impl Busy {
    pub(super) fn new(pulse: &Arc<Pulse>) -> Self {
        pulse.open.fetch_add(1, Relaxed);
        Self(Arc::clone(pulse))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Relaxed) == 1 {
            self.0.idle_since.store(self.0.stamp(Instant::now()), Relaxed);
        }
    }
}

/// What an honest client may send for ever: keep-alive pings, cancelled requests.
const IDLE_FRAMES_PER_S: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idleness_counts_from_the_end_of_the_last_open_part() {
        let pulse = Pulse::new(Instant::now());
        let (first, second) = (Busy::new(&pulse), Busy::new(&pulse));
        tokio::time::advance(Duration::from_secs(3)).await;
        drop(first);
        assert!(!pulse.is_idle());
        tokio::time::advance(Duration::from_secs(4)).await;
        drop(second);
        assert!(pulse.is_idle());
        assert_eq!(pulse.idle_since() - pulse.begun(), Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn idle_frames_leak_away_and_a_flood_does_not() {
        let pulse = Pulse::new(Instant::now());
        for second in 0..1000 {
            pulse.add_idle_frames(10, pulse.begun() + Duration::from_secs(second));
        }
        assert!(pulse.idle_frames() <= 20, "{}", pulse.idle_frames());
        pulse.add_idle_frames(500, pulse.begun() + Duration::from_secs(1000));
        assert!(pulse.idle_frames() > 400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_keeps_its_first_moment_until_it_ends() {
        let pulse = Pulse::new(Instant::now());
        assert_eq!(pulse.head_since(), None);
        pulse.head_begins(pulse.begun() + Duration::from_secs(1));
        pulse.head_begins(pulse.begun() + Duration::from_secs(2));
        assert_eq!(pulse.head_since(), Some(pulse.begun() + Duration::from_secs(1)));
        pulse.head_ends();
        assert_eq!(pulse.head_since(), None);
    }
}
