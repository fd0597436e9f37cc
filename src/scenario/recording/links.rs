//! Ids that the platform made: which answer brought them, and which request needs them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{draft::Draft, leaves::each_leaf, names::Names, own_ids::OwnIds, times};
use crate::scenario::ValuePath;

/// What is saved from which answer.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// By the value as JSON.
    found: BTreeMap<String, Link>,
}

#[derive(Debug)]
struct Link {
    /// The exchange whose answer brought it.
    from: usize,
    path: ValuePath,
    /// None as long as no request needs it.
    name: Option<String>,
}

impl Links {
    /// Values that came in an answer before any request held them, and that a later request holds.
    pub(super) fn find(drafts: &[Draft], own_ids: &OwnIds, names: &mut Names) -> Self {
        let mut links = Self::default();
        let mut sent_before: BTreeMap<String, ()> = BTreeMap::new();
        for (nth, draft) in drafts.iter().enumerate() {
            for (place, sent) in draft.sent() {
                each_leaf(&sent, &mut |_, value| {
                    links.use_value(value, place == "body", names);
                    sent_before.insert(value.to_string(), ());
                });
            }
            let Some(answer) = &draft.answer else { continue };
            each_leaf(answer, &mut |path, value| {
                let key = value.to_string();
                let is_own = value.as_str().is_some_and(|text| own_ids.generator(text).is_some());
                if is_id(path, value, draft.time_ms) && !is_own && !sent_before.contains_key(&key) {
                    let link = || Link { from: nth, path: path.clone(), name: None };
                    links.found.entry(key).or_insert_with(link);
                }
            });
        }
        links
    }

    fn use_value(&mut self, value: &Value, is_body: bool, names: &mut Names) {
        let Some(key) = self.key(value, is_body) else { return };
        if let Some(link) = self.found.get_mut(&key)
            && link.name.is_none()
        {
            link.name = Some(names.fresh(link.path.name().unwrap_or("id")));
        }
    }

    /// A query and a form have texts only, so there a text may be the number of an answer.
    fn key(&self, value: &Value, is_body: bool) -> Option<String> {
        let exact = value.to_string();
        let bare = value.as_str().filter(|_| !is_body).map(ToOwned::to_owned);
        [Some(exact), bare].into_iter().flatten().find(|key| self.found.contains_key(key))
    }

    /// The variable that holds this value when the `nth` exchange is played; `is_body` as above.
    pub(super) fn variable(&self, nth: usize, value: &Value, is_body: bool) -> Option<String> {
        let link = self.found.get(&self.key(value, is_body)?)?;
        let name = link.name.as_ref().filter(|_| link.from < nth)?;
        Some(format!("${{{name}}}"))
    }

    /// Whether the `nth` answer is what brings this value.
    pub(super) fn is_made_by(&self, nth: usize, value: &Value) -> bool {
        self.found.get(&value.to_string()).is_some_and(|link| link.from == nth)
    }

    /// What is saved from the `nth` answer: name and path.
    pub(super) fn saved(&self, nth: usize) -> BTreeMap<String, String> {
        let of_answer = self.found.values().filter(|link| link.from == nth);
        of_answer.filter_map(|link| Some((link.name.clone()?, link.path.to_string()))).collect()
    }
}

/// Whether the value could be an id, rather than an amount, a state or a time.
fn is_id(path: &ValuePath, value: &Value, time_ms: i64) -> bool {
    let name = path.name().unwrap_or_default();
    if matches!(name, "errcode" | "errmsg" | "rid") || times::generator(value, time_ms).is_some() {
        return false;
    }
    match value {
        Value::Number(number) => {
            let least = if name.ends_with("id") { LEAST_ID } else { LEAST_BARE_ID };
            number.as_u64().is_some_and(|number| number >= least)
        }
        Value::String(text) => {
            text.len() >= LEAST_LETTERS && !text.bytes().all(|byte| byte == b'*')
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Smaller numbers are states, counts, categories.
const LEAST_ID: u64 = 100_000;
/// For a field whose name does not say that it is an id: more than any price.
const LEAST_BARE_ID: u64 = 10_000_000_000;
/// Shorter texts are words.
const LEAST_LETTERS: usize = 8;
