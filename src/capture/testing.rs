//! Exchanges to test with.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method};

use super::{
    batch::Batch,
    detail::{AttemptDetail, Detail},
    exchange::{Attempt, Captured, Exchange, Phases},
    redacted::{MessageParts, Redacted},
    redaction::Rules,
    segment::Segment,
    stored::StoredExchange,
};
use crate::base::{
    clock::from_unix_ms, id::RequestId, name::Name, outcome::Outcome, permission::Lane,
    redact::Redactor, secret::Secret,
};

/// 2026-11-22T09:30:00.123Z.
pub(super) const TIME_MS: i64 = 1_795_339_800_123;

/// The example of the documentation.
pub(super) fn documented() -> Exchange {
    let mut exchange = at("/shop/spu/add", TIME_MS);
    exchange.id = "01KAN8MBSXE3TNYPDCVF6G2Q7H".parse().unwrap();
    let json = HeaderValue::from_static("application/json");
    exchange.request.headers.insert("content-type", json);
    exchange.request.body = body(r#"{"id":12345678901234567890}"#);
    exchange.response.body = body(r#"{"errcode":0}"#);
    exchange.errmsg = Some("ok".into());
    exchange.attempts = vec![Attempt {
        upstream: "https://api.weixin.qq.com".into(),
        token: Some(Secret::new("token".into()).fingerprint()),
        status: Some(200),
        errcode: Some(0),
        reused: true,
        ms: Phases {
            first_byte: Some(Duration::from_micros(41_213)),
            total: Duration::from_micros(41_900),
            ..Phases::default()
        },
        error: None,
    }];
    exchange
}

/// A plain good exchange.
pub(super) fn at(path: &str, time_ms: i64) -> Exchange {
    let mut exchange = Exchange::new(
        id_at(time_ms),
        from_unix_ms(time_ms),
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
        Method::POST,
        path.to_owned(),
        String::new(),
    );
    exchange.key = Some("alice".parse().unwrap());
    exchange.account = Some("shop".parse().unwrap());
    exchange.lane = Some(Lane::Live);
    exchange.status = Some(200);
    exchange.errcode = Some(0);
    exchange.outcome = Outcome::Ok;
    exchange.duration = Duration::from_millis(42);
    exchange
}

/// An id that was made at this time.
pub(super) fn id_at(time_ms: i64) -> RequestId {
    let mut bytes = RequestId::new().to_bytes();
    bytes[..6].copy_from_slice(&time_ms.to_be_bytes()[2..]);
    RequestId::from_bytes(bytes)
}

/// A body that came in one piece.
pub(super) fn body(text: &str) -> Captured {
    Captured::of(&Bytes::copy_from_slice(text.as_bytes()), 1 << 20)
}

/// As it is stored with the default rules and no live secret.
pub(super) fn stored(exchange: &Exchange) -> StoredExchange {
    redacted(exchange, &Redactor::new())
}

/// As it is stored with the default rules, on its way through a batch.
pub(super) fn redacted(exchange: &Exchange, redactor: &Redactor) -> StoredExchange {
    redacted_up_to(exchange, redactor, 1 << 20)
}

/// The same, with a cap for what a compressed body holds.
pub(super) fn redacted_up_to(
    exchange: &Exchange,
    redactor: &Redactor,
    body_cap: usize,
) -> StoredExchange {
    let rules = Rules::new(&["session_key".to_owned()], body_cap);
    let mut batch = Batch::default();
    batch.push(exchange);
    let mut stored = None;
    batch.drain(|pending| stored = rules.redact(pending, 1, redactor).to_stored());
    stored.unwrap()
}

/// Packs a whole exchange.
pub(super) fn push(segment: &mut Segment, exchange: &StoredExchange) {
    segment.push(&borrowed(exchange)).unwrap();
}

/// What a segment takes of a whole exchange.
pub(super) fn borrowed(exchange: &StoredExchange) -> Redacted<'_> {
    let texts = |name: &Option<Name>| name.as_ref().map(|name| name.as_str().to_owned().into());
    let attempts = exchange.attempts.iter().map(|attempt| AttemptDetail {
        upstream: Cow::Borrowed(&*attempt.upstream),
        token: attempt.token.as_deref().map(Cow::Borrowed),
        status: attempt.status,
        errcode: attempt.errcode,
        reused: attempt.reused,
        always_us: [attempt.us.queue, attempt.us.token, attempt.us.total],
        phases_us: [attempt.us.dns, attempt.us.connect, attempt.us.tls, attempt.us.first_byte],
        error: attempt.error.as_deref().map(Cow::Borrowed),
    });
    let detail = Detail {
        client: exchange.client,
        sizes: [exchange.request.size, exchange.response.size],
        truncated: [exchange.request.truncated, exchange.response.truncated],
        query: Cow::Borrowed(&exchange.query),
        errmsg: exchange.errmsg.as_deref().map(Cow::Borrowed),
        error: exchange.error.as_deref().map(Cow::Borrowed),
        attempts: attempts.collect(),
        marks: Cow::Borrowed(&exchange.marks),
        replay_of: exchange.replay_of,
        note: exchange.note.as_deref().map(Cow::Borrowed),
        redacted: Cow::Borrowed(&exchange.redacted),
    };
    let parts = [&exchange.request, &exchange.response].map(|message| {
        let (headers, body) = message.parts();
        MessageParts { headers, body: Cow::Borrowed(body) }
    });
    Redacted {
        seq: exchange.seq,
        id: exchange.id,
        time_ms: exchange.time_ms,
        key: texts(&exchange.key),
        account: texts(&exchange.account),
        lane: exchange.lane,
        method: &exchange.method,
        path: Cow::Borrowed(&exchange.path),
        call: exchange.call.as_deref(),
        status: exchange.status,
        errcode: exchange.errcode,
        rid: exchange.rid.as_deref().map(Cow::Borrowed),
        outcome: exchange.outcome,
        duration_us: exchange.duration_us,
        detail,
        parts: Some(parts),
    }
}
