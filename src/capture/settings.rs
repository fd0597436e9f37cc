//! `[capture]`, as far as it concerns what is stored and for how long.

use std::time::Duration;

use crate::{base::units::ByteSize, config::model};

/// What the recorder is told at its start and at each reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSettings {
    /// Whether exchanges are recorded.
    pub enabled: bool,
    /// How much of each body the tee keeps, and the recorder stores.
    pub body_cap: ByteSize,
    /// How long headers and bodies are kept.
    pub keep: Duration,
    /// How long the line without them is kept.
    pub keep_meta: Duration,
    /// Size of `capture.db`.
    pub max_size: ByteSize,
    /// Field names whose values are never stored, beside the credentials of the platform.
    pub redact: Vec<String>,
}

impl From<&model::Capture> for CaptureSettings {
    fn from(table: &model::Capture) -> Self {
        Self {
            enabled: table.enabled,
            body_cap: table.body_cap,
            keep: table.keep,
            keep_meta: table.keep_meta,
            max_size: table.max_size,
            redact: table.redact.clone(),
        }
    }
}
