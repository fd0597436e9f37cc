//! A live token with its dates.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

use super::{generation::AskedBy, provider::FetchedBy};
use crate::base::{
    percent,
    secret::{Fingerprint, Secret},
};

/// A token that the issuer gave out. A second answer with the same token makes a new `Issued`
/// of the same generation.
pub struct Issued {
    /// The access token.
    pub secret: Secret,
    /// The same as it stands in a query.
    pub query_value: Secret,
    /// Stands for it wherever people look.
    pub fingerprint: Fingerprint,
    /// Counts the tokens of this installation, of all accounts; survives restarts.
    pub generation: u64,
    /// Its planned end by the wall clock of its birth; for display. Life itself is measured by
    /// a monotonic clock.
    pub expires_at: SystemTime,
    /// How it came here.
    pub fetched_by: FetchedBy,
    /// Who wanted it; none for one that an earlier run fetched.
    pub(super) asked_by: Option<AskedBy>,
    /// When the generation came here, by the wall clock.
    pub born_at: SystemTime,
    /// Counts answers of the issuer: what "still the current one" is compared by.
    pub(super) edition: u64,
    /// When it ends, as a reading of the stopwatch.
    pub(super) ends: Duration,
    /// Its remaining life when the issuer answered.
    pub(super) life: Duration,
    /// How long before its end the issuer is asked again.
    renew_before: Duration,
    /// Wall time of the last call that the platform accepted with it, in ms since 1970; 0 = none.
    last_good_ms: AtomicI64,
    /// Wall time of the first call that the platform refused because of it; 0 = none.
    first_refusal_ms: AtomicI64,
    /// What the platform said then.
    refusal_errcode: AtomicI64,
    /// Whether the death of this generation was told.
    was_buried: AtomicBool,
    /// Whether the platform accepted it since the issuer gave this edition out.
    is_proven: AtomicBool,
}

/// What an [`Issued`] is made of.
pub(super) struct Birth {
    pub(super) secret: Secret,
    pub(super) generation: u64,
    pub(super) edition: u64,
    pub(super) fetched_by: FetchedBy,
    pub(super) asked_by: Option<AskedBy>,
    pub(super) born_at: SystemTime,
    pub(super) life: Duration,
}

impl Issued {
    /// A token whose `life` begins at `now` of the stopwatch and `wall_now`.
    pub(super) fn new(birth: Birth, now: Duration, wall_now: SystemTime) -> Self {
        Self {
            fingerprint: birth.secret.fingerprint(),
            query_value: Secret::new(percent::query_value(birth.secret.expose()).into_owned()),
            secret: birth.secret,
            generation: birth.generation,
            expires_at: wall_now + birth.life,
            fetched_by: birth.fetched_by,
            asked_by: birth.asked_by,
            born_at: birth.born_at,
            edition: birth.edition,
            ends: now + birth.life,
            life: birth.life,
            renew_before: RENEW_BEFORE.min(birth.life / 4),
            last_good_ms: AtomicI64::new(0),
            first_refusal_ms: AtomicI64::new(0),
            refusal_errcode: AtomicI64::new(0),
            was_buried: AtomicBool::new(false),
            is_proven: AtomicBool::new(false),
        }
    }

    /// Takes over the stamps of an earlier edition of the same generation.
    pub(super) fn with_stamps_of(self, earlier: &Self) -> Self {
        let copy = |from: &AtomicI64, to: &AtomicI64| {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        copy(&earlier.last_good_ms, &self.last_good_ms);
        copy(&earlier.first_refusal_ms, &self.first_refusal_ms);
        copy(&earlier.refusal_errcode, &self.refusal_errcode);
        self.was_buried.store(earlier.was_buried.load(Ordering::Relaxed), Ordering::Relaxed);
        self
    }

    /// The same, asked for again no sooner than at its end: the issuer was asked before, and
    /// gives no other while it lives.
    pub(super) fn kept_to_its_end(self) -> Self {
        Self { renew_before: Duration::ZERO, ..self }
    }

    /// Whether the platform should still accept it.
    pub(super) fn is_valid_at(&self, now: Duration) -> bool {
        now < self.ends
    }

    /// What is left of its life.
    pub(super) fn left_at(&self, now: Duration) -> Duration {
        self.ends.saturating_sub(now)
    }

    /// When it is renewed in the background.
    pub(super) fn due(&self) -> Duration {
        self.ends.saturating_sub(self.renew_before)
    }

    /// Whether both are the same token to the platform.
    pub(super) fn is_same_token_as(&self, other: &Secret) -> bool {
        self.secret.matches(other.expose().as_bytes())
    }

    /// Notes that the platform accepted it. Writes at most once a second, so that all worker
    /// threads can keep the line in their caches.
    pub(super) fn stamp_good(&self, now_ms: i64) {
        if !self.is_proven.load(Ordering::Relaxed) {
            self.is_proven.store(true, Ordering::Relaxed);
        }
        let last = self.last_good_ms.load(Ordering::Relaxed);
        if now_ms.abs_diff(last) >= STAMP_EVERY_MS {
            self.last_good_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    /// Whether the platform accepted it since the issuer gave this edition out.
    pub(super) fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Relaxed)
    }

    /// Notes that the platform refused it. The first refusal since the last good use counts:
    /// what went well afterwards disproves an earlier one.
    pub(super) fn stamp_refused(&self, now_ms: i64, errcode: i64) {
        let last_good = self.last_good_ms.load(Ordering::Relaxed);
        let first = |earlier| (earlier == 0 || earlier < last_good).then_some(now_ms.max(1));
        let stamp = &self.first_refusal_ms;
        if stamp.fetch_update(Ordering::Relaxed, Ordering::Relaxed, first).is_ok() {
            self.refusal_errcode.store(errcode, Ordering::Relaxed);
        }
    }

    /// Whether this is the first time that the generation is taken out of use.
    pub(super) fn bury(&self) -> bool {
        !self.was_buried.swap(true, Ordering::Relaxed)
    }

    /// When the platform last accepted it, in ms since 1970.
    pub(super) fn last_good_ms(&self) -> Option<i64> {
        Some(self.last_good_ms.load(Ordering::Relaxed)).filter(|ms| *ms != 0)
    }

    /// When the platform first refused it, in ms since 1970.
    pub(super) fn first_refusal_ms(&self) -> Option<i64> {
        Some(self.first_refusal_ms.load(Ordering::Relaxed)).filter(|ms| *ms != 0)
    }

    /// What the platform said at the first refusal.
    pub(super) fn refusal_errcode(&self) -> Option<i64> {
        Some(self.refusal_errcode.load(Ordering::Relaxed)).filter(|errcode| *errcode != 0)
    }
}

/// Never the token.
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("fingerprint", &format_args!("{}", self.fingerprint))
            .field("generation", &self.generation)
            .field("fetched_by", &self.fetched_by)
            .finish_non_exhaustive()
    }
}

/// When a token is renewed in the background, counted back from its end. WeChat rotates a
/// stable token five minutes early, so any question before that returns the old one.
const RENEW_BEFORE: Duration = Duration::from_secs(4 * 60 + 30);

/// How exact the last good use is known.
const STAMP_EVERY_MS: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(life: Duration) -> Issued {
        let birth = Birth {
            secret: Secret::new("75_a-token-that-nobody-may-see".into()),
            generation: 3,
            edition: 1,
            fetched_by: FetchedBy::Stable,
            asked_by: None,
            born_at: SystemTime::UNIX_EPOCH,
            life,
        };
        Issued::new(birth, Duration::ZERO, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_token_is_due_before_its_end_and_valid_until_it() {
        let token = issued(Duration::from_secs(7200));
        assert_eq!(token.ends - token.due(), RENEW_BEFORE);
        assert!(token.is_valid_at(token.ends - Duration::from_millis(1)));
        assert!(!token.is_valid_at(token.ends));
        assert_eq!(token.left_at(token.ends + Duration::from_secs(1)), Duration::ZERO);

        let short = issued(Duration::from_secs(345));
        assert_eq!(short.ends - short.due(), Duration::from_millis(86_250));
        let kept = short.kept_to_its_end();
        assert_eq!(kept.due(), kept.ends);
    }

    #[test]
    fn only_the_first_refusal_counts_and_good_uses_are_stamped_by_the_second() {
        let token = issued(Duration::from_secs(7200));
        assert_eq!((token.last_good_ms(), token.first_refusal_ms()), (None, None));
        token.stamp_good(5_000);
        token.stamp_good(5_999);
        assert_eq!(token.last_good_ms(), Some(5_000));
        token.stamp_good(6_000);
        assert_eq!(token.last_good_ms(), Some(6_000));
        token.stamp_refused(7_000, 40001);
        token.stamp_refused(8_000, 40014);
        assert_eq!((token.first_refusal_ms(), token.refusal_errcode()), (Some(7_000), Some(40001)));
        token.stamp_good(9_000);
        token.stamp_refused(10_000, 42001);
        assert_eq!(token.first_refusal_ms(), Some(10_000), "the good use disproved the first");
        assert_eq!(token.refusal_errcode(), Some(42001));
        assert!(token.bury() && !token.bury(), "told once");
    }

    #[test]
    fn no_formatter_prints_the_token() {
        let text = format!("{:?}", issued(Duration::from_secs(60)));
        assert!(!text.contains("75_a-token") && text.contains("fp:"), "{text}");
    }
}
