//! The filter language: one for console, `tail`, `export`, API, capture and relay rules.
//!
//! Bare words are substrings of path, call name, id and rid. `name:value` terms stand in
//! [`WORDS`]. Terms side by side must all hold; `|` is or, `-` is not, brackets group, quotes
//! keep spaces and colons. Letter case matters only in `body:` and `json:`.

mod error;
mod expr;
mod json_pick;
mod json_test;
mod lex;
mod number;
mod parse;
mod term;
mod text_test;

use std::time::SystemTime;

pub use error::FilterError;
pub(super) use expr::{Bodies, Column, Subject};
pub use term::{WORDS, Word};
pub(super) use text_test::{TextField, TextTest};

use self::expr::Expr;
use super::{
    line::{Facts, Flags},
    stored::StoredExchange,
};
use crate::base::{clock::unix_ms, outcome::Outcome, permission::Lane};

/// A condition on exchanges.
#[derive(Clone, Debug)]
pub struct Filter {
    expr: Expr,
    texts: Vec<TextTest>,
    from_ms: i64,
    to_ms: i64,
}

impl Filter {
    /// Lets everything through.
    #[must_use]
    pub fn all() -> Self {
        Self::new(Expr::All(Vec::new()), Vec::new())
    }

    /// Reads a filter; an empty text is [`Filter::all`]. `since:10m` counts back from `now`.
    ///
    /// # Errors
    /// [`FilterError`] that points at the first thing that is wrong.
    pub fn parse(text: &str, now: SystemTime) -> Result<Self, FilterError> {
        parse::parse(text, unix_ms(now))
    }

    fn new(expr: Expr, texts: Vec<TextTest>) -> Self {
        let (from_ms, to_ms) = expr.time_bounds();
        Self { expr, texts, from_ms, to_ms }
    }

    /// Whether the exchange passes. What hangs on a body that is no longer kept does not hold.
    #[must_use]
    pub fn matches(&self, exchange: &StoredExchange) -> bool {
        self.judge(exchange) == Some(true)
    }

    /// `None` when it hangs on bodies that the subject does not have at hand.
    pub(super) fn judge(&self, subject: &impl Subject) -> Option<bool> {
        self.expr.holds(&self.texts, subject)
    }

    /// The texts that are asked for, numbered as [`Subject::text`] will be asked.
    pub(super) fn texts(&self) -> &[TextTest] {
        &self.texts
    }

    /// Nothing outside of these times can pass; both inclusive.
    pub(super) fn time_bounds(&self) -> (i64, i64) {
        (self.from_ms, self.to_ms)
    }
}

impl Subject for StoredExchange {
    fn text(&self, _: usize, test: &TextTest) -> bool {
        let fits = |text: Option<&str>| text.is_some_and(|text| test.fits(text));
        match test.field {
            TextField::Word => {
                fits(Some(&self.path))
                    || fits(self.call.as_deref())
                    || fits(self.rid.as_deref())
                    || test.fits_id(self.id)
            }
            TextField::Key => fits(self.key.as_ref().map(|name| name.as_str())),
            TextField::Account => fits(self.account.as_ref().map(|name| name.as_str())),
            TextField::Path => fits(Some(&self.path)),
            TextField::Method => fits(Some(&self.method)),
        }
    }

    fn number(&self, column: Column) -> Option<i64> {
        match column {
            Column::Status => self.status.map(i64::from),
            Column::Errcode => self.errcode,
            Column::SizeBytes => Some(i64::try_from(self.larger_body()).unwrap_or(i64::MAX)),
            Column::DurationUs => Some(i64::try_from(self.duration_us).unwrap_or(i64::MAX)),
            Column::TimeMs => Some(self.time_ms),
        }
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn lane(&self) -> Option<Lane> {
        self.lane
    }

    fn flags(&self) -> Flags {
        Flags::of(&Facts {
            marks: &self.marks,
            attempts: self.attempts.len(),
            is_replay: self.replay_of.is_some(),
            is_refused: self.error.is_some(),
            is_truncated: self.request.truncated || self.response.truncated,
            is_noted: self.note.is_some(),
        })
    }

    fn bodies(&self) -> Bodies<'_> {
        match (self.request.body(), self.response.body()) {
            (None, None) => Bodies::Gone,
            (request, response) => {
                Bodies::Here([request.unwrap_or_default(), response.unwrap_or_default()])
            }
        }
    }
}

#[cfg(test)]
mod tests;
