//! What the generator saw, by kind of request.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Little over HTTP/1.1, GET and POST in turn.
    Http1,
    /// Little over HTTP/2, POST.
    Http2,
    /// A mebibyte over HTTP/1.1, up and down in turn.
    Large,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Http1, Self::Http2, Self::Large];

    /// How many of ten requests are of this kind, where there are all kinds.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Http1 => 7.0,
            Self::Http2 => 2.0,
            Self::Large => 1.0,
        }
    }
}

/// Requests of one kind since the last look.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Answered with 2xx, to the last byte.
    pub(crate) done: u64,
    /// Answered with something else.
    pub(crate) refused: u64,
    /// Broken off, or a connection that could not be opened.
    pub(crate) broken: u64,
    /// Sent again because the gateway had said good-bye to the connection: no failure.
    pub(crate) again: u64,
    /// Failed for want of ports or descriptors of the generator's own.
    pub(crate) own: u64,
    /// Sent more than 10 ms late though a connection was free.
    pub(crate) late: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// All kinds since the last look.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// In the order of [`Kind::ALL`].
    tallies: [Tally; 3],
    /// The first failures in words.
    pub(crate) words: Vec<String>,
}

impl Seen {
    pub(crate) fn of(&self, kind: Kind) -> Tally {
        self.tallies[kind as usize]
    }

    pub(crate) fn sum(&self, count: fn(&Tally) -> u64) -> u64 {
        self.tallies.iter().map(count).sum()
    }

    /// What is no fault of the generator's.
    pub(crate) fn failed(&self) -> u64 {
        self.sum(|tally| tally.refused + tally.broken)
    }
}

/// How a request ended.
pub(super) enum End {
    Done(Duration),
    Refused(String),
    Broken(String),
    Own(String),
}

/// Where all tasks of the generator count.
#[derive(Default)]
pub(super) struct Board(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    seen: Seen,
    took: [Histogram; 3],
}

impl Board {
    pub(super) fn count(&self, kind: Kind, end: End) {
        let mut counts = self.lock();
        let Counts { seen, took } = &mut *counts;
        let tally = &mut seen.tallies[kind as usize];
        let word = match end {
            End::Done(duration) => {
                tally.done += 1;
                took[kind as usize].add(duration.as_micros() as u64);
                return;
            }
            End::Refused(word) => {
                tally.refused += 1;
                word
            }
            End::Broken(word) => {
                tally.broken += 1;
                word
            }
            End::Own(word) => {
                tally.own += 1;
                word
            }
        };
        if seen.words.len() < WORDS_MOST {
            seen.words.push(format!("{kind:?}: {word}"));
        }
    }

    pub(super) fn count_again(&self, kind: Kind) {
        self.lock().seen.tallies[kind as usize].again += 1;
    }

    pub(super) fn count_late(&self, kind: Kind) {
        self.lock().seen.tallies[kind as usize].late += 1;
    }

    /// Everything since the last call.
    pub(super) fn take(&self) -> Seen {
        let Counts { mut seen, took } = std::mem::take(&mut *self.lock());
        for (tally, took) in seen.tallies.iter_mut().zip(&took) {
            (tally.p50_us, tally.p99_us) = (took.at(0.5), took.at(0.99));
        }
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WORDS_MOST: usize = 5;
