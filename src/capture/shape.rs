//! The one JSON shape of an exchange: for `tail`, `show`, API, stream and export.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Serialize, Serializer, ser::SerializeSeq as _};

use super::{
    exchange::Marks,
    stored::{StoredAttempt, StoredExchange, StoredPhases},
    stored_message::StoredMessage,
};
use crate::base::{id::RequestId, name::Name, outcome::Outcome, permission::Lane};

impl StoredExchange {
    /// The exchange as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.shape()).unwrap_or_default()
    }

    /// The same for embedding in a larger document.
    #[must_use]
    pub fn shape(&self) -> Shape<'_> {
        Shape {
            request: Some(MessageShape::of(&self.request)),
            response: Some(MessageShape::of(&self.response)),
            ..self.shape_without_messages()
        }
    }

    /// For a format that has its own place for headers and bodies.
    pub(super) fn shape_without_messages(&self) -> Shape<'_> {
        Shape {
            id: self.id,
            time: rfc3339(self.time_ms),
            key: self.key.as_ref(),
            account: self.account.as_ref(),
            lane: self.lane,
            client: self.client,
            method: &self.method,
            path: &self.path,
            query: &self.query,
            status: self.status,
            errcode: self.errcode,
            errmsg: self.errmsg.as_deref(),
            rid: self.rid.as_deref(),
            outcome: self.outcome,
            error: self.error.as_deref(),
            attempts: self.attempts.iter().map(AttemptShape::of).collect(),
            request: None,
            response: None,
            replay_of: self.replay_of,
            note: self.note.as_deref(),
            marks: &self.marks,
        }
    }
}

/// An exchange in the documented shape; the order of fields is part of it.
#[derive(Serialize)]
pub struct Shape<'a> {
    id: RequestId,
    time: String,
    key: Option<&'a Name>,
    account: Option<&'a Name>,
    lane: Option<Lane>,
    client: std::net::IpAddr,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    status: Option<u16>,
    errcode: Option<i64>,
    errmsg: Option<&'a str>,
    rid: Option<&'a str>,
    outcome: Outcome,
    error: Option<&'a str>,
    attempts: Vec<AttemptShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<MessageShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<MessageShape<'a>>,
    replay_of: Option<RequestId>,
    note: Option<&'a str>,
    /// Stands only where a fault or an upstream was asked for.
    #[serde(skip_serializing_if = "no_marks")]
    marks: &'a Marks,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
fn no_marks(marks: &&Marks) -> bool {
    marks.is_empty()
}

#[derive(Serialize)]
struct AttemptShape<'a> {
    upstream: &'a str,
    token: Option<&'a str>,
    status: Option<u16>,
    errcode: Option<i64>,
    reused: bool,
    ms: PhasesShape,
    /// Stands only where there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> AttemptShape<'a> {
    fn of(attempt: &'a StoredAttempt) -> Self {
        Self {
            upstream: &attempt.upstream,
            token: attempt.token.as_deref(),
            status: attempt.status,
            errcode: attempt.errcode,
            reused: attempt.reused,
            ms: PhasesShape::of(&attempt.us),
            error: attempt.error.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct PhasesShape {
    queue: f64,
    token: f64,
    dns: Option<f64>,
    connect: Option<f64>,
    tls: Option<f64>,
    first_byte: Option<f64>,
    total: f64,
}

impl PhasesShape {
    fn of(us: &StoredPhases) -> Self {
        Self {
            queue: tenths_of_ms(us.queue),
            token: tenths_of_ms(us.token),
            dns: us.dns.map(tenths_of_ms),
            connect: us.connect.map(tenths_of_ms),
            tls: us.tls.map(tenths_of_ms),
            first_byte: us.first_byte.map(tenths_of_ms),
            total: tenths_of_ms(us.total),
        }
    }
}

#[derive(Serialize)]
struct MessageShape<'a> {
    headers: Headers<'a>,
    body: Option<BodyShape<'a>>,
    size: u64,
    truncated: bool,
}

impl<'a> MessageShape<'a> {
    fn of(message: &'a StoredMessage) -> Self {
        Self {
            headers: Headers(message),
            body: message.body().map(BodyShape::of),
            size: message.size,
            truncated: message.truncated,
        }
    }
}

/// Pairs in the order of the wire, as far as the map keeps it.
struct Headers<'a>(&'a StoredMessage);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pairs = serializer.serialize_seq(None)?;
        for (name, value) in self.0.headers() {
            pairs.serialize_element(&(name, String::from_utf8_lossy(value)))?;
        }
        pairs.end()
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum BodyShape<'a> {
    Text(&'a str),
    Binary { base64: String },
}

impl<'a> BodyShape<'a> {
    fn of(body: &'a [u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Binary { base64: BASE64_STANDARD.encode(body) },
        }
    }
}

/// `2026-11-22T09:30:00.123Z`.
pub(super) fn rfc3339(unix_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// Finer than a tenth of a millisecond is noise.
pub(super) fn tenths_of_ms(us: u64) -> f64 {
    (us as f64 / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing;

    #[test]
    fn the_shape_is_the_documented_one_to_the_letter() {
        let exchange = testing::stored(&testing::documented());
        assert_eq!(
            exchange.to_json(),
            concat!(
                r#"{"id":"01KAN8MBSXE3TNYPDCVF6G2Q7H","time":"2026-11-22T09:30:00.123Z","#,
                r#""key":"alice","account":"shop","lane":"live","client":"203.0.113.9","#,
                r#""method":"POST","path":"/shop/spu/add","query":"","status":200,"errcode":0,"#,
                r#""errmsg":"ok","rid":null,"outcome":"ok","error":null,"#,
                r#""attempts":[{"upstream":"https://api.weixin.qq.com","token":"fp:3c46","#,
                r#""status":200,"errcode":0,"reused":true,"ms":{"queue":0.0,"token":0.0,"#,
                r#""dns":null,"connect":null,"tls":null,"first_byte":41.2,"total":41.9}}],"#,
                r#""request":{"headers":[["content-type","application/json"]],"#,
                r#""body":"{\"id\":12345678901234567890}","size":27,"truncated":false},"#,
                r#""response":{"headers":[],"body":"{\"errcode\":0}","size":13,"truncated":false},"#,
                r#""replay_of":null,"note":null}"#,
            )
        );
    }

    #[test]
    fn a_body_that_is_no_text_stands_as_base64_and_one_that_is_gone_as_null() {
        let mut exchange = testing::stored(&testing::documented());
        exchange.request = StoredMessage::new(vec![0xff, 0xfe].into(), 0, 27, false);
        exchange.response = StoredMessage::without_parts(13, false);
        let json = exchange.to_json();
        assert!(json.contains(r#""body":{"base64":"//4="},"size":27"#), "{json}");
        assert!(json.contains(r#""response":{"headers":[],"body":null,"size":13"#), "{json}");
    }

    #[test]
    fn whole_seconds_keep_their_milliseconds() {
        assert_eq!(rfc3339(1_795_339_800_000), "2026-11-22T09:30:00.000Z");
        assert_eq!(tenths_of_ms(41_249), 41.2);
    }
}
