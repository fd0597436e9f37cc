//! The bounded queue between the workers and the writer thread.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{batch::Batch, exchange::Exchange, metrics::DropReason};

/// Exchanges on their way to the writer.
///
/// Pushing never waits, and wakes the writer only for the first one of a batch: waking it for
/// each would cost more than all the rest.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: Batch,
    /// Since the start.
    pushed: u64,
    /// Somebody waits for a flush: no lingering.
    is_urgent: bool,
    is_closed: bool,
}

/// What [`Queue::take`] came back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// At least one exchange.
    Batch,
    /// Nothing came for a while.
    Idle,
    /// Nothing is left, and nothing will come.
    Closed,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { inner: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the exchange to the end, or tells why not.
    pub(super) fn push(&self, exchange: &Exchange) -> Result<(), DropReason> {
        let bytes = exchange.weight();
        let mut inner = self.lock();
        if inner.is_closed {
            return Err(DropReason::Closed);
        }
        if inner.waiting.len() >= COUNT_MOST || inner.waiting.weight() + bytes > BYTES_MOST {
            return Err(DropReason::QueueFull);
        }
        let (was_empty, was_hurried) = (inner.waiting.is_empty(), inner.is_hurried());
        inner.waiting.push(exchange);
        inner.pushed += 1;
        let wakes = was_empty || (!was_hurried && inner.is_hurried());
        drop(inner);
        if wakes {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Moves everything that waits into `batch`: a moment after the first one came, so that
    /// many share one commit, or at once when there is much.
    pub(super) fn take(&self, batch: &mut Batch, patience: Duration) -> Taken {
        let inner = self.lock();
        let (inner, _) = self
            .changed
            .wait_timeout_while(inner, patience, |inner| inner.is_still())
            .unwrap_or_else(PoisonError::into_inner);
        if inner.waiting.is_empty() {
            return if inner.is_closed { Taken::Closed } else { Taken::Idle };
        }
        let (mut inner, _) = self
            .changed
            .wait_timeout_while(inner, LINGER, |inner| !inner.is_hurried())
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut inner.waiting, batch);
        inner.is_urgent = false;
        Taken::Batch
    }

    /// Has the writer take what waits without lingering; tells how many were pushed ever.
    pub(super) fn hurry(&self) -> u64 {
        let mut inner = self.lock();
        inner.is_urgent = !inner.waiting.is_empty();
        let pushed = inner.pushed;
        drop(inner);
        self.changed.notify_one();
        pushed
    }

    /// Takes no more; the writer ends once it has taken what waits.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// How many wait, and the memory they hold in bytes.
    pub(super) fn len_and_bytes(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.waiting.len(), inner.waiting.weight())
    }
}

impl Inner {
    /// Whether the writer may sleep on.
    fn is_still(&self) -> bool {
        self.waiting.is_empty() && !self.is_closed
    }

    /// Whether the writer should take what waits without waiting for more.
    fn is_hurried(&self) -> bool {
        self.is_urgent
            || self.is_closed
            || self.waiting.len() >= HURRY_COUNT
            || self.waiting.weight() >= HURRY_BYTES
    }
}

/// Exchanges that may wait; the next ones are dropped.
const COUNT_MOST: usize = 10_000;

/// Memory that waiting exchanges may hold.
const BYTES_MOST: usize = 64 << 20;

/// How long the writer waits for company for the first exchange. An exchange must be stored
/// 100 ms after it finished; encoding and commit take the rest.
const LINGER: Duration = Duration::from_millis(20);

/// With this many waiting it is time, whatever the clock says.
const HURRY_COUNT: usize = 2048;

/// The same in bytes.
const HURRY_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{exchange::Captured, testing};

    const NOT_LONG: Duration = Duration::from_millis(1);

    #[test]
    fn a_full_queue_drops_by_count_and_by_bytes_and_has_room_again_when_taken() {
        let queue = Queue::new();
        for _ in 0..COUNT_MOST {
            queue.push(&testing::at("/", 0)).unwrap();
        }
        assert_eq!(queue.push(&testing::at("/", 0)), Err(DropReason::QueueFull));
        let mut batch = Batch::default();
        assert_eq!(queue.take(&mut batch, NOT_LONG), Taken::Batch);
        assert_eq!((batch.len(), queue.len_and_bytes()), (COUNT_MOST, (0, 0)));

        let large = || {
            let mut exchange = testing::at("/", 0);
            let body = bytes::Bytes::from(vec![0; 20 << 20]);
            exchange.request.body = Captured::of(&body, 20 << 20);
            exchange
        };
        for _ in 0..3 {
            queue.push(&large()).unwrap();
        }
        assert_eq!(queue.push(&large()), Err(DropReason::QueueFull));
        queue.push(&testing::at("/", 0)).unwrap();
    }

    #[test]
    fn a_closed_queue_gives_out_its_rest_and_takes_no_more() {
        let queue = Queue::new();
        let mut batch = Batch::default();
        assert_eq!(queue.take(&mut batch, NOT_LONG), Taken::Idle);
        queue.push(&testing::at("/", 0)).unwrap();
        queue.close();
        assert_eq!(queue.push(&testing::at("/", 0)), Err(DropReason::Closed));
        assert_eq!(queue.take(&mut batch, NOT_LONG), Taken::Batch);
        assert_eq!(batch.len(), 1);
        batch.drain(|_| ());
        assert_eq!(queue.take(&mut batch, NOT_LONG), Taken::Closed);
    }
}
