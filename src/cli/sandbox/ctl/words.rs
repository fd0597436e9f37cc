//! What stands on the command line, as control wants it.

use bytes::Bytes;
use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use crate::{
    base::units::parse_duration,
    cli::exit::{Exit, Failure},
};

/// One control call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) method: Method,
    /// Behind the account.
    pub(super) rest: String,
    pub(super) body: Bytes,
}

impl Question {
    /// Asks to see something.
    pub(super) fn get(rest: impl Into<String>) -> Self {
        Self { method: Method::GET, rest: rest.into(), body: Bytes::new() }
    }

    /// Asks to remove something.
    pub(super) fn delete(rest: impl Into<String>) -> Self {
        Self { method: Method::DELETE, rest: rest.into(), body: Bytes::new() }
    }

    /// Asks to change something.
    pub(super) fn post(rest: &str, body: &Value) -> Self {
        Self { method: Method::POST, rest: rest.to_owned(), body: body.to_string().into() }
    }

    /// Asks to do something.
    pub(super) fn post_nothing(rest: &str) -> Self {
        Self { method: Method::POST, rest: rest.to_owned(), body: Bytes::new() }
    }
}

/// A fault that is armed.
#[derive(Debug, Args)]
pub(super) struct FaultArgs {
    /// expire_token, foreign_fetch, delay, slow_body, reset_before, reset_after, status, empty_gbk,
    /// busy, errcode, plain_json, control_characters, string_errcode
    kind: String,
    /// Only calls of this path; * stands for anything
    #[arg(long)]
    path: Option<String>,
    /// How often; 0 = until it is cleared
    #[arg(long)]
    count: Option<u64>,
    /// Of delay and slow_body, in milliseconds
    #[arg(long)]
    ms: Option<u64>,
    /// The status or the errcode
    #[arg(long, allow_negative_numbers = true)]
    value: Option<i64>,
    /// How likely a call is hit, 0 to 1
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// Makes that repeatable
    #[arg(long)]
    seed: Option<u64>,
}

impl FaultArgs {
    /// The form of `POST faults`: only what was given.
    ///
    /// # Errors
    /// When the probability is none.
    pub(super) fn to_json(&self) -> Result<Value, Failure> {
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err(usage("--probability is between 0 and 1"));
        }
        Ok(given([
            ("kind", json!(self.kind)),
            ("path", json!(self.path)),
            ("count", json!(self.count)),
            ("ms", json!(self.ms)),
            ("value", json!(self.value)),
            ("probability", json!(self.probability)),
            ("seed", json!(self.seed)),
        ]))
    }
}

/// An object of the fields that have a value.
pub(super) fn given<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let given = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `a=1 b=true c=text` as an object; a value that is JSON is taken as such.
///
/// # Errors
/// When a word has no `=`.
pub(super) fn assignments(words: &[String]) -> Result<Value, Failure> {
    pairs(words, |value| serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)))
}

/// The same where no value is a number: a token may be all digits.
///
/// # Errors
/// When a word has no `=`.
pub(super) fn texts(words: &[String]) -> Result<Value, Failure> {
    pairs(words, |value| value.parse::<bool>().map_or_else(|_| Value::from(value), Value::from))
}

fn pairs(words: &[String], read: impl Fn(&str) -> Value) -> Result<Value, Failure> {
    let mut object = Map::new();
    for word in words {
        let (name, value) =
            word.split_once('=').ok_or_else(|| usage(&format!("`{word}` is not NAME=VALUE")))?;
        object.insert(name.trim().to_owned(), read(value));
    }
    Ok(Value::Object(object))
}

/// `2h` in seconds.
///
/// # Errors
/// When it is no time, or less than a second.
pub(super) fn whole_seconds(time: &str) -> Result<u64, Failure> {
    let parsed = parse_duration(time).map_err(|error| Failure::new(Exit::Usage, error))?;
    if parsed.as_secs() == 0 {
        return Err(usage("the clock is moved by whole seconds"));
    }
    Ok(parsed.as_secs())
}

/// JSON from the command line.
///
/// # Errors
/// When it is none.
pub(super) fn json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| usage(&format!("`{text}` is no JSON: {error}")))
}

/// An order by either of its ids: the platform's is a number, the merchant's anything else. A
/// merchant's number that is no larger than 15 digits is not taken for the platform's.
pub(super) fn order(id: &str) -> Value {
    let is_platforms = id.len() > MERCHANT_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit());
    match id.parse::<u64>() {
        Ok(number) if is_platforms => json!({ "order_id": number }),
        Ok(_) | Err(_) => json!({ "out_order_id": id }),
    }
}

/// A call as it was typed.
///
/// # Errors
/// When the method or the JSON is none.
pub(super) fn any_call(method: &str, rest: &str, body: Option<&str>) -> Result<Question, Failure> {
    let upper = method.to_ascii_uppercase();
    let method = Method::from_bytes(upper.as_bytes())
        .map_err(|_| usage(&format!("`{method}` is no method")))?;
    let body = body.map(json).transpose()?.map_or_else(Bytes::new, |body| body.to_string().into());
    Ok(Question { method, rest: rest.trim_start_matches('/').to_owned(), body })
}

fn usage(text: &str) -> Failure {
    Failure::say(Exit::Usage, text)
}

/// The platform's order ids have 19 digits.
const MERCHANT_DIGITS: usize = 15;
