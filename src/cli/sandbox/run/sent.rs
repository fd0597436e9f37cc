//! What a step has sent, fit to be shown.

use serde_json::Value;

use super::caller::ACCESS_TOKEN;
use crate::wechat::credential::{SECRET_FIELDS, SECRET_PARAMETERS};

/// What was sent, for a screen or a log.
pub(super) fn without_secrets(value: &Value) -> Value {
    let is_secret = |name: &str| {
        name == ACCESS_TOKEN || SECRET_FIELDS.contains(&name) || SECRET_PARAMETERS.contains(&name)
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match is_secret(name) {
                true => (name.clone(), Value::from("***")),
                false => (name.clone(), without_secrets(value)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
