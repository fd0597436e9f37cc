//! Values that are made when a step runs: times, run-unique ids, openids.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{Timestamp, tz};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::base::units::parse_duration;

/// What stands between `${` and `}` where it is no variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Generator {
    /// `now`, `now+15m`: `yyyy-MM-dd HH:mm:ss` at UTC+8, as the platform writes times.
    Now {
        /// Added to the present moment.
        offset_s: i64,
    },
    /// `unix`, `unix+900`, `unix-1h`: seconds since 1970, a number.
    Unix {
        /// Added to the present moment.
        offset_s: i64,
    },
    /// `rfc3339`, `rfc3339-5m`: the moment with its zone, as the newer calls want it.
    Rfc3339 {
        /// Added to the present moment.
        offset_s: i64,
    },
    /// `id:SO`: the prefix and what is the same within a run and different in every other.
    Id(String),
    /// `openid:alice`: 28 characters, the same for the name in every run.
    OpenId(String),
}

impl Generator {
    /// None where `word` is the name of a variable, or nothing of the kind.
    pub(super) fn parse(word: &str) -> Option<Result<Self, String>> {
        if let Some(rest) = word.strip_prefix("now").filter(|rest| is_offset(rest)) {
            return Some(offset(rest).map(|offset_s| Self::Now { offset_s }));
        }
        if let Some(rest) = word.strip_prefix("unix").filter(|rest| is_offset(rest)) {
            return Some(offset(rest).map(|offset_s| Self::Unix { offset_s }));
        }
        if let Some(rest) = word.strip_prefix("rfc3339").filter(|rest| is_offset(rest)) {
            return Some(offset(rest).map(|offset_s| Self::Rfc3339 { offset_s }));
        }
        let (kind, name) = word.split_once(':')?;
        Some(match kind {
            "id" => Ok(Self::Id(name.to_owned())),
            "openid" => Ok(Self::OpenId(name.to_owned())),
            _ => Err(format!("there is no generator `{kind}`: now, unix, rfc3339, id, openid")),
        })
    }

    /// Whether its value depends on the time.
    pub(super) fn uses_clock(&self) -> bool {
        match self {
            Self::Now { .. } | Self::Unix { .. } | Self::Rfc3339 { .. } => true,
            Self::Id(_) | Self::OpenId(_) => false,
        }
    }

    /// Its value at this moment in this run.
    pub(super) fn value(&self, now_ms: i64, run: &str) -> Value {
        match self {
            Self::Now { offset_s } => json!(platform_time(now_ms.saturating_add(offset_s * 1000))),
            Self::Rfc3339 { offset_s } => {
                json!(formatted(now_ms.saturating_add(offset_s * 1000), "%Y-%m-%dT%H:%M:%S.000%:z"))
            }
            Self::Unix { offset_s } => json!(now_ms.div_euclid(1000).saturating_add(*offset_s)),
            Self::Id(prefix) => json!(format!("{prefix}{run}")),
            Self::OpenId(name) => json!(openid(name)),
        }
    }
}

/// `2022-06-13 15:02:40` at UTC+8.
pub(super) fn platform_time(unix_ms: i64) -> String {
    formatted(unix_ms, "%Y-%m-%d %H:%M:%S")
}

fn formatted(unix_ms: i64, form: &str) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| String::new(),
        |at| at.to_zoned(tz::offset(8).to_time_zone()).strftime(form).to_string(),
    )
}

/// `o` and 27 characters, as the platform's openids look.
fn openid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let letters = BASE64_URL_SAFE_NO_PAD.encode(digest);
    format!("o{}", letters.get(..27).unwrap_or(&letters))
}

fn is_offset(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['+', '-'])
}

/// `+15m`, `-2h`, `+900` in seconds.
fn offset(text: &str) -> Result<i64, String> {
    let Some(sign) = text.chars().next() else { return Ok(0) };
    let amount = text.get(1..).unwrap_or_default();
    let seconds = match amount.parse::<u32>() {
        Ok(seconds) => i64::from(seconds),
        Err(_) => {
            let time = parse_duration(amount).map_err(|error| error.to_string())?;
            i64::try_from(time.as_secs())
                .ok()
                .filter(|s| *s <= MOST_OFFSET_S)
                .ok_or_else(|| format!("`{text}` is too far away"))?
        }
    };
    Ok(if sign == '-' { -seconds } else { seconds })
}

/// A hundred years.
const MOST_OFFSET_S: i64 = 36_525 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-01-01 00:00:00 at UTC+8.
    const NOW_MS: i64 = 1_767_196_800_000;

    #[test]
    fn times_are_those_of_the_platform() {
        for (word, value) in [
            ("now", json!("2026-01-01 00:00:00")),
            ("now+15m", json!("2026-01-01 00:15:00")),
            ("now-1d", json!("2025-12-31 00:00:00")),
            ("now+90", json!("2026-01-01 00:01:30")),
            ("rfc3339+5m", json!("2026-01-01T00:05:00.000+08:00")),
            ("unix", json!(1_767_196_800)),
            ("unix+900", json!(1_767_197_700)),
            ("unix-1h", json!(1_767_193_200)),
        ] {
            let generator = Generator::parse(word).unwrap().unwrap();
            assert_eq!(generator.value(NOW_MS, "r"), value, "{word}");
            assert!(generator.uses_clock());
        }
    }

    #[test]
    fn ids_belong_to_a_run_and_openids_to_a_name() {
        let value = |word: &str, run: &str| {
            Generator::parse(word).unwrap().unwrap().value(NOW_MS, run).as_str().unwrap().to_owned()
        };
        assert_eq!(value("id:SO", "7K2"), "SO7K2");
        assert_eq!(value("openid:alice", "a"), value("openid:alice", "b"));
        assert_ne!(value("openid:alice", "a"), value("openid:bob", "a"));
        assert_eq!(value("openid:alice", "a").len(), 28);
    }

    #[test]
    fn what_is_no_generator_is_a_variable_or_a_mistake() {
        assert_eq!(Generator::parse("order_id"), None);
        assert_eq!(Generator::parse("nowhere"), None);
        for bad in ["ids:x", "now+x", "now+5y", "unix+", "now+999999999d"] {
            assert!(matches!(Generator::parse(bad), Some(Err(_))), "{bad}");
        }
    }
}
