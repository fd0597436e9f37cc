//! `max_connections`: how many requests an endpoint carries at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::wire::{Phase, WireError};

/// A slot is held from here to the end of the answer's body. Those who wait for one are
/// bounded in number and time, and counted.
#[derive(Debug)]
pub(super) struct Gate {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Gate {
    pub(super) fn new(max_connections: usize, max_waiting: usize) -> Self {
        let slots = max_connections.clamp(1, Semaphore::MAX_PERMITS);
        Self { slots: Arc::new(Semaphore::new(slots)), waiting: AtomicUsize::new(0), max_waiting }
    }

    /// A slot, if one is free now.
    pub(super) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// A slot, at once or after waiting up to `limit`; first come, first served.
    pub(super) async fn enter(
        &self,
        to: &str,
        limit: Duration,
        gauge: &Gauge,
    ) -> Result<OwnedSemaphorePermit, WireError> {
        if let Some(slot) = self.try_enter() {
            return Ok(slot);
        }
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _counted = Waiting { count: &self.waiting, gauge };
        gauge.inc();
        if waiting >= self.max_waiting {
            return Err(WireError::Busy { to: to.to_owned(), waiting });
        }
        match tokio::time::timeout(limit, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            // The semaphore is never closed, so the first case is the second.
            Ok(Err(_)) | Err(_) => {
                Err(WireError::Timeout { to: to.to_owned(), phase: Phase::Queue, limit })
            }
        }
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    gauge: &'a Gauge,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.gauge.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_bounded_in_number_and_time_and_counted() {
        let (gate, gauge) = (Gate::new(1, 1), Gauge::default());
        let slot = gate.enter("a", LIMIT, &gauge).await.unwrap();
        let mut waiter = Box::pin(gate.enter("a", LIMIT, &gauge));
        assert!(futures_util::poll!(&mut waiter).is_pending());
        assert_eq!(gauge.get(), 1);
        let busy = gate.enter("a", LIMIT, &gauge).await.unwrap_err();
        assert!(matches!(busy, WireError::Busy { waiting: 1, .. }), "{busy:?}");
        let late = waiter.await.unwrap_err();
        assert!(matches!(late, WireError::Timeout { phase: Phase::Queue, .. }), "{late:?}");
        assert!(busy.nothing_was_sent() && late.nothing_was_sent());
        assert_eq!(gauge.get(), 0);
        drop(slot);
        drop(gate.enter("a", LIMIT, &gauge).await.unwrap());
    }
}
