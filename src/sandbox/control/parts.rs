//! `state/{part}`: any part of an account's state, in pages.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Done, bad_request};
use crate::{
    base::secret::Secret,
    sandbox::{account::Account, one_field, query::Query, state::State},
};

/// `part` names a part of the snapshot's `state`, or of its `shop`, and behind slashes what is
/// wanted of it. `?after=` goes on behind the entry that `next` named.
pub(super) fn show(account: &Account, part: &str, query: &Query<'_>) -> Done {
    let mut steps = part.split('/');
    let name = steps.next().unwrap_or_default();
    let state = account.quiet_state();
    let Some(mut found) = find(&state, name) else { return Err(unknown(&state, name)) };
    drop(state);
    for step in steps {
        let next = match &mut found {
            Value::Object(entries) => entries.remove(step),
            Value::Array(entries) => step
                .parse()
                .ok()
                .and_then(|at: usize| (at < entries.len()).then(|| entries.swap_remove(at))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        let missing = || (StatusCode::NOT_FOUND, format!("there is no `{step}` in `{part}`"));
        found = next.ok_or_else(missing)?;
    }
    let mark = format!("_{}", account.tag);
    let limit = match query.value("limit") {
        None => USUAL_ENTRIES,
        Some(text) => text.parse().map_err(|_| bad_request(format!("`limit`: {text}")))?,
    };
    let page = Page { after: query.value("after"), limit, mark: &mark };
    page.of(part, found)
}

/// Media without their bytes, which are most of a state and tell nobody anything.
fn find(state: &State, name: &str) -> Option<Value> {
    match name {
        "media" => Some(state.media.to_json()),
        "open" => Some(state.open.to_json()),
        "signing" => Some(state.signing.to_json()),
        _ => one_field::field(state, name).or_else(|| one_field::field(&state.shop, name)),
    }
}

fn unknown(state: &State, name: &str) -> (StatusCode, String) {
    let mut names = one_field::names(state);
    names.extend(one_field::names(&state.shop));
    (StatusCode::NOT_FOUND, format!("there is no part `{name}`; there are: {}", names.join(", ")))
}

/// What is asked of a long part.
struct Page<'a> {
    after: Option<&'a str>,
    limit: usize,
    /// What stands in every token of the account.
    mark: &'a str,
}

impl Page<'_> {
    fn of(&self, part: &str, value: Value) -> Done {
        match value {
            Value::Object(entries) => Ok(self.of_object(part, entries)),
            Value::Array(entries) => self.of_array(part, entries),
            value => Ok(json!({ "part": part, "value": masked(value, self.mark) })),
        }
    }

    fn of_object(&self, part: &str, entries: Map<String, Value>) -> Value {
        let total = entries.len();
        let rest =
            entries.into_iter().filter(|(key, _)| self.after.is_none_or(|after| &**key > after));
        let (mut items, mut room) = (Map::new(), CAP_BYTES);
        for (key, value) in rest {
            let value = masked_field(&key, value, self.mark);
            let Some(value) = self.fit(items.len(), &mut room, value) else {
                let next = items.keys().next_back().cloned();
                return json!({ "part": part, "total": total, "items": items, "next": next });
            };
            items.insert(key, value);
        }
        json!({ "part": part, "total": total, "items": items, "next": null })
    }

    fn of_array(&self, part: &str, entries: Vec<Value>) -> Done {
        let total = entries.len();
        let after: usize = match self.after {
            None => 0,
            Some(text) => text.parse().map_err(|_| bad_request(format!("`after`: {text}")))?,
        };
        let (mut items, mut room) = (Vec::new(), CAP_BYTES);
        for value in entries.into_iter().skip(after) {
            let Some(value) = self.fit(items.len(), &mut room, masked(value, self.mark)) else {
                let next = after + items.len();
                return Ok(json!({ "part": part, "total": total, "items": items, "next": next }));
            };
            items.push(value);
        }
        Ok(json!({ "part": part, "total": total, "items": items, "next": null }))
    }

    /// The entry, if it still fits on the page. One that fits on none is told by its size.
    fn fit(&self, taken: usize, room: &mut usize, value: Value) -> Option<Value> {
        let bytes = value.to_string().len();
        if taken >= self.limit.clamp(1, MOST_ENTRIES) || (bytes > *room && taken > 0) {
            return None;
        }
        let is_small = bytes <= *room;
        *room = room.saturating_sub(bytes);
        Some(if is_small { value } else { json!({ "too_large_to_show_bytes": bytes }) })
    }
}

/// `value` with fingerprints in place of what opens something.
fn masked(value: Value, mark: &str) -> Value {
    match value {
        Value::String(text) => Value::String(without_tokens(text, mark)),
        Value::Array(all) => all.into_iter().map(|value| masked(value, mark)).collect(),
        Value::Object(all) => {
            let all = all.into_iter();
            Value::Object(all.map(|(key, value)| masked_entry(key, value, mark)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn masked_entry(key: String, value: Value, mark: &str) -> (String, Value) {
    let value = masked_field(&key, value, mark);
    (key, value)
}

fn masked_field(name: &str, value: Value, mark: &str) -> Value {
    match value {
        Value::String(text)
            if !text.is_empty() && SECRETS.iter().any(|end| name.ends_with(end)) =>
        {
            Value::String(Secret::new(text).fingerprint().to_string())
        }
        value => masked(value, mark),
    }
}

/// Tokens also stand within texts, such as queries that were written down.
fn without_tokens(text: String, mark: &str) -> String {
    if !text.contains(mark) {
        return text;
    }
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(begin) = rest.find(is_inside) {
        let (before, run) = rest.split_at(begin);
        let (run, behind) = run.split_at(run.find(|c| !is_inside(c)).unwrap_or(run.len()));
        out.push_str(before);
        if run.contains(mark) {
            out.push_str(&Secret::new(run.to_owned()).fingerprint().text());
        } else {
            out.push_str(run);
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Ends of the names of fields that open something.
const SECRETS: &[&str] = &["secret", "aes_key", "session_key", "token", "ticket", "private_key"];
const USUAL_ENTRIES: usize = 100;
const MOST_ENTRIES: usize = 1000;
/// Of a page.
const CAP_BYTES: usize = 1 << 20;
