//! One exchange as it is stored, streamed and shown: nothing in it is a credential.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use super::{exchange::Marks, stored_message::StoredMessage};
use crate::base::{id::RequestId, name::Name, outcome::Outcome, permission::Lane};

/// A redacted exchange. Only redaction and the reader make one.
#[derive(Clone, Debug)]
pub struct StoredExchange {
    /// Its place in the order of storing, which is the order of finishing; a cursor for paging.
    pub seq: u64,
    /// The request id.
    pub id: RequestId,
    /// When the request came, in milliseconds since 1970.
    pub time_ms: i64,
    /// The name of the key.
    pub key: Option<Name>,
    /// The account.
    pub account: Option<Name>,
    /// The lane in force.
    pub lane: Option<Lane>,
    /// The client's address.
    pub client: IpAddr,
    /// The method.
    pub method: Cow<'static, str>,
    /// The path.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// The call's names in the catalogue.
    pub call: Option<Cow<'static, str>>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// The answer's errcode.
    pub errcode: Option<i64>,
    /// The answer's errmsg.
    pub errmsg: Option<String>,
    /// The platform's request id.
    pub rid: Option<String>,
    /// What it amounted to.
    pub outcome: Outcome,
    /// The gateway's own error code.
    pub error: Option<Cow<'static, str>>,
    /// Each try at an upstream, in order.
    pub attempts: Vec<StoredAttempt>,
    /// What the client sent.
    pub request: StoredMessage,
    /// What the client got.
    pub response: StoredMessage,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// What the client asked for beyond the call.
    pub marks: Marks,
    /// The exchange that this one repeats.
    pub replay_of: Option<RequestId>,
    /// A remark of a user.
    pub note: Option<String>,
    /// What of the request was masked before it was stored: field names, or `path`, `query`,
    /// `body` for a secret that stood there outside of any known field. A replay needs them all.
    pub redacted: Vec<String>,
}

/// One try at one upstream.
#[derive(Clone, Debug)]
pub struct StoredAttempt {
    /// The origin.
    pub upstream: Arc<str>,
    /// The token's fingerprint, `fp:9c1e`.
    pub token: Option<String>,
    /// Its status.
    pub status: Option<u16>,
    /// Its errcode.
    pub errcode: Option<i64>,
    /// Whether the connection was used before.
    pub reused: bool,
    /// Where the time went.
    pub us: StoredPhases,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// The phases of an attempt in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct StoredPhases {
    /// Waiting for a connection.
    pub queue: u64,
    /// Waiting for a token.
    pub token: u64,
    /// Looking up the name.
    pub dns: Option<u64>,
    /// The TCP handshake.
    pub connect: Option<u64>,
    /// The TLS handshake.
    pub tls: Option<u64>,
    /// To the head of the answer.
    pub first_byte: Option<u64>,
    /// To the end.
    pub total: u64,
}

impl StoredExchange {
    /// Whether a replay of the request would lack something: see `redacted`, or the body was cut
    /// or is no longer kept.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.redacted.is_empty() && !self.request.truncated && self.request.body().is_some()
    }

    /// The size of the longer of the two bodies, in bytes.
    #[must_use]
    pub fn larger_body(&self) -> u64 {
        self.request.size.max(self.response.size)
    }
}
