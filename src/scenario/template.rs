//! Texts with `${…}` in them, filled in.

use serde_json::Value;

use super::{generator::Generator, scope::Scope};

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// What stood between `${` and `}`.
    Word(&'a str),
}

/// The text in pieces. `$${` is a plain `${`.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = rest.split_at(at);
        if let Some(plain) = before.strip_suffix('$') {
            pieces.extend([Piece::Text(plain), Piece::Text("${")]);
            rest = &behind[2..];
            continue;
        }
        let (word, after) =
            behind[2..].split_once('}').ok_or_else(|| format!("`{text}`: `${{` without `}}`"))?;
        pieces.extend([Piece::Text(before), Piece::Word(word.trim())]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

/// The value with every text filled in. A text that is nothing but one `${…}` becomes that
/// value with its type; elsewhere values are spliced in.
///
/// # Errors
/// What a text asks for and nobody knows.
pub fn fill(value: &Value, scope: &Scope) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match pieces(text)?.as_slice() {
            [Piece::Word(word)] => scope.value(word)?,
            pieces => Value::String(spliced(pieces, scope)?),
        },
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill(item, scope)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let filled = fields.iter().map(|(name, value)| Ok((name.clone(), fill(value, scope)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// A text filled in.
///
/// # Errors
/// What it asks for and nobody knows.
pub fn fill_text(text: &str, scope: &Scope) -> Result<String, String> {
    spliced(&pieces(text)?, scope)
}

fn spliced(pieces: &[Piece<'_>], scope: &Scope) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Word(word) => out.push_str(&as_text(&scope.value(word)?)),
        }
    }
    Ok(out)
}

/// A string without quotes, everything else as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Tells `visit` every text inside of the value.
pub(super) fn each_text<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| each_text(field, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether anything in the value depends on the time.
#[must_use]
pub fn uses_clock(value: &Value) -> bool {
    let mut found = false;
    each_text(value, &mut |text| {
        let is_time = |piece: &Piece<'_>| match piece {
            Piece::Word(word) => {
                matches!(Generator::parse(word), Some(Ok(generator)) if generator.uses_clock())
            }
            Piece::Text(_) => false,
        };
        found |= pieces(text).is_ok_and(|pieces| pieces.iter().any(is_time));
    });
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::new("R1".to_owned(), 1_767_196_800_000);
        scope.set("id", json!(12_345_678_901_234_567_890_u64));
        scope.set("name", json!("店"));
        scope.set("list", json!([1, {"a": true}]));
        scope.set("none", Value::Null);
        scope
    }

    #[test]
    fn a_whole_text_keeps_the_type_and_a_part_is_spliced() {
        for (template, filled) in [
            (json!("${id}"), json!(12_345_678_901_234_567_890_u64)),
            (json!("a${id}b${name}"), json!("a12345678901234567890b店")),
            (json!(["${list}", 7, null]), json!([[1, {"a": true}], 7, null])),
            (json!({"${id}": "x${list}"}), json!({"${id}": "x[1,{\"a\":true}]"})),
            (json!("$${id} costs $5 ${ name }"), json!("${id} costs $5 店")),
            (json!("${id:SO}"), json!("SOR1")),
            (json!("at ${now}"), json!("at 2026-01-01 00:00:00")),
            (json!(""), json!("")),
        ] {
            assert_eq!(fill(&template, &scope()).unwrap(), filled, "{template}");
        }
    }

    #[test]
    fn what_nobody_knows_is_told() {
        for (bad, why) in [
            ("${x}", "not known"),
            ("${none}", "no value"),
            ("a${", "without"),
            ("${y:z}", "generator"),
        ] {
            let error = fill(&json!({"a": [bad]}), &scope()).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn only_times_ask_for_the_clock() {
        assert!(uses_clock(&json!({"a": [{"b": "x ${unix+5}"}]})));
        assert!(!uses_clock(&json!({"a": "${id:SO}", "now": "$${now}"})));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[${}a:+5 ]{0,24}") {
            let _ = fill(&json!(text), &scope());
        }

        #[test]
        fn a_text_without_marks_stays(text in "[^$]{0,24}") {
            prop_assert_eq!(fill_text(&text, &scope()).unwrap(), text);
        }
    }
}
