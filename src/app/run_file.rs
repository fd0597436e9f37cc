//! What a running gateway says about itself: the ready line and `data/run.json`.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Serialize, Serializer};

use crate::access::KeyText;

/// One line of JSON when everything listens; the same without the key goes to `run.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// Always `ready`.
    pub event: &'static str,
    /// URLs that accept requests.
    pub public: Vec<String>,
    /// Where Prometheus may ask.
    pub metrics: Option<String>,
    /// The CA to trust, when the certificate is self-signed.
    pub ca: Option<PathBuf>,
    /// Its SHA-256, in pairs of hex digits.
    pub fingerprint: Option<String>,
    /// Only when it was just made.
    #[serde(serialize_with = "shown_once")]
    pub first_key: Option<KeyText>,
    /// Of this process.
    pub pid: u32,
    /// Of this program.
    pub version: &'static str,
}

impl Ready {
    /// For `run.json`: never with the key.
    #[must_use]
    pub fn without_key(&self) -> Self {
        Self { first_key: None, ..self.clone() }
    }
}

/// `https://127.0.0.1:8443`.
#[must_use]
pub(super) fn url(scheme: &str, address: SocketAddr) -> String {
    format!("{scheme}://{address}")
}

/// Relative to the current folder where that is possible, because that is what people type.
#[must_use]
pub(super) fn shortened(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).map(ToOwned::to_owned).ok()).unwrap_or(path)
}

/// The one moment at which the first key is readable.
fn shown_once<S: Serializer>(key: &Option<KeyText>, serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_some(key.reveal()),
        None => serializer.serialize_none(),
    }
}
