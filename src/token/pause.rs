//! When the issuer may be asked again.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::cure::{Cure, until_next_day, until_next_minute};
use crate::base::backoff::Backoff;

/// The pauses of one slot. All of them end with a configuration reload, and with a new token.
#[derive(Debug)]
pub(super) struct Pause {
    transient: Backoff,
    person: Backoff,
    same_again: Backoff,
    resting: Option<Resting>,
    replacements: Replacements,
}

/// A pause that was begun.
#[derive(Clone, Copy, Debug)]
struct Resting {
    until: Instant,
    /// The end of it while there is no valid token: sooner, because requests fail meanwhile.
    until_without_token: Instant,
}

impl Pause {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            transient: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            person: Backoff::new(FIRST_PERSON_PAUSE, LONGEST_PERSON_PAUSE),
            same_again: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            resting: None,
            replacements: Replacements { left: REPLACEMENTS_AT_ONCE, since: now },
        }
    }

    /// Until when the issuer is left alone; none if it may be asked now.
    pub(super) fn until(&self, now: Instant, has_token: bool) -> Option<Instant> {
        let resting = self.resting?;
        let until = if has_token { resting.until } else { resting.until_without_token };
        (until > now).then_some(until)
    }

    /// After a fetch that failed.
    pub(super) fn failed(&mut self, cure: Cure, now: Instant, wall_now: SystemTime) {
        let (pause, without_token) = match cure {
            Cure::Retry => {
                let pause = self.transient.next_pause();
                (pause, pause.min(LONGEST_PAUSE_WITHOUT_TOKEN))
            }
            Cure::Person => same(self.person.next_pause()),
            Cure::NextMinute => same(until_next_minute(wall_now)),
            Cure::NextDay => same(until_next_day(wall_now).min(QUOTA_PROBE_EVERY)),
        };
        self.rest(now, pause, without_token);
    }

    /// After a fetch that brought the same token that the platform refuses.
    pub(super) fn same_again(&mut self, now: Instant) {
        let pause = self.same_again.next_pause();
        self.rest(now, pause, pause);
    }

    /// After a fetch that brought a token which nobody complained about.
    pub(super) fn succeeded(&mut self) {
        self.transient.reset();
        self.person.reset();
        self.same_again.reset();
        self.resting = None;
    }

    /// After a reload or a wake-up: whatever was wrong may have been put right.
    pub(super) fn forget(&mut self) {
        self.succeeded();
    }

    /// Takes one replacement of a dead token out of the store, or rests until there is one.
    ///
    /// Two holders of one classic token kill each other's in turn; without this they would burn
    /// the platform's 2,000 calls of a day in minutes.
    pub(super) fn take_replacement(&mut self, now: Instant) -> bool {
        match self.replacements.take(now) {
            Ok(()) => true,
            Err(wait) => {
                self.rest(now, wait, wait);
                false
            }
        }
    }

    fn rest(&mut self, now: Instant, pause: Duration, without_token: Duration) {
        let until_without_token = now + without_token;
        self.resting = Some(Resting { until: now + pause, until_without_token });
    }
}

/// A store of replacements that fills up again by and by.
#[derive(Debug)]
struct Replacements {
    left: u32,
    since: Instant,
}

impl Replacements {
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.since);
        let grown = passed.as_millis() / REPLACEMENT_EVERY.as_millis();
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        self.since += REPLACEMENT_EVERY.saturating_mul(grown).min(passed);
        self.left = self.left.saturating_add(grown).min(REPLACEMENTS_AT_ONCE);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(REPLACEMENT_EVERY.saturating_sub(now - self.since)),
        }
    }
}

fn same(pause: Duration) -> (Duration, Duration) {
    (pause, pause)
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// An issuer that is back is used again within this time when requests fail meanwhile.
const LONGEST_PAUSE_WITHOUT_TOKEN: Duration = Duration::from_secs(5);

/// Until somebody has changed a secret or an allow-list, asking often is of no use.
const FIRST_PERSON_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PERSON_PAUSE: Duration = Duration::from_secs(5 * 60);

/// A day's quota may be reset by hand, so it is tried now and then.
const QUOTA_PROBE_EVERY: Duration = Duration::from_secs(10 * 60);

/// Dead tokens that are replaced without a pause, and how soon one more is allowed: at most
/// 1,460 a day.
const REPLACEMENTS_AT_ONCE: u32 = 20;
const REPLACEMENT_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_unix_ms;

    const NOON: i64 = 1_795_320_000_000; // 2026-11-22T04:00:00Z

    /// How long each of `count` failures in a row makes the slot rest, in seconds.
    fn pauses(cure: Cure, has_token: bool, count: usize) -> Vec<f64> {
        let mut now = Instant::now();
        let mut pause = Pause::new(now);
        let mut seen = Vec::new();
        for _ in 0..count {
            pause.failed(cure, now, from_unix_ms(NOON));
            let until = pause.until(now, has_token).unwrap();
            seen.push((until - now).as_secs_f64());
            now = until;
            assert_eq!(pause.until(now, has_token), None, "over at its end");
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_minute_but_stay_short_without_a_token() {
        let with_token = pauses(Cure::Retry, true, 9);
        assert!(with_token[0] <= 1.0 && with_token[8] >= 30.0, "{with_token:?}");
        assert!(with_token.iter().all(|pause| *pause <= 60.0), "{with_token:?}");
        assert!(pauses(Cure::Retry, false, 9).iter().all(|pause| *pause <= 5.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_needs_a_person_is_tried_every_five_minutes_in_the_end() {
        let pauses = pauses(Cure::Person, false, 12);
        assert!(pauses[0] <= 5.0 && pauses[11] >= 150.0, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= 300.0), "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_days_quota_is_probed_every_ten_minutes_and_a_minutes_when_it_turns() {
        assert_eq!(pauses(Cure::NextDay, false, 2), [600.0, 600.0]);
        assert_eq!(pauses(Cure::NextMinute, true, 1), [60.5]);
    }

    #[tokio::test(start_paused = true)]
    async fn dead_tokens_are_replaced_at_once_until_it_becomes_a_habit() {
        let mut now = Instant::now();
        let mut pause = Pause::new(now);
        for _ in 0..20 {
            assert!(pause.take_replacement(now));
        }
        assert!(!pause.take_replacement(now));
        let until = pause.until(now, false).unwrap();
        assert!(until - now <= REPLACEMENT_EVERY);
        now = until;
        assert!(pause.take_replacement(now), "one more each minute");
        assert!(!pause.take_replacement(now));
        now += Duration::from_secs(24 * 3600);
        for _ in 0..20 {
            assert!(pause.take_replacement(now));
        }
        assert!(!pause.take_replacement(now), "it fills up, but not over");
    }
}
