//! When the next request of a kind is due.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::tally::Kind;

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Speed {
    /// Not at all.
    Paused,
    /// So many of all kinds a second.
    Rate(f64),
    /// The next one as soon as a connection is free.
    Unbounded,
}

/// A speed and what was sent since it is in force.
pub(super) struct Pace {
    speed: Speed,
    began: Instant,
    /// Requests begun, by kind; none for a kind that nobody sends.
    begun: [Option<AtomicU64>; 3],
}

impl Pace {
    pub(super) fn new(speed: Speed, is_sent: impl Fn(Kind) -> bool) -> Arc<Self> {
        let begun = Kind::ALL.map(|kind| is_sent(kind).then(AtomicU64::default));
        Arc::new(Self { speed, began: Instant::now(), begun })
    }

    /// Its part of all requests.
    fn part(&self, kind: Kind) -> f64 {
        let all = Kind::ALL.into_iter().filter(|kind| self.begun[*kind as usize].is_some());
        kind.share() / all.map(Kind::share).sum::<f64>()
    }

    fn take(&self, kind: Kind) -> u64 {
        self.begun[kind as usize].as_ref().map_or(0, |begun| begun.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether a kind has left the others behind: then the mix would not be the one asked for.
    fn is_ahead(&self, kind: Kind) -> bool {
        let all_told = |kind: Kind| {
            let begun = self.begun[kind as usize].as_ref()?.load(Ordering::Relaxed);
            Some(begun as f64 / self.part(kind))
        };
        let last = Kind::ALL.into_iter().filter_map(all_told).fold(f64::INFINITY, f64::min);
        all_told(kind).is_some_and(|own| own > last + AHEAD_MOST)
    }
}

/// A request that may begin.
pub(super) struct Turn {
    /// From when on its time counts. When all connections are busy that is before it can be
    /// sent; the tick of our own timer does not count.
    pub(super) since: Instant,
    pub(super) is_late: bool,
}

/// Waits until a request of this kind may begin.
pub(super) async fn turn(kind: Kind, paces: &mut watch::Receiver<Arc<Pace>>) -> Turn {
    loop {
        let pace = paces.borrow_and_update().clone();
        match pace.speed {
            Speed::Paused => {
                // The sender lives as long as the process.
                let _ = paces.changed().await;
            }
            Speed::Unbounded if pace.is_ahead(kind) => sleep(TICK).await,
            Speed::Unbounded => {
                pace.take(kind);
                return Turn { since: Instant::now(), is_late: false };
            }
            Speed::Rate(rate) => {
                let number = pace.take(kind) as f64;
                let due = pace.began + Duration::from_secs_f64(number / (rate * pace.part(kind)));
                if due <= Instant::now() {
                    return Turn { since: due, is_late: false };
                }
                tokio::select! {
                    () = sleep_until(due) => {
                        let now = Instant::now();
                        return Turn { since: now, is_late: now > due + LATE };
                    }
                    _ = paces.changed() => {}
                }
            }
        }
    }
}

const TICK: Duration = Duration::from_millis(1);
/// Beyond this the generator itself had no time.
const LATE: Duration = Duration::from_millis(10);
/// In requests of all kinds: some hundredths of a second.
const AHEAD_MOST: f64 = 200.0;
