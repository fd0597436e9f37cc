//! How long exchanges wait until they are in the file.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Compares when exchanges were handed over with when the recorder had stored them. As exact as
/// it is asked often.
#[derive(Default)]
pub(crate) struct Delays {
    /// How many had been handed over at which moment.
    marks: VecDeque<(u64, Instant)>,
    delays: Vec<Duration>,
}

impl Delays {
    /// So many were handed over up to now.
    pub(crate) fn handed_over(&mut self, count: u64, now: Instant) {
        self.marks.push_back((count, now));
    }

    /// So many are stored or lost by now.
    pub(crate) fn settled(&mut self, count: u64, now: Instant) {
        while let Some((_, at)) = self.marks.front().filter(|(handed, _)| *handed <= count) {
            self.delays.push(now - *at);
            self.marks.pop_front();
        }
    }

    /// The delay that this share of all is below, in milliseconds.
    pub(crate) fn at(&mut self, share: f64) -> f64 {
        self.delays.sort_unstable();
        let last = self.delays.len().saturating_sub(1);
        let index = ((self.delays.len() as f64 * share) as usize).min(last);
        self.delays.get(index).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3)
    }
}
