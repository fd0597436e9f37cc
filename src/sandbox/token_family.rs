//! The tokens of one family: the current one, and those that it replaced.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// One issued token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Issued {
    /// The text.
    #[serde(rename = "token")]
    pub(super) text: String,
    /// When its life ends: 42001 from then on.
    pub(super) expires_ms: i64,
    /// When it stops being accepted because another one replaced it: 40001 from then on.
    replaced_ms: i64,
}

/// What the platform thinks of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Accepted.
    Good,
    /// Its life is over: 42001.
    Expired,
    /// Replaced, and no longer accepted: 40001.
    Replaced,
    /// Not of this family, or forgotten long ago.
    Unknown,
}

/// Newest last; at most [`REMEMBERED`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Family(VecDeque<Issued>);

impl Family {
    /// The newest token, while it is accepted.
    pub(super) fn current(&self, now_ms: i64) -> Option<&Issued> {
        self.0.back().filter(|token| token.standing(now_ms) == Standing::Good)
    }

    /// Makes `text` the current token. The `kept` youngest of those accepted until now live on
    /// for `previous_life_ms` at most, the others end.
    pub(super) fn issue(
        &mut self,
        text: String,
        expires_ms: i64,
        kept: usize,
        previous_life_ms: i64,
        now_ms: i64,
    ) {
        for (age, token) in self.0.iter_mut().rev().enumerate() {
            let until = if age < kept { now_ms.saturating_add(previous_life_ms) } else { now_ms };
            token.replaced_ms = token.replaced_ms.min(until);
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(Issued { text, expires_ms, replaced_ms: i64::MAX });
    }

    /// What becomes of a call with `text`.
    pub(super) fn standing(&self, text: &str, now_ms: i64) -> Standing {
        let found = self.0.iter().rev().find(|token| token.text == text);
        found.map_or(Standing::Unknown, |token| token.standing(now_ms))
    }

    /// Ends the life of every token: 42001.
    pub(super) fn expire_all(&mut self, now_ms: i64) {
        for token in &mut self.0 {
            token.expires_ms = token.expires_ms.min(now_ms);
        }
    }

    /// Ends every token because of another one elsewhere: 40001.
    pub(super) fn replace_all(&mut self, now_ms: i64) {
        for token in &mut self.0 {
            token.replaced_ms = token.replaced_ms.min(now_ms);
        }
    }

    /// Whether a token was ever issued.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Issued {
    fn standing(&self, now_ms: i64) -> Standing {
        if now_ms >= self.expires_ms {
            Standing::Expired
        } else if now_ms >= self.replaced_ms {
            Standing::Replaced
        } else {
            Standing::Good
        }
    }
}

/// Older ones are unknown, which has the same errcode as replaced.
const REMEMBERED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_token_lives_on_for_a_while_and_the_one_before_it_ends() {
        let mut family = Family::default();
        for (at, text) in [(0, "a"), (10, "b"), (20, "c")] {
            family.issue(text.to_owned(), at + 7200, 1, 300, at);
        }
        let standing = |text, at| family.standing(text, at);
        assert_eq!(standing("a", 20), Standing::Replaced);
        assert_eq!((standing("b", 319), standing("b", 320)), (Standing::Good, Standing::Replaced));
        assert_eq!((standing("c", 7219), standing("c", 7220)), (Standing::Good, Standing::Expired));
        assert_eq!(standing("d", 20), Standing::Unknown);
    }

    #[test]
    fn the_family_forgets_the_oldest() {
        let mut family = Family::default();
        for n in 0..1000 {
            family.issue(n.to_string(), 7200, 1, 300, 0);
        }
        assert_eq!(family.0.len(), REMEMBERED);
        assert_eq!(family.standing("0", 0), Standing::Unknown);
        assert_eq!(family.standing("999", 0), Standing::Good);
    }
}
