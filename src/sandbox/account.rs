//! One simulated app.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::{
    SandboxAccount,
    ids::{Ids, derived_text},
    state::State,
    token_ledger::{Mint, TAG_LENGTH},
    world::World,
};
use crate::base::clock::{Clock as _, MovableClock};

/// Its identity, its clock, its ids, and its state behind a short lock.
#[derive(Debug)]
pub(super) struct Account {
    /// Who it is.
    pub(super) identity: SandboxAccount,
    /// Stands in every token, so that a token tells its account without a table.
    pub(super) tag: String,
    /// Ids of products, media and the like.
    pub(super) ids: Ids,
    rids: Ids,
    tokens: Ids,
    clock: ArcSwap<MovableClock>,
    state: Mutex<State>,
    token_life_s: u32,
    /// Rings when an event was told or something new is due.
    bell: Arc<Notify>,
}

impl Account {
    /// An account without a past.
    pub(super) fn new(
        identity: SandboxAccount,
        seed: u64,
        token_life: Duration,
        bell: Arc<Notify>,
    ) -> Self {
        let token_life_s = u32::try_from(token_life.as_secs()).unwrap_or(u32::MAX);
        let stream = |kind: &str| Ids::new(seed, &format!("{kind} of {}", identity.name));
        let told_apart_by = format!("{seed} {} {}", identity.name, identity.app_secret);
        Self {
            tag: derived_text(told_apart_by.as_bytes(), TAG_LENGTH),
            ids: stream("things"),
            rids: stream("rids"),
            tokens: stream("tokens"),
            clock: ArcSwap::default(),
            state: Mutex::new(State::new(token_life_s)),
            token_life_s,
            bell,
            identity,
        }
    }

    /// The account's own time; moving it does not move other accounts'.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.load().unix_ms()
    }

    /// Moves the account's time forward.
    pub(super) fn advance(&self, by: Duration) {
        self.clock.load().advance(by);
    }

    /// Its state. A panic elsewhere leaves it as it was, which is good enough to go on.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as of `now_ms`, locked: what was due by then has happened.
    pub(super) fn state_at(&self, now_ms: i64) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while let Some((at_ms, due)) = state.agenda.take_due(now_ms) {
            due.happen(&mut World { account: self, state: &mut state, now_ms: at_ms });
        }
        state
    }

    /// Wakes who waits for news of this account, if there are any.
    pub(super) fn announce(&self, state: &mut State) {
        if state.take_news() {
            self.bell.notify_one();
        }
    }

    /// Back to a fresh account at the machine's time. Streams of ids go on, so that no token of
    /// before comes back.
    pub(super) fn reset(&self) {
        *self.state() = State::new(self.token_life_s);
        self.clock.store(Arc::default());
    }

    /// What tokens are made from.
    pub(super) fn mint(&self) -> Mint<'_> {
        Mint { ids: &self.tokens, tag: &self.tag }
    }

    /// A rid for an answer given now.
    pub(super) fn rid(&self, now_ms: i64) -> String {
        self.rids.rid(now_ms)
    }
}
