//! From the text of a file to a scenario, or to all of its mistakes.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    check,
    document::{Action, FileContent, FormField, FormValue, Payload, Scenario, Step},
    mistake::Mistake,
};
use crate::base::units::parse_duration;

/// Reads a scenario.
///
/// # Errors
/// Everything that is wrong with it, each with its line. A file that is no JSON has one mistake.
pub fn read(text: &str) -> Result<Scenario, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let file = match serde_json::from_str::<RawScenario<'_>>(text) {
        Ok(file) => file,
        Err(error) => {
            mistakes.push(Mistake::of_json(text, 0, &error));
            // A wrong key at the top is no reason to be silent about the steps.
            match serde_json::from_str::<OnlySteps<'_>>(text) {
                Ok(OnlySteps { steps }) => RawScenario { steps, ..RawScenario::default() },
                Err(_) => return Err(mistakes),
            }
        }
    };
    let mut steps = Vec::new();
    for raw in &file.steps {
        let offset = raw.get().as_ptr() as usize - text.as_ptr() as usize;
        let read = serde_json::from_str::<RawStep>(raw.get())
            .map_err(|error| Mistake::of_json(text, offset, &error))
            .and_then(|step| step.checked().map_err(|why| Mistake::at(text, offset, why)));
        match read {
            Ok(mut step) => {
                step.line = Mistake::at(text, offset, "").line;
                steps.push((offset, raw.get(), step));
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let is_whole = mistakes.is_empty();
    mistakes.extend(check::names(text, &file.vars, &steps, is_whole));
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        return Err(mistakes);
    }
    let steps = steps.into_iter().map(|(_, _, step)| step).collect();
    Ok(Scenario { name: file.name, about: file.about, vars: file.vars, steps })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario<'a> {
    #[serde(default)]
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    vars: BTreeMap<String, Value>,
    #[serde(borrow)]
    steps: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct OnlySteps<'a> {
    #[serde(borrow)]
    steps: Vec<&'a RawValue>,
}

/// A step as it is written: all keys that any action knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    note: Option<String>,
    call: Option<String>,
    query: Option<Map<String, Value>>,
    body: Option<Value>,
    form: Option<BTreeMap<String, RawField>>,
    status: Option<u16>,
    event: Option<String>,
    within_s: Option<u64>,
    fire: Option<String>,
    set: Option<Map<String, Value>>,
    wait: Option<String>,
    state: Option<Map<String, Value>>,
    control: Option<String>,
    expect: Option<Value>,
    #[serde(default)]
    save: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawField {
    Text(String),
    File(RawFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    file: String,
    text: Option<String>,
    base64: Option<String>,
}

impl RawStep {
    fn checked(mut self) -> Result<Step, String> {
        self.check_keys()?;
        let action = self.action()?;
        let save = self.save.iter().map(|(name, path)| {
            if !check::is_name(name) {
                return Err(format!("`{name}` is no name of a variable: letters, digits, _"));
            }
            Ok((name.clone(), path.parse()?))
        });
        let save = save.collect::<Result<_, String>>()?;
        Ok(Step { note: self.note, line: 0, action, expect: self.expect, save })
    }

    /// One action, and only the keys that belong to it.
    fn check_keys(&self) -> Result<(), String> {
        let given = [
            ("call", self.call.is_some()),
            ("event", self.event.is_some()),
            ("fire", self.fire.is_some()),
            ("wait", self.wait.is_some()),
            ("state", self.state.is_some()),
            ("control", self.control.is_some()),
        ];
        let mut actions = given.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name);
        let (Some(action), None) = (actions.next(), actions.next()) else {
            return Err("a step has one of: call, event, fire, wait, state, control".to_owned());
        };
        let companions = [
            ("query", self.query.is_some(), &["call"][..]),
            ("body", self.body.is_some(), &["call", "control"]),
            ("form", self.form.is_some(), &["call"]),
            ("status", self.status.is_some(), &["call"]),
            ("within_s", self.within_s.is_some(), &["event"]),
            ("set", self.set.is_some(), &["fire"]),
            ("expect", self.expect.is_some(), &["call", "event", "fire", "state", "control"]),
            ("save", !self.save.is_empty(), &["call", "event", "fire", "state", "control"]),
        ];
        match companions.iter().find(|(_, is_given, with)| *is_given && !with.contains(&action)) {
            Some((name, _, with)) => {
                Err(format!("`{name}` does not go with `{action}`, but with: {}", with.join(", ")))
            }
            None if self.body.is_some() && self.form.is_some() => {
                Err("a call has a `body` or a `form`, not both".to_owned())
            }
            None => Ok(()),
        }
    }

    fn action(&mut self) -> Result<Action, String> {
        if let Some(call) = self.call.take() {
            let (method, path) = method_and(&call, "POST /shop/order/add")?;
            if !path.starts_with('/') || path.contains(['?', '#', ' ']) {
                return Err(format!("`{path}` is no path without a query; `query` is for that"));
            }
            let payload = match (self.body.take(), self.form.take()) {
                (Some(body), _) => Payload::Json(body),
                (None, Some(form)) => Payload::Form(fields(form)?),
                (None, None) => Payload::Nothing,
            };
            let query = self.query.take().unwrap_or_default();
            let status = self.status.unwrap_or(200);
            return Ok(Action::Call { method, path, query, payload, status });
        }
        if let Some(name) = self.event.take() {
            let within = Duration::from_secs(self.within_s.unwrap_or(WITHIN_S).min(MOST_WITHIN_S));
            return Ok(Action::Event { name, within });
        }
        if let Some(name) = self.fire.take() {
            return Ok(Action::Fire { name, set: self.set.take().unwrap_or_default().into() });
        }
        if let Some(time) = &self.wait {
            let time = parse_duration(time).map_err(|error| error.to_string())?;
            return Ok(Action::Wait { time });
        }
        if let Some(changes) = self.state.take() {
            return Ok(Action::State { changes: changes.into() });
        }
        let (method, rest) =
            method_and(self.control.as_deref().unwrap_or_default(), "POST faults")?;
        Ok(Action::Control { method, rest, body: self.body.take() })
    }
}

/// `POST /path` in two.
fn method_and(text: &str, example: &str) -> Result<(Method, String), String> {
    let bad = || format!("`{text}` is not of the form `{example}`");
    let (method, rest) = text.split_once(' ').ok_or_else(bad)?;
    let is_upper = method.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = Method::from_bytes(method.as_bytes()).ok().filter(|_| is_upper);
    let rest = rest.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    Ok((method.ok_or_else(bad)?, rest.to_owned()))
}

fn fields(form: BTreeMap<String, RawField>) -> Result<Vec<FormField>, String> {
    let field = |(name, field): (String, RawField)| {
        let value = match field {
            RawField::Text(text) => FormValue::Text(text),
            RawField::File(file) => {
                FormValue::File { content: content(&name, &file)?, file_name: file.file }
            }
        };
        Ok(FormField { name, value })
    };
    form.into_iter().map(field).collect()
}

fn content(name: &str, file: &RawFile) -> Result<FileContent, String> {
    match (&file.text, &file.base64) {
        (Some(text), None) => Ok(FileContent::Text(text.clone())),
        (None, Some(coded)) => BASE64_STANDARD
            .decode(coded)
            .map(FileContent::Bytes)
            .map_err(|error| format!("form `{name}`: no base64: {error}")),
        (None, None) | (Some(_), Some(_)) => {
            Err(format!("form `{name}`: a file has its content as `text` or as `base64`"))
        }
    }
}

/// How long an event is waited for.
const WITHIN_S: u64 = 10;
const MOST_WITHIN_S: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        read(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    fn step_mistake(step: &str) -> String {
        mistakes(&format!("{{\"steps\":[{step}]}}")).join("\n")
    }

    #[test]
    fn every_action_is_read() {
        let scenario = read(
            r#"{"name":"x","about":"y","vars":{"n":1},"steps":[
            {"note":"a","call":"POST /a/b","query":{"x":"${n}"},"body":{"k":[1]},"expect":{"errcode":0},"save":{"id":"data.id"}},
            {"call":"POST /up","form":{"media":{"file":"a.png","base64":"AAE="},"type":"image ${id}"},"status":413},
            {"event":"e","within_s":3,"expect":{"a":"${id}"}},
            {"fire":"e","set":{"a":1}},
            {"wait":"90s"},
            {"state":{"frozen":true}},
            {"control":"DELETE faults"}]}"#,
        )
        .unwrap();
        let titles: Vec<_> = scenario.steps.iter().map(Step::title).collect();
        assert_eq!(
            titles,
            [
                "POST /a/b",
                "POST /up",
                "event e",
                "fire e",
                "wait 90s",
                "state frozen",
                "control DELETE faults"
            ]
        );
        assert_eq!(scenario.steps[1].line, 3);
        let Action::Call { payload: Payload::Form(form), status: 413, .. } =
            &scenario.steps[1].action
        else {
            panic!("{:?}", scenario.steps[1])
        };
        assert!(
            matches!(&form[0].value, FormValue::File { content: FileContent::Bytes(b), .. } if b == &[0, 1])
        );
    }

    #[test]
    fn all_mistakes_are_told_with_their_places() {
        let text = "{\"nam\":\"x\",\n\"steps\":[\n  {\"cal\":\"GET /a\"},\n  {\"wait\":\"5y\"},\n  {\"call\":\"GET /a\",\n   \"body\":{\"a\":\"${nobody}\"}}\n]}";
        let found = mistakes(text);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found[0].starts_with("1:") && found[0].contains("`nam`"), "{found:#?}");
        assert!(found[1].starts_with("3:") && found[1].contains("`cal`"), "{found:#?}");
        assert!(found[2].starts_with("4:3") && found[2].contains("5y"), "{found:#?}");
        assert!(found[3].starts_with("6:17") && found[3].contains("nobody"), "{found:#?}");
        assert_eq!(mistakes("{\"steps\":[\n{]}").len(), 1);
        assert!(mistakes("{\"steps\":[\n{]}")[0].starts_with("2:"));
        assert_eq!(mistakes("").len(), 1);
    }

    #[test]
    fn a_step_has_one_action_and_only_what_belongs_to_it() {
        for (step, why) in [
            ("{}", "one of"),
            (r#"{"wait":"1s","fire":"x"}"#, "one of"),
            (r#"{"wait":"1s","expect":{}}"#, "`expect` does not go with `wait`"),
            (r#"{"fire":"x","body":{}}"#, "`body` does not go with `fire`"),
            (r#"{"call":"GET /a","body":1,"form":{}}"#, "not both"),
            (r#"{"call":"/a"}"#, "of the form"),
            (r#"{"call":"get /a"}"#, "of the form"),
            (r#"{"call":"GET /a?b=1"}"#, "without a query"),
            (r#"{"call":"GET a"}"#, "no path"),
            (r#"{"control":"faults"}"#, "of the form"),
            (r#"{"call":"GET /a","form":{"m":{"file":"x"}}}"#, "as `text` or as `base64`"),
            (r#"{"call":"GET /a","form":{"m":{"file":"x","base64":"*"}}}"#, "no base64"),
            (r#"{"call":"GET /a","save":{"a b":"x"}}"#, "no name"),
            (r#"{"call":"GET /a","save":{"a":"x..y"}}"#, "no path"),
            (r#"{"call":"GET /a","expect":{"a":{"$regex":"x"}}}"#, "no matcher"),
        ] {
            let told = step_mistake(step);
            assert!(told.contains(why) && told.starts_with("1:"), "{step}: {told}");
        }
    }
}
