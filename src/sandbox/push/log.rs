//! The log of pushes: what was delivered where, and what came back.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::{Format, Mode};
use crate::sandbox::moment;

/// Pushes in the order of their events, oldest first. A ring: when it is full, the oldest makes
/// room, delivered or not.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PushLog {
    entries: VecDeque<PushEntry>,
    entered: u64,
    #[serde(skip)]
    is_news: bool,
}

/// One push of one event.
#[derive(Debug, Serialize, Deserialize)]
struct PushEntry {
    id: u64,
    /// Which event.
    seq: u64,
    event: String,
    time_ms: i64,
    /// None where there was no URL.
    address: Option<Address>,
    /// The push that this one repeats, where somebody asked for it.
    again_of: Option<u64>,
    outcome: Outcome,
    attempts: Vec<Attempt>,
}

/// Where a push went, and how it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Address {
    /// The URL without its parameters.
    pub(super) url: String,
    /// How much was encrypted.
    pub(super) mode: Mode,
    /// How it was written.
    pub(super) format: Format,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// Not tried to the end yet.
    Waiting,
    /// The receiver gave an answer that the platform takes.
    Delivered,
    /// All attempts failed.
    Failed,
    /// There was no URL.
    Skipped,
}

/// One request and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// When it began, by the account's clock.
    pub(super) time_ms: i64,
    /// How long it took, by the machine's clock. In no snapshot: those of runs that are alike
    /// are the same to the last byte.
    #[serde(skip)]
    pub(super) took_ms: u64,
    /// The HTTP status, if an answer came.
    pub(super) status: Option<u16>,
    /// The answer, decrypted where it was encrypted, and cut.
    pub(super) answer: Option<String>,
    /// Why it does not count as delivered.
    pub(super) error: Option<String>,
}

impl PushLog {
    /// Adds the newest; its number.
    pub(super) fn enter(
        &mut self,
        seq: u64,
        event: &str,
        address: Option<Address>,
        again_of: Option<u64>,
        time_ms: i64,
    ) -> u64 {
        if self.entries.len() == MOST_PUSHES {
            self.entries.pop_front();
        }
        self.entered = self.entered.saturating_add(1);
        self.is_news = true;
        let outcome = if address.is_some() { Outcome::Waiting } else { Outcome::Skipped };
        self.entries.push_back(PushEntry {
            id: self.entered,
            seq,
            event: event.to_owned(),
            time_ms,
            address,
            again_of,
            outcome,
            attempts: Vec::new(),
        });
        self.entered
    }

    /// Event number and name of a push that is remembered.
    pub(super) fn event_of(&self, id: u64) -> Option<(u64, String)> {
        let at = self.position(id)?;
        self.entries.get(at).map(|entry| (entry.seq, entry.event.clone()))
    }

    /// Whether something was entered since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }

    /// Whether something is still to be delivered.
    pub(super) fn is_waiting(&self) -> bool {
        self.entries.iter().rev().any(|entry| entry.outcome == Outcome::Waiting)
    }

    /// Push and event that are next, and since when.
    pub(super) fn next_waiting(&self) -> Option<(u64, u64, i64)> {
        let next = self.entries.iter().find(|entry| entry.outcome == Outcome::Waiting)?;
        Some((next.id, next.seq, next.time_ms))
    }

    /// Notes where a push really goes: the URL may have changed while it waited.
    pub(super) fn address(&mut self, id: u64, address: Address) {
        if let Some(entry) = self.entry(id) {
            entry.address = Some(address);
        }
    }

    /// Adds an attempt.
    pub(super) fn note(&mut self, id: u64, attempt: Attempt) {
        if let Some(entry) = self.entry(id)
            && entry.attempts.len() < MOST_ATTEMPTS
        {
            entry.attempts.push(attempt);
        }
    }

    /// Ends a push.
    pub(super) fn close(&mut self, id: u64, outcome: Outcome) {
        if let Some(entry) = self.entry(id) {
            entry.outcome = outcome;
        }
    }

    /// For `GET pushes`.
    pub(super) fn to_json(&self, after: u64) -> Value {
        let behind = self.entries.partition_point(|entry| entry.id <= after);
        let pushes: Vec<Value> = self.entries.range(behind..).map(PushEntry::to_json).collect();
        json!({ "pushes": pushes, "next": self.entered })
    }

    fn entry(&mut self, id: u64) -> Option<&mut PushEntry> {
        let at = self.position(id)?;
        self.entries.get_mut(at)
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.entries.binary_search_by_key(&id, |entry| entry.id).ok()
    }
}

impl PushEntry {
    fn to_json(&self) -> Value {
        let address = self.address.as_ref();
        json!({
            "id": self.id,
            "seq": self.seq,
            "event": self.event,
            "time": moment::rfc3339(self.time_ms),
            "url": address.map(|address| &address.url),
            "mode": address.map(|address| address.mode),
            "format": address.map(|address| address.format),
            "again_of": self.again_of,
            "outcome": self.outcome,
            "attempts": self.attempts.iter().map(Attempt::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Attempt {
    fn to_json(&self) -> Value {
        json!({
            "time": moment::rfc3339(self.time_ms),
            "ms": self.took_ms,
            "status": self.status,
            "answer": self.answer,
            "error": self.error,
        })
    }
}

/// As many as events are remembered.
const MOST_PUSHES: usize = 1000;
/// Above the most retries that can be asked for.
const MOST_ATTEMPTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Option<Address> {
        let url = "http://localhost/".to_owned();
        Some(Address { url, mode: Mode::Plain, format: Format::Json })
    }

    #[test]
    fn the_oldest_makes_room_and_what_is_gone_is_noted_nowhere() {
        let mut log = PushLog::default();
        log.enter(1, "e", None, None, 0);
        assert!(!log.is_waiting() && log.take_news() && !log.take_news());
        for seq in 2..=MOST_PUSHES as u64 + 1 {
            log.enter(seq, "e", address(), None, 0);
        }
        log.close(1, Outcome::Failed);
        assert_eq!(log.event_of(1), None);
        assert_eq!(log.next_waiting(), Some((2, 2, 0)));
        log.close(2, Outcome::Delivered);
        assert_eq!(log.next_waiting(), Some((3, 3, 0)));
        let shown = log.to_json(MOST_PUSHES as u64);
        assert_eq!(shown["pushes"][0]["id"], MOST_PUSHES + 1);
        assert_eq!(shown["pushes"][0]["outcome"], "waiting");
        let copy = serde_json::to_string(&log).unwrap();
        let copy: PushLog = serde_json::from_str(&copy).unwrap();
        assert_eq!(copy.to_json(0), log.to_json(0));
    }
}
