//! Masks the values of named JSON fields in place, byte by byte, with equal length.
//!
//! It does not parse: all other bytes and numbers stay as they were sent, broken or cut JSON is
//! fine, and so is JSON inside of a JSON string. Each `:` is looked at on its own, so a stray
//! quote somewhere cannot hide a field behind it.

use std::ops::Range;

use memchr::memchr;

use crate::base::redact::MASK;

/// Masks every value whose field name `hides`, and tells `found` each such name.
pub(super) fn mask_json(
    json: &mut [u8],
    hides: &impl Fn(&[u8]) -> bool,
    found: &mut dyn FnMut(&[u8]),
) {
    let mut at = 0;
    while let Some(colon) = json.get(at..).and_then(|rest| memchr(b':', rest)) {
        let colon = at + colon;
        at = colon + 1;
        let Some(Name { place: name, level, is_escaped }) = name_before(json, colon) else {
            continue;
        };
        let is_hidden = if is_escaped {
            hides(&plain_name(&json[name.clone()]))
        } else {
            hides(&json[name.clone()])
        };
        if is_hidden {
            let (end, masked_any) = mask_value(json, at, level);
            if masked_any {
                found(&json[name]);
            }
            at = end;
        }
    }
}

/// A field name before its colon.
struct Name {
    /// Without its quotes.
    place: Range<usize>,
    /// How many backslashes stand before each quote: more than none inside of a JSON string.
    level: usize,
    /// Whether there is a backslash in it.
    is_escaped: bool,
}

/// The field name that ends right before the colon.
fn name_before(json: &[u8], colon: usize) -> Option<Name> {
    let before = json[..colon].trim_ascii_end();
    let inside = before.strip_suffix(b"\"")?;
    let level = backslashes_before(inside, inside.len());
    let end = inside.len() - level;
    let mut is_escaped = false;
    // Names have some ten bytes: a loop is there before a search for the quote has begun.
    let behind_quote = inside[..end].iter().rev().take(NAME_MOST_BYTES + 1).position(|byte| {
        is_escaped |= *byte == b'\\';
        *byte == b'"'
    })?;
    Some(Name { place: end - behind_quote..end, level, is_escaped })
}

/// The name with its escapes resolved: `session\u005fkey` is `session_key`.
fn plain_name(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        // In JSON inside of JSON the backslash itself is escaped, once more for each level.
        let escape = &behind[behind.iter().take_while(|b| **b == b'\\').count()..];
        let code = escape
            .strip_prefix(b"u")
            .and_then(|hex| std::str::from_utf8(hex.get(..4)?).ok())
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        rest = escape;
        if let Some(code) = code {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &escape[5..];
        }
    }
    plain
}

/// Masks the value that begins at `start`; tells where it ends and whether it held anything.
fn mask_value(json: &mut [u8], start: usize, level: usize) -> (usize, bool) {
    let mut depth = 0_usize;
    let mut at = start;
    let mut masked_any = false;
    while let Some(byte) = json.get(at).copied() {
        match byte {
            b'"' => {
                let level = backslashes_before(json, at);
                let end = string_end(json, at + 1, level);
                if depth == 0 || !is_followed_by_colon(json, end.next) {
                    masked_any |= end.inside > at + 1;
                    json[at + 1..end.inside].fill(MASK);
                }
                at = end.next;
            }
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' | b',' if depth == 0 => return (at, masked_any),
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let length = json[at..].iter().take_while(|b| is_number_byte(**b)).count();
                mask_number(&mut json[at..at + length], level);
                masked_any = true;
                at += length;
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return (at, masked_any);
        }
    }
    (at, masked_any)
}

struct StringEnd {
    /// Behind the last byte of the content.
    inside: usize,
    /// Behind the closing quote.
    next: usize,
}

/// Where the string ends whose opening quote had `level` backslashes before it.
///
/// Inside of a JSON string (`level` 1) quotes are written `\"` and an escaped one `\\\"`; every
/// level doubles that. Fewer backslashes than `level` close the string around.
fn string_end(json: &[u8], start: usize, level: usize) -> StringEnd {
    let mut at = start;
    while let Some(quote) = json.get(at..).and_then(|rest| memchr(b'"', rest)) {
        let quote = at + quote;
        let count = backslashes_before(&json[start..], quote - start);
        if count < level {
            return StringEnd { inside: quote - count, next: quote };
        }
        if count % (2 * (level + 1)) == level {
            return StringEnd { inside: quote - level, next: quote + 1 };
        }
        at = quote + 1;
    }
    StringEnd { inside: json.len(), next: json.len() }
}

/// How many backslashes stand right before `end`.
fn backslashes_before(bytes: &[u8], end: usize) -> usize {
    bytes[..end].iter().rev().take_while(|byte| **byte == b'\\').count()
}

/// Whether the string that ended before `at` is a field name.
fn is_followed_by_colon(json: &[u8], at: usize) -> bool {
    json.get(at..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
}

fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// A number becomes a string of stars of the same length, so that the JSON stays readable;
/// inside of a string, where a bare quote would end that, it becomes zeros.
fn mask_number(number: &mut [u8], level: usize) {
    match number {
        [first, inside @ .., last] if level == 0 => {
            inside.fill(MASK);
            *first = b'"';
            *last = b'"';
        }
        digits => digits.fill(b'0'),
    }
}

/// Longer names are no names; this bounds the look back from a colon.
const NAME_MOST_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture::field_names::FieldNames;

    fn masked(json: &str) -> (String, Vec<String>) {
        let names = FieldNames::new(["secret", "session_key", "list"]);
        let mut bytes = json.as_bytes().to_vec();
        let mut found = Vec::new();
        mask_json(&mut bytes, &|name| names.contains(name), &mut |name| {
            found.push(String::from_utf8_lossy(name).into_owned());
        });
        (String::from_utf8(bytes).unwrap(), found)
    }

    #[test]
    fn named_values_are_masked_anywhere_and_all_else_stays() {
        for (json, expected) in [
            (r#"{"secret":"abc","a":1.50,"b":"x"}"#, r#"{"secret":"***","a":1.50,"b":"x"}"#),
            (r#"{ "a" : [ { "Secret" : "a\"b" } ] }"#, r#"{ "a" : [ { "Secret" : "****" } ] }"#),
            (r#"{"secret":12345,"x":1}"#, r#"{"secret":"***","x":1}"#),
            (r#"{"secret":7}"#, r#"{"secret":0}"#),
            (r#"{"secret":null,"b":true}"#, r#"{"secret":null,"b":true}"#),
            (
                r#"{"list":[{"k":"v","n":[100]},"z"],"k":"v"}"#,
                r#"{"list":[{"k":"*","n":["*"]},"*"],"k":"v"}"#,
            ),
            (r#"{"a":"secret","secrets":"abc"}"#, r#"{"a":"secret","secrets":"abc"}"#),
            (r#"{"session\u005fkey":"abc"}"#, r#"{"session\u005fkey":"***"}"#),
            (r#"{"secret":""}"#, r#"{"secret":""}"#),
        ] {
            assert_eq!(masked(json).0, expected, "{json}");
        }
    }

    #[test]
    fn broken_and_cut_json_does_not_let_a_value_through() {
        for (json, expected) in [
            (r#"{"secret":"abc"#, r#"{"secret":"***"#),
            (r#"{"a": "x"y", "secret":"abc"}"#, r#"{"a": "x"y", "secret":"***"}"#),
            (r#""secret":"abc"} trailing"#, r#""secret":"***"} trailing"#),
            (r#"{"list":[{"k":"v"#, r#"{"list":[{"k":"*"#),
            (r#"{"secret":"abc\"#, r#"{"secret":"****"#),
            (r#"{"secret":}{"secret":"b"}"#, r#"{"secret":}{"secret":"*"}"#),
        ] {
            assert_eq!(masked(json).0, expected, "{json}");
        }
    }

    #[test]
    fn json_inside_of_a_string_is_masked_too() {
        let (json, found) = masked(r#"{"data":"{\"secret\":\"ab\\\"c\",\"n\":1}","x":"secret"}"#);
        assert_eq!(json, r#"{"data":"{\"secret\":\"*******\",\"n\":1}","x":"secret"}"#);
        assert_eq!(found, ["secret"]);
        assert_eq!(masked(r#"{"d":"{\"secret\":123}"}"#).0, r#"{"d":"{\"secret\":000}"}"#);
        assert_eq!(masked(r#"{"d":"{\"secret\":\"abc"}"#).0, r#"{"d":"{\"secret\":\"***"}"#);
    }

    proptest! {
        #[test]
        fn any_bytes_keep_their_length_and_cause_no_panic(
            bytes in proptest::collection::vec(
                proptest::sample::select(&b"\"\\:{}[],secret1 x\xe6"[..]), 0..80),
        ) {
            let names = FieldNames::new(["secret", "t", ""]);
            let mut out = bytes.clone();
            mask_json(&mut out, &|name| names.contains(name), &mut |_| {});
            prop_assert_eq!(out.len(), bytes.len());
        }

        #[test]
        fn a_valid_document_stays_valid_and_loses_only_the_named_values(
            value in "[a-z\"\\\\]{1,20}", other in "[a-z\"\\\\:{}]{0,20}", number in any::<i64>(),
        ) {
            let json = serde_json::json!({"a": other, "secret": value, "n": number, "z": {"secret": [number]}});
            let text = json.to_string();
            let (out, _) = masked(&text);
            prop_assert_eq!(out.len(), text.len());
            let out: serde_json::Value = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(&out["a"], &json["a"]);
            prop_assert_eq!(&out["n"], &json["n"]);
            prop_assert!(out["secret"].as_str().unwrap().bytes().all(|b| b == b'*'));
            prop_assert_ne!(&out["z"]["secret"][0], &json["z"]["secret"][0]);
        }
    }
}
