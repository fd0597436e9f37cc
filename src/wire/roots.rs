//! Which certificate authorities are trusted.

use std::{path::Path, sync::Arc};

use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::WireError;
use crate::base::roots::Roots;

/// Where trusted roots come from. Nobody in particular is trusted only on this host.
#[derive(Clone, Debug)]
pub enum RootsSource {
    /// `ca` of an account; files are read when a connector is built.
    Config(Roots),
    /// An explicit store: the CA of the sandbox in this process.
    Store(Arc<RootCertStore>),
    /// Any certificate, and no connection to anything but a loopback address: for a sandbox
    /// on this host whose CA nobody wrote down.
    AnyOnLoopback,
}

impl RootsSource {
    /// Reads the certificates.
    ///
    /// # Errors
    /// [`WireError::Roots`] if a named file cannot be read or holds no certificate.
    pub fn load(&self) -> Result<Arc<RootCertStore>, WireError> {
        match self {
            Self::Store(store) => Ok(Arc::clone(store)),
            Self::AnyOnLoopback => Ok(Arc::new(RootCertStore::empty())),
            Self::Config(Roots::System) => Ok(Arc::new(system())),
            Self::Config(Roots::Bundled) => Ok(Arc::new(bundled())),
            Self::Config(Roots::File(path)) => file(path).map(Arc::new),
        }
    }
}

/// The system's store, or the bundled roots where it is empty (a scratch container).
fn system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of the system's trust store cannot be read");
    }
    let mut store = RootCertStore::empty();
    let (added, ignored) = store.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "read the system's trust store");
    if store.is_empty() {
        tracing::warn!("the system's trust store is empty: using the bundled roots");
        return bundled();
    }
    store
}

fn bundled() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn file(path: &Path) -> Result<RootCertStore, WireError> {
    let fail = |reason: String| WireError::Roots { from: path.display().to_string(), reason };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))? {
        let certificate = certificate.map_err(|e| fail(e.to_string()))?;
        store.add(certificate).map_err(|e| fail(e.to_string()))?;
    }
    if store.is_empty() {
        return Err(fail("there is no PEM certificate in it".to_owned()));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(path: &Path) -> Result<Arc<RootCertStore>, WireError> {
        RootsSource::Config(Roots::File(path.to_owned())).load()
    }

    #[test]
    fn a_file_is_read_anew_each_time_and_must_hold_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(matches!(load(&path), Err(WireError::Roots { .. })), "missing");
        std::fs::write(&path, "no certificate here").unwrap();
        assert!(matches!(load(&path), Err(WireError::Roots { .. })), "empty");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, broken).unwrap();
        assert!(matches!(load(&path), Err(WireError::Roots { .. })), "broken");
        std::fs::write(&path, crate::wire::testing::Authority::new().pem()).unwrap();
        assert_eq!(load(&path).unwrap().len(), 1);
    }

    #[test]
    fn bundled_roots_are_there_without_any_file() {
        assert!(RootsSource::Config(Roots::Bundled).load().unwrap().len() > 50);
    }
}
