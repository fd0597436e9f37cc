//! Whose client certificates are believed, and the TLS settings that follow from it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ServerConfig, server::ResolvesServerCert};

use super::{
    TlsError,
    client_verifier::ClientVerifier,
    files::Stamp,
    pem_file::{self, Privacy},
    server_config::client_auth_config,
};
use crate::base::client_ca;

/// What `[tls] client_ca` says, read and ready to serve.
#[derive(Debug)]
pub struct Clients {
    /// The bundle; none where no client is asked.
    pub(super) path: Option<PathBuf>,
    stamp: Stamp,
    pub(super) config: Arc<ServerConfig>,
}

impl Clients {
    /// No client is asked for a certificate.
    pub(super) fn nobody(config: Arc<ServerConfig>) -> Self {
        Self { path: None, stamp: Stamp::default(), config }
    }

    /// Reads a bundle.
    pub(super) fn read(
        path: &Path,
        certificates: Arc<dyn ResolvesServerCert>,
    ) -> Result<Self, TlsError> {
        // Before reading: a change in between is then seen at the next look.
        let stamp = Stamp::of_one(path);
        let pem = pem_file::read(path, Privacy::Public)?;
        let authorities = client_ca::authorities_of(&pem)
            .map_err(|source| TlsError::ClientCa { path: path.to_owned(), source })?;
        let verifier = Arc::new(ClientVerifier::new(authorities)?);
        let config = client_auth_config(certificates, verifier)?;
        Ok(Self { path: Some(path.to_owned()), stamp, config })
    }

    /// The bundle once more, if its file has changed; else none. A bad one comes back as the
    /// error and what to go on with: the old CAs, and a note that this file was seen.
    pub(super) fn changed(
        &self,
        certificates: Arc<dyn ResolvesServerCert>,
    ) -> Option<Result<Self, (TlsError, Self)>> {
        let path = self.path.as_ref()?;
        let stamp = Stamp::of_one(path);
        if stamp == self.stamp {
            return None;
        }
        Some(Self::read(path, certificates).map_err(|error| {
            let config = Arc::clone(&self.config);
            (error, Self { path: Some(path.clone()), stamp, config })
        }))
    }
}
