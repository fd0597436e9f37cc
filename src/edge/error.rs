//! Why the edge could not start.

use std::{io, net::SocketAddr, path::PathBuf};

use super::tls::TlsError;

/// A listener or a certificate that is not to be had. Everything later ends one connection only
/// and is logged there.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The address could not be taken.
    #[error("cannot listen on {scheme}://{address}: {advice}")]
    Bind {
        /// `http` or `https`.
        scheme: &'static str,
        /// As configured.
        address: SocketAddr,
        /// What to do now.
        advice: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A socket was made but could not be set up.
    #[error("could not set up the listener on {address}")]
    Listener {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No certificate, so no TLS.
    #[error("no certificate for the https listeners")]
    Tls(#[from] TlsError),
}

/// What to do about an address that cannot be bound.
pub(super) fn bind_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it (`ss -ltnp` names it) or change [server] listen"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need root or the capability: \
             `setcap cap_net_bind_service=+ep $(command -v wxgate)`, or choose a higher port"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this host has no such address; `ip address` lists those it has, 0.0.0.0 means all"
        }
        _ => "see the cause, and [server] listen",
    }
}

/// A problem with one file of a certificate or a key.
#[derive(Debug, thiserror::Error)]
#[error("{action} {}", path.display())]
pub struct FileError {
    /// `could not read`, `could not write`, ...
    pub action: &'static str,
    /// Which file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}
