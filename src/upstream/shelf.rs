//! Idle connections of one worker, by endpoint.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use crate::wire::{Http1, Link, Opened};

/// Below the keep-alive of common servers (nginx: 75 s, load balancers: 60 s), so that we
/// and not they close an idle connection: theirs races with our next request.
const IDLE_LIMIT: Duration = Duration::from_secs(25);
/// How often idle connections are looked through.
pub(super) const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Idle connections to one endpoint; more would be closed by age anyway.
const IDLE_MAX: usize = 256;

/// Only the worker's own tasks touch it, so the lock is never waited for.
#[derive(Default)]
pub(super) struct Shelves(Mutex<HashMap<u64, Shelf>>);

struct Shelf {
    /// HTTP/1.1, the one used last at the end: it is the least likely to be dead.
    idle: Vec<Idle>,
    /// HTTP/2: one carries all.
    shared: Option<(Link, Instant)>,
    /// Whoever holds it opens the connection that the others will share.
    turn: Arc<Semaphore>,
}

/// A connection that waits for its next request. Dropped, it says good-bye.
struct Idle {
    conn: Option<Box<Http1>>,
    since: Instant,
}

impl Idle {
    fn is_alive(&mut self) -> bool {
        self.conn.as_mut().is_some_and(|conn| conn.is_alive())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            conn.say_goodbye();
        }
    }
}

impl Shelves {
    /// A connection that is ready.
    pub(super) fn take(&self, endpoint: u64) -> Option<Opened> {
        let mut shelves = self.shelves();
        let shelf = shelves.get_mut(&endpoint)?;
        if let Some((link, used)) = &mut shelf.shared {
            if link.is_ready() {
                *used = Instant::now();
                return Some(Opened::Http2(link.clone()));
            }
            shelf.shared = None;
        }
        while let Some(mut idle) = shelf.idle.pop() {
            if idle.is_alive() {
                return idle.conn.take().map(Opened::Http1);
            }
        }
        None
    }

    /// Keeps a connection that is idle since then; the oldest makes room.
    pub(super) fn put(&self, endpoint: u64, conn: Box<Http1>, since: Instant) {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(endpoint).or_default();
        if shelf.idle.len() >= IDLE_MAX {
            shelf.idle.remove(0);
        }
        shelf.idle.push(Idle { conn: Some(conn), since });
    }

    /// Lets others use the same connection.
    pub(super) fn share(&self, endpoint: u64, link: Link) {
        self.shelves().entry(endpoint).or_default().shared = Some((link, Instant::now()));
    }

    /// The right to open the connection that all will share.
    pub(super) fn turn(&self, endpoint: u64) -> Arc<Semaphore> {
        Arc::clone(&self.shelves().entry(endpoint).or_default().turn)
    }

    /// Closes what was idle for too long or is over; true if nothing is left.
    pub(super) fn sweep(&self, now: Instant) -> bool {
        let mut shelves = self.shelves();
        shelves.retain(|_, shelf| {
            shelf.idle.retain_mut(|idle| now < idle.since + IDLE_LIMIT && idle.is_alive());
            let is_wanted =
                |(link, used): &(Link, Instant)| link.is_ready() && now < *used + IDLE_LIMIT;
            shelf.shared = shelf.shared.take().filter(is_wanted);
            !shelf.idle.is_empty() || shelf.shared.is_some()
        });
        shelves.is_empty()
    }

    /// Closes everything that is idle.
    pub(super) fn clear(&self) {
        self.shelves().clear();
    }

    /// How many connections are idle and alive.
    pub(super) fn len(&self) -> usize {
        let mut shelves = self.shelves();
        let alive = |shelf: &mut Shelf| {
            let idle =
                shelf.idle.iter_mut().filter_map(|idle| idle.is_alive().then_some(())).count();
            idle + usize::from(shelf.shared.as_ref().is_some_and(|(link, _)| link.is_ready()))
        };
        shelves.values_mut().map(alive).sum()
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<u64, Shelf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self { idle: Vec::new(), shared: None, turn: Arc::new(Semaphore::new(1)) }
    }
}
