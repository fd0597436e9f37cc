//! A scenario as it was read: every step has one action, and nothing is left to be checked.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use serde_json::{Map, Value};

use super::ValuePath;

/// A whole file.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it is good for.
    pub about: String,
    /// Variables and their values; `null` = whoever runs it must give one.
    pub vars: BTreeMap<String, Value>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// A remark for whoever reads along.
    pub note: Option<String>,
    /// Where it begins in the file.
    pub line: usize,
    /// What is done.
    pub action: Action,
    /// What the answer or the event must look like, as far as it matters.
    pub expect: Option<Value>,
    /// Which parts of the answer or of the event are kept, by variable.
    pub save: BTreeMap<String, ValuePath>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// A call of the platform.
    Call {
        /// The method.
        method: Method,
        /// The path, without query; may hold variables.
        path: String,
        /// The query without a credential.
        query: Map<String, Value>,
        /// The body.
        payload: Payload,
        /// Which HTTP status is wanted.
        status: u16,
    },
    /// Waits for an event of the platform.
    Event {
        /// Its name.
        name: String,
        /// Real time, not the sandbox's.
        within: Duration,
    },
    /// Makes the sandbox emit an event, with the change that belongs to it.
    Fire {
        /// Its name.
        name: String,
        /// What its message holds.
        set: Value,
    },
    /// Lets time pass: the sandbox's, or real time where that cannot be moved.
    Wait {
        /// How long.
        time: Duration,
    },
    /// Changes switches of the sandbox.
    State {
        /// By name.
        changes: Value,
    },
    /// Any other control call.
    Control {
        /// The method.
        method: Method,
        /// What stands behind `/-/sandbox/{account}/`.
        rest: String,
        /// The body.
        body: Option<Value>,
    },
}

/// The body of a call.
#[derive(Clone, Debug)]
pub enum Payload {
    /// None.
    Nothing,
    /// JSON.
    Json(Value),
    /// A multipart form.
    Form(Vec<FormField>),
}

/// One field of a form.
#[derive(Clone, Debug)]
pub struct FormField {
    /// Its name.
    pub name: String,
    /// Its content.
    pub value: FormValue,
}

/// The content of a form's field.
#[derive(Clone, Debug)]
pub enum FormValue {
    /// A text; may hold variables.
    Text(String),
    /// A file.
    File {
        /// Its name.
        file_name: String,
        /// Its bytes.
        content: FileContent,
    },
}

/// The bytes of a file.
#[derive(Clone, Debug)]
pub enum FileContent {
    /// Text; may hold variables.
    Text(String),
    /// Anything.
    Bytes(Vec<u8>),
}

impl Scenario {
    /// The variables that somebody must give a value.
    pub fn missing_vars(&self) -> impl Iterator<Item = &str> {
        self.vars.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str())
    }
}

impl Step {
    /// What it does, in one line, variables as they are written.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.action {
            Action::Call { method, path, .. } => format!("{method} {path}"),
            Action::Event { name, .. } => format!("event {name}"),
            Action::Fire { name, .. } => format!("fire {name}"),
            Action::Wait { time } => format!("wait {}", crate::base::units::format_duration(*time)),
            Action::State { changes } => format!("state {}", names(changes)),
            Action::Control { method, rest, .. } => format!("control {method} {rest}"),
        }
    }
}

fn names(changes: &Value) -> String {
    let names = changes.as_object().into_iter().flat_map(Map::keys);
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
