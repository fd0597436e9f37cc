//! Times near the moment of an exchange, as generators.

use jiff::{civil::DateTime, tz};
use serde_json::Value;

/// `${now+15m}` for `2022-06-15 10:35:31`, `${unix+900}` for a number of seconds; none for what
/// is no time, or one that is far away.
pub(super) fn generator(value: &Value, time_ms: i64) -> Option<String> {
    let (word, at_s) = match value {
        Value::String(text) => ("now", platform_seconds(text)?),
        Value::Number(number) => ("unix", number.as_i64()?),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let offset_s = at_s.checked_sub(time_ms.div_euclid(1000))?;
    (offset_s.abs() <= NEAR_S).then(|| format!("${{{word}{}}}", offset(offset_s)))
}

/// Seconds since 1970 of a time at UTC+8.
fn platform_seconds(text: &str) -> Option<i64> {
    let is_form =
        text.len() == "2022-06-15 10:35:31".len() && text.as_bytes().get(10) == Some(&b' ');
    if !is_form {
        return None;
    }
    let civil: DateTime = text.parse().ok()?;
    Some(tz::offset(8).to_timestamp(civil).ok()?.as_second())
}

/// Nothing for a few seconds; whole minutes where a few seconds are missing to them.
fn offset(seconds: i64) -> String {
    let minutes = (seconds + 30 * seconds.signum()) / 60;
    let is_minutes = (seconds - minutes * 60).abs() <= SLACK_S;
    match (seconds.abs() <= SLACK_S, is_minutes) {
        (true, _) => String::new(),
        (false, true) => format!("{:+}m", minutes),
        (false, false) => format!("{seconds:+}"),
    }
}

/// Between the caller's clock and the moment in which the request came.
const SLACK_S: i64 = 5;
/// Deadlines and terms of a month.
const NEAR_S: i64 = 31 * 86_400;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // 2026-01-01 00:00:00 at UTC+8.
    const TIME_MS: i64 = 1_767_196_800_000;

    #[test]
    fn times_near_the_exchange_are_generators_and_others_are_not() {
        for (value, wanted) in [
            (json!("2026-01-01 00:00:03"), Some("${now}")),
            (json!("2026-01-01 00:14:58"), Some("${now+15m}")),
            (json!("2025-12-31 23:00:00"), Some("${now-60m}")),
            (json!("2026-01-01 00:00:40"), Some("${now+40}")),
            (json!("2022-06-15 10:20:31"), None),
            (json!("2026-01-01T00:00:00"), None),
            (json!("2026-13-01 00:00:00"), None),
            (json!(1_767_196_801), Some("${unix}")),
            (json!(1_767_197_700), Some("${unix+15m}")),
            (json!(12800), None),
            (json!(1_767_196_800_000_u64), None),
        ] {
            assert_eq!(generator(&value, TIME_MS).as_deref(), wanted, "{value}");
        }
    }
}
