//! How often an account was called, for tests that count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Every call that arrived, whatever became of it. Token calls are counted apart from the
/// others, so that `calls` holds what a client meant to do.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counters {
    token_fetches: u64,
    forced: u64,
    calls: BTreeMap<String, u64>,
}

impl Counters {
    /// Counts a call of either token family.
    pub(super) fn note_token_call(&mut self, is_forced: bool) {
        self.token_fetches = self.token_fetches.saturating_add(1);
        self.forced = self.forced.saturating_add(u64::from(is_forced));
    }

    /// Counts any other call. Paths are the caller's invention, so there is an end to them.
    pub(super) fn note_call(&mut self, path: &str) {
        if let Some(count) = self.calls.get_mut(path) {
            *count = count.saturating_add(1);
        } else {
            let is_full = self.calls.len() >= MOST_PATHS || path.len() > MOST_PATH_BYTES;
            let path = if is_full { OTHER } else { path };
            let count = self.calls.entry(path.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// For `GET counters`.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "token_fetches": self.token_fetches,
            "forced": self.forced,
            "calls": self.calls,
        })
    }
}

const MOST_PATHS: usize = 2000;
const MOST_PATH_BYTES: usize = 200;
/// Where paths beyond the bounds are counted.
const OTHER: &str = "(other)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_shape_of_the_contract() {
        let mut counters = Counters::default();
        counters.note_token_call(false);
        counters.note_token_call(true);
        (0..3).for_each(|_| counters.note_call("/shop/spu/add"));
        let wanted = r#"{"calls":{"/shop/spu/add":3},"forced":1,"token_fetches":2}"#;
        assert_eq!(counters.to_json().to_string(), wanted);
    }

    #[test]
    fn invented_paths_do_not_fill_the_memory() {
        let mut counters = Counters::default();
        (0..MOST_PATHS * 2).for_each(|n| counters.note_call(&format!("/{n}")));
        assert_eq!(counters.calls.len(), MOST_PATHS + 1);
        assert_eq!(counters.calls[OTHER], MOST_PATHS as u64);
    }
}
