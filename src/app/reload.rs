//! Applies a new configuration without losing a request.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;

use super::start::{Core, Running};
use crate::{
    access::LimitSettings,
    base::{chain::Chain, name::Name},
    capture::CaptureSettings,
    config::{self, model::Config},
    edge::{CaEvent, Certificates},
    proxy::{AccountRuntime, Live},
};

/// Reads the configuration file again; the text of all its problems when it is wrong.
pub type ReadConfig = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// What a reload did.
#[derive(Clone, Debug, Serialize)]
pub struct ReloadReport {
    /// Changed keys that only take effect with a restart.
    pub needs_restart: Vec<String>,
    /// Whether clients must trust a new CA.
    pub new_ca: bool,
}

impl Running {
    /// Reads the file again and applies it; a bad one changes nothing.
    ///
    /// # Errors
    /// The text of all problems, for people.
    pub fn reload(&self) -> Result<ReloadReport, String> {
        self.core.reload()
    }
}

impl Core {
    pub(super) fn reload(&self) -> Result<ReloadReport, String> {
        let _one_at_a_time =
            self.reloading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let outcome = (self.read_config)().and_then(|config| self.apply(&config));
        match &outcome {
            Ok(report) if report.needs_restart.is_empty() => {
                tracing::info!("the new configuration is in force")
            }
            Ok(report) => tracing::warn!(
                needs_restart = report.needs_restart.join(", "),
                "the new configuration is in force, but for these keys, which need a restart: {}",
                report.needs_restart.join(", ")
            ),
            Err(problems) => {
                tracing::error!("the new configuration is refused, the old one stays: {problems}")
            }
        }
        outcome
    }

    /// What can fail comes first, so that a failure leaves everything as it was.
    fn apply(&self, config: &Config) -> Result<ReloadReport, String> {
        let old = self.config.load_full();
        let needs_restart =
            config::needs_restart(&old, config).into_iter().map(ToOwned::to_owned).collect();
        let config = config::until_restart(&old, config);
        let clients = self
            .certificates
            .clients(config.client_ca.as_deref())
            .map_err(|error| Chain(&error).to_string())?;
        self.keys.check_fixed(&config.keys).map_err(|error| Chain(&error).to_string())?;
        let event = self
            .certificates
            .reload(&config.tls, &config.server.hosts, self.clock.now())
            .map_err(|error| Chain(&error).to_string())?;
        super::start::tell(&event);
        let old_live = self.live.load_full();
        let accounts = self
            .factory
            .build(&config, Some(&old_live))
            .map_err(|error| Chain(&error).to_string())?;
        self.certificates.ask(clients);
        self.keys.set_fixed(&config.keys);
        self.limiter.apply(&limits(&config));
        self.in_flight.set_limit(config.limits.in_flight);
        self.recorder.apply(CaptureSettings::from(&config.capture));
        self.edge.set_trusted_proxies(config.server.trusted_proxies.clone());
        self.live.store(Arc::new(live(&config, &self.certificates, accounts)));
        self.config.store(config);
        Ok(ReloadReport {
            needs_restart,
            new_ca: matches!(event, CaEvent::Made | CaEvent::Replaced { .. }),
        })
    }
}

/// The limits of a configuration. Their patterns were checked when the file was read.
pub(super) fn limits(config: &Config) -> LimitSettings {
    LimitSettings::new(&config.limits, &config.accounts).unwrap_or_else(|error| {
        tracing::error!(%error, "a path limit cannot be used");
        LimitSettings::default()
    })
}

/// The part of the configuration that the request path reads.
pub(super) fn live(
    config: &Config,
    certificates: &Certificates,
    accounts: HashMap<Name, Arc<AccountRuntime>>,
) -> Live {
    Live {
        hosts: config.server.hosts.clone(),
        trusted_proxies: config.server.trusted_proxies.clone(),
        language: config.server.language,
        body_max: config.server.body_max.0,
        replay_cap: config.limits.replay_cap.as_usize(),
        surrogate_life: config.token.surrogate_life,
        capture_cap: if config.capture.enabled { config.capture.body_cap.as_usize() } else { 0 },
        accounts,
        ca_pem: certificates.ca_pem().map(Into::into),
    }
}
