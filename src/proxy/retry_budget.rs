//! Keeps repeats a small part of the traffic, so that an outage is not doubled by us.

use std::sync::atomic::{AtomicI64, Ordering};

/// A bucket: each request puts a tenth of a repeat in, each repeat takes one out.
#[derive(Debug)]
pub struct RetryBudget {
    tenths: AtomicI64,
}

impl RetryBudget {
    /// Starts full, so that a quiet account can repeat at once.
    #[must_use]
    pub fn new() -> Self {
        Self { tenths: AtomicI64::new(MOST_TENTHS) }
    }

    /// Counts a request.
    pub(super) fn deposit(&self) {
        // A race may lift it a little above the limit; that is no harm.
        if self.tenths.load(Ordering::Relaxed) < MOST_TENTHS {
            self.tenths.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes one repeat, if there is one.
    pub(super) fn withdraw(&self) -> bool {
        self.tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tenths| {
                (tenths >= 10).then_some(tenths - 10)
            })
            .is_ok()
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

/// Ten repeats in reserve.
const MOST_TENTHS: i64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_a_tenth_of_the_traffic_once_the_reserve_is_gone() {
        let budget = RetryBudget::new();
        let reserve = (0..100).filter(|_| budget.withdraw()).count();
        assert_eq!(reserve, 10);
        let repeats = (0..1000)
            .filter(|_| {
                budget.deposit();
                budget.withdraw()
            })
            .count();
        assert_eq!(repeats, 100);
    }
}
