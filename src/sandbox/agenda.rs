//! What is going to happen by itself, in the order of its time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::due::Due;

/// Nothing here runs by itself: whoever looks at an account first lets happen what is due.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Agenda {
    #[serde(with = "entries")]
    due: BTreeMap<(i64, u64), Due>,
    entered: u64,
    #[serde(skip)]
    is_news: bool,
}

impl Agenda {
    /// Enters `what` for `at_ms`. What is entered first happens first where times are equal.
    /// Entries belong to things that are bounded; the bound here is for safety alone.
    pub(super) fn enter(&mut self, at_ms: i64, what: Due) {
        if self.due.len() >= MOST_ENTRIES {
            return;
        }
        self.entered = self.entered.saturating_add(1);
        self.is_news = true;
        self.due.insert((at_ms, self.entered), what);
    }

    /// Takes out the next entry that is due.
    pub(super) fn take_due(&mut self, now_ms: i64) -> Option<(i64, Due)> {
        let (at_ms, _) = *self.due.first_key_value()?.0;
        if at_ms > now_ms {
            return None;
        }
        self.due.pop_first().map(|((at_ms, _), what)| (at_ms, what))
    }

    /// When the next entry is due.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.due.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    /// Whether it may be taken up again: what repeats itself stands in it once, so that no
    /// document makes it grow.
    pub(super) fn is_sane(&self) -> bool {
        let repeats = self.due.values().filter(|what| **what == Due::ComponentTicket).count();
        repeats <= 1 && self.due.len() <= MOST_ENTRIES
    }

    /// Whether something was entered since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }
}

/// JSON has no keys but text, so that entries are written as a list.
mod entries {
    use super::{BTreeMap, Due};
    use serde::{Deserialize as _, Deserializer, Serializer};

    type Entries = BTreeMap<(i64, u64), Due>;

    pub(super) fn serialize<S: Serializer>(map: &Entries, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Entries, D::Error> {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}

/// As many as there can be things.
const MOST_ENTRIES: usize = 500_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn product(name: &str) -> Due {
        Due::ProductAudit { out_product_id: name.to_owned() }
    }

    #[test]
    fn entries_come_in_the_order_of_their_time_then_of_their_entry() {
        let mut agenda = Agenda::default();
        for (at_ms, name) in [(5, "late"), (3, "first"), (3, "second")] {
            agenda.enter(at_ms, product(name));
        }
        assert_eq!(agenda.next_ms(), Some(3));
        let copy = serde_json::to_string(&agenda).unwrap();
        let mut agenda: Agenda = serde_json::from_str(&copy).unwrap();
        let mut take = |now_ms| agenda.take_due(now_ms);
        assert_eq!(take(2), None);
        assert_eq!(take(4), Some((3, product("first"))));
        assert_eq!(take(4), Some((3, product("second"))));
        assert_eq!(take(4), None);
        assert_eq!(take(5), Some((5, product("late"))));
    }
}
