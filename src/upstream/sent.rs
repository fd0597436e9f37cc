//! What came of one try.

use std::{fmt, time::Duration};

use super::http1::Finished;
use crate::{
    base::body::Response,
    wire::{ConnectTiming, WireError},
};

/// An answer, of whatever status; its body is still to come.
pub struct Sent {
    /// The answer, with hyper's extensions: the letter case of its header names is in one.
    pub response: Response,
    /// Its phases so far.
    pub timing: Timing,
    /// Whether the connection had carried a request before.
    pub reused: bool,
    /// From the beginning of the try to the head of the answer.
    pub total: Duration,
    /// The connection and its slot of `max_connections`, where the answer is here as a whole.
    /// Another one holds them in its body.
    pub(super) _finished: Option<Finished>,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
pub struct SendFailure {
    /// Why.
    #[source]
    pub error: WireError,
    /// Its phases up to the failure.
    pub timing: Timing,
    /// From the beginning of the try to the failure.
    pub total: Duration,
    /// Whether not one byte of the request left this host, so that another upstream may be
    /// asked whatever the call does.
    pub nothing_was_sent: bool,
}

/// How long each phase of a try took. The phases add up to the time until the answer began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Waiting for one of `max_connections`.
    pub queue: Duration,
    /// Looking up the name; none on a reused connection.
    pub dns: Option<Duration>,
    /// TCP; none on a reused connection.
    pub connect: Option<Duration>,
    /// TLS; none on a reused connection.
    pub tls: Option<Duration>,
    /// From handing the request to the connection to the head of the answer.
    pub first_byte: Option<Duration>,
}

impl Timing {
    pub(super) fn connected(&mut self, connect: ConnectTiming) {
        (self.dns, self.connect, self.tls) = (connect.dns, connect.connect, connect.tls);
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent")
            .field("status", &self.response.status())
            .field("timing", &self.timing)
            .field("reused", &self.reused)
            .finish_non_exhaustive()
    }
}
