//! Why there is no certificate to serve.

use std::path::PathBuf;

use crate::{base::client_ca::BadBundle, edge::error::FileError};

/// What is wrong with which file, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A private key that every user of the host can read is no secret.
    #[error("{} can be read by every user: run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The key.
        path: PathBuf,
    },
    /// No PEM block of the right kind, or a broken one.
    #[error("{} holds no PEM {expected}", path.display())]
    NotPem {
        /// Which file.
        path: PathBuf,
        /// `certificate` or `private key`.
        expected: &'static str,
        /// What the parser said.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The two files do not belong together, or the key is of an unknown kind.
    #[error(
        "{} is not the key of {}: both must come from the same issue (leaf certificate first)",
        key.display(), cert.display()
    )]
    Mismatch {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
    /// The bundle of `[tls] client_ca` verifies nobody.
    #[error("{} cannot be used as client_ca", path.display())]
    ClientCa {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BadBundle,
    },
    /// A certificate could not be made.
    #[error("could not make a certificate for {hosts}")]
    Issue {
        /// For which names.
        hosts: String,
        /// What rcgen said.
        #[source]
        source: rcgen::Error,
    },
    /// The CA's certificate is there, its key is not.
    #[error("the key of the local CA is missing")]
    NoCaKey,
    /// A fresh certificate does not verify; a host that is no name is the usual cause.
    #[error(
        "the certificate made for {host} does not verify: is it a host name in [server] hosts?"
    )]
    Unverified {
        /// Which host.
        host: String,
        /// What the verifier said.
        #[source]
        source: rustls::Error,
    },
    /// The entry of `hosts` is neither a DNS name nor an address.
    #[error("`{host}` in [server] hosts is neither a DNS name nor an address")]
    BadHost {
        /// As configured.
        host: String,
    },
    /// `hosts` is empty.
    #[error("[server] hosts is empty: name at least one host that clients use")]
    NoHosts,
    /// The TLS library refused its settings.
    #[error("TLS could not be set up")]
    Setup(#[source] rustls::Error),
}
