//! The databases, and what lives on them.

use std::{path::PathBuf, sync::Arc};

use prometheus_client::registry::Registry;

use super::{data_dir::DataDir, error::StartError, start::AppOptions};
use crate::{
    capture::{CaptureMetrics, CaptureSettings, Recorder},
    config::model::Config,
    store::{Database, Durability, GATEWAY_SCHEMA, InstallationKey},
};

/// What the data folder holds.
pub(super) struct Stored {
    pub(super) store: Arc<Database>,
    pub(super) seal: Arc<InstallationKey>,
    /// Writes `capture.db`.
    pub(super) recorder: Recorder,
    /// Where a damaged `capture.db` was put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Stored {
    /// Opens everything.
    ///
    /// # Errors
    /// [`StartError`], each with its file and what to do.
    pub(super) fn open(
        config: &Config,
        options: &AppOptions,
        data: &DataDir,
        registry: &mut Registry,
    ) -> Result<Self, StartError> {
        let store = Database::open(&data.file("wxgate.db"), GATEWAY_SCHEMA, Durability::Full)?;
        let seal = InstallationKey::load_or_create(&data.file("installation.key"))?;
        let metrics = CaptureMetrics::default();
        metrics.register(registry);
        let settings = CaptureSettings::from(&config.capture);
        let (recorder, set_aside) = Recorder::start(
            &data.file("capture.db"),
            settings,
            options.redactor.clone(),
            options.clock.clone(),
            metrics,
        )?;
        let set_aside = set_aside.map(|aside| aside.moved_to);
        Ok(Self { store: Arc::new(store), seal: Arc::new(seal), recorder, set_aside })
    }
}
