//! What is known of the connection that a request came over.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::ClientCertificate;
use crate::base::body::Request;

/// A request, and the connection that it came over.
#[derive(Debug)]
pub struct Arrival {
    /// The connection.
    pub conn: Arc<ConnInfo>,
    /// What came.
    pub request: Request,
}

/// One for each connection, shared by its requests.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    /// Counts up since the start; names the connection in logs.
    pub id: u64,
    /// The socket's other end.
    pub peer: SocketAddr,
    /// The client as the PROXY protocol of a trusted proxy tells it, else the socket's peer.
    /// `X-Forwarded-For` is a matter of each request.
    pub client: IpAddr,
    /// Whether the peer is one of `trusted_proxies`.
    pub peer_is_trusted: bool,
    /// The address that accepted.
    pub local: SocketAddr,
    /// How the request came in.
    pub door: Door,
    /// The name that the client asked for in TLS, lower case.
    pub sni: Option<String>,
    /// What the client showed in the handshake. Never taken from a header, whoever wrote it.
    pub certificate: Option<Box<ClientCertificate>>,
}

/// The kind of listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// TLS.
    Https,
    /// Plain, from this host: a proxy on it ends TLS.
    HttpLoopback,
    /// Plain, from anywhere: only the CA and liveness are answered.
    HttpPublic,
}
