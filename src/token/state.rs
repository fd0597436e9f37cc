//! What a slot knows beside its token; guarded by one lock that is held for moments only.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{
    alarm::Alarm,
    cure::Cure,
    error::TokenError,
    fetch::Origin,
    generation::{End, EndReason, ROTATED_BEFORE, Verdict, verdict_on},
    issued::Issued,
    pause::Pause,
    provider::{FetchedBy, TokenProvider},
};
use crate::{base::clock::unix_ms, config::model::ForceRefresh};

/// What an account's configuration says about its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotPolicy {
    /// Whether the broker may force a refresh by itself.
    pub force_refresh: ForceRefresh,
    /// At most so many of them a day (UTC+8).
    pub forced_per_day: u32,
}

/// See the module.
pub(super) struct State {
    pub(super) provider: Arc<dyn TokenProvider>,
    pub(super) policy: SlotPolicy,
    /// Counts credentials: the answer to a fetch with an earlier one is thrown away.
    pub(super) epoch: u64,
    /// Whether a fetch runs; there is never more than one of the present epoch.
    pub(super) is_fetching: bool,
    /// Whether the account is gone.
    pub(super) is_retired: bool,
    pub(super) pause: Pause,
    /// How the last fetch failed; none after one that succeeded.
    pub(super) failure: Option<Failure>,
    /// The newest generation that has not ended, whether in use or not.
    pub(super) living: Option<Arc<Issued>>,
    /// The token that the platform refused, until the issuer gives another.
    pub(super) dead: Option<Dead>,
    /// Whether a call of ours that retires tokens went out and its answer never came: then an
    /// early death is perhaps our own doing.
    pub(super) may_have_retired: bool,
    pub(super) alarm: Alarm,
}

/// A fetch that failed.
pub(super) struct Failure {
    pub(super) error: Arc<TokenError>,
    pub(super) at_ms: i64,
}

/// A token that the platform refused.
pub(super) struct Dead {
    pub(super) issued: Arc<Issued>,
    /// What the platform said.
    pub(super) errcode: i64,
    /// What was left of its life then.
    pub(super) left: Duration,
    /// When it was refused the last time.
    pub(super) at: Instant,
    /// Whether the issuer gave it out again after it was refused: the two disagree.
    pub(super) is_confirmed: bool,
    /// Whether its replacement was allowed; see [`Pause::take_replacement`].
    pub(super) is_replaceable: bool,
}

impl State {
    pub(super) fn new(provider: Arc<dyn TokenProvider>, policy: SlotPolicy, now: Instant) -> Self {
        Self {
            provider,
            policy,
            epoch: 0,
            is_fetching: false,
            is_retired: false,
            pause: Pause::new(now),
            failure: None,
            living: None,
            dead: None,
            may_have_retired: false,
            alarm: Alarm::default(),
        }
    }

    /// Whether the issuer gave `issued` out again after the platform had refused it.
    pub(super) fn is_suspect(&self, issued: &Issued) -> bool {
        let same = |dead: &Dead| dead.is_confirmed && dead.issued.generation == issued.generation;
        self.dead.as_ref().is_some_and(same)
    }

    /// When a token that is in use although it was refused is above suspicion again; none
    /// while there is no suspicion.
    pub(super) fn suspicion_ends(&self) -> Option<Instant> {
        let dead = self.dead.as_ref().filter(|dead| dead.is_confirmed)?;
        Some(dead.at + SUSPICION_LASTS)
    }

    /// Whether a fetch may begin now; if not, the pause tells until when. A dead token is
    /// replaced out of a store of replacements, once.
    pub(super) fn may_ask(&mut self, now: Instant) -> bool {
        if self.is_fetching || self.pause.until(now, false).is_some() {
            return false;
        }
        match &mut self.dead {
            Some(dead) if !dead.is_replaceable => {
                dead.is_replaceable = self.pause.take_replacement(now);
                dead.is_replaceable
            }
            Some(_) | None => true,
        }
    }

    /// Notes a failed fetch.
    pub(super) fn fail(&mut self, error: TokenError, now: Instant, wall_now: SystemTime) {
        self.pause.failed(Cure::of(&error), now, wall_now);
        self.failure = Some(Failure { error: Arc::new(error), at_ms: unix_ms(wall_now) });
    }

    /// The living generation, if its time is over without a word from the platform.
    pub(super) fn lapsed(&mut self, now: Duration) -> Option<Arc<Issued>> {
        self.unrefused()
            .is_some_and(|living| !living.is_valid_at(now))
            .then(|| self.living.take())?
    }

    /// The living generation, unless the platform refused it: that one ends when the issuer
    /// gives another.
    pub(super) fn unrefused(&self) -> Option<&Arc<Issued>> {
        self.living.as_ref().filter(|living| self.refusal_of(living).is_none())
    }

    fn refusal_of(&self, issued: &Issued) -> Option<&Dead> {
        self.dead.as_ref().filter(|dead| dead.issued.generation == issued.generation)
    }

    /// How the living generation ends when the issuer gives another token.
    pub(super) fn end_of(
        &self,
        old: &Issued,
        origin: &Origin,
        now: Duration,
        wall_now: SystemTime,
    ) -> End {
        let now_ms = unix_ms(wall_now);
        let end = |at_ms, reason, verdict| End { at_ms, reason, verdict };
        // Refused while the fetch that retires it ran: our own doing.
        let refused = self.refusal_of(old).filter(|dead| {
            !(retires_others(origin.by) && dead.at > origin.began && !dead.is_confirmed)
        });
        match (refused, origin.by) {
            (Some(dead), _) => {
                let at_ms = old.first_refusal_ms().unwrap_or(now_ms);
                let family = self.provider.family();
                let verdict = dead.verdict(family).filter(|verdict| self.is_certain(*verdict));
                end(at_ms, EndReason::Refused, verdict)
            }
            (None, _) if !old.is_valid_at(now) => {
                end(unix_ms(old.expires_at), EndReason::Expired, None)
            }
            (None, FetchedBy::Forced) => end(now_ms, EndReason::Forced, None),
            (None, by) => {
                // Normal mode gives the same token until its last minutes, unless it was retired.
                let is_early = by == FetchedBy::Stable && old.left_at(now) > ROTATED_BEFORE;
                let verdict =
                    Some(Verdict::ForeignFetch).filter(|v| is_early && self.is_certain(*v));
                end(now_ms, EndReason::Renewed, verdict)
            }
        }
    }

    fn is_certain(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::ForeignFetch => !self.may_have_retired,
            Verdict::IssuerDisagrees | Verdict::ExpiredEarly => true,
        }
    }
}

impl Dead {
    /// What it means that the platform refused this token, once the issuer gave another.
    fn verdict(&self, family: FetchedBy) -> Option<Verdict> {
        verdict_on(family, self.errcode, self.left, self.is_confirmed)
    }
}

/// Whether a call of this kind ends the life of the token before it.
pub(super) fn retires_others(by: FetchedBy) -> bool {
    by == FetchedBy::Forced || by == FetchedBy::Classic
}

/// After so long without a refusal a token that was refused is a token like any other.
const SUSPICION_LASTS: Duration = Duration::from_secs(10 * 60);
