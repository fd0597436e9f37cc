//! Idle connections of one worker, by endpoint.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use crate::wire::Link;

/// Below the keep-alive of common servers (nginx: 75 s, load balancers: 60 s), so that we
/// and not they close an idle connection: theirs races with our next request.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(25);
/// Idle connections to one endpoint; more would be closed by age anyway.
const IDLE_MAX: usize = 256;

/// Only the worker's own tasks touch it, so the lock is never waited for.
#[derive(Default)]
pub(super) struct Shelves(Mutex<HashMap<u64, Shelf>>);

struct Shelf {
    /// HTTP/1.1, the one used last at the end: it is the least likely to be dead.
    idle: Vec<(Link, Instant)>,
    /// HTTP/2: one carries all.
    shared: Option<(Link, Instant)>,
    /// Whoever holds it opens the connection that the others will share.
    turn: Arc<Semaphore>,
}

impl Shelves {
    /// A connection that is ready.
    pub(super) fn take(&self, endpoint: u64) -> Option<Link> {
        let mut shelves = self.shelves();
        let shelf = shelves.get_mut(&endpoint)?;
        if let Some((link, used)) = &mut shelf.shared {
            if link.is_ready() {
                *used = Instant::now();
                return link.share();
            }
            shelf.shared = None;
        }
        while let Some((link, _)) = shelf.idle.pop() {
            if link.is_ready() {
                return Some(link);
            }
        }
        None
    }

    /// Keeps a connection that is ready; the oldest makes room.
    pub(super) fn put(&self, endpoint: u64, link: Link) {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(endpoint).or_default();
        if shelf.idle.len() >= IDLE_MAX {
            shelf.idle.remove(0);
        }
        shelf.idle.push((link, Instant::now()));
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
        let keep = |(link, used): &(Link, Instant)| link.is_ready() && now < *used + IDLE_LIMIT;
        shelves.retain(|_, shelf| {
            shelf.idle.retain(keep);
            shelf.shared = shelf.shared.take().filter(keep);
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
        let shelves = self.shelves();
        let links = shelves.values().flat_map(|shelf| shelf.idle.iter().chain(&shelf.shared));
        links.filter(|(link, _)| link.is_ready()).count()
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
