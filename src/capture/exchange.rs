//! One request with its answer, as the request path hands it over: not yet redacted.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use crate::base::{
    code::ErrorCode, id::RequestId, name::Name, outcome::Outcome, permission::Lane,
    secret::Fingerprint,
};

/// A finished exchange. It may still hold credentials, so nothing but
/// [`Recorder::record`](super::Recorder::record) takes one, and it has no `Debug`.
pub struct Exchange {
    /// The request id, also in `X-Request-Id`.
    pub id: RequestId,
    /// When the request's head was complete.
    pub time: SystemTime,
    /// The name of the key.
    pub key: Option<Name>,
    /// The account, once one was chosen.
    pub account: Option<Name>,
    /// The lane in force.
    pub lane: Option<Lane>,
    /// The client's address.
    pub client: IpAddr,
    /// The client's method.
    pub method: http::Method,
    /// The path as it goes to the upstream.
    pub path: String,
    /// The client's query, without `?`.
    pub query: String,
    /// The call's names, Chinese and English in one text, for bare words in filters.
    pub call: Option<&'static str>,
    /// Status of the answer that the client got.
    pub status: Option<u16>,
    /// The answer's errcode.
    pub errcode: Option<i64>,
    /// The answer's errmsg.
    pub errmsg: Option<String>,
    /// The platform's request id.
    pub rid: Option<String>,
    /// What it amounted to.
    pub outcome: Outcome,
    /// The gateway's own code, when the answer is the gateway's.
    pub error: Option<ErrorCode>,
    /// Each try at an upstream, in order.
    pub attempts: Vec<Attempt>,
    /// What the client sent.
    pub request: Message,
    /// What the client got.
    pub response: Message,
    /// From the request's head to the answer's last byte.
    pub duration: Duration,
    /// What the client asked for beyond the call itself.
    pub marks: Marks,
    /// The exchange that this one repeats.
    pub replay_of: Option<RequestId>,
    /// A remark of a user.
    pub note: Option<String>,
    /// Fields of this very call that are never stored, from the catalogue.
    pub extra_redact: &'static [&'static str],
}

impl Exchange {
    /// An exchange of which only the request line is known; the outcome is `abandoned` until
    /// somebody knows better, because that is what it is if the client leaves now.
    #[must_use]
    pub fn new(
        id: RequestId,
        time: SystemTime,
        client: IpAddr,
        method: http::Method,
        path: String,
        query: String,
    ) -> Self {
        Self {
            id,
            time,
            client,
            method,
            path,
            query,
            key: None,
            account: None,
            lane: None,
            call: None,
            status: None,
            errcode: None,
            errmsg: None,
            rid: None,
            outcome: Outcome::Abandoned,
            error: None,
            attempts: Vec::new(),
            request: Message::default(),
            response: Message::default(),
            duration: Duration::ZERO,
            marks: Marks::default(),
            replay_of: None,
            note: None,
            extra_redact: &[],
        }
    }

    /// About how much memory it holds while it is queued, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts =
            self.path.len() + self.query.len() + self.errmsg.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + texts
            + self.attempts.len() * size_of::<Attempt>()
            + self.request.weight()
            + self.response.weight()
    }
}

/// One try at one upstream.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The origin, as configured.
    pub upstream: Arc<str>,
    /// Which token went along.
    pub token: Option<Fingerprint>,
    /// Its status, if there was an answer.
    pub status: Option<u16>,
    /// Its errcode.
    pub errcode: Option<i64>,
    /// Whether the connection was used before.
    pub reused: bool,
    /// Where the time went.
    pub ms: Phases,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// How long the phases of an attempt took; `None` for a phase that did not happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phases {
    /// Waiting for a connection.
    pub queue: Duration,
    /// Waiting for a token.
    pub token: Duration,
    /// Looking up the name.
    pub dns: Option<Duration>,
    /// The TCP handshake.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// To the head of the answer.
    pub first_byte: Option<Duration>,
    /// To the end of the attempt.
    pub total: Duration,
}

/// One direction of an exchange.
#[derive(Clone, Default)]
pub struct Message {
    /// The headers.
    pub headers: http::HeaderMap,
    /// What the tee kept.
    pub body: Captured,
}

impl Message {
    fn weight(&self) -> usize {
        self.body.weight() + self.headers.len() * HEADER_WEIGHT_BYTES
    }
}

/// The beginning of a body.
#[derive(Clone, Default)]
pub struct Captured {
    /// The kept bytes, in order.
    pub chunks: Vec<Bytes>,
    /// How many bytes the body had, as far as it came.
    pub size: u64,
    /// Whether `chunks` holds less than all of it.
    pub truncated: bool,
}

impl Captured {
    /// A body that is already here as a whole, kept up to `cap` bytes.
    #[must_use]
    pub fn of(body: &Bytes, cap: usize) -> Self {
        let kept = body.get(..cap).unwrap_or(body);
        let kept = body.slice_ref(kept);
        let truncated = kept.len() < body.len();
        let chunks = if kept.is_empty() { Vec::new() } else { vec![kept] };
        Self { chunks, size: body.len() as u64, truncated }
    }

    fn weight(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }
}

/// What the client asked for with `X-Wxgate-Fault` or `X-Wxgate-Upstream`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Marks {
    /// The fault that was asked for, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the request chose its upstream.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upstream_override: bool,
}

impl Marks {
    /// Whether nothing was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Name, value and the map's own bookkeeping of a usual header.
const HEADER_WEIGHT_BYTES: usize = 128;
