//! The answer of a call of the component.

use serde_json::{Value, json};

use super::{fields::Fields, shape};
use crate::{
    sandbox::{call::Answer, dispatch::Cx},
    wechat::endpoint::endpoint,
};

impl Cx<'_> {
    /// errcode 0 with `fields` at the top level, and every other field that the call documents.
    pub(in crate::sandbox) fn done(&self, fields: Value) -> Answer {
        let mut answer = match fields {
            Value::Object(fields) => fields,
            _ => Fields::new(),
        };
        answer.insert("errcode".to_owned(), json!(0));
        answer.insert("errmsg".to_owned(), json!("ok"));
        if let Some(endpoint) = endpoint(&self.call.path) {
            shape::fill(&endpoint.response, &mut answer);
        }
        Answer::json(&Value::Object(answer))
    }

    /// errcode 0 and nothing else that the call decides on.
    pub(in crate::sandbox) fn done_plainly(&self) -> Answer {
        self.done(json!({}))
    }
}
