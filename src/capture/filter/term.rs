//! The words of the filter language: what `name:value` means.

use memchr::memmem::Finder;

use super::{
    expr::{Column, Expr, Is},
    json_test::JsonTest,
    number::NumberTest,
    text_test::{TextField, TextTest},
};
use crate::{
    base::{outcome::Outcome, permission::Lane, units::parse_duration},
    capture::line::Flags,
};

/// A word of the language, for completion and documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The name with its colon.
    pub name: &'static str,
    /// A term as one would write it.
    pub example: &'static str,
    /// What it asks, in Chinese.
    pub zh: &'static str,
    /// What it asks, in English.
    pub en: &'static str,
}

macro_rules! words {
    ($($name:literal, $example:literal, $zh:literal, $en:literal;)+) => {
        /// Every word, in the order of the documentation.
        pub const WORDS: &[Word] = &[$(Word {
            name: concat!($name, ":"), example: $example, zh: $zh, en: $en,
        }),+];
        const NAMES: &[&str] = &[$(concat!($name, ":")),+];
    };
}

words! {
    "key", "key:alice", "访问密钥的名字", "name of the key";
    "account", "account:shop", "账号的名字", "name of the account";
    "path", "path:/shop/spu", "路径的一部分，或带 * 的模式", "part of the path, or a pattern with * and **";
    "method", "method:POST", "请求方法", "HTTP method";
    "status", "status:>=400", "HTTP 状态码", "HTTP status; also 404, !200, 400..499";
    "errcode", "errcode:!0", "返回码；没有返回码的不匹配", "errcode; an answer without one never fits";
    "outcome", "outcome:token", "结果", "what the exchange amounted to";
    "lane", "lane:sandbox", "权限档", "lane of the key";
    "is", "is:replay", "是否：重放、故障、指定上游、重试、出错、被拒、截断、有备注",
        "one of: replay, fault, override, retried, error, refused, truncated, noted";
    "body", "body:\"P-2026\"", "请求体或响应体中的文字", "text in one of the bodies";
    "json", "json:$.order_id=330*", "JSON 中的值", "a value in a JSON body";
    "larger-than", "larger-than:10k", "较大的一个消息体超过此大小", "size of the longer body";
    "slower-than", "slower-than:500ms", "耗时超过", "duration";
    "since", "since:10m", "此时间之后", "10m ago or later; or a date or time";
    "until", "until:2026-11-22", "此时间之前", "at that time or before";
}

/// Why a term cannot be understood.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) choices: Vec<&'static str>,
    pub(super) suggestion: Option<&'static str>,
    /// Whether the name is wrong, not the value.
    pub(super) is_name: bool,
}

impl Problem {
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), choices: Vec::new(), suggestion: None, is_name: false }
    }

    fn choice(message: String, given: &str, choices: &[&'static str]) -> Self {
        let suggestion = choices
            .iter()
            .map(|choice| (strsim::jaro_winkler(given, choice.trim_end_matches(':')), *choice))
            .filter(|(likeness, _)| *likeness > LIKELY)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, choice)| choice);
        Self { message, choices: choices.to_vec(), suggestion, is_name: false }
    }
}

/// Reads one term; text tests are appended to `texts`.
pub(super) fn term(
    name: &str,
    value: &str,
    now_ms: i64,
    texts: &mut Vec<TextTest>,
) -> Result<Expr, Problem> {
    let lower = name.to_ascii_lowercase();
    if value.is_empty() && NAMES.iter().any(|known| known.trim_end_matches(':') == lower) {
        let example = WORDS.iter().find(|word| word.name.trim_end_matches(':') == lower);
        let example = example.map_or("", |word| word.example);
        return Err(Problem::plain(format!("`{name}:` needs a value, as in `{example}`")));
    }
    let mut text = |field| {
        texts.push(TextTest::new(field, value));
        Ok(Expr::Text(texts.len() - 1))
    };
    match lower.as_str() {
        "key" => text(TextField::Key),
        "account" => text(TextField::Account),
        "path" => text(TextField::Path),
        "method" => text(TextField::Method),
        "status" => number(Column::Status, value),
        "errcode" => number(Column::Errcode, value),
        "outcome" => one_of(value, Outcome::ALL, Outcome::as_str).map(Expr::Outcome),
        "lane" => one_of(value, Lane::ALL, Lane::as_str).map(Expr::Lane),
        "is" => one_of(value, IS, |is| is.0).map(|is| Expr::Is(is.1)),
        "body" => Ok(Expr::Body(Box::new(Finder::new(value.as_bytes()).into_owned()))),
        "json" => {
            JsonTest::parse(value).map(|test| Expr::Json(Box::new(test))).map_err(Problem::plain)
        }
        "larger-than" => size(value)
            .map(|bytes| Expr::Number(Column::SizeBytes, NumberTest::above(bytes)))
            .ok_or_else(|| Problem::plain("write a size such as 500, 10k or 1m")),
        "slower-than" => duration_ms(value)
            .map(|ms| NumberTest::above(ms.saturating_mul(1000)))
            .map(|test| Expr::Number(Column::DurationUs, test)),
        "since" => moment_ms(value, now_ms, false)
            .map(|ms| Expr::Number(Column::TimeMs, NumberTest::between(ms, i64::MAX))),
        "until" => moment_ms(value, now_ms, true)
            .map(|ms| Expr::Number(Column::TimeMs, NumberTest::between(i64::MIN, ms))),
        _ => {
            let message = format!("`{name}:` is no word of the filter language");
            let problem = Problem::choice(message, &lower, NAMES);
            Err(Problem { is_name: true, ..problem })
        }
    }
}

/// A number with its comparison.
fn number(column: Column, value: &str) -> Result<Expr, Problem> {
    NumberTest::parse(value, |digits| digits.parse().ok())
        .map(|test| Expr::Number(column, test))
        .ok_or_else(|| Problem::plain("write a number such as 200, !0, >=400 or 400..499"))
}

/// A word out of a closed list; letter case does not matter.
fn one_of<T: Copy>(value: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, Problem> {
    all.iter().copied().find(|item| name(*item).eq_ignore_ascii_case(value)).ok_or_else(|| {
        let choices: Vec<&'static str> = all.iter().map(|item| name(*item)).collect();
        Problem::choice(format!("`{value}` is not one of the choices"), value, &choices)
    })
}

/// `500`, `10k`, `10KiB`, `1m`, `1g`: units of 1024.
fn size(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &lower[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    digits.parse::<i64>().ok().filter(|n| *n >= 0)?.checked_mul(1 << shift)
}

fn duration_ms(text: &str) -> Result<i64, Problem> {
    let duration = parse_duration(text).map_err(|error| Problem::plain(error.to_string()))?;
    Ok(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// A time span before now, a point in time with its zone, or a local date or time; the end of
/// a day where `is_end`.
fn moment_ms(text: &str, now_ms: i64, is_end: bool) -> Result<i64, Problem> {
    if let Ok(span_ms) = duration_ms(text) {
        return Ok(now_ms.saturating_sub(span_ms));
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let is_date = !text.contains(['T', 't', ' ']);
    text.parse::<jiff::civil::DateTime>()
        .and_then(|local| local.to_zoned(jiff::tz::TimeZone::system()))
        .and_then(|start| if is_date && is_end { start.end_of_day() } else { Ok(start) })
        .map(|zoned| zoned.timestamp().as_millisecond())
        .map_err(|_| {
            Problem::plain("write a time such as 10m, 2h, 7d, 2026-11-22 or 2026-11-22T09:30")
        })
}

/// What `is:` knows.
const IS: &[(&str, Is)] = &[
    ("replay", Is::Flag(Flags::REPLAY)),
    ("fault", Is::Flag(Flags::FAULT)),
    ("override", Is::Flag(Flags::OVERRIDE)),
    ("retried", Is::Flag(Flags::RETRIED)),
    ("error", Is::Error),
    ("refused", Is::Flag(Flags::REFUSED)),
    ("truncated", Is::Flag(Flags::TRUNCATED)),
    ("noted", Is::Flag(Flags::NOTED)),
];

/// Below this two words are hardly the same one mistyped.
const LIKELY: f64 = 0.75;
