//! Outgoing connections: connector with phase timings, trust roots, egress, a small HTTP client.
//!
//! Used by `token` and `upstream`; knows nothing of WeChat, of accounts, or of which origin to prefer.

mod address;
mod any_certificate;
mod client;
mod connector;
mod dial;
mod error;
mod http1;
mod letter_case;
mod link;
mod own_listeners;
mod resolver;
mod roots;
mod stream;
mod target;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod tunnel;

pub(crate) use any_certificate::AnyCertificate;
pub use client::{ANSWER_CAP_BYTES, Client};
pub use connector::{
    ConnectFailure, ConnectLimits, ConnectTiming, Connected, Connector, ConnectorOptions,
};
pub use error::{Phase, WireError};
pub(crate) use http1::{Exchange, Head, Http1Error, Turn};
pub use http1::{Http1, Outgoing, RequestTarget};
pub(crate) use letter_case::LetterCases;
pub use link::{Link, Opened};
pub use own_listeners::OwnListeners;
pub use resolver::{Lookup, Resolver};
pub use roots::RootsSource;
pub use stream::Stream;
pub use target::Target;
