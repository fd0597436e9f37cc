//! The health of one endpoint: ejected after failures in a row, let back by a probe.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// So many failures in a row eject.
pub(super) const FAILURES_TO_EJECT: u32 = 5;
/// The first ejection; each failed probe doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest ejection.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// While every endpoint is ejected, each is probed so often: an outage of all must not
/// outlast its cause by more.
pub(super) const LAST_RESORT_EVERY: Duration = Duration::from_secs(1);

/// Counts failures to *reach* the endpoint; an answer of any status is a success.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Whether `state` has anything to tell; keeps the usual case free of the lock.
    dirt: AtomicDirt,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    last: String,
    ejection: Option<Ejection>,
}

#[derive(Clone, Copy, Debug)]
struct Ejection {
    /// When it began or was last renewed; what started earlier has no say.
    since: Instant,
    /// When the next probe may go.
    until: Instant,
    pause: Duration,
    /// When a probe last went.
    tried: Instant,
}

/// What is told when no try is made.
pub(super) struct Refusal {
    pub(super) failures: u32,
    pub(super) retry_after: Duration,
    pub(super) last: String,
}

impl Health {
    pub(super) fn is_ejected(&self) -> bool {
        self.dirt.is_dirty() && self.state().ejection.is_some()
    }

    /// Whether a probe is due.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.state().ejection.is_none_or(|ejection| now >= ejection.until)
    }

    /// Takes the probe that is due: only one request gets it. A probe that is never made or
    /// reported merely costs one pause.
    pub(super) fn claim(&self, now: Instant) -> bool {
        self.claim_if(now, |ejection| now >= ejection.until)
    }

    /// The same while nobody is healthy.
    pub(super) fn claim_last_resort(&self, now: Instant) -> bool {
        self.claim_if(now, |ejection| now >= ejection.tried + LAST_RESORT_EVERY)
    }

    fn claim_if(&self, now: Instant, due: impl Fn(&Ejection) -> bool) -> bool {
        match &mut self.state().ejection {
            None => true,
            Some(ejection) if due(ejection) => {
                ejection.tried = now;
                ejection.until = now + ejection.pause;
                true
            }
            Some(_) => false,
        }
    }

    pub(super) fn refusal(&self, now: Instant) -> Refusal {
        let state = self.state();
        let next = state.ejection.map_or(now, |ejection| ejection.tried + LAST_RESORT_EVERY);
        let retry_after = next.saturating_duration_since(now);
        Refusal { failures: state.failures, retry_after, last: state.last.clone() }
    }

    /// A try that began at `began` reached it. True if that ended an ejection.
    pub(super) fn succeeded(&self, began: Instant) -> bool {
        if !self.dirt.is_dirty() {
            return false;
        }
        let mut state = self.state();
        if state.ejection.is_some_and(|ejection| began < ejection.since) {
            return false;
        }
        let returned = state.ejection.is_some();
        *state = State::default();
        self.dirt.wash();
        returned
    }

    /// A try that began at `began` did not reach it. True if that ejected it just now.
    pub(super) fn failed(&self, began: Instant, now: Instant, why: String) -> bool {
        let mut state = self.state();
        self.dirt.soil();
        match state.ejection {
            // It was under way when others failed: that is no news.
            Some(ejection) if began < ejection.since => return false,
            Some(_) | None => {}
        }
        state.failures = state.failures.saturating_add(1);
        state.last = why;
        let pause = match state.ejection {
            None if state.failures < FAILURES_TO_EJECT => return false,
            None => FIRST_PAUSE,
            Some(ejection) => (ejection.pause * 2).min(LONGEST_PAUSE),
        };
        let is_new = state.ejection.is_none();
        state.ejection = Some(Ejection { since: now, until: now + pause, pause, tried: now });
        is_new
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clean until something failed.
#[derive(Debug, Default)]
struct AtomicDirt(AtomicBool);

impl AtomicDirt {
    fn is_dirty(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn soil(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn wash(&self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// An endpoint that failed often enough at `now`.
    fn ejected(now: Instant) -> Health {
        let health = Health::default();
        for count in 1..=FAILURES_TO_EJECT {
            assert!(!health.is_ejected());
            assert_eq!(health.failed(now, now, "refused".into()), count == FAILURES_TO_EJECT);
        }
        assert!(health.is_ejected());
        health
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 0..3 {
            for _ in 1..FAILURES_TO_EJECT {
                assert!(!health.failed(now, now, String::new()));
            }
            assert!(!health.succeeded(now), "it was never ejected");
        }
        assert!(!health.is_ejected());
    }

    #[test]
    fn a_single_request_probes_and_each_failed_probe_doubles_the_pause_up_to_its_limit() {
        let mut now = Instant::now();
        let health = ejected(now);
        for pause_s in [1, 2, 4, 8, 16, 30, 30] {
            now += Duration::from_secs(pause_s) - Duration::from_millis(1);
            assert!(!health.is_due(now) && !health.claim(now), "{pause_s}");
            now += Duration::from_millis(1);
            assert!(health.claim(now), "{pause_s}");
            assert!(!health.claim(now), "the second request gets none");
            assert!(!health.failed(now, now, "refused".into()), "no new ejection");
        }
        now += LONGEST_PAUSE;
        assert!(health.claim(now));
        assert!(health.succeeded(now), "it is back");
        assert!(!health.is_ejected());
    }

    #[test]
    fn what_was_under_way_before_the_ejection_neither_prolongs_nor_ends_it() {
        let before = Instant::now();
        let now = before + SECOND;
        let health = ejected(now);
        assert!(!health.failed(before, now + SECOND, String::new()));
        assert!(!health.succeeded(before));
        assert!(health.is_ejected());
        assert!(health.is_due(now + SECOND), "the pause did not grow");
    }

    #[test]
    fn a_probe_that_is_never_reported_is_given_to_another_request_after_the_pause() {
        let now = Instant::now();
        let health = ejected(now);
        assert!(health.claim(now + SECOND));
        assert!(health.claim(now + 2 * SECOND));
    }

    #[test]
    fn as_a_last_resort_it_is_probed_every_second_and_says_when() {
        let mut now = Instant::now();
        let health = ejected(now);
        for _ in 0..8 {
            assert!(!health.claim_last_resort(now));
            let refusal = health.refusal(now);
            assert_eq!((refusal.retry_after, refusal.last.as_str()), (SECOND, "refused"));
            now += LAST_RESORT_EVERY;
            assert!(health.claim_last_resort(now));
            health.failed(now, now, "refused".into());
        }
        assert_eq!(health.refusal(now).failures, FAILURES_TO_EJECT + 8);
    }
}
