//! Why a call to another server got no answer.

use std::{error::Error, io, time::Duration};

use super::http1::Http1Error;
use crate::base::body::BodyError;

/// What failed, and by that whether anything of the request was sent.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The name has no address.
    #[error("no address for {host}")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// No TCP connection.
    #[error("no connection to {to}")]
    Connect {
        /// Host and port, or address.
        to: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The CONNECT proxy refused or spoke nonsense.
    #[error("the egress proxy {proxy} did not connect to {to}: {reason}")]
    Proxy {
        /// The proxy.
        proxy: String,
        /// Where to.
        to: String,
        /// Its answer.
        reason: String,
    },
    /// The handshake failed: wrong certificate, wrong name, no common version.
    #[error("no trusted TLS with {to}")]
    Tls {
        /// Host and port.
        to: String,
        /// What rustls said.
        #[source]
        source: io::Error,
    },
    /// The connection broke after the request had begun.
    #[error("{to} broke the connection")]
    Reset {
        /// Host and port.
        to: String,
        /// What happened.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer is not HTTP, or not what HTTP allows.
    #[error("{to} did not answer in HTTP")]
    Invalid {
        /// Host and port.
        to: String,
        /// What is wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A time limit ran out.
    #[error("{to} took longer than {limit:?} to {phase}")]
    Timeout {
        /// Host and port.
        to: String,
        /// In which phase.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// The answer is longer than the caller wants to hold.
    #[error("the answer of {to} is longer than {cap_bytes} bytes")]
    TooLarge {
        /// Host and port.
        to: String,
        /// The cap.
        cap_bytes: usize,
    },
    /// The address is one of our own listeners: a request would come back to us for ever.
    #[error(
        "{to} leads back to this gateway at {address}; \
         look for the name in /etc/hosts, or set the real origin in `upstream`"
    )]
    Loop {
        /// Host and port.
        to: String,
        /// Which listener.
        address: std::net::SocketAddr,
    },
    /// Too many requests wait for a connection already.
    #[error("{waiting} requests wait for a connection to {to} already; raise `max_connections`")]
    Busy {
        /// Host and port.
        to: String,
        /// How many wait.
        waiting: usize,
    },
    /// Every try failed lately, so this one was not made.
    #[error("{to} failed {failures} times in a row ({last}); it is tried again in {retry_after:?}")]
    Ejected {
        /// The preferred upstream.
        to: String,
        /// Failures in a row.
        failures: u32,
        /// When the next try is made.
        retry_after: Duration,
        /// What the last try said.
        last: String,
    },
    /// The request itself broke off while it was being sent.
    #[error("the request to {to} broke off before its end")]
    Request {
        /// Host and port.
        to: String,
        /// What its body said.
        #[source]
        source: BodyError,
    },
    /// The trust store cannot be used.
    #[error("cannot read trusted certificates from {from}: {reason}")]
    Roots {
        /// File or store.
        from: String,
        /// Why.
        reason: String,
    },
}

impl WireError {
    /// Whether not one byte of the request can have reached the other side.
    #[must_use]
    pub fn nothing_was_sent(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::Tls { .. }
            | Self::Loop { .. }
            | Self::Busy { .. }
            | Self::Ejected { .. }
            | Self::Roots { .. } => true,
            Self::Timeout { phase, .. } => phase.is_before_request(),
            Self::Reset { .. }
            | Self::Invalid { .. }
            | Self::TooLarge { .. }
            | Self::Request { .. } => false,
        }
    }

    /// Sorts what is said of an HTTP/1.1 connection that was open: not HTTP, or broken.
    pub(crate) fn from_http1(to: String, error: Http1Error) -> Self {
        match error {
            Http1Error::Broken(source) => Self::Reset { to, source: source.into() },
            Http1Error::Cut => Self::Reset { to, source: error.into() },
            Http1Error::Body(source) => Self::Request { to, source },
            Http1Error::Head(_)
            | Http1Error::Chunks(_)
            | Http1Error::Upgrade
            | Http1Error::Babble => Self::Invalid { to, source: error.into() },
        }
    }

    /// Sorts what hyper says of a connection that was open: not HTTP, or broken.
    pub(crate) fn from_hyper(to: &str, error: hyper::Error) -> Self {
        let to = to.to_owned();
        if error.is_parse() || is_http2_protocol(&error) {
            Self::Invalid { to, source: error.into() }
        } else {
            Self::Reset { to, source: error.into() }
        }
    }
}

/// Whether the peer broke the rules of HTTP/2, as seen by us (not as it accuses us).
fn is_http2_protocol(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(<dyn Error>::downcast_ref::<h2::Error>);
    cause.is_some_and(|error| error.is_library() && error.reason().is_some())
}

/// A phase of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for a free connection.
    Queue,
    /// Looking up the name.
    Resolve,
    /// The TCP handshake.
    Connect,
    /// The TLS handshake.
    Handshake,
    /// While the peer does not read the request.
    Upload,
    /// From the end of the request to the head of the answer.
    Answer,
    /// Between two parts of the answer's body.
    Body,
}

impl Phase {
    fn is_before_request(self) -> bool {
        match self {
            Self::Queue | Self::Resolve | Self::Connect | Self::Handshake => true,
            Self::Upload | Self::Answer | Self::Body => false,
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queue => "give a free connection",
            Self::Resolve => "be resolved",
            Self::Connect => "accept a connection",
            Self::Handshake => "finish the TLS handshake",
            Self::Upload => "go on reading the request",
            Self::Answer => "answer",
            Self::Body => "go on with its answer",
        })
    }
}
