//! The texts and numbers inside of a value.

use serde_json::Value;

use crate::scenario::ValuePath;

/// Tells `visit` each text and number with its place.
pub(super) fn each_leaf(value: &Value, visit: &mut dyn FnMut(&ValuePath, &Value)) {
    walk(&ValuePath::top(), value, visit);
}

fn walk(path: &ValuePath, value: &Value, visit: &mut dyn FnMut(&ValuePath, &Value)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                // Such a name could not be written as a path.
                if !name.is_empty() && !name.contains(['.', '[']) {
                    walk(&path.field(name), field, visit);
                }
            }
        }
        Value::Array(items) => {
            for (nth, item) in items.iter().enumerate() {
                walk(&path.index(nth), item, visit);
            }
        }
        Value::String(_) | Value::Number(_) => visit(path, value),
        Value::Null | Value::Bool(_) => {}
    }
}
