//! The TLS settings of outgoing connections.

use std::sync::Arc;

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client::WantsClientCert,
    crypto::aws_lc_rs,
};
use tokio_rustls::TlsConnector;

use super::{WireError, any_certificate::AnyCertificate};

/// TLS 1.2 and 1.3, certificates verified against `roots`, sessions resumed.
///
/// rustls sends no early data unless asked to, so no byte of a request leaves before the
/// peer's certificate was verified.
pub(super) fn connector(
    roots: Arc<RootCertStore>,
    offer_http2: bool,
) -> Result<TlsConnector, WireError> {
    Ok(finished(builder()?.with_root_certificates(roots), offer_http2))
}

/// The same for a server whose certificate nobody can verify; the connector sees to it that
/// this is on the same host.
pub(super) fn unverified(offer_http2: bool) -> Result<TlsConnector, WireError> {
    let verifier = Arc::new(AnyCertificate::default());
    let builder = builder()?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(finished(builder, offer_http2))
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, WireError> {
    // The provider is named here, not taken from the process: a crate that installs another
    // one must not change what we speak.
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| WireError::Roots { from: "rustls".to_owned(), reason: e.to_string() })
}

fn finished(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    offer_http2: bool,
) -> TlsConnector {
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = match offer_http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    TlsConnector::from(Arc::new(config))
}
