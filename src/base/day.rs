//! The platform's day: it begins at 00:00 UTC+8, whatever this machine's time zone.

use std::time::{Duration, SystemTime};

use super::clock::{from_unix_ms, unix_ms};

/// Days since 1970-01-01, counted in UTC+8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u32);

impl Day {
    /// The day that `now` is in.
    #[must_use]
    pub fn of(now: SystemTime) -> Self {
        let days = (unix_ms(now).saturating_add(AHEAD_OF_UTC_MS)) / DAY_MS;
        Self(u32::try_from(days).unwrap_or(u32::MAX))
    }

    /// When it begins.
    #[must_use]
    pub fn start(self) -> SystemTime {
        from_unix_ms(i64::from(self.0) * DAY_MS - AHEAD_OF_UTC_MS)
    }

    /// When the next one begins.
    #[must_use]
    pub fn end(self) -> SystemTime {
        Self(self.0.saturating_add(1)).start()
    }

    /// From `now` to its end.
    #[must_use]
    pub fn left_at(self, now: SystemTime) -> Duration {
        self.end().duration_since(now).unwrap_or_default()
    }
}

/// `2026-11-22`.
impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = jiff::civil::date(1970, 1, 1)
            .saturating_add(jiff::Span::new().days(self.0.min(LAST_DAY)));
        date.fmt(f)
    }
}

const DAY_MS: i64 = 86_400_000;
const AHEAD_OF_UTC_MS: i64 = 8 * 3_600_000;
/// 9999-12-31, the last day that has a text.
const LAST_DAY: u32 = 2_932_896;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn the_day_turns_at_sixteen_hundred_utc() {
        let before = Day::of(at("2026-11-22T15:59:59.999Z"));
        let after = Day::of(at("2026-11-22T16:00:00Z"));
        assert_eq!(
            (before.to_string(), after.to_string()),
            ("2026-11-22".into(), "2026-11-23".into())
        );
        assert_eq!(before.end(), at("2026-11-22T16:00:00Z"));
        assert_eq!(after.start(), before.end());
        assert_eq!(before.left_at(at("2026-11-22T15:59:00Z")), Duration::from_secs(60));
    }

    #[test]
    fn days_beyond_the_calendar_do_no_harm() {
        assert_eq!(Day(LAST_DAY).to_string(), "9999-12-31");
        assert_eq!(Day(u32::MAX).to_string(), "9999-12-31");
        assert_eq!(Day::of(SystemTime::UNIX_EPOCH).to_string(), "1970-01-01");
    }
}
