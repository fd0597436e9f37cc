//! The TLS settings of outgoing connections.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio_rustls::TlsConnector;

use super::WireError;

/// TLS 1.2 and 1.3, certificates verified against `roots`, sessions resumed.
///
/// rustls sends no early data unless asked to, so no byte of a request leaves before the
/// peer's certificate was verified.
pub(super) fn connector(
    roots: Arc<RootCertStore>,
    offer_http2: bool,
) -> Result<TlsConnector, WireError> {
    // The provider is named here, not taken from the process: a crate that installs another
    // one must not change what we speak.
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| WireError::Roots { from: "rustls".to_owned(), reason: e.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = match offer_http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(TlsConnector::from(Arc::new(config)))
}
