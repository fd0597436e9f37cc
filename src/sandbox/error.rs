//! Why a sandbox does not start.

use std::{io, net::SocketAddr, path::PathBuf};

/// What failed, and what to change.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen on {address}; choose another address or port 0")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("the sandbox cannot make its certificate")]
    Certificate(#[source] rcgen::Error),
    /// The TLS library does not take our certificate or settings.
    #[error("the sandbox cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// Control would be open to the network.
    #[error(
        "{address} is not loopback, so everybody who reaches it could control the sandbox; \
         set a control token (--control-token) or listen on 127.0.0.1"
    )]
    ControlTokenNeeded {
        /// The address asked for.
        address: SocketAddr,
    },
    /// An account cannot be told from another one, or not be named in a path.
    #[error("sandbox account `{name}`: {reason}")]
    Account {
        /// The account.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file that keeps the accounts cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    StateFile {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file that keeps the accounts does not hold what it should. It is left as it is.
    #[error("{}{place}: {reason}; it was left as it is", path.display())]
    StateBroken {
        /// The file.
        path: PathBuf,
        /// `:line:column`, where there is such a place.
        place: String,
        /// What is wrong.
        reason: String,
    },
}
