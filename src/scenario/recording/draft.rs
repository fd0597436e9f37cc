//! One exchange, read: what was sent, what came back, and what is missing.

use serde_json::{Map, Value};

use super::{Recorded, RecordedBody, form};
use crate::wechat::credential::issues_credentials;

/// An exchange on its way to a step.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) time_ms: i64,
    /// `POST /shop/order/add`.
    pub(super) call: String,
    /// Without credentials; all values are texts.
    pub(super) query: Map<String, Value>,
    pub(super) body: Option<Value>,
    /// As a scenario writes forms.
    pub(super) form: Option<Map<String, Value>>,
    pub(super) answer: Option<Value>,
    pub(super) status: Option<u16>,
    /// Names of what was masked.
    pub(super) redacted: Vec<String>,
    /// What is missing.
    pub(super) notes: Vec<String>,
}

impl Draft {
    /// None for a call that only fetches a credential: whoever plays the scenario has one.
    pub(super) fn of(recorded: &Recorded<'_>, remarks: &mut Vec<String>) -> Option<Self> {
        let call = format!("{} {}", recorded.method, recorded.path);
        if issues_credentials(recorded.path).is_some() {
            remarks.push(format!("left out: {call} fetches a credential"));
            return None;
        }
        let mut draft = Self {
            time_ms: recorded.time_ms,
            call,
            query: query(recorded.query),
            body: None,
            form: None,
            answer: None,
            status: recorded.status,
            redacted: recorded.redacted.to_vec(),
            notes: Vec::new(),
        };
        if draft.redacted.iter().any(|name| name == "path") {
            draft.notes.push("a part of the path was masked".to_owned());
        }
        draft.read_request(recorded);
        draft.read_answer(recorded.response, recorded.status.is_some());
        Some(draft)
    }

    fn read_request(&mut self, recorded: &Recorded<'_>) {
        let note = match whole(recorded.request) {
            Ok([]) => return,
            Ok(bytes) if recorded.content_type.starts_with("multipart/") => {
                self.form = form::read(recorded.content_type, bytes);
                self.form.is_none().then_some("is no readable form")
            }
            Ok(bytes) => {
                self.body = serde_json::from_slice(bytes).ok();
                self.body.is_none().then_some("is no JSON")
            }
            Err(why) => Some(why),
        };
        let note = note.map(|why| format!("the body of the request {why} and is left out"));
        self.notes.extend(note);
    }

    fn read_answer(&mut self, answer: RecordedBody<'_>, was_answered: bool) {
        let note = match whole(answer) {
            _ if !was_answered => Some("there was no answer".to_owned()),
            Ok([]) => None,
            Ok(bytes) => {
                self.answer = serde_json::from_slice(bytes).ok();
                self.answer.is_none().then(|| "the answer is no JSON".to_owned())
            }
            Err(why) => Some(format!("the answer {why}")),
        };
        self.notes.extend(note);
    }

    /// What was sent, in every place.
    pub(super) fn sent(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let query = (!self.query.is_empty()).then(|| ("query", Value::from(self.query.clone())));
        let body = self.body.clone().map(|body| ("body", body));
        let form = self.form.clone().map(|form| ("form", Value::from(form)));
        query.into_iter().chain(body).chain(form)
    }
}

fn whole(body: RecordedBody<'_>) -> Result<&[u8], &'static str> {
    match body {
        RecordedBody { bytes: None, .. } => Err("is no longer kept"),
        RecordedBody { is_cut: true, .. } => Err("was cut when it was recorded"),
        RecordedBody { bytes: Some(bytes), is_cut: false } => Ok(bytes),
    }
}

/// The parameters but for tokens, which are added anew.
fn query(text: &str) -> Map<String, Value> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), Value::from(decoded(value)))
    });
    pairs.filter(|(name, _)| !TOKENS.iter().any(|token| name.eq_ignore_ascii_case(token))).collect()
}

/// Parameters that whoever plays the scenario adds. A secret in the query is not one of them.
const TOKENS: [&str; 5] = [
    "access_token",
    "authorizer_access_token",
    "component_access_token",
    "suite_access_token",
    "provider_access_token",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_left_out_of_the_query_and_nothing_else_is() {
        let query = query("a=%E5%BA%97+1&ACCESS_TOKEN=***&b&appid=wx1");
        assert_eq!(Value::from(query), serde_json::json!({"a": "店 1", "b": "", "appid": "wx1"}));
    }
}
