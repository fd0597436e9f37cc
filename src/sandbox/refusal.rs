//! A call that the platform answers with an errcode.

use std::borrow::Cow;

use super::errmsg::errmsg;

/// An errcode with its text; the rid is added when the answer is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Never 0.
    pub(super) errcode: i64,
    /// Without ` rid: …`.
    pub(super) errmsg: Cow<'static, str>,
}

impl Refusal {
    /// With the platform's own text.
    pub(super) fn new(errcode: i64) -> Self {
        Self { errcode, errmsg: Cow::Borrowed(errmsg(errcode)) }
    }

    /// With the platform's text and what exactly is meant, such as the field's name.
    pub(super) fn with(errcode: i64, detail: impl std::fmt::Display) -> Self {
        Self { errcode, errmsg: Cow::Owned(format!("{}: {detail}", errmsg(errcode))) }
    }

    /// The simulator keeps no more of something.
    pub(super) fn full() -> Self {
        Self { errcode: -1, errmsg: Cow::Borrowed("the sandbox is full, reset it") }
    }

    /// With a text of its own.
    pub(super) fn saying(errcode: i64, text: String) -> Self {
        Self { errcode, errmsg: Cow::Owned(text) }
    }
}
