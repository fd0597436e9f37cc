//! What a failed fetch waits for: time, the next minute, the next day, or a person.

use std::time::{Duration, SystemTime};

use super::error::TokenError;
use crate::base::{clock::unix_ms, day::Day};

/// What has to happen before a fetch can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    /// Nothing special: try again.
    Retry,
    /// The platform's minute must turn.
    NextMinute,
    /// The platform's day must turn, or somebody must reset the quota.
    NextDay,
    /// Somebody must change something: a secret, an allow-list, the account's state.
    Person,
}

impl Cure {
    /// The cure of `error`. An errcode that nobody here knows is taken for a person's work,
    /// because asking again every second would be impolite and useless.
    pub(super) fn of(error: &TokenError) -> Self {
        match error {
            TokenError::BackingOff { last, .. } => Self::of(last),
            TokenError::Refused { errcode, .. } => match *errcode {
                BUSY => Self::Retry,
                MINUTE_QUOTA => Self::NextMinute,
                DAY_QUOTA => Self::NextDay,
                _ => Self::Person,
            },
            TokenError::Rejected { .. }
            | TokenError::Ticket { .. }
            | TokenError::Unauthorized { .. }
            | TokenError::ForceBudget { .. }
            | TokenError::NotConfigured { .. } => Self::Person,
            TokenError::Connect { .. }
            | TokenError::Broken { .. }
            | TokenError::Timeout { .. }
            | TokenError::Malformed { .. }
            | TokenError::Waited { .. }
            // The platform is spared by the component token's own pauses.
            | TokenError::Component { .. }
            | TokenError::Stopping { .. } => Self::Retry,
        }
    }
}

/// Until the platform's minute turns. Its clock is not ours, hence the margin.
pub(super) fn until_next_minute(now: SystemTime) -> Duration {
    let into = unix_ms(now).rem_euclid(MINUTE_MS);
    Duration::from_millis((MINUTE_MS - into + MARGIN_MS).unsigned_abs())
}

/// Until the platform's day turns, which is at midnight of UTC+8.
pub(super) fn until_next_day(now: SystemTime) -> Duration {
    Day::of(now).left_at(now) + MARGIN
}

const BUSY: i64 = -1;
const DAY_QUOTA: i64 = 45009;
const MINUTE_QUOTA: i64 = 45011;

const MINUTE_MS: i64 = 60_000;
const MARGIN_MS: i64 = 500;
const MARGIN: Duration = Duration::from_millis(MARGIN_MS as u64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_unix_ms;

    fn at(text: &str) -> SystemTime {
        from_unix_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn the_day_turns_at_midnight_in_beijing() {
        assert_eq!(until_next_day(at("2026-11-22T15:59:59Z")), Duration::from_millis(1500));
        assert_eq!(until_next_day(at("2026-11-22T16:00:00Z")).as_secs(), 24 * 3600);
    }

    #[test]
    fn the_minute_turns_with_a_margin() {
        assert_eq!(until_next_minute(at("2026-11-22T15:59:59Z")), Duration::from_millis(1500));
        assert_eq!(until_next_minute(at("2026-11-22T16:00:00Z")), Duration::from_millis(60_500));
    }
}
