//! One simulated app.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

use super::{
    SandboxAccount,
    ids::{Ids, derived_text, random_seed},
    sim_clock::SimClock,
    snapshot::{Positions, Snapshot},
    state::State,
    token_ledger::{Mint, TAG_LENGTH},
    world::World,
};

/// Its identity, its clock, its ids, and its state behind a short lock.
#[derive(Debug)]
pub(super) struct Account {
    /// Who it is.
    pub(super) identity: SandboxAccount,
    /// Stands in every token, so that a token tells its account without a table.
    pub(super) tag: String,
    /// Ids of products, media and the like.
    pub(super) ids: Ids,
    /// Keys and nonces of the message push.
    pub(super) pushes: Ids,
    rids: Ids,
    tokens: Ids,
    chances: Ids,
    clock: SimClock,
    state: Mutex<State>,
    /// How often somebody may have changed something.
    changes: AtomicU64,
    origin: Origin,
    /// Rings when an event was told or something new is due.
    bell: Arc<Notify>,
}

/// What fresh accounts are made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// What ids come from.
    pub(super) seed: u64,
    /// Whether the seed was chosen, so that a run can be repeated to the last byte.
    pub(super) is_repeatable: bool,
    /// Life of access tokens.
    pub(super) token_life_s: u32,
}

impl Account {
    /// An account without a past.
    pub(super) fn new(identity: SandboxAccount, origin: Origin, bell: Arc<Notify>) -> Self {
        let stream = |kind: &str| Ids::new(origin.seed, &format!("{kind} of {}", identity.name));
        let told_apart_by = format!("{} {} {}", origin.seed, identity.name, identity.app_secret);
        let clock = SimClock::new(origin.is_repeatable);
        let state = State::new(identity.kind, origin.token_life_s, clock.now_ms());
        Self {
            tag: derived_text(told_apart_by.as_bytes(), TAG_LENGTH),
            ids: stream("things"),
            pushes: stream("pushes"),
            rids: stream("rids"),
            tokens: stream("tokens"),
            chances: stream("chances"),
            clock,
            state: Mutex::new(state),
            // Another account in this one's place must not look unchanged.
            changes: AtomicU64::new(random_seed()),
            origin,
            bell,
            identity,
        }
    }

    /// An account with the past that a snapshot tells of.
    pub(super) fn restored(
        identity: SandboxAccount,
        snapshot: Snapshot<State>,
        origin: Origin,
        bell: Arc<Notify>,
    ) -> Self {
        let mut account = Self::new(identity, origin, bell);
        account.clock.set(snapshot.resumed());
        account.turn_to(&snapshot.ids);
        account.tag = snapshot.tag;
        account.state = Mutex::new(snapshot.state);
        account
    }

    /// The account's own time; moving it does not move other accounts'.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The time of a call that arrives.
    pub(super) fn tick(&self) -> i64 {
        self.clock.tick()
    }

    /// The clock itself. Whoever sets it rings afterwards.
    pub(super) fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Its state. A panic elsewhere leaves it as it was, which is good enough to go on.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.note_change();
        self.quiet_state()
    }

    /// The state for one who only looks.
    pub(super) fn quiet_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Grows whenever something may have changed.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// The state as of `now_ms`, locked: what was due by then has happened.
    pub(super) fn state_at(&self, now_ms: i64) -> MutexGuard<'_, State> {
        let mut state = self.quiet_state();
        while let Some((at_ms, due)) = state.agenda.take_due(now_ms) {
            self.note_change();
            due.happen(&mut World { account: self, state: &mut state, now_ms: at_ms });
        }
        state
    }

    /// Wakes who waits for news of this account, if there are any.
    pub(super) fn announce(&self, state: &mut State) {
        if state.take_news() {
            self.ring();
        }
    }

    /// Wakes who waits for news: the clock was set.
    pub(super) fn ring(&self) {
        self.note_change();
        self.bell.notify_one();
    }

    /// Back to a fresh account, its switches too unless they are to be kept. Where runs can be
    /// repeated, ids and time begin anew; elsewhere ids go on, so that no token of before comes
    /// back, and the time is the machine's.
    pub(super) fn reset(&self, keep_settings: bool) {
        let mut state = self.state();
        let kept = keep_settings.then(|| state.settings.clone());
        self.clock.reset();
        *state = State::new(self.identity.kind, self.origin.token_life_s, self.now_ms());
        if let Some(settings) = kept {
            state.settings = settings;
        }
        if self.origin.is_repeatable {
            let fresh = Self::new(self.identity.clone(), self.origin, self.bell.clone());
            self.turn_to(&fresh.positions());
        }
    }

    /// What tokens are made from.
    pub(super) fn mint(&self) -> Mint<'_> {
        Mint { ids: &self.tokens, tag: &self.tag }
    }

    /// `length` characters that tell the account, as tokens do.
    pub(super) fn marked_text(&self, length: usize) -> String {
        let number = 10 + self.ids.next() % 90;
        let tail = self.ids.text(length.saturating_sub(3 + self.tag.len()));
        format!("{number}_{}{tail}", self.tag)
    }

    /// A rid for an answer given now.
    pub(super) fn rid(&self, now_ms: i64) -> String {
        self.rids.rid(now_ms)
    }

    /// Where a new stream of chance begins.
    pub(super) fn chance(&self) -> u64 {
        self.chances.next()
    }

    /// Where its streams of ids have come to.
    pub(super) fn positions(&self) -> Positions {
        Positions {
            things: self.ids.position(),
            pushes: self.pushes.position(),
            rids: self.rids.position(),
            tokens: self.tokens.position(),
            chances: self.chances.position(),
        }
    }

    fn turn_to(&self, positions: &Positions) {
        let Positions { things, pushes, rids, tokens, chances } = *positions;
        self.ids.turn_to(things);
        self.pushes.turn_to(pushes);
        self.rids.turn_to(rids);
        self.tokens.turn_to(tokens);
        self.chances.turn_to(chances);
    }
}
