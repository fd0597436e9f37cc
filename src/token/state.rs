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
    issued::Issued,
    pause::Pause,
    provider::{FetchedBy, TokenProvider},
    timeline::{End, EndReason, Verdict},
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

    /// How the living generation ends when the issuer gives another token.
    pub(super) fn end_of(
        &self,
        old: &Issued,
        by: FetchedBy,
        now: Duration,
        wall_now: SystemTime,
    ) -> End {
        let now_ms = unix_ms(wall_now);
        let refused = self.dead.as_ref().filter(|dead| dead.issued.generation == old.generation);
        let end = |at_ms, reason, verdict| End { at_ms, reason, verdict };
        match refused {
            Some(dead) => {
                let at_ms = old.first_refusal_ms().unwrap_or(now_ms);
                end(at_ms, EndReason::Refused, dead.verdict())
            }
            None if !old.is_valid_at(now) => end(unix_ms(old.expires_at), EndReason::Expired, None),
            None if by == FetchedBy::Forced => end(now_ms, EndReason::Forced, None),
            None => end(now_ms, EndReason::Renewed, None),
        }
    }
}

impl Dead {
    /// What it means that the platform refused this token, once the issuer gave another. Near
    /// its planned end a death is no riddle: the platform rotates five minutes early. "Expired"
    /// early is the platform's own doing too: a foreign fetch makes a token "not latest".
    fn verdict(&self) -> Option<Verdict> {
        if self.errcode == EXPIRED {
            return Some(Verdict::IssuerDisagrees);
        }
        match (self.is_confirmed, self.left > ROTATED_BEFORE) {
            (true, _) => Some(Verdict::IssuerDisagrees),
            (false, true) => Some(Verdict::ForeignFetch),
            (false, false) => None,
        }
    }
}

/// `access_token expired`.
const EXPIRED: i64 = 42001;

/// The platform's rotation before the end, and some seconds for clocks.
const ROTATED_BEFORE: Duration = Duration::from_secs(5 * 60 + 10);

/// After so long without a refusal a token that was refused is a token like any other.
const SUSPICION_LASTS: Duration = Duration::from_secs(10 * 60);
