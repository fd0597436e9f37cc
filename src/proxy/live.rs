//! What a request needs of the configuration, as one value that a reload swaps.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use super::{metrics::AccountCounters, retry_budget::RetryBudget};
use crate::{
    base::{cidr::Cidr, kind::Language, name::Name, permission::Lane},
    config::model::Account,
    token::{OpenPlatform, Slot, Tickets},
    upstream::Fleet,
};

/// Swapped as a whole, so that one request never sees two configurations.
pub type SharedLive = Arc<ArcSwap<Live>>;

/// The configuration of the request path.
pub struct Live {
    /// Names that this gateway answers to, lower case.
    pub hosts: Vec<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Language of refusals.
    pub language: Language,
    /// Longest request body, bytes.
    pub body_max: u64,
    /// Longest request body that is kept for a repeat, bytes.
    pub replay_cap: usize,
    /// How long a surrogate is good.
    pub surrogate_life: Duration,
    /// How much of a body is captured, bytes; 0 when capture is off.
    pub capture_cap: usize,
    /// By name.
    pub accounts: HashMap<Name, Arc<AccountRuntime>>,
    /// The CA to trust, PEM; none when the certificate comes from files.
    pub ca_pem: Option<bytes::Bytes>,
}

impl Live {
    /// The account with this name or AppID.
    #[must_use]
    pub fn account_called(&self, name_or_app_id: &str) -> Option<&Arc<AccountRuntime>> {
        self.accounts.get(name_or_app_id).or_else(|| {
            self.accounts.values().find(|account| account.config.app_id == name_or_app_id)
        })
    }
}

/// An account with everything that a call on it needs.
pub struct AccountRuntime {
    /// As configured.
    pub config: Arc<Account>,
    /// The platform itself (or the sandbox, where that is the upstream).
    pub real: Lanes,
    /// The account's shadow in the sandbox.
    pub shadow: Lanes,
    /// Repeats are a small part of the traffic.
    pub retries: RetryBudget,
    /// Its requests, counted by outcome.
    pub counters: AccountCounters,
}

/// Where calls go, and whose token they carry.
pub struct Lanes {
    /// Origins.
    pub fleet: Arc<Fleet>,
    /// The token; none where the account has none.
    pub slot: Option<Arc<Slot>>,
    /// Tickets that hang on the token; none where the platform has no such.
    pub tickets: Option<Arc<Tickets>>,
    /// The merchants of a third-party platform; none for an account of another kind.
    pub platform: Option<Arc<OpenPlatform>>,
    /// AppID and AppSecret for calls that take them.
    pub secret: Option<crate::base::secret::Secret>,
    /// Whether nothing of it is real.
    pub is_sandbox: bool,
}

impl AccountRuntime {
    /// The lane's own target.
    #[must_use]
    pub fn lanes(&self, lane: Lane, wants_sandbox: bool) -> &Lanes {
        match lane {
            Lane::Sandbox => &self.shadow,
            Lane::Live | Lane::ReadOnly if wants_sandbox => &self.shadow,
            Lane::Live | Lane::ReadOnly => &self.real,
        }
    }
}
