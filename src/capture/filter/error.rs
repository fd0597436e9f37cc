//! What is wrong with a filter, and where.

use std::{fmt, ops::Range};

/// A filter that cannot be read. Points at the place; knows what could stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The whole filter.
    pub text: String,
    /// The wrong part, in bytes of `text`.
    pub at: Range<usize>,
    /// What is wrong with it.
    pub message: String,
    /// What could stand there; empty where that is no list.
    pub choices: Vec<&'static str>,
    /// The choice that was probably meant.
    pub suggestion: Option<&'static str>,
}

impl FilterError {
    /// For a terminal: the filter, a caret under the wrong part, the choices.
    #[must_use]
    pub fn render(&self) -> String {
        let before = self.text.get(..self.at.start).unwrap_or_default();
        let wrong = self.text.get(self.at.clone()).unwrap_or_default();
        let carets = "^".repeat(columns(wrong).max(1));
        let mut out = format!("{}\n{:2$}{carets}\n", self.text, "", columns(before));
        out.push_str(&self.to_string());
        if !self.choices.is_empty() {
            out.push_str("\none of: ");
            out.push_str(&self.choices.join(" "));
        }
        out
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

/// How many columns of a terminal the text takes: Chinese characters take two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= FIRST_WIDE { 2 } else { 1 }).sum()
}

/// Hangul Jamo; nearly all characters from here on that people type into a filter are wide.
const FIRST_WIDE: u32 = 0x1100;
