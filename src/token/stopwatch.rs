//! Monotonic time that goes on while the machine sleeps.
//!
//! Tokens age on this clock, not on the wall clock: a jump of the wall clock neither kills a
//! good token nor revives an expired one. `tokio::time::Instant` stands still while the machine
//! is suspended, so the time since boot, which does not, is compared with it now and then.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Tells the time since boot, sleep included; none where the system does not tell.
pub type BootClock = fn() -> Option<Duration>;

/// See the module.
pub(super) struct Stopwatch {
    started: Instant,
    boot_clock: BootClock,
    slept_ms: AtomicU64,
    last: Mutex<Option<Reading>>,
}

impl Stopwatch {
    pub(super) fn new(boot_clock: BootClock) -> Self {
        let started = Instant::now();
        let last = Mutex::new(None);
        let this = Self { started, boot_clock, slept_ms: AtomicU64::new(0), last };
        this.notice_sleep();
        this
    }

    /// Time since it was started, sleep included.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed() + self.slept()
    }

    /// What tokio's clock will show at `reading`, if the machine does not sleep until then.
    pub(super) fn awake(&self, reading: Duration) -> Instant {
        self.started + reading.saturating_sub(self.slept())
    }

    /// Compares both clocks; true when the machine has slept since the last call.
    pub(super) fn notice_sleep(&self) -> bool {
        let Some(since_boot) = (self.boot_clock)() else { return false };
        let reading = Reading { since_boot, monotonic: Instant::now() };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = last.replace(reading).map_or(Duration::ZERO, |before| reading.slept(before));
        if slept < SHORTEST_SLEEP {
            return false;
        }
        let slept_ms = u64::try_from(slept.as_millis()).unwrap_or(u64::MAX);
        self.slept_ms.fetch_add(slept_ms, Ordering::Relaxed);
        true
    }

    fn slept(&self) -> Duration {
        Duration::from_millis(self.slept_ms.load(Ordering::Relaxed))
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy)]
struct Reading {
    since_boot: Duration,
    monotonic: Instant,
}

impl Reading {
    fn slept(self, before: Self) -> Duration {
        let passed = self.since_boot.saturating_sub(before.since_boot);
        passed.saturating_sub(self.monotonic.saturating_duration_since(before.monotonic))
    }
}

/// Linux tells the time since boot, sleep included, in `/proc/uptime`. Elsewhere an expired
/// token is noticed when the platform refuses it.
#[must_use]
pub fn boot_clock() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// How often the clocks are compared.
pub(super) const COMPARE_EVERY: Duration = Duration::from_secs(5);

/// Less than this is a late timer, not a sleep.
const SHORTEST_SLEEP: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_time_that_tokio_did_not_see_counts_as_sleep() {
        static SINCE_BOOT_S: AtomicU64 = AtomicU64::new(1000);
        let watch =
            Stopwatch::new(|| Some(Duration::from_secs(SINCE_BOOT_S.load(Ordering::Relaxed))));
        let begin = watch.now();

        tokio::time::advance(Duration::from_secs(60)).await;
        SINCE_BOOT_S.store(1060, Ordering::Relaxed);
        assert!(!watch.notice_sleep());
        assert_eq!(watch.now() - begin, Duration::from_secs(60));

        SINCE_BOOT_S.store(1660, Ordering::Relaxed);
        assert!(watch.notice_sleep(), "ten minutes passed that tokio did not see");
        assert_eq!(watch.now() - begin, Duration::from_secs(660));
        assert_eq!(watch.awake(watch.now()), Instant::now());
        assert!(!watch.notice_sleep(), "counted once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_system_without_a_boot_clock_is_taken_as_always_awake() {
        let watch = Stopwatch::new(|| None);
        assert!(!watch.notice_sleep());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(watch.now(), Duration::from_secs(9));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_the_time_since_boot() {
        assert!(boot_clock().is_some_and(|since| !since.is_zero()));
    }
}
