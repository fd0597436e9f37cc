//! Numbers with units, as they are written in proxy.toml and on the command line.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

/// A number of bytes: `512MiB`, `64KiB`, `2GiB`, `1000B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// As an index type; what does not fit becomes the largest value.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let bad = || BadUnit {
            given: text.to_owned(),
            expected: "a size such as 512MiB, 64KiB, 2GiB or 1000B",
        };
        let (number, unit) = split_number(text).ok_or_else(bad)?;
        let factor = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(bad()),
        };
        number.checked_mul(factor).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let exact =
            units.iter().find(|(_, shift)| self.0 != 0 && self.0.trailing_zeros() >= *shift);
        match exact {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// Reads `500ms`, `60s`, `5m`, `2h`, `7d`.
///
/// # Errors
/// [`BadUnit`] when the number or the unit is missing, unknown or too large.
pub fn parse_duration(text: &str) -> Result<Duration, BadUnit> {
    let bad =
        || BadUnit { given: text.to_owned(), expected: "a time such as 500ms, 60s, 5m, 2h or 7d" };
    let (number, unit) = split_number(text).ok_or_else(bad)?;
    let ms_per_unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(bad()),
    };
    number.checked_mul(ms_per_unit).map(Duration::from_millis).ok_or_else(bad)
}

/// The inverse of [`parse_duration`], in the largest unit that loses nothing.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    for (unit, ms_per_unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if ms != 0 && ms.is_multiple_of(ms_per_unit) {
            return format!("{}{unit}", ms / ms_per_unit);
        }
    }
    format!("{ms}ms")
}

/// How often something may happen: `50/s`, `600/m`, `1000/h`, `10000/d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many calls.
    pub calls: NonZeroU32,
    /// In which time.
    pub per: Per,
}

/// The time that a [`Rate`] counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A calendar day of UTC+8, as the platform counts.
    Day,
}

impl Per {
    /// Its length.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        })
    }
}

impl FromStr for Rate {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        let bad = || BadUnit {
            given: text.to_owned(),
            expected: "a rate such as 50/s, 600/m, 1000/h or 10000/d",
        };
        let (calls, per) = text.split_once('/').ok_or_else(bad)?;
        let per = match per {
            "s" => Per::Second,
            "m" => Per::Minute,
            "h" => Per::Hour,
            "d" => Per::Day,
            _ => return Err(bad()),
        };
        Ok(Self { calls: calls.parse().map_err(|_| bad())?, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::Second => "s",
            Per::Minute => "m",
            Per::Hour => "h",
            Per::Day => "d",
        };
        write!(f, "{}/{per}", self.calls)
    }
}

/// A number without a unit, or with a wrong one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {expected}")]
pub struct BadUnit {
    given: String,
    expected: &'static str,
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_times_and_rates_are_read_and_written_back() {
        for (text, bytes) in
            [("512MiB", 512 << 20), ("64KiB", 64 << 10), ("2GiB", 2 << 30), ("1000B", 1000)]
        {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, text));
        }
        for (text, ms) in [("500ms", 500), ("60s", 60_000), ("7d", 604_800_000), ("2h", 7_200_000)]
        {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration.as_millis(), ms);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
        assert_eq!("100/s".parse::<Rate>().unwrap().to_string(), "100/s");
    }

    #[test]
    fn a_missing_or_wrong_unit_is_refused() {
        for bad in ["", "512", "512MB", "MiB", "-1MiB", "1.5MiB", "99999999999999999GiB"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
        for bad in ["", "5", "5 s", "5sec", "s", "-5s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "5", "0/s", "5/w", "/s", "-5/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
