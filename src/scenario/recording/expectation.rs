//! What a step expects: the errcode, and the fields that somebody named.

use serde_json::{Map, Value, json};

use super::{FieldRules, draft::Draft, leaves::each_leaf, rewriting::Rewriting};
use crate::scenario::ValuePath;

/// None where a success without errcode is all that is expected.
pub(super) fn expectation(
    nth: usize,
    draft: &Draft,
    rules: &FieldRules,
    rewriting: &Rewriting<'_>,
    remarks: &mut Vec<String>,
) -> Option<Value> {
    let answer = draft.answer.as_ref()?;
    let mut picking = Picking { nth, draft, rules, rewriting, remarks };
    let mut expected = match picking.pick(&ValuePath::top(), answer) {
        Some(Value::Object(fields)) => fields,
        Some(_) | None => Map::new(),
    };
    if let Some(errcode) = answer.get("errcode") {
        expected.insert("errcode".to_owned(), errcode.clone());
    }
    (!expected.is_empty()).then_some(Value::Object(expected))
}

struct Picking<'a> {
    nth: usize,
    draft: &'a Draft,
    rules: &'a FieldRules,
    rewriting: &'a Rewriting<'a>,
    remarks: &'a mut Vec<String>,
}

impl Picking<'_> {
    /// What of the value is expected; none where no rule names any of it.
    fn pick(&mut self, path: &ValuePath, value: &Value) -> Option<Value> {
        if is_named(&self.rules.echoed, path) || is_named(&self.rules.exact, path) {
            return Some(self.whole(path, value));
        }
        match value {
            Value::Object(fields) => {
                let picked = fields.iter().filter_map(|(name, field)| {
                    Some((name.clone(), self.pick(&path.field(name), field)?))
                });
                let picked: Map<String, Value> = picked.collect();
                (!picked.is_empty()).then_some(picked.into())
            }
            Value::Array(items) => {
                let picked: Vec<Option<Value>> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.pick(&path.index(at), item))
                    .collect();
                let is_any = picked.iter().any(Option::is_some);
                is_any.then(|| picked.into_iter().map(|item| item.unwrap_or_else(any)).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    /// The value itself, but for what is ignored, echoed, or new in every run.
    fn whole(&mut self, path: &ValuePath, value: &Value) -> Value {
        if is_named(&self.rules.ignored, path) {
            return json!({ "$ignore": true });
        }
        if is_named(&self.rules.echoed, path) {
            match self.place_in_request(path, value) {
                Some(place) => return json!({ "$echo": place }),
                None => self.remarks.push(format!(
                    "step {}: the request holds no `{path}` of the answer, so it is expected as it was",
                    self.nth + 1
                )),
            }
        }
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, field)| (name.clone(), self.whole(&path.field(name), field)))
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| self.whole(&path.index(at), item))
                .collect(),
            other => self.rewriting.expected(self.nth, self.draft, other).unwrap_or_else(any),
        }
    }

    /// Where the request has the same value, best under the same name.
    fn place_in_request(&self, path: &ValuePath, value: &Value) -> Option<String> {
        let mut found: Vec<(bool, String)> = Vec::new();
        for (place, sent) in self.draft.sent() {
            each_leaf(&sent, &mut |at, sent| {
                if sent == value {
                    found.push((at.name() != path.name(), format!("{place}.{at}")));
                }
            });
        }
        found.into_iter().min().map(|(_, place)| place)
    }
}

fn is_named(names: &[String], path: &ValuePath) -> bool {
    names.iter().any(|name| path.ends_with(name))
}

fn any() -> Value {
    json!({ "$any": true })
}
