//! Refused calls by rid, for whoever asks what went wrong.

use std::{collections::VecDeque, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// A ring: only refusals have a rid, and the oldest make room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RidLog {
    records: VecDeque<Record>,
}

/// One refused call, with everything that the platform shows of it: also the access token.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its name.
    pub(super) rid: String,
    /// When it came.
    pub(super) time_ms: i64,
    /// How long its answer took.
    pub(super) cost_ms: u64,
    /// Its query as sent.
    pub(super) query: String,
    /// Its body.
    pub(super) request_body: String,
    /// The answer.
    pub(super) response_body: String,
    /// Where it came from.
    pub(super) client_ip: String,
}

impl RidLog {
    /// Writes a call down.
    pub(super) fn note(&mut self, mut record: Record) {
        for text in [&mut record.query, &mut record.request_body, &mut record.response_body] {
            let most = MOST_TEXT_BYTES.min(text.len());
            let end = (0..=most).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
        }
        if self.records.len() >= MOST_RECORDS {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// Whether a call of that name is known, however old.
    pub(super) fn has(&self, rid: &str) -> bool {
        self.records.iter().any(|record| record.rid == rid)
    }

    /// The call of that name as the platform tells it: 76001 where there is none, 76004 after
    /// seven days.
    pub(super) fn tell(&self, rid: &str, now_ms: i64) -> Result<Value, Refusal> {
        let record = self.records.iter().find(|record| record.rid == rid);
        let record = record.ok_or_else(|| Refusal::new(76001))?;
        if now_ms.saturating_sub(record.time_ms) > KEPT_MS {
            return Err(Refusal::new(76004));
        }
        Ok(json!({
            "invoke_time": record.time_ms / 1000,
            "cost_in_ms": record.cost_ms,
            "request_url": record.query,
            "request_body": record.request_body,
            "response_body": record.response_body,
            "client_ip": record.client_ip,
        }))
    }
}

/// As much of a body as can be kept, so that no more of a long one is copied; and a character
/// more, which may be cut through.
pub(super) fn start(body: &[u8]) -> &[u8] {
    body.get(..MOST_TEXT_BYTES + 4).unwrap_or(body)
}

/// Query and bodies hold tokens.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("rid", &self.rid).finish_non_exhaustive()
    }
}

const MOST_RECORDS: usize = 1000;
const MOST_TEXT_BYTES: usize = 4096;
/// Seven days.
const KEPT_MS: i64 = 7 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rid: &str) -> Record {
        Record {
            rid: rid.to_owned(),
            time_ms: 1000,
            cost_ms: 0,
            query: "access_token=10_secret".to_owned(),
            request_body: "店".repeat(MOST_TEXT_BYTES),
            response_body: String::new(),
            client_ip: "127.0.0.1".to_owned(),
        }
    }

    #[test]
    fn calls_are_told_for_seven_days_and_cut_at_a_bound() {
        let mut log = RidLog::default();
        log.note(record("a"));
        let told = log.tell("a", 1000 + KEPT_MS).unwrap();
        assert_eq!(told["invoke_time"], 1);
        assert!(told["request_body"].as_str().unwrap().len() <= MOST_TEXT_BYTES);
        assert_eq!(log.tell("a", 1001 + KEPT_MS).unwrap_err().errcode, 76004);
        assert_eq!(log.tell("b", 0).unwrap_err().errcode, 76001);
        (0..MOST_RECORDS).for_each(|n| log.note(record(&n.to_string())));
        assert!(!log.has("a") && log.has("0"));
        assert!(!format!("{log:?}").contains("10_secret"));
    }
}
