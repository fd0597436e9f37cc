//! One generation of a slot's tokens, as people see it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::provider::FetchedBy;
use crate::base::permission::{UnknownWord, words};

/// One generation of a slot's tokens. Times are RFC 3339 in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generation {
    /// Counts the tokens of this installation, of all accounts.
    pub generation: u64,
    /// `shop/token`.
    pub slot: String,
    /// Stands for the token.
    pub fingerprint: String,
    /// Which call brought it.
    pub fetched_by: FetchedBy,
    /// Who wanted it; none for one that an earlier version fetched.
    pub asked_by: Option<AskedBy>,
    /// When it came here.
    pub born: jiff::Timestamp,
    /// When the issuer said it would end.
    pub planned_end: jiff::Timestamp,
    /// When it ended; none while it lives.
    pub ended: Option<jiff::Timestamp>,
    /// What ended it.
    pub end_reason: Option<EndReason>,
    /// The last call that the platform accepted with it, at most a minute behind.
    pub last_good: Option<jiff::Timestamp>,
    /// The first call that the platform refused because of it.
    pub first_refusal: Option<jiff::Timestamp>,
    /// What the platform said then.
    pub errcode: Option<i64>,
    /// What an early death means.
    pub verdict: Option<Verdict>,
}

/// Between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// Not earlier than this.
    pub after: jiff::Timestamp,
    /// Not later than this.
    pub before: jiff::Timestamp,
}

impl Generation {
    /// In which interval another holder of the AppSecret fetched a token, if that is what
    /// ended this one. It began when this one came here, or five minutes before the last call
    /// that went well, and ended with the first refusal, or when the issuer gave another token.
    #[must_use]
    pub fn foreign_fetch(&self) -> Option<Interval> {
        if self.verdict != Some(Verdict::ForeignFetch) {
            return None;
        }
        let noticed = self.first_refusal.or(self.ended)?;
        let proven = self.last_good.and_then(|good| good.checked_sub(OUTLIVES).ok());
        let after = proven.map_or(self.born, |proven| proven.max(self.born));
        // The wall clock may have been set back meanwhile.
        Some(Interval { after: after.min(noticed), before: after.max(noticed) })
    }

    /// The verdict as a sentence.
    #[must_use]
    pub fn explanation(&self) -> Option<String> {
        match self.verdict? {
            Verdict::ForeignFetch => {
                let Interval { after, before } = self.foreign_fetch()?;
                Some(format!(
                    "nobody here refreshed: another holder of the AppSecret fetched a token \
                     between {after} and {before}"
                ))
            }
            Verdict::IssuerDisagrees => Some(
                "the platform refused it while the issuer still gave it out: forced refresh is \
                 off or used up, or the token is of another app or environment"
                    .to_owned(),
            ),
            Verdict::ExpiredEarly => Some(format!(
                "the platform called it expired before {}, the end that it had promised",
                self.planned_end
            )),
        }
    }
}

words! {
    /// Who wanted a token.
    AskedBy {
        /// A call, when there was none.
        Request = "request",
        /// The broker, because the one before was near its end.
        Renewal = "renewal",
        /// The broker, because the platform refused the one before.
        Replacement = "replacement",
        /// An operator, with `wxgate token refresh`.
        Operator = "operator",
    }
}

words! {
    /// What ended a generation.
    EndReason {
        /// The next one was fetched in time.
        Renewed = "renewed",
        /// Its time was over.
        Expired = "expired",
        /// The platform refused it.
        Refused = "refused",
        /// A forced refresh retired it.
        Forced = "forced",
        /// The account's AppID, AppSecret or provider changed.
        Discarded = "discarded",
        /// The account was removed.
        Retired = "retired",
        /// A restart did not find it, or could not use it.
        Lost = "lost",
    }
}

words! {
    /// What an early death means.
    Verdict {
        /// The issuer had another token, and this gateway did not ask for it.
        ForeignFetch = "foreign_fetch",
        /// The issuer still gave out the token that the platform refused.
        IssuerDisagrees = "issuer_disagrees",
        /// The platform said "expired" long before the end.
        ExpiredEarly = "expired_early",
    }
}

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at_ms: i64,
    pub(super) reason: EndReason,
    pub(super) verdict: Option<Verdict>,
}

/// What it means that the platform refused a token with `errcode`, `left` before its end. Near
/// its end a death is no riddle: the platform rotates five minutes early. "Expired" early is the
/// platform's own doing: a foreign fetch makes a token "not latest".
pub(super) fn verdict_on(
    family: FetchedBy,
    errcode: i64,
    left: Duration,
    was_given_again: bool,
) -> Option<Verdict> {
    match (errcode, was_given_again) {
        (_, true) => Some(Verdict::IssuerDisagrees),
        _ if left <= ROTATED_BEFORE => None,
        (EXPIRED, false) => Some(Verdict::ExpiredEarly),
        (_, false) => dies_of_a_foreign_fetch(family).then_some(Verdict::ForeignFetch),
    }
}

/// Whether the fetch of another holder ends a token that came by this call. WeCom gives everybody
/// the same one, and of the others it is confirmed nowhere.
fn dies_of_a_foreign_fetch(family: FetchedBy) -> bool {
    match family {
        FetchedBy::Stable | FetchedBy::Classic | FetchedBy::Forced => true,
        FetchedBy::Corp
        | FetchedBy::Component
        | FetchedBy::Authorizer
        | FetchedBy::Ticket
        | FetchedBy::Restored => false,
    }
}

/// `access_token expired`.
const EXPIRED: i64 = 42001;

/// The platform's rotation before the end, and some seconds for clocks.
pub(super) const ROTATED_BEFORE: Duration = Duration::from_secs(5 * 60 + 10);

/// How long the platform may go on accepting a token after the next one was fetched: "up to five
/// minutes" in its own words.
const OUTLIVES: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    fn refused() -> Generation {
        Generation {
            generation: 7,
            slot: "shop/token".into(),
            fingerprint: "fp:9c1e".into(),
            fetched_by: FetchedBy::Stable,
            asked_by: Some(AskedBy::Request),
            born: at(1000),
            planned_end: at(8200),
            ended: Some(at(2000)),
            end_reason: Some(EndReason::Refused),
            last_good: Some(at(1900)),
            first_refusal: Some(at(2000)),
            errcode: Some(40001),
            verdict: Some(Verdict::ForeignFetch),
        }
    }

    #[test]
    fn a_good_call_proves_only_that_no_fetch_was_five_minutes_before_it() {
        let interval = |life: &Generation| life.foreign_fetch().unwrap();
        let life = refused();
        assert_eq!(interval(&life), Interval { after: at(1600), before: at(2000) });
        let young = Generation { last_good: Some(at(1100)), ..refused() };
        assert_eq!(interval(&young), Interval { after: at(1000), before: at(2000) });
        let unused = Generation { last_good: None, first_refusal: None, ..refused() };
        assert_eq!(interval(&unused), Interval { after: at(1000), before: at(2000) });
        let set_back = Generation { first_refusal: Some(at(500)), ..refused() };
        assert_eq!(interval(&set_back), Interval { after: at(500), before: at(1600) });
        assert_eq!(Generation { verdict: None, ..refused() }.foreign_fetch(), None);
    }

    #[test]
    fn each_verdict_is_a_sentence() {
        let text = refused().explanation().unwrap();
        assert!(text.contains("between 1970-01-01T00:26:40Z and 1970-01-01T00:33:20Z"), "{text}");
        for verdict in Verdict::ALL {
            let life = Generation { verdict: Some(*verdict), ..refused() };
            assert!(life.explanation().unwrap().len() > 40);
        }
    }

    #[test]
    fn only_an_early_death_has_a_verdict() {
        let early = Duration::from_secs(311);
        let stable =
            |errcode, left, is_again| verdict_on(FetchedBy::Stable, errcode, left, is_again);
        assert_eq!(stable(40001, early, false), Some(Verdict::ForeignFetch));
        assert_eq!(stable(42001, early, false), Some(Verdict::ExpiredEarly));
        assert_eq!(stable(42001, early, true), Some(Verdict::IssuerDisagrees));
        assert_eq!(stable(40001, ROTATED_BEFORE, false), None);
        assert_eq!(stable(42001, Duration::ZERO, false), None);
        assert_eq!(verdict_on(FetchedBy::Corp, 40014, early, false), None, "all get the same");
    }
}
