//! What people may know of a slot at this moment. Never the token.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{provider::FetchedBy, slot::Slot, slot_id::SlotId, state::State};
use crate::base::{
    chain::Chain,
    permission::{UnknownWord, words},
};

words! {
    /// How an account stands with its issuer.
    SlotState {
        /// No request has asked for a token yet, or the last one expired unused.
        Idle = "idle",
        /// A valid token, nothing to complain of.
        Valid = "valid",
        /// A valid token, but the issuer does not give the next one.
        Failing = "failing",
        /// No token; a fetch runs.
        Fetching = "fetching",
        /// No token; the issuer does not give one.
        Unavailable = "unavailable",
        /// The platform refuses the token, and the issuer gives no other.
        Rejected = "rejected",
    }
}

/// One slot, as `wxgate token show` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct SlotStatus {
    /// `shop/token`.
    pub slot: SlotId,
    /// AppID; not secret.
    pub app_id: String,
    /// How it stands.
    pub state: SlotState,
    /// Which call issues its tokens.
    pub provider: FetchedBy,
    /// The token in use, if there is one.
    pub token: Option<TokenStatus>,
    /// How the last fetch failed; none after one that succeeded.
    pub last_error: Option<LastError>,
    /// When the issuer may be asked again, in seconds; none if now.
    pub next_try_in_s: Option<u64>,
    /// Forced refreshes of today (UTC+8), by the gateway and by operators.
    pub forced_today: u32,
}

/// The token in use.
#[derive(Clone, Debug, Serialize)]
pub struct TokenStatus {
    /// Stands for the token.
    pub fingerprint: String,
    /// Counts the tokens of this installation.
    pub generation: u64,
    /// How it came here.
    pub fetched_by: FetchedBy,
    /// Since it came here.
    pub age_s: u64,
    /// Until its planned end.
    pub expires_in_s: u64,
    /// Until it is renewed in the background.
    pub renews_in_s: u64,
    /// The last call that the platform accepted with it.
    pub last_good: Option<jiff::Timestamp>,
}

/// A failed fetch.
#[derive(Clone, Debug, Serialize)]
pub struct LastError {
    /// What happened, with all causes.
    pub text: String,
    /// The platform's number.
    pub errcode: Option<i64>,
    /// The platform's text.
    pub errmsg: Option<String>,
    /// The address that the platform saw and does not allow.
    pub refused_ip: Option<IpAddr>,
    /// When.
    pub at: Option<jiff::Timestamp>,
}

impl SlotStatus {
    /// Since the token in use came here.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.token.as_ref().map(|token| Duration::from_secs(token.age_s))
    }

    /// Until the planned end of the token in use.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.token.as_ref().map(|token| Duration::from_secs(token.expires_in_s))
    }
}

impl Slot {
    /// How the slot stands now.
    #[must_use]
    pub fn status(&self) -> SlotStatus {
        let now = Instant::now();
        let state = self.lock();
        let token = self.token_status();
        let has_token = token.is_some();
        let until = state.pause.until(now, has_token);
        SlotStatus {
            slot: self.id.clone(),
            app_id: state.provider.credential().app_id.clone(),
            state: classify(&state, has_token),
            provider: state.provider.family(),
            token,
            last_error: last_error(&state),
            next_try_in_s: until.map(|until| (until - now).as_secs()),
            forced_today: self.shared.budget.used_today(&self.id, self.shared.clock.now()),
        }
    }

    fn token_status(&self) -> Option<TokenStatus> {
        let token = self.current()?;
        let now = self.shared.stopwatch.now();
        // Both dates are of one wall clock, what is left is not: a jump of it does no harm.
        let lives = token.expires_at.duration_since(token.born_at).unwrap_or_default();
        Some(TokenStatus {
            fingerprint: token.fingerprint.to_string(),
            generation: token.generation,
            fetched_by: token.fetched_by,
            age_s: lives.saturating_sub(token.left_at(now)).as_secs(),
            expires_in_s: token.left_at(now).as_secs(),
            renews_in_s: token.due().saturating_sub(now).as_secs(),
            last_good: token.last_good_ms().and_then(timestamp),
        })
    }
}

fn classify(state: &State, has_token: bool) -> SlotState {
    let is_rejected = state.dead.as_ref().is_some_and(|dead| dead.is_confirmed);
    match (has_token, state.is_fetching) {
        _ if is_rejected => SlotState::Rejected,
        (true, _) if state.alarm.is_raised() => SlotState::Failing,
        (true, _) => SlotState::Valid,
        (false, true) => SlotState::Fetching,
        (false, false) if state.failure.is_some() => SlotState::Unavailable,
        (false, false) => SlotState::Idle,
    }
}

fn last_error(state: &State) -> Option<LastError> {
    let failure = state.failure.as_ref()?;
    let error = failure.error.as_ref();
    Some(LastError {
        text: Chain(error).to_string(),
        errcode: error.errcode(),
        errmsg: error.errmsg().map(str::to_owned),
        refused_ip: error.refused_ip(),
        at: timestamp(failure.at_ms),
    })
}

fn timestamp(ms: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(ms).ok()
}
