//! Why the gateway did not start.

use std::{net::SocketAddr, path::PathBuf};

use super::data_dir::DataDirError;
use crate::{
    access::KeyError,
    capture::CaptureError,
    control::ControlError,
    edge::{EdgeError, TlsError},
    sandbox::SandboxError,
    store::{SealError, StoreError},
    wire::WireError,
};

/// Each says which thing failed and what to do; the cause stands in the chain.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// `wxgate.db` is damaged: keys and budgets are in it, so nothing goes on without it.
    #[error("{} is damaged ({detail}); restore a backup with: wxgate restore FILE", path.display())]
    DamagedDatabase {
        /// The file.
        path: PathBuf,
        /// What the check found.
        detail: String,
    },
    /// `wxgate.db`, otherwise.
    #[error("cannot open the gateway's database")]
    Store(#[source] StoreError),
    /// The installation key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Listening.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// The certificate.
    #[error("cannot prepare the certificate")]
    Tls(#[from] TlsError),
    /// `capture.db`.
    #[error("cannot open the capture database")]
    Capture(#[from] CaptureError),
    /// Access keys.
    #[error("cannot read the access keys")]
    Keys(#[from] KeyError),
    /// The simulator.
    #[error("cannot start the sandbox")]
    Sandbox(#[from] SandboxError),
    /// An account's way to its upstream.
    #[error("cannot prepare account {account}")]
    Account {
        /// The account.
        account: String,
        /// Roots, or an impossible origin.
        #[source]
        source: WireError,
    },
    /// The metrics listener.
    #[error("cannot listen on {address} for metrics; choose another [metrics] listen")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Threads and runtimes.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { path, detail } => Self::DamagedDatabase { path, detail },
            other => Self::Store(other),
        }
    }
}
