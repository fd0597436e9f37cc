//! Lines with what was found and what was promised.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// A promise: no more, or no less, than a number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    AtMost(f64),
    AtLeast(f64),
    /// Nothing was promised.
    None,
}

impl Budget {
    /// `met`, `MISSED` or nothing.
    fn verdict(self, found: f64) -> &'static str {
        let is_met = match self {
            Self::AtMost(most) => found <= most,
            Self::AtLeast(least) => found >= least,
            Self::None => return "",
        };
        if is_met { "met" } else { "MISSED" }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => f.pad(&format!("<= {}", number(*most))),
            Self::AtLeast(least) => f.pad(&format!(">= {}", number(*least))),
            Self::None => f.pad(""),
        }
    }
}

/// Prints lines and remembers what was missed.
#[derive(Default)]
pub(crate) struct Report {
    missed: Mutex<Vec<String>>,
}

impl Report {
    /// The heading of some lines.
    pub(crate) fn head(&self, text: &str) {
        println!("\n{text}");
    }

    /// Something that is only said.
    pub(crate) fn note(&self, what: &str, text: &str) {
        println!("  {what:<46} {text}");
    }

    /// One number, with its unit and its budget.
    pub(crate) fn line(&self, what: &str, found: f64, unit: &str, budget: Budget) {
        let verdict = self.judge(what, found, unit, budget);
        println!("  {what:<46} {:>12} {unit:<9} {budget:<9} {verdict}", number(found));
    }

    /// Whether the budget is met, as a word.
    pub(crate) fn judge(&self, what: &str, found: f64, unit: &str, budget: Budget) -> &'static str {
        let verdict = budget.verdict(found);
        if verdict == "MISSED" {
            let line = format!("{what}: {} {unit}, not {budget}", number(found));
            self.missed.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        verdict
    }

    /// What was missed, all in one place.
    pub(crate) fn end(&self) {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.is_empty() {
            println!("\nall budgets are met");
            return;
        }
        println!("\nmissed budgets:");
        missed.iter().for_each(|line| println!("  {line}"));
    }
}

/// With as many decimals as are of interest.
pub(crate) fn number(found: f64) -> String {
    match found {
        whole if whole.fract() == 0.0 => format!("{whole:.0}"),
        large if large.abs() >= 1000.0 => format!("{large:.0}"),
        medium if medium.abs() >= 10.0 => format!("{medium:.1}"),
        small => format!("{small:.2}"),
    }
}
