//! Wall time, behind a trait so that tests can move it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tells the wall time. Intervals are measured with `tokio::time` instead, which a jump of
/// the wall clock does not disturb.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> SystemTime;

    /// Milliseconds since 1970.
    fn unix_ms(&self) -> i64 {
        unix_ms(self.now())
    }
}

/// Shared by everybody who asks for the time.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The machine's clock plus an offset that can be moved: the sandbox's clock, and a test's.
#[derive(Debug, Default)]
pub struct MovableClock {
    offset_ms: AtomicI64,
}

impl MovableClock {
    /// Moves the clock by `by`; only forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_ms.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> SystemTime {
        let offset = self.offset_ms.load(Ordering::Relaxed).max(0).unsigned_abs();
        SystemClock.now() + Duration::from_millis(offset)
    }
}

/// Milliseconds since 1970, 0 for anything before.
#[must_use]
pub fn unix_ms(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// The inverse of [`unix_ms`].
#[must_use]
pub fn from_unix_ms(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms.max(0).unsigned_abs())
}
