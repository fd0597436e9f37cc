//! Calls counted against daily and per-minute limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{moment, refusal::Refusal};

/// How often a path may be called; none = no limit of that sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Calls in a day of UTC+8.
    pub(super) daily: Option<u32>,
    /// Calls in a minute.
    pub(super) minute: Option<u32>,
}

impl Limits {
    /// The limit of most calls: none a minute, and so many a day that only tests reach it.
    pub(super) const USUAL: Self = Self { daily: Some(10_000_000), minute: None };

    /// Limits of both sorts.
    pub(super) const fn new(daily: u32, minute: Option<u32>) -> Self {
        Self { daily: Some(daily), minute }
    }
}

/// What an account has used up. Its keys are the paths of the call table, so it stays small.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Quotas {
    used: BTreeMap<String, Used>,
    whole: Clears,
    single: Clears,
}

/// How often quotas were cleared in the latest month in which they were.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Clears {
    month: i64,
    count: u32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Used {
    day: i64,
    in_day: u32,
    minute: i64,
    in_minute: u32,
}

impl Quotas {
    /// Counts one call of `path`, unless a limit is reached: 45009 or 45011.
    pub(super) fn take(&mut self, path: &str, limits: Limits, now_ms: i64) -> Result<(), Refusal> {
        let used = match self.used.get_mut(path) {
            Some(used) => used,
            None => self.used.entry(path.to_owned()).or_default(),
        };
        used.roll(now_ms);
        if limits.daily.is_some_and(|most| used.in_day >= most) {
            return Err(Refusal::new(45009));
        }
        if limits.minute.is_some_and(|most| used.in_minute >= most) {
            return Err(Refusal::new(45011));
        }
        used.in_day = used.in_day.saturating_add(1);
        used.in_minute = used.in_minute.saturating_add(1);
        Ok(())
    }

    /// Calls of `path` today and in this minute.
    pub(super) fn used(&mut self, path: &str, now_ms: i64) -> (u32, u32) {
        self.used.get_mut(path).map_or((0, 0), |used| {
            used.roll(now_ms);
            (used.in_day, used.in_minute)
        })
    }

    /// Sets all counts to zero, at most `most` times a month: 48006.
    pub(super) fn clear(&mut self, most: u32, now_ms: i64) -> Result<(), Refusal> {
        self.whole.take(most, now_ms)?;
        self.used.clear();
        Ok(())
    }

    /// Sets the count of one path to zero; such clearings have a count of their own.
    pub(super) fn clear_path(&mut self, path: &str, most: u32, now_ms: i64) -> Result<(), Refusal> {
        self.single.take(most, now_ms)?;
        self.used.remove(path);
        Ok(())
    }
}

impl Clears {
    fn take(&mut self, most: u32, now_ms: i64) -> Result<(), Refusal> {
        let month = moment::month(now_ms);
        if self.month != month {
            *self = Self { month, count: 0 };
        }
        if self.count >= most {
            return Err(Refusal::new(48006));
        }
        self.count += 1;
        Ok(())
    }
}

impl Used {
    fn roll(&mut self, now_ms: i64) {
        let (day, minute) = (moment::day(now_ms), moment::minute(now_ms));
        if self.day != day {
            (self.day, self.in_day) = (day, 0);
        }
        if self.minute != minute {
            (self.minute, self.in_minute) = (minute, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_767_240_000_000;

    #[test]
    fn the_minute_limit_goes_with_the_minute_and_the_daily_one_with_the_day() {
        let mut quotas = Quotas::default();
        let limits = Limits::new(3, Some(2));
        let mut take = |now_ms| quotas.take("/a", limits, now_ms).map_err(|r| r.errcode);
        assert_eq!((take(NOON), take(NOON), take(NOON)), (Ok(()), Ok(()), Err(45011)));
        assert_eq!((take(NOON + 60_000), take(NOON + 60_000)), (Ok(()), Err(45009)));
        assert_eq!(take(NOON + 86_400_000), Ok(()));
        assert_eq!(quotas.used("/a", NOON + 86_400_000), (1, 1));
        assert_eq!(quotas.used("/b", NOON), (0, 0));
    }

    #[test]
    fn quotas_are_cleared_so_often_a_month() {
        let mut quotas = Quotas::default();
        quotas.take("/a", Limits::new(1, None), NOON).unwrap();
        assert!(quotas.clear(2, NOON).is_ok());
        assert!(quotas.take("/a", Limits::new(1, None), NOON).is_ok());
        assert!(quotas.clear(2, NOON).is_ok());
        assert_eq!(quotas.clear(2, NOON).unwrap_err().errcode, 48006);
        assert!(quotas.clear(2, NOON + 31 * 86_400_000).is_ok());
    }
}
