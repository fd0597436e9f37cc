//! One exchange with headers, bodies and tries, for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::{
    line,
    output::{paint, tame},
};

/// Everything that an exchange holds, a line of `tail` first.
pub(super) fn of(exchange: &Value, color: bool) -> String {
    let mut out = line::of(exchange, color);
    out.push('\n');
    facts(&mut out, exchange);
    for (nth, attempt) in list(exchange, "attempts").iter().enumerate() {
        of_attempt(&mut out, nth + 1, attempt);
    }
    message(&mut out, exchange, "request", ">", color);
    message(&mut out, exchange, "response", "<", color);
    out
}

fn facts(out: &mut String, exchange: &Value) {
    for field in ["client", "lane", "query", "errmsg", "rid", "error", "replay_of", "note"] {
        let value = exchange.get(field).and_then(Value::as_str).unwrap_or_default();
        if !value.is_empty() {
            let _ = writeln!(out, "  {field}: {}", tame(value));
        }
    }
}

fn of_attempt(out: &mut String, number: usize, attempt: &Value) {
    let text = |field| attempt.get(field).and_then(Value::as_str).unwrap_or("-");
    let _ = write!(out, "  try {number}: {}, token {}", tame(text("upstream")), text("token"));
    if let Some(status) = attempt.get("status").and_then(Value::as_u64) {
        let _ = write!(out, ", HTTP {status}");
    }
    if let Some(errcode) = attempt.get("errcode").and_then(Value::as_i64) {
        let _ = write!(out, ", errcode {errcode}");
    }
    if let Some(error) = attempt.get("error").and_then(Value::as_str) {
        let _ = write!(out, ", {}", tame(error));
    }
    for phase in PHASES {
        let ms = attempt.get("ms").and_then(|ms| ms.get(phase)).and_then(Value::as_f64);
        if let Some(ms) = ms.filter(|ms| *ms > 0.0) {
            let _ = write!(out, ", {phase} {ms}ms");
        }
    }
    out.push('\n');
}

fn message(out: &mut String, exchange: &Value, name: &str, mark: &str, color: bool) {
    let Some(message) = exchange.get(name).filter(|message| message.is_object()) else { return };
    let mark = paint(mark, MARK, color);
    for header in list(message, "headers") {
        let part = |at: usize| header.get(at).and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(out, "{mark} {}: {}", tame(part(0)), tame(part(1)));
    }
    let body = body(message);
    for line in body.lines() {
        let _ = writeln!(out, "{mark} {}", tame(line));
    }
}

/// The body as text, JSON with line breaks; what of it is missing is said.
fn body(message: &Value) -> String {
    let size = message.get("size").and_then(Value::as_u64).unwrap_or(0);
    let is_cut = message.get("truncated").and_then(Value::as_bool).unwrap_or(false);
    let mut shown = match message.get("body") {
        Some(Value::String(text)) if text.is_empty() => String::new(),
        Some(Value::String(text)) => pretty(text),
        Some(binary @ Value::Object(_)) => {
            let encoded = binary.get("base64").and_then(Value::as_str).unwrap_or_default();
            format!("(binary, base64) {encoded}")
        }
        _ if size > 0 => format!("({size} bytes, no longer kept)"),
        _ => String::new(),
    };
    if is_cut {
        let _ = write!(shown, "\n(only the beginning was kept; {size} bytes in all)");
    }
    shown
}

/// Indented JSON whose numbers and order of fields stay as they were sent.
fn pretty(text: &str) -> String {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_string {
            out.push(letter);
            in_string = is_escaped || letter != '"';
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        match letter {
            '{' | '[' => {
                while letters.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                out.push(letter);
                if let Some(close) = letters.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(DEPTH_MOST)));
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

const PHASES: [&str; 7] = ["queue", "token", "dns", "connect", "tls", "first_byte", "total"];

const MARK: Style = AnsiColor::Blue.on_default();

/// Deeper nesting is an attack on the terminal's width, not data.
const DEPTH_MOST: usize = 40;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_bodies_and_tries_are_shown() {
        let shown = of(&line::tests::documented(), false);
        for part in [
            "  client: 203.0.113.9\n",
            "  try 1: https://api.weixin.qq.com, token fp:9c1e, HTTP 200, errcode 0, first_byte 41.2ms, total 41.9ms\n",
            "> content-type: application/json\n> {\n>   \"id\": 1\n> }\n",
            "< {\n<   \"errcode\": 0\n< }\n",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }

    #[test]
    fn json_is_indented_without_a_change_to_any_value() {
        let text = r#"{"b":12345678901234567890.10,"a":["x,{\"y\":1}",{},[] , null],"空":"\\"}"#;
        let shown = pretty(text);
        let compact: String = shown.lines().map(str::trim_start).collect();
        assert_eq!(
            compact.replace("\": ", "\":").replace(",null", ", null"),
            text.replace("[] ,", "[],")
        );
        assert!(
            shown.contains("12345678901234567890.10")
                && shown.contains("{}")
                && shown.contains("[]")
        );
        for other in ["not json", "{", "", "<xml/>", "a:b,c"] {
            assert_eq!(pretty(other), other);
        }
    }

    #[test]
    fn what_of_a_body_is_missing_is_said() {
        let cut = json!({"body": "abc", "size": 9000, "truncated": true});
        assert_eq!(body(&cut), "abc\n(only the beginning was kept; 9000 bytes in all)");
        assert_eq!(body(&json!({"body": null, "size": 12})), "(12 bytes, no longer kept)");
        assert_eq!(body(&json!({"body": {"base64": "/w=="}, "size": 1})), "(binary, base64) /w==");
        assert_eq!(body(&json!({"body": "", "size": 0})), "");
    }

    proptest::proptest! {
        #[test]
        fn indented_json_means_the_same(number in proptest::num::i64::ANY, text in "(?s).{0,30}") {
            let value = json!({"a": [number, {"t": text, "e": {}, "l": []}], "b": null});
            let shown = pretty(&value.to_string());
            proptest::prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
