//! All slots of the gateway.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::registry::Registry;
use tokio::{
    runtime::Handle,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    budget::{Allowance, ForceBudget, read_used},
    change::Changes,
    error::TokenError,
    fetch::Asked,
    generation::Generation,
    issued::Issued,
    issuer_call::FETCH_LIMIT,
    journal::Journal,
    metrics::TokenMetrics,
    open_platform::OpenPlatform,
    provider::TokenProvider,
    slot::{Shared, Slot},
    slot_id::SlotId,
    state::SlotPolicy,
    status::SlotStatus,
    stopwatch::{BootClock, COMPARE_EVERY, Stopwatch},
    timeline,
    vault::{self, Vault},
};
use crate::{
    base::{clock::SharedClock, name::Name, redact::Redactor, tasks::Tasks},
    store::{Database, InstallationKey, StoreError},
};

/// What a broker is made of.
pub struct BrokerParts {
    /// `wxgate.db`.
    pub store: Arc<Database>,
    /// Seals tokens at rest.
    pub key: Arc<InstallationKey>,
    /// Wall time: dates for people, the platform's day, the time between two runs.
    pub clock: SharedClock,
    /// Learns every token and AppSecret.
    pub redactor: Arc<Redactor>,
    /// The tasks of the broker end with these.
    pub tasks: Tasks,
    /// Where they run.
    pub runtime: Handle,
    /// [`super::boot_clock`], but for tests.
    pub boot_clock: BootClock,
}

/// Keeps the tokens of all accounts. Shared by all worker threads.
pub struct Broker {
    store: Arc<Database>,
    pub(super) shared: Arc<Shared>,
    pub(super) slots: RwLock<BTreeMap<SlotId, Arc<Slot>>>,
    /// What an earlier run sealed, until its slot is registered.
    pub(super) sealed: Mutex<HashMap<String, Vec<u8>>>,
    /// Third-party platforms, by the slot of their component token.
    pub(super) platforms: Mutex<BTreeMap<SlotId, Arc<OpenPlatform>>>,
    /// Seals what is no token.
    pub(super) key: Arc<InstallationKey>,
}

impl Broker {
    /// Reads what an earlier run left and starts the background tasks.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn start(parts: BrokerParts) -> Result<Arc<Self>, StoreError> {
        let read = |c: &rusqlite::Connection| {
            Ok((timeline::newest_id(c)?, vault::read_all(c)?, read_used(c)?))
        };
        let (newest, sealed, used) = parts.store.read(read).await?;
        let BrokerParts { store, key, clock, redactor, tasks, runtime, boot_clock } = parts;
        let metrics = TokenMetrics::default();
        let changes = Changes::new(metrics.clone());
        let journal =
            Journal::start(store.clone(), clock.clone(), changes.clone(), &tasks, &runtime);
        let shared = Arc::new(Shared {
            clock,
            redactor,
            stopwatch: Stopwatch::new(boot_clock),
            journal,
            vault: Vault::new(key.clone()),
            budget: ForceBudget::new(store.clone(), used),
            metrics,
            changes,
            generations: AtomicU64::new(newest.unsigned_abs()),
            editions: AtomicU64::new(0),
            tasks,
            runtime,
        });
        let (slots, sealed) = (RwLock::default(), Mutex::new(sealed));
        let platforms = Mutex::default();
        let broker = Arc::new(Self { store, shared, slots, sealed, platforms, key });
        let watch = broker.clone().watch_sleep();
        broker.shared.tasks.spawn_on(watch, &broker.shared.runtime);
        Ok(broker)
    }

    /// Adds an account, or gives a known one its reloaded configuration: a changed AppID,
    /// AppSecret or provider discards the token, anything else keeps it. The slot of a known
    /// account stays the same.
    pub fn register(
        &self,
        id: SlotId,
        provider: Arc<dyn TokenProvider>,
        policy: SlotPolicy,
    ) -> Arc<Slot> {
        let app_secret = &provider.credential().app_secret;
        self.shared.redactor.protect(&format!("{}/app_secret", id.owner()), app_secret);
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&id) {
            slot.replace(provider, policy);
            return slot.clone();
        }
        self.shared.metrics.begin(&id);
        let slot = Arc::new(Slot::new(id.clone(), self.shared.clone(), provider, policy));
        let mut sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sealed) = sealed.remove(&id.to_string()) {
            slot.restore(sealed);
        }
        self.shared.tasks.spawn_on(slot.clone().keep(), &self.shared.runtime);
        slots.insert(id, slot.clone());
        slot
    }

    /// Removes an account that the configuration no longer has, real and shadow, with all that
    /// is kept for it. Who still holds one of its slots gets [`TokenError::NotConfigured`].
    pub fn retire(&self, account: &Name) {
        self.retire_platforms(account);
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Vec::new();
        slots.retain(|id, slot| {
            let stays = id.account != *account;
            if !stays {
                gone.push(slot.clone());
            }
            stays
        });
        drop(slots);
        gone.iter().for_each(|slot| slot.retire());
        gone.iter().for_each(|slot| self.shared.redactor.retire(&slot.id.owner()));
    }

    /// The slot of a registered account.
    #[must_use]
    pub fn slot(&self, id: &SlotId) -> Option<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Every registered slot, in order of its name.
    #[must_use]
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How every slot stands: `wxgate token show`.
    #[must_use]
    pub fn status(&self) -> Vec<SlotStatus> {
        self.slots().iter().map(|slot| slot.status()).collect()
    }

    /// The newest `limit` generations of a slot, newest first: `wxgate token history`. Holds
    /// everything that happened before the call.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn history(&self, id: &SlotId, limit: usize) -> Result<Vec<Generation>, StoreError> {
        self.flush().await;
        let slot = id.to_string();
        self.store.read(move |connection| timeline::history(connection, Some(&slot), limit)).await
    }

    /// The same for all slots together, also those of accounts that are gone.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn history_of_all(&self, limit: usize) -> Result<Vec<Generation>, StoreError> {
        self.flush().await;
        self.store.read(move |connection| timeline::history(connection, None, limit)).await
    }

    /// The newest generation of each slot that has a verdict.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn verdicts(&self) -> Result<Vec<Generation>, StoreError> {
        self.flush().await;
        self.store.read(timeline::verdicts).await
    }

    /// Asks the issuer now, whatever pause the slot is in: `wxgate token refresh`. With
    /// `is_forced` the platform retires the token of every holder, where it can.
    ///
    /// # Errors
    /// [`TokenError::NotConfigured`] for an unknown slot, [`TokenError::ForceBudget`] when the
    /// platform would not allow another forced refresh, else as [`Slot::token`].
    pub async fn refresh(&self, id: &SlotId, is_forced: bool) -> Result<Arc<Issued>, TokenError> {
        let not_configured = || TokenError::NotConfigured { account: id.clone() };
        let slot = self.slot(id).ok_or_else(not_configured)?;
        let is_forced = is_forced && slot.lock().provider.family().can_be_forced();
        if is_forced {
            let now = self.shared.clock.now();
            self.shared.budget.claim(id, Allowance::by_hand(), now).await?;
        }
        let asked = if is_forced { Asked::Forced } else { Asked::ByHand };
        let late = || TokenError::Waited { account: id.clone(), limit: REFRESH_LIMIT };
        timeout(REFRESH_LIMIT, slot.refresh(asked)).await.unwrap_or_else(|_| Err(late()))
    }

    /// Ends when everything that happened so far is on disk.
    pub async fn flush(&self) {
        self.shared.journal.flush().await;
    }

    /// Adds the metrics of all slots; the registry sets the prefix.
    pub fn register_metrics(self: &Arc<Self>, registry: &mut Registry) {
        self.shared.metrics.register(Arc::downgrade(self), registry);
    }

    /// Wakes all slots when the machine has slept.
    async fn watch_sleep(self: Arc<Self>) {
        let mut ticks = interval(COMPARE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let tasks = self.shared.tasks.clone();
        loop {
            tokio::select! {
                () = tasks.stopping() => return,
                _ = ticks.tick() => if self.shared.stopwatch.notice_sleep() {
                    tracing::info!("the machine slept; tokens have aged meanwhile");
                    self.slots().iter().for_each(|slot| slot.wake());
                },
            }
        }
    }
}

impl Slot {
    /// Waits for the fetch that runs, if it will not do; then starts one and waits for it.
    async fn refresh(self: &Arc<Self>, asked: Asked) -> Result<Arc<Issued>, TokenError> {
        let gone = || TokenError::NotConfigured { account: self.id.clone() };
        loop {
            let (mut rounds, is_ours) = {
                let mut state = self.lock();
                if state.is_retired {
                    return Err(gone());
                }
                let is_ours = !state.is_fetching || asked != Asked::Forced;
                if !state.is_fetching {
                    state.pause.forget();
                    self.begin(&mut state, asked);
                }
                (self.rounds.subscribe(), is_ours)
            };
            rounds.changed().await.map_err(|_| gone())?;
            if is_ours {
                return rounds.borrow().clone().ok_or_else(gone)?;
            }
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("slots", &self.slots().len()).finish_non_exhaustive()
    }
}

/// A fetch that runs already, then our own.
const REFRESH_LIMIT: Duration = FETCH_LIMIT.saturating_mul(3);
