//! One fetch: asks the issuer, forces where that is allowed, and settles the slot.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{
    budget::Allowance,
    error::TokenError,
    generation::AskedBy,
    issued::{Birth, Issued},
    issuer_call::FETCH_LIMIT,
    journal::Entry,
    provider::{FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot::{Round, Slot},
    state::{Dead, SlotPolicy, State, retires_others},
};
use crate::config::model::ForceRefresh;

/// A running fetch. Whatever happens to its task, the slot is settled in the end.
pub(super) struct Fetch {
    slot: Arc<Slot>,
    provider: Arc<dyn TokenProvider>,
    policy: SlotPolicy,
    asked: Asked,
    asked_by: AskedBy,
    began: Instant,
    epoch: u64,
    is_settled: bool,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The call that brought it, or failed to.
    pub(super) by: FetchedBy,
    /// Who wanted it.
    pub(super) asked_by: AskedBy,
    /// When the fetch began.
    pub(super) began: Instant,
}

/// What the fetch was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Any token that the issuer likes to give.
    Normal,
    /// The same, by an operator.
    ByHand,
    /// A new one; the budget was charged already.
    Forced,
}

impl Fetch {
    pub(super) fn new(slot: Arc<Slot>, state: &State, asked: Asked) -> Self {
        Self {
            asked_by: asked_by(&slot, state, asked),
            slot,
            provider: state.provider.clone(),
            policy: state.policy,
            asked,
            began: Instant::now(),
            epoch: state.epoch,
            is_settled: false,
        }
    }

    /// Asks and settles.
    pub(super) async fn run(mut self) {
        let tasks = self.slot.shared.tasks.clone();
        let (by, result) = tokio::select! {
            asked = self.ask_and_force() => asked,
            () = tasks.stopping() => {
                let account = self.slot.id.clone();
                (self.provider.family(), Err(TokenError::Stopping { account }))
            }
        };
        self.is_settled = true;
        self.slot.settle(self.epoch, &self.origin(by), result);
    }

    fn origin(&self, by: FetchedBy) -> Origin {
        Origin { by, asked_by: self.asked_by, began: self.began }
    }

    async fn ask_and_force(&self) -> (FetchedBy, Result<TokenGrant, TokenError>) {
        if self.asked == Asked::Forced {
            return (FetchedBy::Forced, self.ask(Renewal::Forced).await);
        }
        let family = self.provider.family();
        let result = self.ask(Renewal::Normal).await;
        match &result {
            Ok(grant) if self.may_force(grant).await => {
                (FetchedBy::Forced, self.ask(Renewal::Forced).await)
            }
            Ok(_) | Err(_) => (family, result),
        }
    }

    /// Whether the issuer gave the refused token out again, forcing is allowed, and the budget
    /// has one left; if so, it is charged.
    async fn may_force(&self, grant: &TokenGrant) -> bool {
        let is_allowed = self.policy.force_refresh == ForceRefresh::Auto
            && self.provider.family() == FetchedBy::Stable;
        if !is_allowed || !self.slot.is_dead(grant) {
            return false;
        }
        let shared = &self.slot.shared;
        let allowance = Allowance::automatic(self.policy.forced_per_day);
        match shared.budget.claim(&self.slot.id, allowance, shared.clock.now()).await {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "not forced");
                false
            }
        }
    }

    async fn ask(&self, renewal: Renewal) -> Result<TokenGrant, TokenError> {
        let late = || TokenError::Timeout { account: self.slot.id.clone(), limit: HANGING_LIMIT };
        let result = timeout(HANGING_LIMIT, self.provider.fetch(renewal))
            .await
            .unwrap_or_else(|_| Err(late()));
        let mode = match renewal {
            Renewal::Normal => self.provider.family(),
            Renewal::Forced => FetchedBy::Forced,
        };
        self.slot.shared.metrics.count_fetch(&self.slot.id, mode, result.as_ref().err());
        result
    }
}

/// A fetch whose task panicked or was thrown away with its runtime must not leave the slot
/// waiting for it.
impl Drop for Fetch {
    fn drop(&mut self) {
        if !self.is_settled {
            let account = self.slot.id.clone();
            let reason = "the fetch ended without an answer".to_owned();
            let error = TokenError::Malformed { account, reason };
            self.slot.settle(self.epoch, &self.origin(self.provider.family()), Err(error));
        }
    }
}

/// Who wants the token of a fetch that begins now.
fn asked_by(slot: &Slot, state: &State, asked: Asked) -> AskedBy {
    match asked {
        Asked::ByHand | Asked::Forced => AskedBy::Operator,
        Asked::Normal if state.dead.is_some() => AskedBy::Replacement,
        Asked::Normal if slot.current().is_some() => AskedBy::Renewal,
        Asked::Normal => AskedBy::Request,
    }
}

impl Slot {
    /// Whether `grant` is the token that the platform refused; if so, that is held against it.
    fn is_dead(&self, grant: &TokenGrant) -> bool {
        let mut state = self.lock();
        let same = |dead: &&mut Dead| dead.issued.is_same_token_as(&grant.token);
        let dead = state.dead.as_mut().filter(same);
        dead.map(|dead| dead.is_confirmed = true).is_some()
    }

    /// Ends the fetch of `epoch`: publishes the token or begins a pause, and tells who waits.
    fn settle(
        self: &Arc<Self>,
        epoch: u64,
        origin: &Origin,
        result: Result<TokenGrant, TokenError>,
    ) {
        if let Ok(grant) = &result {
            self.shared.redactor.protect(&self.id.to_string(), &grant.token);
        }
        let result = result.map_err(|error| error.cleaned(&self.shared.redactor));
        let mut state = self.lock();
        if state.epoch != epoch {
            // Fetched with a credential that the configuration no longer has.
            return;
        }
        state.is_fetching = false;
        let round = match result {
            Ok(grant) => Ok(self.accept(&mut state, grant, origin)),
            Err(error) => Err(self.fail(&mut state, error, origin.by)),
        };
        self.announce(round);
    }

    /// Tells everybody who waits. Called under the lock, so that nobody takes the end of this
    /// fetch for that of the next.
    pub(super) fn announce(&self, round: Round) {
        self.rounds.send_replace(Some(round));
        self.changed.notify_one();
    }

    /// Publishes what the issuer gave.
    pub(super) fn accept(
        &self,
        state: &mut State,
        grant: TokenGrant,
        origin: &Origin,
    ) -> Arc<Issued> {
        let shared = &self.shared;
        let (now, wall_now) = (shared.stopwatch.now(), shared.clock.now());
        self.forgive(state);
        let known = state.living.clone().filter(|old| old.is_same_token_as(&grant.token));
        let birth = Birth {
            secret: grant.token,
            generation: known.as_ref().map_or_else(|| shared.next_generation(), |k| k.generation),
            edition: shared.next_edition(),
            fetched_by: known.as_ref().map_or(origin.by, |known| known.fetched_by),
            asked_by: known.as_ref().map_or(Some(origin.asked_by), |known| known.asked_by),
            born_at: known.as_ref().map_or(wall_now, |known| known.born_at),
            life: grant.valid_for,
        };
        let issued = Issued::new(birth, now, wall_now);
        let issued = Arc::new(match &known {
            Some(known) if state.provider.family().is_kept_to_its_end() => {
                issued.with_stamps_of(known).kept_to_its_end()
            }
            Some(known) => issued.with_stamps_of(known),
            None => issued,
        });
        self.record(state, &issued, known.is_some(), origin);
        state.living = Some(issued.clone());
        state.may_have_retired = false;
        state.failure = None;
        self.judge(state, &issued);
        self.current.store(Some(issued.clone()));
        issued
    }

    /// Writes down the birth, and the end of the generation before.
    fn record(&self, state: &mut State, issued: &Arc<Issued>, is_known: bool, origin: &Origin) {
        let shared = &self.shared;
        let slot = self.id.to_string();
        let sealed = shared.vault.seal(&self.id, state.provider.as_ref(), issued);
        let sealed = sealed
            .inspect_err(|error| tracing::warn!(%error, slot, "a token could not be sealed"))
            .ok();
        if is_known {
            shared.journal.note(Entry::Extended { slot, issued: issued.clone(), sealed });
            return;
        }
        if let Some(old) = state.living.take() {
            let end = state.end_of(&old, origin, shared.stopwatch.now(), shared.clock.now());
            self.end(old, end);
        }
        shared.changes.born(&self.id, issued);
        shared.journal.note(Entry::Born { slot, issued: issued.clone(), sealed });
    }

    /// Decides whether the issuer can be trusted with this token.
    fn judge(&self, state: &mut State, issued: &Arc<Issued>) {
        let now = Instant::now();
        match &mut state.dead {
            Some(dead) if dead.issued.generation == issued.generation => {
                dead.is_confirmed = true;
                state.pause.same_again(now);
                let error = self.rejection(state, now);
                state.alarm.raise(&self.id, &error, None);
            }
            Some(_) | None => {
                state.dead = None;
                state.pause.succeeded();
                state.alarm.clear(&self.id);
            }
        }
    }

    /// Begins a pause. A token that is still valid stays in use.
    fn fail(&self, state: &mut State, error: TokenError, by: FetchedBy) -> TokenError {
        state.may_have_retired |= retires_others(by) && error.leaves_in_doubt();
        if matches!(error, TokenError::Stopping { .. }) {
            return error;
        }
        let left = self.current().map(|token| token.left_at(self.shared.stopwatch.now()));
        state.alarm.raise(&self.id, &error, left);
        state.fail(error.clone(), Instant::now(), self.shared.clock.now());
        error
    }
}

/// A provider keeps its own limit; this is for one that does not.
const HANGING_LIMIT: Duration = FETCH_LIMIT.saturating_mul(2);
