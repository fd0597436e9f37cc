//! Recorded values, as a scenario writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{draft::Draft, links::Links, names::Names, own_ids::OwnIds, times};
use crate::wechat::credential::{SECRET_FIELDS, SECRET_PARAMETERS};

/// Everything that replaces a value.
pub(super) struct Rewriting<'a> {
    pub(super) links: &'a Links,
    pub(super) own_ids: &'a OwnIds,
    pub(super) names: Names,
    /// Variables that somebody must give, with the field that they stand for.
    pub(super) asked: BTreeMap<String, String>,
}

impl Rewriting<'_> {
    /// A value of the `nth` body.
    pub(super) fn value(&mut self, nth: usize, draft: &Draft, value: &Value) -> Value {
        self.inner(nth, draft, "value", value, false)
    }

    /// The fields of an object; `is_text` where all of them are texts: a query, a form.
    pub(super) fn fields(
        &mut self,
        nth: usize,
        draft: &Draft,
        fields: &Map<String, Value>,
        is_text: bool,
    ) -> Map<String, Value> {
        let rewritten = fields
            .iter()
            .map(|(name, value)| (name.clone(), self.inner(nth, draft, name, value, is_text)));
        rewritten.collect()
    }

    fn inner(
        &mut self,
        nth: usize,
        draft: &Draft,
        name: &str,
        value: &Value,
        is_text: bool,
    ) -> Value {
        match value {
            Value::Object(fields) if is_masked_name(draft, name) && !fields.is_empty() => {
                self.ask(name)
            }
            Value::Object(fields) => self.fields(nth, draft, fields, is_text).into(),
            Value::Array(items) => {
                items.iter().map(|item| self.inner(nth, draft, name, item, is_text)).collect()
            }
            Value::String(text) if is_masked(draft, name, text) => self.ask(name),
            Value::Number(_) if is_masked_name(draft, name) => self.ask(name),
            Value::String(_) | Value::Number(_) => self.leaf(nth, draft, value, is_text),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn leaf(&self, nth: usize, draft: &Draft, value: &Value, is_text: bool) -> Value {
        if let Some(variable) = self.links.variable(nth, value, !is_text) {
            return variable.into();
        }
        // `${unix}` in a query is a number, and written as a text there.
        let as_number =
            value.as_str().filter(|_| is_text).and_then(|text| text.parse::<i64>().ok());
        let time = as_number.map_or_else(|| value.clone(), Value::from);
        if let Some(generator) = times::generator(&time, draft.time_ms) {
            return generator.into();
        }
        match value {
            Value::String(text) => self.own_ids.spliced(&escaped(text)).into(),
            other => other.clone(),
        }
    }

    /// A value of an answer that is expected again; none for what is new in every run.
    pub(super) fn expected(&self, nth: usize, draft: &Draft, value: &Value) -> Option<Value> {
        let is_new = self.links.is_made_by(nth, value)
            || times::generator(value, draft.time_ms).is_some()
            || value.as_str().is_some_and(is_stars);
        if is_new && self.links.variable(nth, value, true).is_none() {
            return None;
        }
        Some(self.leaf(nth, draft, value, false))
    }

    /// A variable of that field's name, one for all its values.
    fn ask(&mut self, field: &str) -> Value {
        let known =
            self.asked.iter().find(|(_, known)| *known == field).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| self.names.fresh(field));
        self.asked.insert(name.clone(), field.to_owned());
        format!("${{{name}}}").into()
    }
}

/// A plain `${` must not be taken for the beginning of a variable.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn is_masked(draft: &Draft, name: &str, text: &str) -> bool {
    // A secret that stood somewhere inside of a value was masked without its name being noted.
    let has_hole =
        text.contains(HOLE) && draft.redacted.iter().any(|n| n == "body" || n == "query");
    is_stars(text) || has_hole || (is_masked_name(draft, name) && !text.is_empty())
}

fn is_masked_name(draft: &Draft, name: &str) -> bool {
    let is_secret = SECRET_FIELDS.contains(&name) || SECRET_PARAMETERS.contains(&name);
    // These three are places, not names; a field may be called so.
    let is_place = matches!(name, "path" | "query" | "body");
    let is_noted = draft.redacted.iter().any(|masked| masked.eq_ignore_ascii_case(name));
    is_secret || (is_noted && !is_place)
}

fn is_stars(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

/// Shorter runs of stars are how people write phone numbers: 138****1234.
const HOLE: &str = "********";
