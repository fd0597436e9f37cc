//! A moment as people read it, in the time zone of this machine.

use jiff::{Timestamp, tz::TimeZone};

/// The time zone in which moments are shown.
pub(super) struct Zone {
    zone: TimeZone,
    name: String,
}

impl Zone {
    /// That of this machine; UTC where it has none.
    pub(super) fn here() -> Self {
        Self::of(TimeZone::system())
    }

    fn of(zone: TimeZone) -> Self {
        match zone.iana_name().map(str::to_owned) {
            Some(name) if !zone.is_unknown() => Self { zone, name },
            Some(_) | None => Self { zone: TimeZone::UTC, name: "UTC".to_owned() },
        }
    }

    /// `Asia/Shanghai`, `UTC`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// `11-22 17:30:00`; as it came where it is no time.
    pub(super) fn short(&self, time: &str) -> String {
        time.parse::<Timestamp>().map_or_else(
            |_| crate::cli::output::tame(time),
            |at| at.to_zoned(self.zone.clone()).strftime("%m-%d %H:%M:%S").to_string(),
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Where the platform is at home.
    pub(in crate::cli::token) fn beijing() -> Zone {
        Zone::of(TimeZone::get("Asia/Shanghai").unwrap())
    }

    #[test]
    fn a_moment_is_shown_in_the_zone_that_is_named() {
        let zone = beijing();
        assert_eq!(zone.name(), "Asia/Shanghai");
        assert_eq!(zone.short("2026-11-22T09:30:00.123Z"), "11-22 17:30:00");
        assert_eq!(zone.short("when\u{1b}"), "when\u{fffd}");
        assert_eq!(Zone::of(TimeZone::unknown()).name(), "UTC");
        assert_eq!(Zone::of(TimeZone::UTC).short("2026-11-22T09:30:00Z"), "11-22 09:30:00");
    }
}
