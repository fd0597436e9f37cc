//! rustls settings.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::{CryptoProvider, aws_lc_rs},
    server::{NoServerSessionStorage, ResolvesServerCert, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::TlsError;

/// The provider by name: rustls panics when it has to guess between two that are compiled in.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Tickets, and no client is asked for a certificate. Built once and kept over reloads: only
/// `certificates` changes what it shows, so tickets stay good.
pub(super) fn server_config(
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = settings(None, certificates)?;
    // Rotates its key every six hours; in memory only.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
    // One ticket is what clients use; each costs a quarter of a kilobyte and a seal.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// Every client is asked for a certificate that `clients` verifies. No session is resumed, by
/// ticket or by id: rustls would take the certificate of the first handshake over without
/// verifying it again, even after its CA was taken away.
pub(super) fn client_auth_config(
    certificates: Arc<dyn ResolvesServerCert>,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = settings(Some(clients), certificates)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1, no early data; what all our listeners have. A
/// fresh `ServerConfig` has no ticketer.
fn settings(
    clients: Option<Arc<dyn ClientCertVerifier>>,
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Setup)?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A replayed early request would be a replayed call upstream.
    config.max_early_data_size = 0;
    Ok(config)
}

/// Whether a client that trusts `ca` accepts `leaf` as `host` at `at`: signature, names, name
/// constraints and validity, as a real verifier sees them.
pub(super) fn verify(
    ca: &CertificateDer<'_>,
    leaf: &CertificateDer<'_>,
    host: &str,
    at: SystemTime,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let at = UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO));
    verifier.verify_server_cert(leaf, &[], &name, &[], at).map(|_| ())
}
