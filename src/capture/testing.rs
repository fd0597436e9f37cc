//! Exchanges to test with.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method};

use super::{
    exchange::{Attempt, Captured, Exchange, Phases},
    redaction::Rules,
    stored::StoredExchange,
};
use crate::base::{
    clock::from_unix_ms, id::RequestId, outcome::Outcome, permission::Lane, redact::Redactor,
    secret::Secret,
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
pub(super) fn stored(exchange: Exchange) -> StoredExchange {
    Rules::new(&["session_key".to_owned()], 1 << 20).redact(exchange, 0, &Redactor::new())
}
