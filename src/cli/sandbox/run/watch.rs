//! The events that a sandbox told, and which of them a scenario has used.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

/// Reads on from the last event that it saw.
#[derive(Debug, Default)]
pub(super) struct Watch {
    last: u64,
    waiting: VecDeque<Seen>,
    used: BTreeMap<String, u64>,
}

/// One event that no step has used.
#[derive(Debug)]
struct Seen {
    seq: u64,
    name: String,
    message: Value,
}

impl Watch {
    /// What to ask control for.
    pub(super) fn question(&self) -> String {
        format!("events?after={}", self.last)
    }

    /// What to ask for to learn the number of the newest event, and no event.
    pub(super) fn first_question() -> String {
        format!("events?after={}", i64::MAX)
    }

    /// Forgets everything, and begins behind the newest event of this answer.
    pub(super) fn begin_behind(&mut self, answer: &Value) {
        let next = answer.get("next").and_then(Value::as_u64).unwrap_or(0);
        *self = Self { last: next, ..Self::default() };
    }

    /// Takes in an answer.
    pub(super) fn learn(&mut self, answer: &Value) {
        let events = answer.get("events").and_then(Value::as_array);
        for event in events.into_iter().flatten() {
            let seq = event.get("seq").and_then(Value::as_u64).unwrap_or(0);
            if seq <= self.last {
                continue;
            }
            self.last = seq;
            if self.waiting.len() == MOST_WAITING {
                self.waiting.pop_front();
            }
            let name = event.get("event").and_then(Value::as_str).unwrap_or_default().to_owned();
            let message = event.get("message").cloned().unwrap_or(Value::Null);
            self.waiting.push_back(Seen { seq, name, message });
        }
    }

    /// The first unused event of that name that `fits`, which is used then; or the newest one
    /// that does not fit.
    pub(super) fn take(
        &mut self,
        name: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value, Option<Value>> {
        let used = self.used.get(name).copied().unwrap_or(0);
        let is_candidate = |seen: &Seen| seen.name == name && seen.seq > used;
        let found = self.waiting.iter().position(|seen| is_candidate(seen) && fits(&seen.message));
        match found.and_then(|at| self.waiting.remove(at)) {
            Some(seen) => {
                self.used.insert(name.to_owned(), seen.seq);
                Ok(seen.message)
            }
            None => {
                let newest = self.waiting.iter().rev().find(|seen| is_candidate(seen));
                Err(newest.map(|seen| seen.message.clone()))
            }
        }
    }
}

/// Events that no step asks for; the oldest makes room.
const MOST_WAITING: usize = 10_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_used_once_and_in_order_of_their_name() {
        let mut watch = Watch::default();
        watch.begin_behind(&json!({"events": [], "next": 3}));
        assert_eq!(watch.question(), "events?after=3");
        let event =
            |seq: u64, name: &str| json!({"seq": seq, "event": name, "message": {"n": seq}});
        watch.learn(&json!({"events": [event(3, "a"), event(4, "a"), event(5, "b"), event(6, "a"), event(7, "a")]}));
        assert_eq!(watch.take("a", |m| m["n"] == 3), Err(Some(json!({"n": 7}))), "from before");
        assert_eq!(watch.take("a", |m| m["n"] == 6), Ok(json!({"n": 6})));
        assert_eq!(watch.take("a", |_| true), Ok(json!({"n": 7})), "4 came before the last one");
        assert_eq!(watch.take("a", |_| true), Err(None));
        assert_eq!(watch.take("b", |_| true), Ok(json!({"n": 5})));
        assert_eq!(watch.question(), "events?after=7");
    }
}
