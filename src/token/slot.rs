//! The place of one account's token: at most one fetch at a time, and nobody waits who need not.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    time::{Instant, timeout},
};

use super::{
    budget::ForceBudget,
    change::Changes,
    error::TokenError,
    fetch::{Asked, Fetch},
    issued::Issued,
    journal::{Entry, Journal},
    metrics::TokenMetrics,
    provider::TokenProvider,
    slot_id::SlotId,
    state::{Dead, SlotPolicy, State},
    stopwatch::Stopwatch,
    vault::Vault,
};
use crate::base::{clock::SharedClock, redact::Redactor, tasks::Tasks};

/// One account's token, real or shadow. Shared by all worker threads; every method may be
/// called from any runtime.
pub struct Slot {
    pub(super) id: SlotId,
    pub(super) shared: Arc<Shared>,
    /// The token in use. Written under the lock of `state`, read without it.
    pub(super) current: ArcSwapOption<Issued>,
    pub(super) state: Mutex<State>,
    /// How the last fetch ended; who waits for a fetch watches it.
    pub(super) rounds: watch::Sender<Option<Round>>,
    /// Wakes the keeper: there is a new token, or a new reason to look.
    pub(super) changed: Notify,
}

/// How a fetch ended.
pub(super) type Round = Result<Arc<Issued>, TokenError>;

/// What all slots of a broker have in common.
pub(super) struct Shared {
    pub(super) clock: SharedClock,
    pub(super) redactor: Arc<Redactor>,
    pub(super) tasks: Tasks,
    pub(super) runtime: Handle,
    pub(super) stopwatch: Stopwatch,
    pub(super) journal: Journal,
    pub(super) vault: Vault,
    pub(super) budget: ForceBudget,
    pub(super) metrics: TokenMetrics,
    pub(super) changes: Changes,
    /// The newest number of a generation.
    pub(super) generations: AtomicU64,
    /// The newest number of an edition.
    pub(super) editions: AtomicU64,
}

impl Slot {
    pub(super) fn new(
        id: SlotId,
        shared: Arc<Shared>,
        provider: Arc<dyn TokenProvider>,
        policy: SlotPolicy,
    ) -> Self {
        Self {
            id,
            shared,
            current: ArcSwapOption::empty(),
            state: Mutex::new(State::new(provider, policy, Instant::now())),
            rounds: watch::Sender::new(None),
            changed: Notify::new(),
        }
    }

    /// Whose token this is.
    #[must_use]
    pub fn id(&self) -> &SlotId {
        &self.id
    }

    /// The token in use, if it is valid now. Takes no lock.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Issued>> {
        self.current.load_full().filter(|token| token.is_valid_at(self.shared.stopwatch.now()))
    }

    /// A valid token: at once if there is one, else that of the one fetch, which is started if
    /// none runs. Dropping this future cancels nothing.
    ///
    /// # Errors
    /// [`TokenError::Waited`] after `limit`; the error of the fetch if it failed;
    /// [`TokenError::BackingOff`] or [`TokenError::Rejected`] at once while the issuer is left
    /// alone.
    pub async fn token(self: &Arc<Self>, limit: Duration) -> Result<Arc<Issued>, TokenError> {
        match self.current() {
            Some(token) => Ok(token),
            None => self.wait(None, limit).await,
        }
    }

    /// A token other than `dead`, which was reported with [`Slot::report_dead`] before.
    ///
    /// # Errors
    /// As [`Slot::token`]; [`TokenError::Rejected`] if the issuer has no other token.
    pub async fn after(
        self: &Arc<Self>,
        dead: &Issued,
        limit: Duration,
    ) -> Result<Arc<Issued>, TokenError> {
        self.wait(Some(dead), limit).await
    }

    /// Notes that the platform refused `dead` with `errcode` and starts the fetch of another,
    /// unless it was replaced meanwhile: a late answer cannot take a newer token out of use.
    ///
    /// A token that the issuer gave out again although it had been refused, and that other
    /// calls succeed with, stays in use: then the refusal is hardly the token's fault.
    pub fn report_dead(self: &Arc<Self>, dead: &Issued, errcode: i64) {
        let now = Instant::now();
        dead.stamp_refused(self.shared.clock.unix_ms(), errcode);
        let mut state = self.lock();
        let is_current = |current: &Arc<Issued>| current.edition == dead.edition;
        let Some(current) = self.current.load_full().filter(is_current) else { return };
        self.forgive(&mut state);
        let is_suspect = state.is_suspect(&current);
        let left = current.left_at(self.shared.stopwatch.now());
        if !(is_suspect && current.is_proven()) {
            self.withdraw(&current, errcode);
        }
        state.dead = Some(Dead {
            issued: current,
            errcode,
            left,
            at: now,
            is_confirmed: is_suspect,
            is_replaceable: is_suspect,
        });
        if state.may_ask(now) {
            self.begin(&mut state, Asked::Normal);
        }
    }

    /// What is left of a token's life.
    #[must_use]
    pub fn left_of(&self, issued: &Issued) -> Duration {
        issued.left_at(self.shared.stopwatch.now())
    }

    /// Notes that the platform accepted a call with `token`. Costs one atomic read, and one
    /// write a second.
    pub fn note_good(&self, token: &Issued) {
        token.stamp_good(self.shared.clock.unix_ms());
    }

    /// Waits for a token that is not `dead`.
    async fn wait(
        self: &Arc<Self>,
        dead: Option<&Issued>,
        limit: Duration,
    ) -> Result<Arc<Issued>, TokenError> {
        let mut rounds = match self.demand(dead) {
            Demand::Ready(token) => return Ok(token),
            Demand::Refused(error) => return Err(error),
            Demand::Join(rounds) => rounds,
        };
        let waited = || TokenError::Waited { account: self.id.clone(), limit };
        match timeout(limit, rounds.changed()).await {
            Err(_) => return Err(waited()),
            // The sender lives in the slot, and the slot outlives this borrow.
            Ok(Err(_)) => return Err(TokenError::Stopping { account: self.id.clone() }),
            Ok(Ok(())) => {}
        }
        let round = rounds.borrow().clone();
        let token = round.ok_or_else(waited)??;
        match dead.filter(|dead| token.is_same_token_as(&dead.secret)) {
            None => Ok(token),
            Some(_) => Err(self.rejection(&self.lock(), Instant::now())),
        }
    }

    /// What a request that needs a token other than `dead` gets now.
    fn demand(self: &Arc<Self>, dead: Option<&Issued>) -> Demand {
        let now = Instant::now();
        let mut state = self.lock();
        let current = self.current();
        if let Some(token) = &current
            && dead.is_none_or(|dead| !token.is_same_token_as(&dead.secret))
        {
            return Demand::Ready(token.clone());
        }
        if state.is_retired {
            return Demand::Refused(TokenError::NotConfigured { account: self.id.clone() });
        }
        if !state.is_fetching {
            if current.is_some() {
                return Demand::Refused(self.rejection(&state, now));
            }
            if !state.may_ask(now) {
                return Demand::Refused(self.resting(&state, now));
            }
            self.begin(&mut state, Asked::Normal);
        }
        Demand::Join(self.rounds.subscribe())
    }

    /// Starts a fetch in a task of its own. The caller has seen that none runs.
    pub(super) fn begin(self: &Arc<Self>, state: &mut State, asked: Asked) {
        state.is_fetching = true;
        let fetch = Fetch::new(self.clone(), state, asked);
        self.shared.tasks.spawn_on(fetch.run(), &self.shared.runtime);
    }

    /// Takes the token out of use, here and for the next start.
    fn withdraw(&self, token: &Arc<Issued>, errcode: i64) {
        self.current.store(None);
        if token.bury() {
            self.shared.changes.refused(&self.id, token, errcode);
        }
        let slot = self.id.to_string();
        self.shared.journal.note(Entry::Refused { slot, issued: token.clone() });
    }

    /// The error while the issuer is left alone.
    fn resting(&self, state: &State, now: Instant) -> TokenError {
        match &state.failure {
            Some(failure) => TokenError::BackingOff {
                account: self.id.clone(),
                until: state.pause.until(now, false).unwrap_or(now),
                last: failure.error.clone(),
            },
            None => self.rejection(state, now),
        }
    }

    /// The error when there is only the token that the platform refuses.
    pub(super) fn rejection(&self, state: &State, now: Instant) -> TokenError {
        TokenError::Rejected {
            account: self.id.clone(),
            errcode: state.dead.as_ref().map_or(INVALID_CREDENTIAL, |dead| dead.errcode),
            until: state.pause.until(now, false).unwrap_or(now),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The number of a new generation.
    pub(super) fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of a new edition.
    pub(super) fn next_edition(&self) -> u64 {
        self.editions.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Never the token.
impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.id)
    }
}

/// What a request gets that needs a token.
enum Demand {
    Ready(Arc<Issued>),
    Refused(TokenError),
    Join(watch::Receiver<Option<Round>>),
}

/// `invalid credential`: what the platform says of a token that it does not know.
const INVALID_CREDENTIAL: i64 = 40001;
