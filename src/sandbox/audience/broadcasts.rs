//! Messages to many users at once.

use serde::{Deserialize, Serialize};

use crate::sandbox::{drawer::Drawer, moment, refusal::Refusal};

/// The latest broadcasts by message id; the oldest make room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Broadcasts(Drawer<Broadcast, MOST_BROADCASTS>);

/// One broadcast.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Broadcast {
    /// The caller's own id of it; empty if it gave none.
    pub(in crate::sandbox) client_id: String,
    /// When it was sent.
    pub(in crate::sandbox) sent_ms: i64,
    /// Whether it was taken back.
    pub(in crate::sandbox) is_deleted: bool,
}

/// What a `clientmsgid` was used for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Earlier {
    /// Nothing.
    Nothing,
    /// A broadcast within the last minute.
    JustNow,
    /// The broadcast of that message id.
    Sent(u64),
}

impl Broadcasts {
    /// Writes a broadcast down.
    pub(in crate::sandbox) fn keep(&mut self, msg_id: u64, broadcast: Broadcast) {
        self.0.put_for_oldest(&msg_id.to_string(), broadcast);
    }

    /// Whether the caller's id was used in the last 24 hours, as the platform looks.
    pub(in crate::sandbox) fn earlier(&self, client_id: &str, now_ms: i64) -> Earlier {
        let mut newest_first = self.0.iter().rev();
        let found = newest_first.find(|(_, broadcast)| broadcast.client_id == client_id);
        let Some((id, broadcast)) = found else { return Earlier::Nothing };
        match now_ms.saturating_sub(broadcast.sent_ms) {
            age_ms if age_ms < RETRY_APART_MS => Earlier::JustNow,
            age_ms if age_ms < REMEMBERED_MS => Earlier::Sent(id.parse().unwrap_or_default()),
            _ => Earlier::Nothing,
        }
    }

    /// How many were sent on a day of UTC+8.
    pub(in crate::sandbox) fn sent_on(&self, day: i64) -> usize {
        self.0.iter().filter(|(_, broadcast)| moment::day(broadcast.sent_ms) == day).count()
    }

    /// The broadcast of that message id: 40059 where there is none.
    pub(in crate::sandbox) fn find(&mut self, msg_id: i64) -> Result<&mut Broadcast, Refusal> {
        self.0.find_mut(&msg_id.to_string()).ok_or_else(|| Refusal::new(40059))
    }
}

const MOST_BROADCASTS: usize = 1000;
/// "Retry after one minute"; how long ids are compared is from error pages, not confirmed.
const RETRY_APART_MS: i64 = 60_000;
const REMEMBERED_MS: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_remembered_for_a_day() {
        let mut broadcasts = Broadcasts::default();
        let broadcast = Broadcast { client_id: "a".to_owned(), sent_ms: 0, is_deleted: false };
        broadcasts.keep(7, broadcast);
        assert_eq!(broadcasts.earlier("a", 59_999), Earlier::JustNow);
        assert_eq!(broadcasts.earlier("a", 60_000), Earlier::Sent(7));
        assert_eq!(broadcasts.earlier("a", 86_400_000), Earlier::Nothing);
        assert_eq!(broadcasts.earlier("b", 0), Earlier::Nothing);
        assert!(broadcasts.find(7).is_ok());
        assert_eq!(broadcasts.find(-1).unwrap_err().errcode, 40059);
    }
}
