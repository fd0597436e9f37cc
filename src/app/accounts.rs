//! Turns the accounts of a configuration into what a request needs: origins, tokens, secrets.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    connectors::Connectors,
    error::StartError,
    platforms::{PlatformWay, by_dependence},
    providers::provider_of,
};
use crate::{
    base::{chain::Chain, kind::AccountKind, name::Name, secret::Secret, tasks::Tasks},
    config::model::{Account, Config, Origin, Scheme, Upstream},
    proxy::{AccountRuntime, Lanes, Live, ProxyMetrics, RetryBudget},
    sandbox::{Sandbox, SandboxAccount, shadow_name},
    token::{Broker, Credential, OpenPlatform, Origins, Slot, SlotId, SlotPolicy, Tickets},
    upstream::{EndpointOptions, Fleet, FleetLimits, Metrics as UpstreamMetrics},
    wire::{Client, Connector, OwnListeners, Resolver, WireError},
};

/// Builds account runtimes, at the start and at each reload.
pub struct AccountFactory {
    /// Keeps the tokens.
    pub broker: Arc<Broker>,
    /// The simulator, upstream of every shadow.
    pub sandbox: Arc<Sandbox>,
    /// Addresses that must not be connected to.
    pub own: OwnListeners,
    /// Names are looked up here.
    pub resolver: Arc<Resolver>,
    /// Counters of the upstream room.
    pub upstream_metrics: UpstreamMetrics,
    /// Counters of the request path.
    pub proxy_metrics: Arc<ProxyMetrics>,
    /// Tasks of token connections end with these.
    pub tasks: Tasks,
    /// Made-up secrets of simulated accounts: a reload keeps them, and with them their tokens.
    pub sandbox_secrets: Mutex<HashMap<String, String>>,
}

impl AccountFactory {
    /// Every account of `config`. One that has not changed keeps its origins with their health,
    /// and in any case its token.
    ///
    /// # Errors
    /// [`StartError::Account`] when the trust store cannot be read; nothing has changed then.
    pub fn build(
        &self,
        config: &Config,
        old: Option<&Live>,
    ) -> Result<HashMap<Name, Arc<AccountRuntime>>, StartError> {
        let wrap = |account: &Arc<Account>| {
            let name = account.name.to_string();
            move |source| StartError::Account { account: name, source }
        };
        let mut connectors = Connectors::new(&self.own, &self.resolver, &self.sandbox);
        let mut prepared = Vec::new();
        for account in &config.accounts {
            let known = old.and_then(|live| live.accounts.get(&account.name));
            let known = known.filter(|known| goes_the_same_way(&known.config, account));
            let ways = self.ways(account, config, known, &mut connectors);
            prepared.push((account, ways.map_err(wrap(account))?));
        }
        by_dependence(&mut prepared);
        // From here on nothing can fail: the broker learns of the accounts that will be in force.
        self.retire_changed(config, old);
        let built = prepared.into_iter().map(|(account, ways)| {
            let runtime = Arc::new(self.runtime(account, ways, config));
            (account.name.clone(), runtime)
        });
        let built: HashMap<_, _> = built.collect();
        self.retire_missing(&built, old);
        Ok(built)
    }

    /// An account of another kind is another account: what was kept for it is of no use.
    fn retire_changed(&self, config: &Config, old: Option<&Live>) {
        for account in &config.accounts {
            let known = old.and_then(|live| live.accounts.get(&account.name));
            if known.is_some_and(|known| known.config.kind != account.kind) {
                self.broker.retire(&account.name);
            }
        }
    }

    fn ways(
        &self,
        account: &Account,
        config: &Config,
        known: Option<&Arc<AccountRuntime>>,
        connectors: &mut Connectors<'_>,
    ) -> Result<Ways, WireError> {
        let to_sandbox = connectors.of_sandbox()?;
        let shadow = match known {
            Some(known) => known.shadow.fleet.clone(),
            None => self.sandbox_fleet(account, config, to_sandbox.clone())?,
        };
        let real = match (&account.upstream, known) {
            (Upstream::Sandbox, _) => shadow.clone(),
            (Upstream::Origins(_), Some(known)) => known.real.fleet.clone(),
            (Upstream::Origins(origins), None) => {
                let connector = connectors.of(account)?;
                let endpoint = |origin: &Origin| EndpointOptions {
                    label: origin.to_string().into(),
                    origin: origin.clone(),
                    connector: connector.clone(),
                };
                Fleet::new(
                    account.name.as_str(),
                    origins.iter().map(endpoint).collect(),
                    limits(config),
                    &self.upstream_metrics,
                )?
            }
        };
        let issuer_clients = match &account.upstream {
            Upstream::Sandbox => Vec::new(),
            Upstream::Origins(origins) => {
                let client = Client::new(connectors.of(account)?, self.tasks.clone());
                origins
                    .iter()
                    .filter_map(|origin| Some((origin.to_string().parse().ok()?, client.clone())))
                    .collect()
            }
        };
        let sandbox_client = Client::new(to_sandbox, self.tasks.clone());
        Ok(Ways { real, shadow, issuer_clients, sandbox_client })
    }

    fn runtime(&self, account: &Arc<Account>, ways: Ways, config: &Config) -> AccountRuntime {
        let is_sandbox = account.upstream == Upstream::Sandbox;
        let shadow_account = self.sandbox_account(account, is_sandbox);
        self.simulate(shadow_account.clone());
        let sandbox_secret = Secret::new(shadow_account.app_secret.clone());
        let sandbox_id = if is_sandbox {
            SlotId::real(account.name.clone())
        } else {
            SlotId::shadow(account.name.clone())
        };
        let sandbox_url = origin_of(self.sandbox.address()).to_string().parse().ok();
        let sandbox_origins =
            sandbox_url.map(|url| (url, ways.sandbox_client)).into_iter().collect();
        let policy = SlotPolicy {
            force_refresh: account.force_refresh,
            forced_per_day: config.token.forced_per_day,
        };
        let simulated = Recipe {
            secret: Some(&sandbox_secret),
            origins: sandbox_origins,
            policy,
            sandbox_name: Some(shadow_account.name),
        };
        let in_sandbox = self.tokens(account, sandbox_id, simulated, config);
        let shadow = Lanes {
            fleet: ways.shadow.clone(),
            slot: in_sandbox.slot.clone(),
            tickets: in_sandbox.tickets.clone(),
            platform: in_sandbox.platform.clone(),
            secret: Some(sandbox_secret.clone()),
            is_sandbox: true,
        };
        let real = if is_sandbox {
            Lanes {
                fleet: ways.real,
                slot: in_sandbox.slot,
                tickets: in_sandbox.tickets,
                platform: in_sandbox.platform,
                secret: Some(sandbox_secret),
                is_sandbox: true,
            }
        } else {
            let id = SlotId::real(account.name.clone());
            let secret = account.app_secret.clone();
            let origins = ways.issuer_clients;
            let recipe = Recipe { secret: secret.as_ref(), origins, policy, sandbox_name: None };
            let Tokens { slot, tickets, platform } = self.tokens(account, id, recipe, config);
            Lanes { fleet: ways.real, slot, tickets, platform, secret, is_sandbox: false }
        };
        let counters = self.proxy_metrics.for_account(&account.name);
        AccountRuntime {
            config: account.clone(),
            real,
            shadow,
            retries: RetryBudget::new(),
            counters,
        }
    }

    /// What keeps the account's tokens; nothing where it has none.
    fn tokens(&self, account: &Account, id: SlotId, recipe: Recipe<'_>, config: &Config) -> Tokens {
        if let Some(provider) = &account.provider {
            return Tokens { slot: self.merchant(account, provider, &id), ..Tokens::default() };
        }
        let Recipe { secret: Some(secret), origins, policy, sandbox_name } = recipe else {
            return Tokens::default();
        };
        if account.kind == AccountKind::OpenPlatform {
            let way = PlatformWay { id, secret, origins, policy, sandbox_name };
            let platform = self.platform(account, way, config);
            let slot = Some(platform.component().clone());
            return Tokens { slot, tickets: None, platform: Some(platform) };
        }
        if self.broker.platform(&id).is_some() {
            // It was one until now.
            self.broker.retire(&account.name);
        }
        let Some(provider) = provider_of(account, id.clone(), secret, origins.clone()) else {
            return Tokens::default();
        };
        let slot = self.broker.register(id, provider, policy);
        let credential = Credential { app_id: account.app_id.clone(), app_secret: secret.clone() };
        let tickets = Tickets::new(self.broker.clone(), slot.clone(), credential, origins);
        Tokens { slot: Some(slot), tickets: Some(Arc::new(tickets)), platform: None }
    }

    /// The account as the simulator knows it: its own name where the sandbox is its upstream,
    /// else that of its shadow. The secret is made up; a real one never gets there.
    fn sandbox_account(&self, account: &Account, is_sandbox: bool) -> SandboxAccount {
        let name =
            if is_sandbox { account.name.to_string() } else { shadow_name(account.name.as_str()) };
        let app_id = if account.app_id.is_empty() {
            SHADOW_APP_ID.to_owned()
        } else {
            account.app_id.clone()
        };
        let made_up = || format!("{:032x}", uuid::Uuid::now_v7().as_u128());
        let mut secrets = self.sandbox_secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let app_secret = secrets.entry(name.clone()).or_insert_with(made_up).clone();
        SandboxAccount { name, kind: account.kind, app_id, app_secret }
    }

    /// A known account stays with its state, unless its AppID has changed.
    fn simulate(&self, account: SandboxAccount) {
        let name = account.name.clone();
        if let Err(error) = self.sandbox.add_account(account) {
            tracing::error!(account = name, error = %Chain(&error), "the sandbox cannot simulate {name}");
        }
    }

    fn sandbox_fleet(
        &self,
        account: &Account,
        config: &Config,
        connector: Connector,
    ) -> Result<Arc<Fleet>, WireError> {
        let endpoint = EndpointOptions {
            label: "sandbox".into(),
            origin: origin_of(self.sandbox.address()),
            connector,
        };
        Fleet::new(account.name.as_str(), vec![endpoint], limits(config), &self.upstream_metrics)
    }

    /// Slots and simulated accounts that the new configuration does not have any more.
    fn retire_missing(&self, built: &HashMap<Name, Arc<AccountRuntime>>, old: Option<&Live>) {
        let gone = old
            .into_iter()
            .flat_map(|live| live.accounts.keys())
            .filter(|name| !built.contains_key(*name));
        for name in gone {
            self.broker.retire(name);
            self.sandbox.remove_account(name.as_str());
            self.sandbox.remove_account(&shadow_name(name.as_str()));
        }
    }
}

/// What an account's token is got with.
struct Recipe<'a> {
    secret: Option<&'a Secret>,
    origins: Origins,
    policy: SlotPolicy,
    /// Its name in the sandbox of this process, where that issues the token.
    sandbox_name: Option<String>,
}

/// What keeps an account's tokens.
#[derive(Default)]
struct Tokens {
    slot: Option<Arc<Slot>>,
    tickets: Option<Arc<Tickets>>,
    /// The book of its merchants, where it is a third-party platform.
    platform: Option<Arc<OpenPlatform>>,
}

/// How an account's calls leave: everything that may fail, made before anything changes.
struct Ways {
    real: Arc<Fleet>,
    shadow: Arc<Fleet>,
    issuer_clients: Vec<(http::Uri, Client)>,
    sandbox_client: Client,
}

fn goes_the_same_way(old: &Account, new: &Account) -> bool {
    old.upstream == new.upstream
        && old.egress == new.egress
        && old.roots == new.roots
        && old.upstream_http2 == new.upstream_http2
}

fn limits(config: &Config) -> FleetLimits {
    FleetLimits {
        max_connections: config.limits.max_connections,
        max_waiting: config.limits.in_flight,
    }
}

fn origin_of(address: SocketAddr) -> Origin {
    Origin { scheme: Scheme::Https, host: address.ip().to_string(), port: address.port() }
}

/// For an account of kind `generic`, which has none.
const SHADOW_APP_ID: &str = "wx0000000000000000";
