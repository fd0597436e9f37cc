//! The latest calls of an account.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::moment;

/// A ring: when it is full, the oldest entry makes room.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    forgotten: u64,
}

/// One call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When, by the account's clock.
    pub(super) time_ms: i64,
    /// `POST`.
    pub(super) method: String,
    /// Without query, cut at a bound.
    pub(super) path: String,
    /// HTTP status of the answer, also where a fault kept it from being seen.
    pub(super) status: u16,
    /// The errcode of the answer, if it has one.
    pub(super) errcode: Option<i64>,
    /// The rid, where the answer has one.
    pub(super) rid: Option<String>,
    /// Whether a fault struck.
    pub(super) is_fault: bool,
}

impl Journal {
    /// Adds the newest.
    pub(super) fn note(&mut self, mut entry: Entry) {
        if entry.path.len() > MOST_PATH_BYTES {
            let end = (0..=MOST_PATH_BYTES).rev().find(|at| entry.path.is_char_boundary(*at));
            entry.path.truncate(end.unwrap_or(0));
        }
        if self.entries.len() >= MOST_ENTRIES {
            self.entries.pop_front();
            self.forgotten = self.forgotten.saturating_add(1);
        }
        self.entries.push_back(entry);
    }

    /// Oldest first, for `GET journal`.
    pub(super) fn to_json(&self, account: &str) -> Value {
        let calls: Vec<Value> = self.entries.iter().map(|entry| entry.to_json(account)).collect();
        json!({ "calls": calls, "forgotten": self.forgotten })
    }
}

impl Entry {
    fn to_json(&self, account: &str) -> Value {
        json!({
            "time": moment::rfc3339(self.time_ms),
            "account": account,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "errcode": self.errcode,
            "rid": self.rid,
            "fault": self.is_fault,
        })
    }
}

const MOST_ENTRIES: usize = 1000;
const MOST_PATH_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_calls_make_room_for_new_ones() {
        let mut journal = Journal::default();
        for n in 0..MOST_ENTRIES + 5 {
            journal.note(Entry {
                time_ms: n as i64,
                method: "POST".to_owned(),
                path: format!("/{n}{}", "店".repeat(500)),
                status: 200,
                errcode: Some(0),
                rid: None,
                is_fault: false,
            });
        }
        let seen = journal.to_json("shop");
        assert_eq!(seen["forgotten"], 5);
        assert_eq!(seen["calls"].as_array().unwrap().len(), MOST_ENTRIES);
        let first = &seen["calls"][0];
        assert!(first["path"].as_str().unwrap().starts_with("/5店"));
        assert!(first["path"].as_str().unwrap().len() <= MOST_PATH_BYTES);
        assert_eq!((&first["account"], &first["errcode"]), (&json!("shop"), &json!(0)));
    }
}
