//! Looks after a token in use: renews it before its end, forgives it in time, and sees it end.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::{
    fetch::Asked,
    generation::{End, EndReason},
    slot::Slot,
    state::State,
};
use crate::base::clock::unix_ms;

impl Slot {
    /// Runs until the gateway stops or the account is gone.
    pub(super) async fn keep(self: Arc<Self>) {
        let tasks = self.shared.tasks.clone();
        while !self.lock().is_retired {
            let next = self.next_look();
            tokio::select! {
                () = tasks.stopping() => return,
                () = self.changed.notified() => {}
                () = reached(next) => self.look_after(),
            }
        }
    }

    /// When to look again; none while there is nothing to look after. Without a valid token the
    /// next request starts the fetch, so that an account nobody uses is not asked for.
    fn next_look(&self) -> Option<Instant> {
        let now = Instant::now();
        let state = self.lock();
        let stopwatch = &self.shared.stopwatch;
        let end = state.unrefused().map(|living| stopwatch.awake(living.ends));
        let Some(token) = self.current().filter(|_| !state.is_fetching) else { return end };
        let due = stopwatch.awake(token.due());
        let renewal = state.pause.until(now, true).map_or(due, |until| until.max(due));
        [end, state.suspicion_ends()].into_iter().flatten().chain([renewal]).min()
    }

    fn look_after(self: &Arc<Self>) {
        let mut state = self.lock();
        self.forgive(&mut state);
        if let Some(old) = state.lapsed(self.shared.stopwatch.now()) {
            let at_ms = unix_ms(old.expires_at);
            self.end(old, End { at_ms, reason: EndReason::Expired, verdict: None });
        }
        let is_due = self.current().is_some_and(|token| token.due() <= self.shared.stopwatch.now());
        let may_ask = !state.is_fetching && state.pause.until(Instant::now(), true).is_none();
        if is_due && may_ask {
            self.begin(&mut state, Asked::Normal);
        }
    }

    /// A token in use that nobody has complained about for a while is a token like any other.
    pub(super) fn forgive(&self, state: &mut State) {
        let is_over = state.suspicion_ends().is_some_and(|end| end <= Instant::now());
        if is_over && self.current().is_some() {
            state.dead = None;
            state.pause.succeeded();
            state.alarm.clear(&self.id);
        }
    }

    /// After the machine slept: whatever failed before may work now, and a token may be due.
    pub(super) fn wake(&self) {
        self.lock().pause.forget();
        self.changed.notify_one();
    }
}

async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
