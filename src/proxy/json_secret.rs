//! AppSecrets in JSON bodies: found, and replaced without touching another byte.

use std::ops::Range;

use bytes::Bytes;

use super::{authenticate::is_ours, passage::Passage};
use crate::wechat::credential::{Credential, SECRET_FIELDS};

/// Whether the call may carry a secret in its body; the account is not known yet.
pub(super) fn may_hold_secret(passage: &Passage) -> bool {
    let known = &passage.known;
    known.needed(&http::Method::GET) == Credential::AppSecret || known.credential_call.is_some()
}

/// The values of every top-level secret field.
pub(super) fn values(body: &[u8]) -> Vec<String> {
    top_level_strings(body)
        .into_iter()
        .filter(|(name, _)| SECRET_FIELDS.contains(&name.as_str()))
        .filter_map(|(_, value)| serde_json::from_slice(body.get(value)?).ok())
        .collect()
}

/// `body` with `secret` as the value of the top-level `field`: in place of whatever stands
/// there, each time it does, or as the first member of the object. A key in any other secret
/// field is emptied, so that none goes upstream. Without a `field` that is all that is done.
///
/// A body that is no JSON object stays as it is.
pub(super) fn fill(body: &Bytes, field: Option<(&str, &str)>) -> Bytes {
    let Some(open) = object_start(body) else { return body.clone() };
    let members = top_level_strings(body);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (name, range) in &members {
        match field {
            Some((wanted, value)) if name == wanted => edits.push((range.clone(), quoted(value))),
            _ if SECRET_FIELDS.contains(&name.as_str()) && holds_key(body, range) => {
                edits.push((range.clone(), quoted("")));
            }
            _ => {}
        }
    }
    if let Some((wanted, value)) = field
        && !members.iter().any(|(name, _)| name == wanted)
    {
        let rest = body.get(open..).unwrap_or_default();
        let is_empty = rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
        let comma = if is_empty { "" } else { "," };
        edits.insert(0, (open..open, format!("{}:{}{comma}", quoted(wanted), quoted(value))));
    }
    apply(body, &edits)
}

/// Whether a top-level member of this name is there.
pub(super) fn has(body: &[u8], field: &str) -> bool {
    top_level_strings(body).iter().any(|(name, _)| name == field)
}

/// Behind the brace of an object; none for anything else.
fn object_start(body: &[u8]) -> Option<usize> {
    let first = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
    (body.get(first) == Some(&b'{')).then_some(first + 1)
}

fn holds_key(body: &[u8], range: &Range<usize>) -> bool {
    let text = body.get(range.clone()).unwrap_or_default();
    serde_json::from_slice::<String>(text).is_ok_and(|text| is_ours(&text))
}

/// As a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The edits are in order and do not overlap.
fn apply(body: &Bytes, edits: &[(Range<usize>, String)]) -> Bytes {
    let mut out = Vec::with_capacity(body.len());
    let mut done = 0;
    for (range, text) in edits {
        out.extend_from_slice(body.get(done..range.start).unwrap_or_default());
        out.extend_from_slice(text.as_bytes());
        done = range.end;
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    out.into()
}

/// Names of top-level members whose value is a string or null, with the value's place,
/// quotes included. Empty when the body is no JSON object.
fn top_level_strings(body: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut members = Vec::new();
    let mut depth = 0_usize;
    let mut name: Option<String> = None;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => name = None,
            b'n' if depth == 1 && body[at..].starts_with(b"null") => {
                members.extend(name.take().map(|name| (name, at..at + 4)));
                at += 3;
            }
            b'"' => {
                let end = string_end(body, at);
                if depth == 1 {
                    match name.take() {
                        Some(name) => members.push((name, at..end)),
                        None => name = serde_json::from_slice(&body[at..end]).ok(),
                    }
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    members
}

/// Behind the closing quote of the string that opens at `open`, or the end of the body.
pub(super) fn string_end(body: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(byte) = body.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_replaced_or_added_and_nothing_else_changes() {
        for (body, expected) in [
            (r#"{"appid":"a", "appsecret" : "wxgk_x" }"#, r#"{"appid":"a", "appsecret" : "S" }"#),
            (r#"{"appid":"a"}"#, r#"{"appsecret":"S","appid":"a"}"#),
            ("{ }", r#"{"appsecret":"S" }"#),
            (
                r#"{"x":{"appsecret":"deep"},"appsecret":null}"#,
                r#"{"x":{"appsecret":"deep"},"appsecret":"S"}"#,
            ),
            (
                r#"{"n":12345678901234567890,"appsecret":""}"#,
                r#"{"n":12345678901234567890,"appsecret":"S"}"#,
            ),
        ] {
            let body = Bytes::from(body);
            assert_eq!(fill(&body, Some(("appsecret", "S"))), expected);
        }
        for body in ["not json", "[{\"a\":1}]", "", "\"appsecret\""] {
            assert_eq!(fill(&Bytes::from(body), Some(("appsecret", "S"))), body);
        }
    }

    #[test]
    fn no_key_is_left_in_any_secret_field() {
        let body = r#"{"appsecret":"wxgk_a","secret":"wxgk_a","appsecret":"wxgk_a","x":"wxgk_a"}"#;
        let body = Bytes::from(body);
        let filled = r#"{"appsecret":"S","secret":"","appsecret":"S","x":"wxgk_a"}"#;
        assert_eq!(fill(&body, Some(("appsecret", "S"))), filled);
        let emptied = r#"{"appsecret":"","secret":"","appsecret":"","x":"wxgk_a"}"#;
        assert_eq!(fill(&body, None), emptied);
    }

    #[test]
    fn keys_are_found_in_every_secret_field_but_not_in_nested_ones() {
        let body =
            br#"{"component_appsecret":"one","secret":"tw\u006f","a":{"appsecret":"three"}}"#;
        assert_eq!(values(body), ["one", "two"]);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>) {
            let _ = values(&body);
            let _ = fill(&Bytes::from(body), Some(("appsecret", "S")));
        }
    }
}
