//! Ids of attribution, as the client call `wx.checkBeforeAddOrder` gives them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Each belongs to one user and lives ten minutes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Traces(BTreeMap<String, Trace>);

#[derive(Debug, Serialize, Deserialize)]
struct Trace {
    openid: String,
    until_ms: i64,
}

impl Traces {
    /// Notes an id that was given to `openid`. When there are too many, those that are over go,
    /// then all.
    pub(in crate::sandbox) fn note(&mut self, trace_id: String, openid: &str, now_ms: i64) {
        if self.0.len() >= MOST_TRACES {
            self.0.retain(|_, trace| trace.until_ms > now_ms);
        }
        if self.0.len() >= MOST_TRACES {
            self.0.clear();
        }
        let until_ms = now_ms.saturating_add(LIFE_MS);
        self.0.insert(trace_id, Trace { openid: openid.to_owned(), until_ms });
    }

    /// Whether the id is this user's and not over; none for one that was not given out here.
    pub(in crate::sandbox) fn is_good(
        &self,
        trace_id: &str,
        openid: &str,
        now_ms: i64,
    ) -> Option<bool> {
        let trace = self.0.get(trace_id)?;
        Some(trace.openid == openid && now_ms < trace.until_ms)
    }
}

const LIFE_MS: i64 = 600_000;
const MOST_TRACES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_good_for_its_user_and_ten_minutes() {
        let mut traces = Traces::default();
        traces.note("t".to_owned(), "alice", 0);
        assert_eq!(traces.is_good("t", "alice", LIFE_MS - 1), Some(true));
        assert_eq!(traces.is_good("t", "alice", LIFE_MS), Some(false));
        assert_eq!(traces.is_good("t", "bob", 0), Some(false));
        assert_eq!(traces.is_good("u", "alice", 0), None);
    }
}
