//! Calendar of the platform: days, minutes, months at UTC+8.

use jiff::{Timestamp, tz};

/// Number of the day at UTC+8; daily quotas start anew when it changes.
pub(super) fn day(now_ms: i64) -> i64 {
    now_ms.saturating_add(OFFSET_MS).div_euclid(86_400_000)
}

/// Number of the minute.
pub(super) fn minute(now_ms: i64) -> i64 {
    now_ms.div_euclid(60_000)
}

/// Number of the month at UTC+8.
pub(super) fn month(now_ms: i64) -> i64 {
    zoned(now_ms).map_or(0, |at| i64::from(at.year()) * 12 + i64::from(at.month()))
}

/// `2022-06-13 15:02:40`, as the platform writes times.
pub(super) fn text(now_ms: i64) -> String {
    zoned(now_ms).map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// With date, time and zone, for the journal.
pub(super) fn rfc3339(now_ms: i64) -> String {
    Timestamp::from_millisecond(now_ms).map_or_else(|_| String::new(), |at| at.to_string())
}

/// The inverse of [`text`]; none for anything else than `yyyy-MM-dd HH:mm:ss`.
pub(super) fn parse(text: &str) -> Option<i64> {
    if text.len() != 19 {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    Some(tz::offset(8).to_timestamp(civil).ok()?.as_millisecond())
}

/// `Wed, 31 Dec 2025 16:00:00 GMT`, as HTTP writes it.
pub(super) fn http_date(now_ms: i64) -> String {
    let at = Timestamp::from_millisecond(now_ms);
    at.map_or_else(|_| String::new(), |at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn zoned(now_ms: i64) -> Option<jiff::Zoned> {
    Some(Timestamp::from_millisecond(now_ms).ok()?.to_zoned(tz::offset(8).to_time_zone()))
}

const OFFSET_MS: i64 = 8 * 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_shanghai() {
        // 2026-01-01 00:00:00 +08:00.
        let midnight = 1_767_196_800_000;
        assert_eq!(text(midnight), "2026-01-01 00:00:00");
        assert_eq!(day(midnight - 1) + 1, day(midnight));
        assert_eq!(month(midnight - 1) + 1, month(midnight));
        assert_eq!(http_date(midnight), "Wed, 31 Dec 2025 16:00:00 GMT");
        assert_eq!(rfc3339(midnight), "2025-12-31T16:00:00Z");
    }
}
