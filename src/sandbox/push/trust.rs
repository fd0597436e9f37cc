//! Whose certificate a push accepts.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, crypto::aws_lc_rs};
use tokio_rustls::TlsConnector;

use crate::{
    base::roots::Roots,
    wire::{AnyCertificate, RootsSource, WireError},
};

/// TLS of pushes, made when it is first needed: most receivers speak plain HTTP.
#[derive(Debug, Default)]
pub(super) struct Trust {
    on_this_host: OnceLock<Settings>,
    elsewhere: OnceLock<Settings>,
}

type Settings = Result<Arc<ClientConfig>, String>;

impl Trust {
    /// For a receiver on this host, where any certificate will do, or elsewhere, where the
    /// system's authorities vouch for it.
    ///
    /// An error says why there is no TLS.
    pub(super) fn connector(&self, is_on_this_host: bool) -> Result<TlsConnector, String> {
        let settings = if is_on_this_host {
            self.on_this_host.get_or_init(|| settings(None))
        } else {
            self.elsewhere.get_or_init(|| settings(Some(RootsSource::Config(Roots::System))))
        };
        settings.clone().map(TlsConnector::from)
    }
}

fn settings(roots: Option<RootsSource>) -> Settings {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match roots.map(|roots| roots.load()) {
        Some(roots) => {
            builder.with_root_certificates(roots.map_err(|error: WireError| error.to_string())?)
        }
        None => {
            let any = Arc::new(AnyCertificate::default());
            builder.dangerous().with_custom_certificate_verifier(any)
        }
    };
    let mut settings = builder.with_no_client_auth();
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(settings))
}
