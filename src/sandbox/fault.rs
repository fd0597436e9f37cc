//! One fault that was asked for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{control_form, ids::draw};

/// What goes wrong; the words of the control call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultKind {
    /// The current tokens are over: 42001; a normal fetch gives a new one.
    ExpireToken,
    /// Another holder of the AppSecret fetched: our token is dead at once (40001); a normal
    /// fetch gives a new one.
    ForeignFetch,
    /// The answer is held back for `ms`; the call takes effect at once.
    Delay,
    /// The connection is reset and the call has no effect.
    ResetBefore,
    /// The call takes effect and the connection is reset instead of the answer; with `value`
    /// after so many bytes of the answer's body.
    ResetAfter,
    /// HTTP status `value` (502 if missing) with an HTML page, no effect.
    Status,
    /// HTTP 200, no body, `text/html; charset=gbk`, as seen in 2017; no effect.
    EmptyGbk,
    /// errcode -1, no effect.
    Busy,
    /// errcode `value`, no effect.
    Errcode,
    /// The body trickles: it takes `ms` from its first byte to its last.
    SlowBody,
    /// JSON comes as `text/plain`.
    PlainJson,
    /// A raw control character stands in errmsg.
    ControlCharacters,
    /// `"errcode":"0"` instead of `"errcode":0`.
    StringErrcode,
}

/// A fault with where, how often and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault {
    /// What goes wrong.
    pub(super) kind: FaultKind,
    /// Which calls; none = all but the token calls, so that a fault meant for a call is not
    /// used up by the fetch before it. A `*` at the end stands for any rest.
    pub(super) path: Option<String>,
    /// How many calls are still hit; none = until faults are cleared.
    pub(super) left: Option<u32>,
    /// For `delay` and `slow_body`.
    pub(super) delay_ms: u64,
    /// For `status`, `errcode`, `reset_after`.
    pub(super) value: Option<i64>,
    /// Of a million calls that it is meant for, so many are hit.
    pub(super) per_million: u32,
    /// Its own stream of chance, so that a run can be repeated; none = not asked for.
    pub(super) chance: Option<u64>,
    /// Names it in control calls; given when it is armed.
    pub(super) id: u64,
    /// How many calls it has hit.
    pub(super) struck: u64,
}

/// A fault as it is posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    kind: FaultKind,
    path: Option<String>,
    count: Option<u32>,
    ms: Option<u64>,
    value: Option<Value>,
    probability: Option<f64>,
    seed: Option<u64>,
}

impl Fault {
    /// Reads `{"kind","path"?,"count"?,"ms"?,"value"?,"probability"?,"seed"?}`. `count` is 1 if
    /// missing, or 0 where there is a probability; 0 means until faults are cleared. An error
    /// says what is wrong and lists the choices.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let raw: RawFault = control_form::read(body)?;
        let value = raw.value.as_ref().map(whole_number).transpose()?;
        let delay_ms = raw.ms.unwrap_or(0);
        let per_million = raw.probability.map_or(Ok(MILLION), per_million)?;
        match raw.kind {
            FaultKind::Delay | FaultKind::SlowBody if !(1..=MOST_DELAY_MS).contains(&delay_ms) => {
                return Err(format!("this kind needs `ms` from 1 to {MOST_DELAY_MS}"));
            }
            FaultKind::Errcode if value.is_none_or(|code| code == 0) => {
                return Err("`errcode` needs `value`, a number other than 0".to_owned());
            }
            FaultKind::Status if value.is_some_and(|code| !(200..=599).contains(&code)) => {
                return Err("`status` needs `value` from 200 to 599".to_owned());
            }
            FaultKind::ResetAfter if value.is_some_and(|bytes| bytes < 0) => {
                return Err("`reset_after` takes a number of bytes as `value`".to_owned());
            }
            FaultKind::ExpireToken
            | FaultKind::ForeignFetch
            | FaultKind::Delay
            | FaultKind::ResetBefore
            | FaultKind::ResetAfter
            | FaultKind::Status
            | FaultKind::EmptyGbk
            | FaultKind::Busy
            | FaultKind::Errcode
            | FaultKind::SlowBody
            | FaultKind::PlainJson
            | FaultKind::ControlCharacters
            | FaultKind::StringErrcode => {}
        }
        if raw.path.as_ref().is_some_and(|path| !path.starts_with('/') && path != "*") {
            return Err("`path` begins with /, such as /shop/spu/add or /shop/*".to_owned());
        }
        if raw.path.as_ref().is_some_and(|path| path.len() > MOST_PATH_BYTES) {
            return Err(format!("`path` has at most {MOST_PATH_BYTES} bytes"));
        }
        let usual_count = if raw.probability.is_none() { 1 } else { 0 };
        let count = raw.count.unwrap_or(usual_count);
        Ok(Self {
            kind: raw.kind,
            path: raw.path,
            left: (count > 0).then_some(count),
            delay_ms,
            value,
            per_million,
            chance: raw.seed,
            id: 0,
            struck: 0,
        })
    }

    /// Whether it lies within the bounds of [`Self::parse`], for one from a document.
    pub(super) fn is_sane(&self) -> bool {
        self.delay_ms <= MOST_DELAY_MS
            && self.path.as_ref().is_none_or(|path| path.len() <= MOST_PATH_BYTES)
    }

    /// Whether the fault is meant for a call of `path`.
    pub(super) fn hits(&self, path: &str, is_token_call: bool) -> bool {
        match self.path.as_deref() {
            None => !is_token_call,
            Some(wanted) => match wanted.strip_suffix('*') {
                Some(beginning) => path.starts_with(beginning),
                None => path == wanted,
            },
        }
    }

    /// Whether it hits every call that it is meant for.
    pub(super) fn is_certain(&self) -> bool {
        self.per_million >= MILLION
    }

    /// Lets chance decide whether this call is hit.
    pub(super) fn chances(&mut self) -> bool {
        if self.is_certain() {
            return true;
        }
        let position = self.chance.get_or_insert(self.id);
        draw(position) % u64::from(MILLION) < self.per_million.into()
    }

    /// Counts a call that was hit.
    pub(super) fn note_strike(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.struck = self.struck.saturating_add(1);
    }

    /// For `GET faults`.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "kind": self.kind,
            "path": self.path,
            "count": self.left.unwrap_or(0),
            "ms": self.delay_ms,
            "value": self.value,
            "probability": f64::from(self.per_million) / f64::from(MILLION),
            "id": self.id,
            "struck": self.struck,
        })
    }
}

/// A number, or the same as text.
fn whole_number(value: &Value) -> Result<i64, String> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    number.ok_or_else(|| format!("`value` must be a whole number, not {value}"))
}

/// What is too small to matter still happens now and then.
fn per_million(probability: f64) -> Result<u32, String> {
    if probability > 0.0 && probability <= 1.0 {
        Ok(((probability * f64::from(MILLION)).round() as u32).clamp(1, MILLION))
    } else {
        Err(format!("`probability` lies above 0 and is at most 1, not {probability}"))
    }
}

const MILLION: u32 = 1_000_000;
/// Longer than any time limit that somebody may want to test.
const MOST_DELAY_MS: u64 = 600_000;
/// Longer than any path of the platform.
const MOST_PATH_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Fault, String> {
        Fault::parse(text.as_bytes())
    }

    #[test]
    fn every_kind_of_the_contract_is_read() {
        for text in [
            r#"{"kind":"expire_token"}"#,
            r#"{"kind":"foreign_fetch"}"#,
            r#"{"kind":"delay","ms":300}"#,
            r#"{"kind":"reset_before","path":"/shop/spu/add"}"#,
            r#"{"kind":"reset_after","count":2,"value":10}"#,
            r#"{"kind":"status","value":503}"#,
            r#"{"kind":"empty_gbk"}"#,
            r#"{"kind":"busy","count":0}"#,
            r#"{"kind":"errcode","value":"45009","path":"/cgi-bin/stable_token"}"#,
            r#"{"kind":"slow_body","ms":300}"#,
            r#"{"kind":"plain_json"}"#,
            r#"{"kind":"control_characters"}"#,
            r#"{"kind":"string_errcode","probability":0.5,"seed":7}"#,
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
        assert_eq!(parse(r#"{"kind":"busy"}"#).unwrap().left, Some(1));
        assert_eq!(parse(r#"{"kind":"busy","count":0}"#).unwrap().left, None);
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_choices() {
        assert!(parse(r#"{"kind":"boom"}"#).unwrap_err().contains("foreign_fetch"));
        assert!(parse(r#"{"kind":"busy","times":2}"#).unwrap_err().contains("count"));
        for bad in [
            "",
            "[]",
            r#"{"kind":"delay"}"#,
            r#"{"kind":"errcode"}"#,
            r#"{"kind":"errcode","value":0}"#,
            r#"{"kind":"errcode","value":"x"}"#,
            r#"{"kind":"status","value":99}"#,
            r#"{"kind":"reset_after","value":-1}"#,
            r#"{"kind":"busy","path":"shop"}"#,
            r#"{"kind":"busy","count":-1}"#,
            r#"{"kind":"slow_body"}"#,
            r#"{"kind":"busy","probability":0}"#,
            r#"{"kind":"busy","probability":1.5}"#,
            r#"{"kind":"busy","seed":-1}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fault_without_path_leaves_token_calls_alone() {
        let any = parse(r#"{"kind":"busy"}"#).unwrap();
        assert!(any.hits("/shop/spu/add", false) && !any.hits("/cgi-bin/token", true));
        let shop = parse(r#"{"kind":"busy","path":"/shop/*"}"#).unwrap();
        assert!(shop.hits("/shop/spu/add", false) && !shop.hits("/wxa/x", false));
        let token = parse(r#"{"kind":"busy","path":"/cgi-bin/token"}"#).unwrap();
        assert!(token.hits("/cgi-bin/token", true) && !token.hits("/cgi-bin/token2", false));
    }
}
