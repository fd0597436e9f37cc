//! Whether everything that a scenario uses is there: variables, generators, matchers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    document::{Action, FileContent, FormValue, Payload, Step},
    generator::Generator,
    matcher::Matcher,
    mistake::Mistake,
    template::{Piece, each_text, pieces},
};

/// A step with its place and its text.
type Placed<'a> = (usize, &'a str, Step);

/// Unknown names and matchers, in order. `is_whole`: no step is missing, so that a variable that
/// nobody saves is a mistake for certain.
pub(super) fn names(
    file: &str,
    vars: &BTreeMap<String, Value>,
    steps: &[Placed<'_>],
    is_whole: bool,
) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (name, value) in vars {
        let why = match value {
            _ if !is_name(name) => Some(format!("`{name}` is no name of a variable")),
            Value::String(text) => wrong_word(text, &BTreeSet::new()).map(|(_, why)| why),
            _ => None,
        };
        let place = file.find(&format!("\"{name}\"")).unwrap_or_default();
        mistakes.extend(why.map(|why| Mistake::at(file, place, why)));
    }
    let mut known: BTreeSet<&str> = vars.keys().map(String::as_str).collect();
    for (offset, text, step) in steps {
        let mut found: Vec<(String, String)> = Vec::new();
        texts(step, &mut |text| found.extend(wrong_word(text, &known)));
        for (word, why) in found {
            // The step that saves it may be one of those that could not be read.
            let bare = word.trim_matches(['$', '{', '}']);
            if !is_whole && file.contains(&format!("\"{bare}\"")) {
                continue;
            }
            let place = text.find(&word).unwrap_or_default();
            mistakes.push(Mistake::at(file, offset + place, why));
        }
        for why in step.expect.iter().flat_map(wrong_matchers) {
            mistakes.push(Mistake::at(file, *offset, why));
        }
        known.extend(step.save.keys().map(String::as_str));
    }
    mistakes
}

/// Letters, digits and `_`.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && Generator::parse(name).is_none()
}

/// The first word that nobody knows, as it is written, and why.
fn wrong_word(text: &str, known: &BTreeSet<&str>) -> Option<(String, String)> {
    let pieces = match pieces(text) {
        Ok(pieces) => pieces,
        Err(why) => return Some(("${".to_owned(), why)),
    };
    pieces.iter().find_map(|piece| {
        let Piece::Word(word) = piece else { return None };
        let why = match Generator::parse(word) {
            Some(Ok(_)) => return None,
            Some(Err(why)) => why,
            None if known.contains(word) => return None,
            None => format!("`{word}` is neither in `vars` nor saved by an earlier step"),
        };
        Some((format!("${{{word}}}"), why))
    })
}

fn texts<'a>(step: &'a Step, visit: &mut dyn FnMut(&'a str)) {
    match &step.action {
        Action::Call { path, query, payload, .. } => {
            visit(path);
            query.values().for_each(|value| each_text(value, visit));
            match payload {
                Payload::Nothing => {}
                Payload::Json(body) => each_text(body, visit),
                Payload::Form(fields) => {
                    for field in fields {
                        match &field.value {
                            FormValue::Text(text)
                            | FormValue::File { content: FileContent::Text(text), .. } => {
                                visit(text)
                            }
                            FormValue::File { content: FileContent::Bytes(_), .. } => {}
                        }
                    }
                }
            }
        }
        Action::Fire { set, .. } => each_text(set, visit),
        Action::State { changes } => each_text(changes, visit),
        Action::Control { rest, body, .. } => {
            visit(rest);
            body.iter().for_each(|body| each_text(body, visit));
        }
        Action::Event { .. } | Action::Wait { .. } => {}
    }
    step.expect.iter().for_each(|expect| each_text(expect, visit));
}

fn wrong_matchers(expect: &Value) -> Vec<String> {
    match expect {
        Value::Object(fields) => match Matcher::parse(fields) {
            Some(Ok(Matcher::Has(wanted))) => wrong_matchers(&wanted),
            Some(Ok(_)) => Vec::new(),
            Some(Err(why)) => vec![why],
            None => fields.values().flat_map(wrong_matchers).collect(),
        },
        Value::Array(items) => items.iter().flat_map(wrong_matchers).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
