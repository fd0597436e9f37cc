//! Events that the platform tells of.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::moment;

/// What happened, oldest first. A ring: when it is full, the oldest makes room. Whoever delivers
/// events reads on from the last number that it saw.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EventLog {
    events: VecDeque<Event>,
    told: u64,
    #[serde(skip)]
    is_news: bool,
}

/// One event with the whole message that is pushed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    /// From 1, without gaps.
    pub(super) seq: u64,
    /// When, by the account's clock.
    pub(super) time_ms: i64,
    /// `Event`, or `InfoType`, or `MsgType` of the message.
    pub(super) name: String,
    /// The message in its JSON form.
    pub(super) message: Map<String, Value>,
}

impl EventLog {
    /// Adds the newest; its number.
    pub(super) fn tell(&mut self, name: &str, message: Map<String, Value>, time_ms: i64) -> u64 {
        if self.events.len() >= MOST_EVENTS {
            self.events.pop_front();
        }
        self.told = self.told.saturating_add(1);
        self.is_news = true;
        let event = Event { seq: self.told, time_ms, name: name.to_owned(), message };
        self.events.push_back(event);
        self.told
    }

    /// What was told after number `seq`, as far as it is remembered.
    pub(super) fn after(&self, seq: u64) -> impl Iterator<Item = &Event> {
        let behind = self.events.partition_point(|event| event.seq <= seq);
        self.events.range(behind..)
    }

    /// The event of that number, if it is remembered.
    pub(super) fn numbered(&self, seq: u64) -> Option<&Event> {
        self.after(seq.checked_sub(1)?).next().filter(|event| event.seq == seq)
    }

    /// The number of the newest; 0 before the first.
    pub(super) fn newest(&self) -> u64 {
        self.told
    }

    /// The newest event called `name` after number `seq`, open for change: as long as the lock
    /// is held, nobody has seen it.
    pub(super) fn newest_called(&mut self, name: &str, seq: u64) -> Option<&mut Event> {
        let behind = self.events.partition_point(|event| event.seq <= seq);
        self.events.range_mut(behind..).rev().find(|event| event.name == name)
    }

    /// Whether something was told since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }

    /// For `GET events`.
    pub(super) fn to_json(&self, after: u64) -> Value {
        let events: Vec<Value> = self.after(after).map(Event::to_json).collect();
        json!({ "events": events, "next": self.told })
    }
}

impl Event {
    fn to_json(&self) -> Value {
        json!({
            "seq": self.seq,
            "time": moment::rfc3339(self.time_ms),
            "event": self.name,
            "message": self.message,
        })
    }
}

const MOST_EVENTS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_numbers_go_on() {
        let mut log = EventLog::default();
        assert!(!log.take_news());
        for number in 0..=MOST_EVENTS {
            log.tell(&format!("e{number}"), Map::new(), 0);
        }
        assert!(log.take_news() && !log.take_news());
        assert_eq!(log.after(0).count(), MOST_EVENTS);
        assert_eq!(log.after(0).next().map(|event| event.seq), Some(2));
        let last = log.to_json(MOST_EVENTS as u64);
        assert_eq!(last["events"][0]["event"], format!("e{MOST_EVENTS}"));
        assert_eq!(last["next"], MOST_EVENTS + 1);
    }
}
