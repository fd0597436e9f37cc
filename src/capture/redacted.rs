//! An exchange without its credentials, as it lies in a batch or in a stored segment.

use std::borrow::Cow;

use super::{
    detail::Detail,
    line::{Facts, Flags},
    stored::StoredExchange,
    stored_message::StoredMessage,
};
use crate::base::{id::RequestId, outcome::Outcome, permission::Lane};

/// Borrows its texts, so that packing costs no allocation. Only redaction and the reading of a
/// segment make one.
pub(super) struct Redacted<'a> {
    pub(super) seq: u64,
    pub(super) id: RequestId,
    pub(super) time_ms: i64,
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) account: Option<Cow<'a, str>>,
    pub(super) lane: Option<Lane>,
    pub(super) method: &'a str,
    pub(super) path: Cow<'a, str>,
    pub(super) call: Option<&'a str>,
    pub(super) status: Option<u16>,
    pub(super) errcode: Option<i64>,
    pub(super) rid: Option<Cow<'a, str>>,
    pub(super) outcome: Outcome,
    pub(super) duration_us: u64,
    pub(super) detail: Detail<'a>,
    /// Request and response; `None` once `keep` is over, or where they were not loaded.
    pub(super) parts: Option<[MessageParts<'a>; 2]>,
}

/// Header lines and body of one direction.
pub(super) struct MessageParts<'a> {
    pub(super) headers: &'a [u8],
    pub(super) body: Cow<'a, [u8]>,
}

impl Redacted<'_> {
    pub(super) fn flags(&self) -> Flags {
        let detail = &self.detail;
        Flags::of(&Facts {
            marks: &detail.marks,
            attempts: detail.attempts.len(),
            is_replay: detail.replay_of.is_some(),
            is_refused: detail.error.is_some(),
            is_truncated: detail.truncated != [false; 2],
            is_noted: detail.note.is_some(),
        })
    }

    /// The same with texts of its own. `None` when a name is none, as in a damaged file.
    pub(super) fn to_stored(&self) -> Option<StoredExchange> {
        let name = |text: &Option<Cow<'_, str>>| text.as_ref().map(|n| n.parse()).transpose();
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let detail = &self.detail;
        Some(StoredExchange {
            seq: self.seq,
            id: self.id,
            time_ms: self.time_ms,
            key: name(&self.key).ok()?,
            account: name(&self.account).ok()?,
            lane: self.lane,
            client: detail.client,
            method: method_name(self.method),
            path: self.path.clone().into_owned(),
            query: detail.query.clone().into_owned(),
            call: self.call.map(|call| Cow::Owned(call.to_owned())),
            status: self.status,
            errcode: self.errcode,
            errmsg: text(&detail.errmsg),
            rid: text(&self.rid),
            outcome: self.outcome,
            error: text(&detail.error).map(Cow::Owned),
            attempts: detail.attempts.iter().map(super::detail::AttemptDetail::to_stored).collect(),
            request: self.message(0),
            response: self.message(1),
            duration_us: self.duration_us,
            marks: detail.marks.clone().into_owned(),
            replay_of: detail.replay_of,
            note: text(&detail.note),
            redacted: detail.redacted.clone().into_owned(),
        })
    }

    fn message(&self, nth: usize) -> StoredMessage {
        let (size, truncated) = (self.detail.sizes[nth], self.detail.truncated[nth]);
        let Some(parts) = &self.parts else {
            return StoredMessage::without_parts(size, truncated);
        };
        let MessageParts { headers, body } = &parts[nth];
        let bytes = [headers, &body[..]].concat();
        StoredMessage::new(bytes.into(), headers.len(), size, truncated)
    }
}

/// Methods that everybody knows need no text of their own.
fn method_name(method: &str) -> Cow<'static, str> {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    known
        .iter()
        .find(|name| **name == method)
        .map_or_else(|| method.to_owned().into(), |name| Cow::Borrowed(*name))
}
