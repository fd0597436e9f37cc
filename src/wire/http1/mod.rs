//! HTTP/1.1 to other servers: one connection, one request at a time.
//!
//! Whoever holds an [`Exchange`] polls it; there is no task between a request and its socket, so
//! nothing has to be woken, queued or copied between the two. hyper's client has one for each
//! connection, which cost as much as everything else that a forwarded request needs
//! (docs/PERFORMANCE.md).
//!
//! It sends no trailers and drops those it gets, never upgrades, and takes an answer for whole
//! only when its framing says so (RFC 9112 section 6.3).

mod chunked;
mod connection;
mod exchange;
mod head;
mod request;
mod upload;

pub use connection::Http1;
pub(crate) use exchange::{Exchange, Http1Error};
pub(crate) use head::Head;
pub use request::{Outgoing, RequestTarget};
pub(crate) use upload::Turn;
