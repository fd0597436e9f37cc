//! Numbers of proxy.toml: counts, sizes, times, rates. Each has a range and a reason for it.

use std::{ops::RangeInclusive, time::Duration};

use toml::de::DeValue;

use crate::base::units::{ByteSize, Rate, format_duration, parse_duration};

use super::{
    field::Field,
    message::{Message, say},
    suggest::write,
};

impl Field<'_> {
    /// A whole number.
    pub(super) fn count(&self, range: RangeInclusive<u64>, why: &Message) -> Option<u64> {
        let wanted = say!("整数", "a whole number");
        let number = match self.value()? {
            DeValue::Integer(number) => number,
            DeValue::String(text) if text.parse::<u64>().is_ok() => {
                let advice = say!("请写 {text}，不加引号", "write {text} without quotes");
                return self.wrong_type(&wanted, Some(advice));
            }
            _ => return self.wrong_type(&wanted, None),
        };
        let number = u64::from_str_radix(number.as_str(), number.radix()).ok();
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => self.out_of_range(&range.start().to_string(), &range.end().to_string(), why),
        }
    }

    /// A number of bytes.
    pub(super) fn size(&self, range: RangeInclusive<ByteSize>, why: &Message) -> Option<ByteSize> {
        let wanted =
            say!("512MiB、64KiB 这样的大小", "a size such as 512MiB, 64KiB, 2GiB or 1000B");
        let text = self.with_unit(&wanted, "B")?;
        let Ok(size) = text.parse::<ByteSize>() else {
            return self.not_a(text, &wanted, respelt(text, SIZE_UNITS));
        };
        if range.contains(&size) {
            return Some(size);
        }
        self.out_of_range(&range.start().to_string(), &range.end().to_string(), why)
    }

    /// A length of time.
    pub(super) fn duration(
        &self,
        range: RangeInclusive<Duration>,
        why: &Message,
    ) -> Option<Duration> {
        let wanted =
            say!("500ms、60s、5m、2h、7d 这样的时长", "a time such as 500ms, 60s, 5m, 2h or 7d");
        let text = self.with_unit(&wanted, "s")?;
        let Ok(duration) = parse_duration(text) else {
            return self.not_a(text, &wanted, respelt(text, TIME_UNITS));
        };
        if range.contains(&duration) {
            return Some(duration);
        }
        self.out_of_range(&format_duration(*range.start()), &format_duration(*range.end()), why)
    }

    /// How often something may happen.
    pub(super) fn rate(&self) -> Option<Rate> {
        let wanted = say!(
            "50/s、600/m、1000/h、10000/d 这样的频率",
            "a rate such as 50/s, 600/m, 1000/h or 10000/d"
        );
        let text = self.with_unit(&wanted, "/s")?;
        if let Ok(rate) = text.parse() {
            return Some(rate);
        }
        let advice = text.split_once('/').and_then(|(calls, per)| {
            let calls: std::num::NonZeroU32 = calls.trim().parse().ok()?;
            let per = canonical(per.trim(), TIME_UNITS)?;
            Some(write(&format!("\"{calls}/{per}\"")))
        });
        self.not_a(text, &wanted, advice)
    }

    /// The text of a number with a unit. A bare number is met with the usual unit behind it.
    fn with_unit(&self, wanted: &Message, unit: &str) -> Option<&str> {
        match self.value()? {
            DeValue::String(text) => Some(text),
            DeValue::Integer(number) => {
                let advice = write(&format!("\"{number}{unit}\""));
                self.wrong_type(wanted, Some(advice))
            }
            _ => self.wrong_type(wanted, None),
        }
    }

    /// Both ends and the reason, so that nobody has to look them up.
    fn out_of_range<T>(&self, least: &str, most: &str, why: &Message) -> Option<T> {
        let message = why.wrap(
            |why| format!("须在 {least} 到 {most} 之间：{why}"),
            |why| format!("must be {least} to {most}: {why}"),
        );
        self.refused(message, None)
    }
}

/// `60 sec` is `60s`, `512MB` is `512MiB`.
fn respelt(text: &str, units: &[(&'static str, &[&str])]) -> Option<Message> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let unit = if unit.is_empty() { units.first()?.0 } else { canonical(unit.trim(), units)? };
    Some(write(&format!("\"{number}{unit}\"")))
}

/// The unit as it must be written.
fn canonical(unit: &str, units: &[(&'static str, &[&str])]) -> Option<&'static str> {
    let unit = unit.to_lowercase();
    units.iter().find(|(name, others)| *name == unit || others.contains(&&*unit)).map(|(n, _)| *n)
}

/// Units of size as they are written, and how else people write them. The first stands for a
/// bare number.
const SIZE_UNITS: &[(&str, &[&str])] = &[
    ("B", &["b", "byte", "bytes"]),
    ("KiB", &["k", "kb", "kib", "ki"]),
    ("MiB", &["m", "mb", "mib", "mi"]),
    ("GiB", &["g", "gb", "gib", "gi"]),
];

/// Units of time, likewise.
const TIME_UNITS: &[(&str, &[&str])] = &[
    ("s", &["sec", "secs", "second", "seconds", "秒"]),
    ("ms", &["msec", "millis", "毫秒"]),
    ("m", &["min", "mins", "minute", "minutes", "分", "分钟"]),
    ("h", &["hr", "hour", "hours", "小时"]),
    ("d", &["day", "days", "天"]),
];

#[cfg(test)]
mod tests {
    use super::super::testing::expect_problem;

    #[test]
    fn a_number_without_or_with_a_wrong_unit_is_refused_with_the_right_spelling() {
        for (line, says, advice) in [
            ("shutdown_grace = 60", "must be a time such as", "write \"60s\""),
            ("shutdown_grace = '60 sec'", "`60 sec` is not a time", "write \"60s\""),
            ("shutdown_grace = '60'", "`60` is not a time", "write \"60s\""),
            ("shutdown_grace = '1分钟'", "is not a time", "write \"1m\""),
            ("body_max = '512MB'", "`512MB` is not a size", "write \"512MiB\""),
            ("body_max = 512", "must be a size", "write \"512B\""),
            ("workers = '4'", "must be a whole number, but is a string", "write 4 without"),
        ] {
            expect_problem(&format!("[server]\n{line}\n"), (2, says, advice));
        }
        for (line, advice) in [("'50/sec'", "\"50/s\""), ("50", "\"50/s\""), ("'x/s'", "")] {
            expect_problem(&format!("[limits]\nper_key = {line}\n"), (2, "a rate", advice));
        }
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_the_reason() {
        for (line, says) in [
            ("shutdown_grace = '0s'", "must be 1s to 10m: "),
            ("shutdown_grace = '11m'", "must be 1s to 10m: "),
            ("shutdown_grace = '99999999999999999999d'", "is not a time"),
            ("body_max = '17GiB'", "must be 1B to 16GiB: "),
            ("body_max = '0B'", "must be 1B to 16GiB: "),
            ("workers = -1", "must be 0 to 256: "),
            ("workers = 99999999999999999999", "must be 0 to 256: "),
            ("workers = 1.5", "must be a whole number, but is a decimal number"),
        ] {
            expect_problem(&format!("[server]\n{line}\n"), (2, says, ""));
        }
    }
}
