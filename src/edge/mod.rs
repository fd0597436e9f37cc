//! From sockets to requests: accept, PROXY protocol, TLS, HTTP/1.1 and HTTP/2, deadlines, drain.
//!
//! Knows nothing of keys, accounts or WeChat; hands each request to a `tower::Service`.

mod accept;
mod admission;
mod answer;
mod bind;
mod client_certificate;
mod conn_info;
mod connection;
mod deadlines;
mod error;
mod forwarded;
mod frames;
mod handshake;
mod head_watch;

mod metrics;
mod pace;
mod protocol;
mod proxy_protocol;
mod pulse;
mod request;
mod shared;
mod socket;
mod stream_task;
mod supervisor;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod tool;
mod upload;
mod watchdog;

pub use accept::serve;
pub use bind::{BoundListener, bind};
pub use client_certificate::ClientCertificate;
pub use conn_info::{Arrival, ConnInfo, Door};
pub use deadlines::Deadlines;
pub use error::{EdgeError, FileError};
pub use forwarded::client_of;
pub use metrics::EdgeMetrics;
pub use shared::{DrainReport, EdgeShared};
pub use tls::{CaEvent, Certificates, Clients, TlsError, pem_fingerprint};
