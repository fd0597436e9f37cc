//! What is judged at the end of the soak.

use super::{super::report::median, minute::Minute};

/// Looks of every second, and sums of all minutes.
pub(super) struct Watch {
    /// Requests a second that were to be held.
    rate: f64,
    resident_mib: Vec<f64>,
    files: Vec<f64>,
    done: u64,
    failed: u64,
    own: u64,
    seconds: f64,
    /// Captures that were dropped at the highest rate: those are not judged.
    dropped_before: f64,
    dropped: f64,
}

impl Watch {
    pub(super) fn new(rate: f64, dropped_before: f64) -> Self {
        Self {
            rate,
            resident_mib: Vec::new(),
            files: Vec::new(),
            done: 0,
            failed: 0,
            own: 0,
            seconds: 0.0,
            dropped_before,
            dropped: 0.0,
        }
    }

    pub(super) fn look(&mut self, resident_mib: &[f64], files: &[f64]) {
        self.resident_mib.extend(resident_mib);
        self.files.extend(files);
    }

    pub(super) fn add(&mut self, minute: &Minute) {
        self.done += minute.seen.sum(|tally| tally.done);
        self.own += minute.seen.sum(|tally| tally.own);
        self.failed += minute.seen.failed();
        self.seconds += minute.seconds;
        self.dropped = minute.dropped - self.dropped_before;
    }

    /// How much of the wanted rate was held.
    fn held(&self) -> f64 {
        self.done as f64 / (self.rate * self.seconds)
    }

    pub(super) fn verdict(&self, answered: f64, recorded: f64) -> String {
        format!(
            "{} requests, {} failed, {} for want of our own; {:.1} % of the rate held\n\
             {recorded:.0} of {answered:.0} exchanges stored or dropped, {:.0} dropped\n\
             from the middle to the end: memory x{:.3}, files x{:.3}",
            self.done,
            self.failed,
            self.own,
            self.held() * 100.0,
            self.dropped,
            growth(&self.resident_mib),
            growth(&self.files),
        )
    }

    /// Everything that was not as it must be.
    pub(super) fn failures(&self, answered: f64, recorded: f64) -> Vec<String> {
        let mut failures = Vec::new();
        let mut must = |is_met: bool, words: &str| {
            if !is_met {
                failures.push(words.to_owned());
            }
        };
        must(self.failed == 0, "requests failed");
        must(self.own == 0, "the generator had no ports or files left");
        must(self.dropped == 0.0, "captures were dropped");
        must(recorded >= answered, "exchanges are missing in the capture");
        must(self.held() >= HELD_LEAST, "the rate was not held");
        must(growth(&self.resident_mib) <= GROWTH_MOST, "memory grows");
        // Connections to the origin come and go with the load.
        let are_few = last(&self.files) - middle(&self.files) <= FILES_MORE_MOST;
        must(growth(&self.files) <= GROWTH_MOST || are_few, "file descriptors grow");
        failures
    }
}

fn growth(looks: &[f64]) -> f64 {
    last(looks) / middle(looks)
}

/// In the last tenth. A median does not see a single second, and a tenth of ten minutes is a
/// minute.
fn last(looks: &[f64]) -> f64 {
    median(looks.iter().rev().take(looks.len().div_ceil(10)).copied().collect())
}

/// In the tenth behind the middle.
fn middle(looks: &[f64]) -> f64 {
    let tenth = looks.len().div_ceil(10);
    median(looks.iter().skip(looks.len() / 2).take(tenth).copied().collect())
}

const GROWTH_MOST: f64 = 1.05;
/// The rest is the first and the last moment of the run.
const HELD_LEAST: f64 = 0.99;
/// A leak of one in ten thousand requests would be more.
const FILES_MORE_MOST: f64 = 32.0;
