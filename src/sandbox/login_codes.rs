//! Login codes that were used up.

use std::collections::{HashSet, VecDeque};

/// Remembers the latest; a code forgotten long ago would work again.
#[derive(Debug, Default)]
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
