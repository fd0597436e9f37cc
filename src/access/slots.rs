//! Requests at once: a slot for each, held until the answer's body has ended.

use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::metrics::gauge::Gauge;

use super::metrics::{AccessMetrics, LimitKind};

/// Lets at most `[limits] in_flight` requests in. Whoever finds no slot is turned away: a queue
/// here would only make the answers later, not more.
#[derive(Debug)]
pub struct InFlight {
    limit: AtomicI64,
    metrics: AccessMetrics,
}

impl InFlight {
    /// Lets `limit` requests in at once.
    #[must_use]
    pub fn new(limit: usize, metrics: AccessMetrics) -> Self {
        Self { limit: AtomicI64::new(signed(limit)), metrics }
    }

    /// A slot, or none when all are taken. One atomic counter and no allocation.
    #[must_use]
    pub fn try_enter(&self) -> Option<SlotGuard> {
        let limit = self.limit.load(Ordering::Relaxed);
        let next = |taken: i64| (taken < limit).then_some(taken + 1);
        let taken = &self.metrics.in_flight;
        if taken.inner().fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_err() {
            self.metrics.hit(LimitKind::InFlight);
            return None;
        }
        Some(SlotGuard { taken: taken.clone() })
    }

    /// Changes the limit. Requests that are inside stay; nobody new gets in before there are
    /// fewer than `limit`.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(signed(limit), Ordering::Relaxed);
    }

    /// How many are inside.
    #[must_use]
    pub fn taken(&self) -> usize {
        usize::try_from(self.metrics.in_flight.get()).unwrap_or_default()
    }
}

/// One slot; free again when dropped. Moves into the response's body.
#[derive(Debug)]
pub struct SlotGuard {
    /// The gauge is the count itself, so the two cannot disagree.
    taken: Gauge,
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        self.taken.dec();
    }
}

fn signed(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_its_guard_goes() {
        let slots = InFlight::new(2, AccessMetrics::default());
        let (one, two) = (slots.try_enter().unwrap(), slots.try_enter().unwrap());
        assert!(slots.try_enter().is_none());
        assert_eq!(slots.taken(), 2);
        drop(one);
        let three = slots.try_enter().unwrap();
        assert!(slots.try_enter().is_none());
        drop((two, three));
        assert_eq!(slots.taken(), 0);
    }

    #[test]
    fn a_lower_limit_waits_for_those_inside() {
        let slots = InFlight::new(3, AccessMetrics::default());
        let mut inside: Vec<_> = (0..3).map(|_| slots.try_enter().unwrap()).collect();
        slots.set_limit(1);
        inside.pop();
        inside.pop();
        assert!(slots.try_enter().is_none(), "one is still inside");
        inside.pop();
        assert!(slots.try_enter().is_some());
        slots.set_limit(0);
        assert!(slots.try_enter().is_none());
    }

    #[test]
    fn many_threads_never_get_more_slots_than_there_are() {
        let slots = InFlight::new(50, AccessMetrics::default());
        let barrier = std::sync::Barrier::new(8);
        let kept: usize = std::thread::scope(|scope| {
            let enter = || {
                barrier.wait();
                (0..100).filter_map(|_| slots.try_enter()).collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(enter)).collect();
            let guards: Vec<Vec<_>> = threads.into_iter().map(|t| t.join().unwrap()).collect();
            assert_eq!(slots.taken(), 50);
            guards.iter().map(Vec::len).sum()
        });
        assert_eq!(kept, 50);
        assert_eq!(slots.taken(), 0);
    }
}
