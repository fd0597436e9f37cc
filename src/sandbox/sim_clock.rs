//! The clock of an account: the machine's, moved, or frozen.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::base::clock::{Clock as _, SystemClock};

/// Moving one account's clock does not move other accounts'.
#[derive(Debug)]
pub(super) struct SimClock {
    setting: Mutex<Setting>,
    /// Whether time is made by calls alone until somebody lets it run.
    is_repeatable: bool,
}

/// How a clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Setting {
    /// It runs, so far ahead of the machine's; behind it if negative.
    Running {
        /// The difference.
        offset_ms: i64,
    },
    /// It stands.
    Frozen {
        /// Where, in Unix milliseconds.
        at_ms: i64,
    },
}

impl SimClock {
    /// The machine's clock; or, for runs that can be repeated, one that begins at a fixed moment
    /// and goes on by a millisecond a call.
    pub(super) fn new(is_repeatable: bool) -> Self {
        Self { setting: Mutex::new(start(is_repeatable)), is_repeatable }
    }

    /// The present moment, in Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        self.lock().now_ms()
    }

    /// The moment of a call that arrives.
    pub(super) fn tick(&self) -> i64 {
        let mut setting = self.lock();
        if let Setting::Frozen { at_ms } = &mut *setting
            && self.is_repeatable
        {
            *at_ms = at_ms.saturating_add(1);
        }
        setting.now_ms()
    }

    /// Moves it forward, running or frozen; false, and unmoved, if that is too far.
    pub(super) fn advance(&self, by: Duration) -> bool {
        let mut setting = self.lock();
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let is_near = setting.now_ms().saturating_add(by_ms) <= LATEST_MS;
        if is_near {
            match &mut *setting {
                Setting::Running { offset_ms: ms } | Setting::Frozen { at_ms: ms } => *ms += by_ms,
            }
        }
        is_near
    }

    /// Stops it where it is.
    pub(super) fn freeze(&self) {
        let mut setting = self.lock();
        *setting = Setting::Frozen { at_ms: setting.now_ms() };
    }

    /// Lets it run from where it is.
    pub(super) fn run(&self) {
        let mut setting = self.lock();
        *setting = Setting::running_at(setting.now_ms());
    }

    /// Whether it stands.
    pub(super) fn is_frozen(&self) -> bool {
        matches!(*self.lock(), Setting::Frozen { .. })
    }

    /// `now_ms`, if that is another time than the machine's.
    pub(super) fn told_ms(&self, now_ms: i64) -> Option<i64> {
        (*self.lock() != Setting::Running { offset_ms: 0 }).then_some(now_ms)
    }

    /// How it is set.
    pub(super) fn setting(&self) -> Setting {
        *self.lock()
    }

    /// Sets it.
    pub(super) fn set(&self, setting: Setting) {
        *self.lock() = setting;
    }

    /// Back to where it began.
    pub(super) fn reset(&self) {
        self.set(start(self.is_repeatable));
    }

    fn lock(&self) -> MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setting {
    /// A clock that runs on from `now_ms`.
    pub(super) fn running_at(now_ms: i64) -> Self {
        Self::Running { offset_ms: now_ms.saturating_sub(SystemClock.unix_ms()) }
    }

    /// Whether it lies within the time that the simulator can tell.
    pub(super) fn is_sane(self) -> bool {
        (0..=LATEST_MS).contains(&self.now_ms())
    }

    fn now_ms(self) -> i64 {
        match self {
            Self::Running { offset_ms } => SystemClock.unix_ms().saturating_add(offset_ms),
            Self::Frozen { at_ms } => at_ms,
        }
    }
}

fn start(is_repeatable: bool) -> Setting {
    if is_repeatable {
        Setting::Frozen { at_ms: FIRST_MS }
    } else {
        Setting::Running { offset_ms: 0 }
    }
}

/// 2026-01-01T00:00:00+08:00.
const FIRST_MS: i64 = 1_767_196_800_000;
/// 2100-01-01T00:00:00Z; the seconds of a rid have 32 bits, which end in 2106.
const LATEST_MS: i64 = 4_102_444_800_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeatable_clock_is_moved_by_calls_alone_until_it_runs() {
        let clock = SimClock::new(true);
        assert_eq!((clock.now_ms(), clock.now_ms()), (FIRST_MS, FIRST_MS));
        assert_eq!((clock.tick(), clock.tick()), (FIRST_MS + 1, FIRST_MS + 2));
        assert!(clock.advance(Duration::from_secs(60)));
        assert_eq!(clock.now_ms(), FIRST_MS + 60_002);
        clock.run();
        let now_ms = clock.now_ms();
        assert!(!clock.is_frozen() && (FIRST_MS + 60_002..FIRST_MS + 120_000).contains(&now_ms));
        assert_eq!(clock.told_ms(7), Some(7));
        clock.reset();
        assert_eq!(clock.now_ms(), FIRST_MS);
    }

    #[test]
    fn the_machines_clock_can_be_frozen_and_moved_but_not_out_of_time() {
        let clock = SimClock::new(false);
        assert_eq!(clock.told_ms(7), None);
        clock.freeze();
        let at_ms = clock.now_ms();
        assert_eq!((clock.tick(), clock.told_ms(7)), (at_ms, Some(7)));
        assert!(!clock.advance(Duration::from_secs(u64::MAX)));
        assert_eq!(clock.now_ms(), at_ms);
        assert!(!Setting::Frozen { at_ms: -1 }.is_sane());
        assert!(!Setting::Running { offset_ms: i64::MIN }.is_sane());
    }
}
