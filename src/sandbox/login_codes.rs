//! Login codes that were used up.

use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize, Serializer};

/// Remembers the latest; a code forgotten long ago would work again.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "VecDeque<String>")]
pub(super) struct LoginCodes {
    used: HashSet<String>,
    order: VecDeque<String>,
}

impl LoginCodes {
    /// Uses up `code`; false if it was used before.
    pub(super) fn spend(&mut self, code: &str) -> bool {
        if !self.used.insert(code.to_owned()) {
            return false;
        }
        self.order.push_back(code.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.used.remove(&oldest);
        }
        true
    }
}

/// Their order tells everything.
impl Serialize for LoginCodes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.order.serialize(to)
    }
}

impl From<VecDeque<String>> for LoginCodes {
    fn from(order: VecDeque<String>) -> Self {
        let mut codes = Self::default();
        for code in &order {
            codes.spend(code);
        }
        codes
    }
}

/// Two million bytes at most, as codes are bounded too.
const REMEMBERED: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_memory_is_bounded() {
        let mut codes = LoginCodes::default();
        assert!(codes.spend("a"));
        assert!(!codes.spend("a"));
        (0..REMEMBERED * 2).for_each(|n| assert!(codes.spend(&n.to_string())));
        assert_eq!((codes.used.len(), codes.order.len()), (REMEMBERED, REMEMBERED));
    }
}
