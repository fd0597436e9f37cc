//! A scenario made of recorded exchanges.
//!
//! What belongs to the recorded run alone is replaced: ids that the platform made are saved from
//! the answer that brought them, the merchant's own and times are made anew, and what was masked
//! becomes a variable that somebody must give.

mod draft;
mod expectation;
mod form;
mod leaves;
mod links;
mod names;
mod own_ids;
mod rewriting;
mod times;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use self::{
    draft::Draft, expectation::expectation, links::Links, names::Names, own_ids::OwnIds,
    rewriting::Rewriting,
};

/// An exchange as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded<'a> {
    /// When the request came, in milliseconds since 1970.
    pub time_ms: i64,
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query, without `?`.
    pub query: &'a str,
    /// The request's content type.
    pub content_type: &'a str,
    /// What was sent.
    pub request: RecordedBody<'a>,
    /// What came back.
    pub response: RecordedBody<'a>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Names of what was masked in the request.
    pub redacted: &'a [String],
}

/// A body as far as it was kept.
#[derive(Clone, Copy, Debug)]
pub struct RecordedBody<'a> {
    /// None once it is no longer kept.
    pub bytes: Option<&'a [u8]>,
    /// Whether less than all of it is here.
    pub is_cut: bool,
}

/// Which fields of answers are expected, and how. A field is named by its path without indexes,
/// or by the end of that.
#[derive(Clone, Debug, Default)]
pub struct FieldRules {
    /// As they were.
    pub exact: Vec<String>,
    /// Whatever they are, inside of one that is expected.
    pub ignored: Vec<String>,
    /// As in the request.
    pub echoed: Vec<String>,
}

/// The scenario, and what could not be taken over.
#[derive(Clone, Debug)]
pub struct Writing {
    /// The file.
    pub text: String,
    /// How many steps it has.
    pub steps: usize,
    /// A sentence each.
    pub remarks: Vec<String>,
}

/// Makes a scenario of exchanges in the order in which they came.
#[must_use]
pub fn write(name: &str, recorded: &[Recorded<'_>], rules: &FieldRules) -> Writing {
    let mut remarks = Vec::new();
    let drafts: Vec<Draft> =
        recorded.iter().filter_map(|exchange| Draft::of(exchange, &mut remarks)).collect();
    let own_ids = OwnIds::find(&drafts);
    let mut names = Names::default();
    let links = Links::find(&drafts, &own_ids, &mut names);
    let mut rewriting =
        Rewriting { links: &links, own_ids: &own_ids, names, asked: BTreeMap::new() };
    let steps: Vec<WrittenStep> = drafts
        .iter()
        .enumerate()
        .map(|(nth, draft)| written(nth, draft, rules, &mut rewriting, &mut remarks))
        .collect();
    let asked = rewriting.asked;
    if !asked.is_empty() {
        let names: Vec<&str> = asked.keys().map(String::as_str).collect();
        let text =
            format!("values that were masked must be given with --var: {}", names.join(", "));
        remarks.push(text);
    }
    let file = WrittenFile {
        name,
        about: "Made of recorded requests.",
        vars: asked.into_keys().map(|name| (name, Value::Null)).collect(),
        steps: &steps,
    };
    // Maps of strings and values have no way to fail.
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    Writing { text, steps: steps.len(), remarks }
}

/// The keys in the order in which people read them.
#[derive(Serialize)]
struct WrittenFile<'a> {
    name: &'a str,
    about: &'a str,
    vars: BTreeMap<String, Value>,
    steps: &'a [WrittenStep],
}

#[derive(Serialize)]
struct WrittenStep {
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    call: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    query: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    save: BTreeMap<String, String>,
}

fn written(
    nth: usize,
    draft: &Draft,
    rules: &FieldRules,
    rewriting: &mut Rewriting<'_>,
    remarks: &mut Vec<String>,
) -> WrittenStep {
    let mut notes = draft.notes.clone();
    let before = rewriting.asked.clone();
    let query = rewriting.fields(nth, draft, &draft.query, true);
    let body = draft.body.as_ref().map(|body| rewriting.value(nth, draft, body));
    let form = draft.form.as_ref().map(|form| rewriting.fields(nth, draft, form, true));
    let fresh = rewriting.asked.keys().filter(|name| !before.contains_key(*name));
    let fresh: Vec<&str> = fresh.map(String::as_str).collect();
    if !fresh.is_empty() {
        notes.push(format!("{} was masked: give it with --var", fresh.join(", ")));
    }
    if !notes.is_empty() {
        remarks.extend(draft.notes.iter().map(|note| format!("step {}: {note}", nth + 1)));
    }
    WrittenStep {
        note: notes.join("; "),
        call: draft.call.clone(),
        query,
        body,
        form,
        status: draft.status.filter(|status| *status != 200),
        expect: expectation(nth, draft, rules, rewriting, remarks),
        save: rewriting.links.saved(nth),
    }
}

#[cfg(test)]
mod tests;
