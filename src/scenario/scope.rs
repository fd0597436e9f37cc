//! What the variables of a run stand for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::generator::Generator;

/// Values by name, the run's own suffix, and the present moment.
#[derive(Clone, Debug)]
pub struct Scope {
    vars: BTreeMap<String, Value>,
    run: String,
    now_ms: i64,
}

impl Scope {
    /// `run` goes into every `${id:…}`: letters and digits, different in every run.
    #[must_use]
    pub fn new(run: String, now_ms: i64) -> Self {
        Self { vars: BTreeMap::new(), run, now_ms }
    }

    /// Moves the moment that `${now}` means.
    pub fn set_now(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// Gives a variable a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.vars.insert(name.to_owned(), value);
    }

    /// What `${word}` stands for.
    pub(super) fn value(&self, word: &str) -> Result<Value, String> {
        match Generator::parse(word) {
            Some(generator) => Ok(generator?.value(self.now_ms, &self.run)),
            None => match self.vars.get(word) {
                None => Err(format!("`${{{word}}}` is not known here")),
                Some(Value::Null) => Err(format!("`{word}` has no value")),
                Some(value) => Ok(value.clone()),
            },
        }
    }
}
