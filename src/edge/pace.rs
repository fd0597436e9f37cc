//! The patience we have with one direction of a stream: pauses, a minimum rate, a total.

use std::time::Duration;

use tokio::time::Instant;

use super::Deadlines;

/// How much waiting bytes buy, and how much of it may be saved up.
#[derive(Clone, Copy, Debug)]
struct Budget {
    left: Duration,
    most: Duration,
    bytes_per_s: u32,
}

/// Counts only the time in which *we* wait for the peer. Waiting uses up budgets, bytes fill
/// them again; whoever has none left is too slow. Pure: `now` is an argument.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    idle: Duration,
    rate: Budget,
    total: Option<Budget>,
    waiting_since: Option<Instant>,
}

impl Pace {
    /// For a request body that the client sends.
    pub(super) fn of_upload(limits: &Deadlines) -> Self {
        let total = Budget {
            left: limits.request_body_total,
            most: Duration::MAX,
            bytes_per_s: TOTAL_BYTES_PER_S,
        };
        Self {
            idle: limits.request_body_idle,
            rate: Budget::new(limits.request_body_grace, limits.min_rate_bytes_per_s),
            total: Some(total),
            waiting_since: None,
        }
    }

    /// For an answer that the client takes.
    pub(super) fn of_download(limits: &Deadlines) -> Self {
        Self {
            idle: limits.write_idle,
            rate: Budget::new(limits.write_idle, limits.min_rate_bytes_per_s),
            total: None,
            waiting_since: None,
        }
    }

    /// We wait for the peer since `now`, or since longer. The moment at which patience ends.
    pub(super) fn wait(&mut self, now: Instant) -> Instant {
        let since = *self.waiting_since.get_or_insert(now);
        let left = self.total.map_or(self.rate.left, |total| total.left.min(self.rate.left));
        since + left.min(self.idle)
    }

    /// Whether [`Pace::wait`] was the last that happened.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting_since.is_some()
    }

    /// The peer moved `bytes`.
    pub(super) fn progress(&mut self, now: Instant, bytes: usize) {
        let waited = self
            .waiting_since
            .take()
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.rate.book(waited, bytes);
        if let Some(total) = &mut self.total {
            total.book(waited, bytes);
        }
    }

    /// The peer moved `bytes` without making us wait: no clock is asked.
    pub(super) fn credit(&mut self, bytes: usize) {
        self.rate.book(Duration::ZERO, bytes);
        if let Some(total) = &mut self.total {
            total.book(Duration::ZERO, bytes);
        }
    }
}

impl Budget {
    fn new(grace: Duration, bytes_per_s: u32) -> Self {
        // Twice the grace, so that a burst at the start does not pay for a crawl ever after.
        Self { left: grace, most: grace * 2, bytes_per_s }
    }

    fn book(&mut self, waited: Duration, bytes: usize) {
        let micros = (bytes as u64).saturating_mul(1_000_000) / u64::from(self.bytes_per_s.max(1));
        let earned = Duration::from_micros(micros);
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.most);
    }
}

/// At this rate and above the total limit of an upload never ends it.
const TOTAL_BYTES_PER_S: u32 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Plays `(pause, bytes)` and tells after which step patience ended.
    fn cut_after(mut pace: Pace, steps: impl Iterator<Item = (Duration, usize)>) -> Option<usize> {
        let mut now = Instant::now();
        for (step, (pause, bytes)) in steps.enumerate() {
            let end = pace.wait(now);
            if now + pause >= end {
                return Some(step);
            }
            now += pause;
            pace.progress(now, bytes);
        }
        None
    }

    #[test]
    fn a_pause_ends_patience_exactly_at_the_idle_limit() {
        let upload =
            || Pace::of_upload(&Deadlines { request_body_grace: secs(60), ..Deadlines::default() });
        assert_eq!(cut_after(upload(), [(secs(15), 1)].into_iter()), Some(0));
        let short = secs(15) - Duration::from_millis(1);
        assert_eq!(cut_after(upload(), [(short, 1)].into_iter()), None);
    }

    #[test]
    fn a_trickle_is_cut_soon_after_the_grace_and_a_kibibyte_a_second_is_not() {
        let upload = || Pace::of_upload(&Deadlines::default());
        let trickle = std::iter::repeat_n((secs(1), 1), 100);
        assert_eq!(cut_after(upload(), trickle), Some(10));
        let slow = std::iter::repeat_n((secs(1), 1024), 250);
        assert_eq!(cut_after(upload(), slow), None);
    }

    #[test]
    fn the_total_ends_a_slow_upload_and_never_a_fast_one() {
        let upload = || Pace::of_upload(&Deadlines::default());
        let slow = cut_after(upload(), std::iter::repeat_n((secs(1), 2048), 1000));
        assert!(slow.is_some_and(|step| (300..320).contains(&step)), "{slow:?}");
        assert_eq!(cut_after(upload(), std::iter::repeat_n((secs(1), 64 * 1024), 1000)), None);
    }

    #[test]
    fn a_burst_does_not_pay_for_a_long_crawl() {
        let mut download = Pace::of_download(&Deadlines::default());
        download.credit(100 << 20);
        let crawl = cut_after(download, std::iter::repeat_n((secs(10), 1), 1000));
        assert!(crawl.is_some_and(|step| step < 7), "{crawl:?}");
    }

    #[test]
    fn time_in_which_we_do_not_wait_costs_nothing() {
        let now = Instant::now();
        let mut pace = Pace::of_upload(&Deadlines::default());
        pace.progress(now + secs(1000), 0);
        assert!(!pace.is_waiting());
        assert_eq!(pace.wait(now + secs(1000)), now + secs(1010));
        assert!(pace.is_waiting());
    }
}
