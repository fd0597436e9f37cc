//! The condition as a tree, and how it is judged.

use memchr::memmem::Finder;

use super::{json_test::JsonTest, number::NumberTest, text_test::TextTest};
use crate::{
    base::{outcome::Outcome, permission::Lane},
    capture::line::Flags,
};

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// Holds if all do; an empty list holds.
    All(Vec<Self>),
    /// Holds if one does.
    Any(Vec<Self>),
    Not(Box<Self>),
    /// The text test of this number.
    Text(usize),
    Number(Column, NumberTest),
    Outcome(Outcome),
    Lane(Lane),
    Is(Is),
    Body(Box<Finder<'static>>),
    Json(Box<JsonTest>),
}

/// A number of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Column {
    /// Of HTTP.
    Status,
    /// Of the platform, or the gateway's own.
    Errcode,
    /// Of the longer body.
    SizeBytes,
    /// From head to last byte.
    DurationUs,
    /// When the request came, since 1970.
    TimeMs,
}

/// What `is:` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Flag(Flags),
    Error,
}

/// Something that a filter can be asked about: a line of a stored segment, or a whole exchange.
pub(in crate::capture) trait Subject {
    /// Whether the text test, the `nth` of the filter, fits.
    fn text(&self, nth: usize, test: &TextTest) -> bool;
    /// `None` when the exchange has no such number; then no test of it holds.
    fn number(&self, column: Column) -> Option<i64>;
    fn outcome(&self) -> Outcome;
    fn lane(&self) -> Option<Lane>;
    fn flags(&self) -> Flags;
    /// The bodies, if they are at hand.
    fn bodies(&self) -> Bodies<'_>;
}

/// The bodies of a subject.
#[derive(Clone, Copy)]
pub(in crate::capture) enum Bodies<'a> {
    /// They must be fetched first.
    Elsewhere,
    /// They are no longer kept.
    Gone,
    /// Of request and response.
    Here([&'a [u8]; 2]),
}

impl Expr {
    /// Whether the condition holds; `None` when it hangs on bodies that are elsewhere.
    pub(super) fn holds(&self, texts: &[TextTest], subject: &impl Subject) -> Option<bool> {
        match self {
            Self::All(parts) => decide(parts, texts, subject, false),
            Self::Any(parts) => decide(parts, texts, subject, true),
            Self::Not(part) => part.holds(texts, subject).map(|holds| !holds),
            Self::Text(nth) => texts.get(*nth).map(|test| subject.text(*nth, test)),
            Self::Number(column, test) => {
                Some(subject.number(*column).is_some_and(|number| test.fits(number)))
            }
            Self::Outcome(outcome) => Some(subject.outcome() == *outcome),
            Self::Lane(lane) => Some(subject.lane() == Some(*lane)),
            Self::Is(Is::Flag(flag)) => Some(subject.flags().has(*flag)),
            Self::Is(Is::Error) => Some(subject.outcome() != Outcome::Ok),
            Self::Body(finder) => any_body(subject, |body| finder.find(body).is_some()),
            Self::Json(test) => any_body(subject, |body| test.fits(body)),
        }
    }

    /// Earliest and latest time in milliseconds that can pass.
    pub(super) fn time_bounds(&self) -> (i64, i64) {
        match self {
            Self::Number(Column::TimeMs, test) => test.bounds(),
            Self::All(parts) => parts
                .iter()
                .map(Self::time_bounds)
                .fold((i64::MIN, i64::MAX), |all, part| (all.0.max(part.0), all.1.min(part.1))),
            // An alternative or a negation bounds nothing by itself.
            _ => (i64::MIN, i64::MAX),
        }
    }
}

/// Stops at the first part that is `decisive`; cheap parts may decide although a body is missing.
fn decide(
    parts: &[Expr],
    texts: &[TextTest],
    subject: &impl Subject,
    decisive: bool,
) -> Option<bool> {
    let mut verdict = Some(!decisive);
    for part in parts {
        match part.holds(texts, subject) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => verdict = None,
        }
    }
    verdict
}

/// Whether one of the two bodies fits; `None` when they are elsewhere.
fn any_body(subject: &impl Subject, fits: impl Fn(&[u8]) -> bool) -> Option<bool> {
    match subject.bodies() {
        Bodies::Elsewhere => None,
        Bodies::Gone => Some(false),
        Bodies::Here(bodies) => Some(bodies.into_iter().any(fits)),
    }
}
