//! What of an exchange stands neither in its line nor in its parts, as compact JSON.
//!
//! Read only for exchanges that are shown. Names are short and what is absent is left out,
//! because every exchange pays for writing them.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    exchange::Marks,
    line::Line,
    stored::{StoredAttempt, StoredExchange, StoredPhases},
    stored_message::StoredMessage,
};
use crate::base::{id::RequestId, name::Name};

/// Appends the detail of `exchange` to `out`.
pub(super) fn write(exchange: &StoredExchange, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let (request, response) = (&exchange.request, &exchange.response);
    let detail = Detail {
        client: exchange.client,
        sizes: [request.size, response.size],
        truncated: [request.truncated, response.truncated],
        query: Cow::Borrowed(&exchange.query),
        errmsg: exchange.errmsg.as_deref().map(Cow::Borrowed),
        error: exchange.error.as_deref().map(Cow::Borrowed),
        attempts: exchange.attempts.iter().map(AttemptDetail::of).collect(),
        marks: Cow::Borrowed(&exchange.marks),
        replay_of: exchange.replay_of,
        note: exchange.note.as_deref().map(Cow::Borrowed),
        redacted: Cow::Borrowed(&exchange.redacted),
    };
    serde_json::to_writer(out, &detail)
}

/// Puts an exchange together again, still without its parts. `None` when something is damaged.
pub(super) fn read(
    detail: &[u8],
    line: &Line,
    text: impl Fn(u16) -> Option<String>,
    rid: Option<String>,
    seq: u64,
) -> Option<StoredExchange> {
    let detail: Detail<'_> = serde_json::from_slice(detail).ok()?;
    let name = |number| text(number).and_then(|name| name.parse::<Name>().ok());
    let message =
        |nth: usize| StoredMessage::without_parts(detail.sizes[nth], detail.truncated[nth]);
    Some(StoredExchange {
        seq,
        id: line.id,
        time_ms: line.time_ms,
        key: name(line.texts.key),
        account: name(line.texts.account),
        lane: line.lane,
        client: detail.client,
        method: text(line.texts.method)?.into(),
        path: text(line.texts.path)?,
        query: detail.query.into_owned(),
        call: text(line.texts.call).map(Cow::Owned),
        status: line.status,
        errcode: line.errcode,
        errmsg: detail.errmsg.map(Cow::into_owned),
        rid,
        outcome: line.outcome,
        error: detail.error.map(|error| Cow::Owned(error.into_owned())),
        attempts: detail.attempts.into_iter().map(AttemptDetail::into_attempt).collect(),
        request: message(0),
        response: message(1),
        duration_us: u64::from(line.duration_us),
        marks: detail.marks.into_owned(),
        replay_of: detail.replay_of,
        note: detail.note.map(Cow::into_owned),
        redacted: detail.redacted.into_owned(),
    })
}

#[derive(Serialize, Deserialize)]
struct Detail<'a> {
    #[serde(rename = "c")]
    client: IpAddr,
    /// Of request and response.
    #[serde(rename = "s")]
    sizes: [u64; 2],
    #[serde(rename = "t", default, skip_serializing_if = "are_whole")]
    truncated: [bool; 2],
    #[serde(rename = "q", borrow, default, skip_serializing_if = "str::is_empty")]
    query: Cow<'a, str>,
    #[serde(rename = "m", borrow, default, skip_serializing_if = "Option::is_none")]
    errmsg: Option<Cow<'a, str>>,
    #[serde(rename = "e", borrow, default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(rename = "a", borrow, default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptDetail<'a>>,
    #[serde(rename = "k", default, skip_serializing_if = "no_marks")]
    marks: Cow<'a, Marks>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    replay_of: Option<RequestId>,
    #[serde(rename = "n", borrow, default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(rename = "r", default, skip_serializing_if = "is_nothing")]
    redacted: Cow<'a, [String]>,
}

#[derive(Serialize, Deserialize)]
struct AttemptDetail<'a> {
    #[serde(rename = "u", borrow)]
    upstream: Cow<'a, str>,
    #[serde(rename = "f", borrow, default, skip_serializing_if = "Option::is_none")]
    token: Option<Cow<'a, str>>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    errcode: Option<i64>,
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    reused: bool,
    /// Microseconds: queue, token, total; dns, connect, tls, first byte.
    #[serde(rename = "d")]
    always_us: [u64; 3],
    #[serde(rename = "p", default, skip_serializing_if = "never_happened")]
    phases_us: [Option<u64>; 4],
    #[serde(rename = "x", borrow, default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
}

impl<'a> AttemptDetail<'a> {
    fn of(attempt: &'a StoredAttempt) -> Self {
        let us = &attempt.us;
        Self {
            upstream: Cow::Borrowed(&attempt.upstream),
            token: attempt.token.as_deref().map(Cow::Borrowed),
            status: attempt.status,
            errcode: attempt.errcode,
            reused: attempt.reused,
            always_us: [us.queue, us.token, us.total],
            phases_us: [us.dns, us.connect, us.tls, us.first_byte],
            error: attempt.error.as_deref().map(Cow::Borrowed),
        }
    }

    fn into_attempt(self) -> StoredAttempt {
        let [queue, token, total] = self.always_us;
        let [dns, connect, tls, first_byte] = self.phases_us;
        StoredAttempt {
            upstream: Arc::from(&*self.upstream),
            token: self.token.map(Cow::into_owned),
            status: self.status,
            errcode: self.errcode,
            reused: self.reused,
            us: StoredPhases { queue, token, dns, connect, tls, first_byte, total },
            error: self.error.map(Cow::into_owned),
        }
    }
}

fn are_whole(truncated: &[bool; 2]) -> bool {
    *truncated == [false; 2]
}

fn never_happened(phases: &[Option<u64>; 4]) -> bool {
    phases.iter().all(Option::is_none)
}

fn is_nothing(redacted: &[String]) -> bool {
    redacted.is_empty()
}

fn no_marks(marks: &Marks) -> bool {
    marks.is_empty()
}
