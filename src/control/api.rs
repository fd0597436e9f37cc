//! What the control API works on.

use std::sync::Arc;

use serde_json::Value;

use super::{mask::Mask, reload::Reload};
use crate::{
    access::{KeyRing, QuotaGate},
    base::{clock::SharedClock, name::Name, tasks::Tasks},
    capture::Recorder,
    store::{Database, SealError},
    token::Broker,
};

/// Everything that a handler needs. Clones are cheap and share it all.
#[derive(Clone)]
pub struct Api {
    /// Access keys.
    pub keys: Arc<KeyRing>,
    /// Access tokens.
    pub broker: Arc<Broker>,
    /// Blocks after 45009 and 45011.
    pub quota: Arc<QuotaGate>,
    /// The stream of exchanges.
    pub recorder: Recorder,
    /// `wxgate.db`, for the audit.
    pub db: Arc<Database>,
    /// The names of all accounts, as of now: a reload changes them.
    pub accounts: Arc<dyn Fn() -> Vec<Name> + Send + Sync>,
    /// Fields that are hidden in the stream, as of now: by `[capture] mask`.
    pub mask: Arc<dyn Fn() -> Mask + Send + Sync>,
    /// Reads proxy.toml again and applies it.
    pub reload: Reload,
    /// Makes a new installation key and tells how many there are. Called where it may block.
    pub rotate: Arc<dyn Fn() -> Result<usize, SealError> + Send + Sync>,
    /// What the ready line said, without the key.
    pub ready: Value,
    /// Wall time.
    pub clock: SharedClock,
    /// Streams end when these are told to stop.
    pub tasks: Tasks,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}
