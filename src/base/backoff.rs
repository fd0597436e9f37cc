//! Growing pauses between attempts, with jitter, so that many clients do not return at once.

use std::time::Duration;

/// Doubles from `first` up to `most`; each pause is drawn from its upper half.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Starts with no failure counted.
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// Counts a failure and tells how long to wait before the next attempt.
    pub fn next_pause(&mut self) -> Duration {
        let full = self.first.saturating_mul(1 << self.failures.min(20)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        full.mul_f64(0.5 + 0.5 * jitter())
    }

    /// Failures since the last success.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets all failures.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Evenly spread over 0..1. Not for secrets.
#[must_use]
pub fn jitter() -> f64 {
    let random = uuid::Uuid::now_v7().as_u128() as u32;
    f64::from(random) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        for full in [1, 2, 4, 8, 16, 32, 60, 60] {
            let pause = backoff.next_pause().as_secs_f64();
            assert!(
                pause >= f64::from(full) / 2.0 && pause <= f64::from(full),
                "{pause} for {full}"
            );
        }
        backoff.reset();
        assert!(backoff.next_pause() <= Duration::from_secs(1));
    }
}
