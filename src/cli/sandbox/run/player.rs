//! Plays the steps of a scenario.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    caller::{Answered, Caller, JSON, Sending, told},
    multipart,
    sent::without_secrets,
    watch::Watch,
};
use crate::{
    base::clock::{Clock as _, SystemClock},
    cli::{
        exit::Failure,
        sandbox::{
            control::{Control, ControlAnswer},
            reach::{reason, unreachable},
        },
    },
    scenario::{
        Action, DiffLine, Payload, Scenario, Scope, Step, compare, fill, fill_text, uses_clock,
    },
};

/// A scenario as far as it has come.
#[derive(Debug)]
pub(super) struct Player {
    caller: Caller,
    /// None for the real platform.
    control: Option<Control>,
    scope: Scope,
    watch: Watch,
    has_clock: bool,
    /// How far the other side's clock is ahead of ours, as its answers say.
    skew_ms: i64,
}

/// How a step ended well.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The platform's request id.
    pub(super) rid: Option<String>,
}

/// Why a step failed.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// In a sentence.
    pub(super) why: String,
    /// What was sent, as one line.
    pub(super) sent: Option<String>,
    /// Expected against got.
    pub(super) lines: Vec<DiffLine>,
    /// errcode and errmsg.
    pub(super) answer: Option<String>,
    /// The platform's request id.
    pub(super) rid: Option<String>,
}

/// How a step ended.
pub(super) type Ended = Result<Passed, Trouble>;

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self { why, ..Self::default() }
    }
}

impl Player {
    /// Nothing is sent yet.
    pub(super) fn new(caller: Caller, control: Option<Control>, scope: Scope) -> Self {
        let has_clock = control.is_some();
        Self { caller, control, scope, watch: Watch::default(), has_clock, skew_ms: 0 }
    }

    /// Events that were told before the scenario are not its own.
    pub(super) async fn begin(&mut self, scenario: &Scenario) {
        let is_event = |step: &Step| matches!(step.action, Action::Event { .. });
        if scenario.steps.iter().any(is_event) {
            self.begin_events().await;
        }
    }

    async fn begin_events(&mut self) {
        let Some(control) = &self.control else { return };
        // Who cannot be asked is asked again by the step that waits for an event, and told of.
        let answer = control.ask_json(&Method::GET, &Watch::first_question(), None).await;
        if let Some(value) = answer.ok().and_then(|answer| answer.value().ok()) {
            self.watch.begin_behind(&value);
        }
    }

    /// Plays one step.
    ///
    /// # Errors
    /// When nobody answers; a step that does not go as expected is no error.
    pub(super) async fn step(&mut self, step: &Step) -> Result<Ended, Failure> {
        if needs_time(step) {
            self.ask_time().await;
        }
        match &step.action {
            Action::Call { .. } => self.call(step).await,
            Action::Event { name, within } => self.event(step, name, *within).await,
            Action::Wait { time } => self.wait(*time).await,
            Action::Fire { name, set } => match fill(set, &self.scope) {
                Ok(set) => {
                    let body = json!({ "event": name, "set": set });
                    self.control(step, &Method::POST, "events", Some(&body)).await
                }
                Err(why) => Ok(Err(why.into())),
            },
            Action::State { changes } => match fill(changes, &self.scope) {
                Ok(body) => self.control(step, &Method::POST, "state", Some(&body)).await,
                Err(why) => Ok(Err(why.into())),
            },
            Action::Control { method, rest, body } => {
                let filled = body.as_ref().map(|body| fill(body, &self.scope)).transpose();
                match (filled, fill_text(rest, &self.scope)) {
                    (Ok(body), Ok(rest)) => self.control(step, method, &rest, body.as_ref()).await,
                    (Err(why), _) | (_, Err(why)) => Ok(Err(why.into())),
                }
            }
        }
    }

    /// `${now}` is the sandbox's present moment, else that of whoever answered last.
    async fn ask_time(&mut self) {
        let own_ms = SystemClock.unix_ms().saturating_add(self.skew_ms);
        let told_ms = match &self.control {
            Some(control) if self.has_clock => {
                let answer = control.ask_json(&Method::GET, "clock", None).await;
                answer.ok().and_then(|answer| time_of(&answer.value().ok()?))
            }
            Some(_) | None => None,
        };
        self.has_clock &= told_ms.is_some();
        self.scope.set_now(told_ms.unwrap_or(own_ms));
    }

    async fn call(&mut self, step: &Step) -> Result<Ended, Failure> {
        let Action::Call { method, path, query, payload, status } = &step.action else {
            return Ok(Ok(Passed::default()));
        };
        let (sending, request) = match self.sending(method, path, &query.clone().into(), payload) {
            Ok(filled) => filled,
            Err(why) => return Ok(Err(why.into())),
        };
        let expected = match self.expected(step) {
            Ok(expected) => expected,
            Err(why) => return Ok(Err(why.into())),
        };
        let wanted = expected.get("errcode").and_then(Value::as_i64);
        let answered = self.caller.call(&sending, |errcode| wanted == Some(errcode)).await?;
        self.note_date(&answered);
        let with_facts = |trouble: Trouble| Trouble {
            sent: Some(without_secrets(&request).to_string()),
            answer: Some(told(&answered.value)),
            rid: answered.rid.clone(),
            ..trouble
        };
        if answered.status != *status {
            let why = format!("HTTP {} instead of {status}", answered.status);
            return Ok(Err(with_facts(why.into())));
        }
        let ended = self.judge(step, &expected, &answered.value, &request);
        let rid = answered.rid.clone();
        Ok(ended.map(|()| Passed { rid }).map_err(with_facts))
    }

    /// The call with everything filled in, and what `$echo` looks at.
    fn sending(
        &self,
        method: &Method,
        path: &str,
        query: &Value,
        payload: &Payload,
    ) -> Result<(Sending, Value), String> {
        let path = fill_text(path, &self.scope)?;
        let query = fill(query, &self.scope)?;
        let mut request = json!({ "query": query });
        let (content_type, body) = match payload {
            Payload::Nothing => (None, Bytes::new()),
            Payload::Json(body) => {
                let body = fill(body, &self.scope)?;
                let bytes = body.to_string().into();
                request["body"] = body;
                (Some(JSON.to_owned()), bytes)
            }
            Payload::Form(fields) => {
                let (kind, body) = multipart::encode(fields, &self.scope)?;
                request["form"] = multipart::texts(fields, &self.scope)?;
                (Some(kind), body.into())
            }
        };
        let query = query.as_object().cloned().unwrap_or_default();
        Ok((Sending { method: method.clone(), path, query, content_type, body }, request))
    }

    /// What the answer must be like: without a word about it, a success.
    fn expected(&self, step: &Step) -> Result<Value, String> {
        let mut expected = step.expect.clone().unwrap_or_else(|| json!({}));
        if let Value::Object(fields) = &mut expected {
            let is_matcher = fields.keys().any(|name| name.starts_with('$'));
            if !is_matcher && !fields.contains_key("errcode") {
                fields.insert("errcode".to_owned(), json!({ "$ok": true }));
            }
        }
        fill(&expected, &self.scope)
    }

    /// Compares, and keeps what the step saves.
    fn judge(
        &mut self,
        step: &Step,
        expected: &Value,
        got: &Value,
        request: &Value,
    ) -> Result<(), Trouble> {
        let comparison = compare(expected, Some(got), request);
        if !comparison.is_match {
            let why = "not what was expected".to_owned();
            return Err(Trouble { lines: comparison.lines, ..why.into() });
        }
        for (name, path) in &step.save {
            match path.find(got) {
                Some(value) => self.scope.set(name, value.clone()),
                None => return Err(format!("there is no `{path}` to save as `{name}`").into()),
            }
        }
        Ok(())
    }

    /// A control call, which must go well.
    async fn control(
        &mut self,
        step: &Step,
        method: &Method,
        rest: &str,
        body: Option<&Value>,
    ) -> Result<Ended, Failure> {
        let Some(control) = &self.control else { return Ok(Err(no_control().into())) };
        let answer = control.ask_json(method, rest, body).await.map_err(unreachable)?;
        let value = match answer.value() {
            Ok(value) => value,
            Err(told) => {
                let sent = body.map(Value::to_string);
                let why = format!("control refused it: {told}");
                return Ok(Err(Trouble { sent, ..why.into() }));
            }
        };
        if FORGETTING.contains(&rest) {
            self.begin_events().await;
        }
        let expected = step.expect.clone().unwrap_or_else(|| json!({}));
        let expected = match fill(&expected, &self.scope) {
            Ok(expected) => expected,
            Err(why) => return Ok(Err(why.into())),
        };
        let request = json!({ "body": body });
        Ok(self.judge(step, &expected, &value, &request).map(|()| Passed::default()))
    }

    /// Waits until such an event was told.
    async fn event(&mut self, step: &Step, name: &str, within: Duration) -> Result<Ended, Failure> {
        let expected = step.expect.clone().unwrap_or_else(|| json!({}));
        let expected = match fill(&expected, &self.scope) {
            Ok(expected) => expected,
            Err(why) => return Ok(Err(why.into())),
        };
        let deadline = Instant::now() + within;
        let mut pause = SHORTEST_PAUSE;
        loop {
            let Some(control) = &self.control else { return Ok(Err(no_control().into())) };
            let asked = control.ask_json(&Method::GET, &self.watch.question(), None).await;
            match asked.map_err(unreachable)?.value() {
                Ok(value) => self.watch.learn(&value),
                Err(told) => return Ok(Err(format!("events cannot be asked for: {told}").into())),
            }
            let fits = |message: &Value| compare(&expected, Some(message), &Value::Null).is_match;
            let other = match self.watch.take(name, fits) {
                Ok(message) => {
                    let ended = self.judge(step, &expected, &message, &Value::Null);
                    return Ok(ended.map(|()| Passed::default()));
                }
                Err(other) => other,
            };
            if Instant::now() >= deadline {
                return Ok(Err(late(name, within, &expected, other.as_ref())));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Moves the sandbox's clock; where that cannot be done, time passes as it does.
    async fn wait(&mut self, time: Duration) -> Result<Ended, Failure> {
        let advance_s = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let why = match &self.control {
            None => no_control(),
            Some(control) => {
                let body = json!({ "advance_s": advance_s });
                match control.ask_json(&Method::POST, "clock", Some(&body)).await {
                    Err(error) => reason(&error),
                    Ok(answer) if may_not_control(&answer) => {
                        answer.value().err().unwrap_or_default()
                    }
                    Ok(answer) => {
                        let moved = answer.value().map(|_| Passed::default());
                        return Ok(moved.map_err(|told| format!("the clock stays: {told}").into()));
                    }
                }
            }
        };
        if time > LONGEST_SLEEP {
            let text = format!("the clock cannot be moved ({why}), and that is long to wait for");
            return Ok(Err(text.into()));
        }
        tokio::time::sleep(time).await;
        Ok(Ok(Passed::default()))
    }

    /// Whole seconds are not worth a correction.
    fn note_date(&mut self, answered: &Answered) {
        if let Some(date_ms) = answered.date_ms {
            let skew_ms = date_ms.saturating_sub(SystemClock.unix_ms());
            self.skew_ms = if skew_ms.abs() > NO_SKEW_MS { skew_ms } else { 0 };
        }
    }
}

/// Whether anything that the step sends or expects depends on the time.
fn needs_time(step: &Step) -> bool {
    let in_text = |text: &str| uses_clock(&Value::from(text));
    let in_action = match &step.action {
        Action::Call { path, query, payload, .. } => {
            in_text(path)
                || uses_clock(&query.clone().into())
                || match payload {
                    Payload::Nothing => false,
                    Payload::Json(body) => uses_clock(body),
                    // Forms are rare, and asking costs little.
                    Payload::Form(_) => true,
                }
        }
        Action::Fire { set, .. } => uses_clock(set),
        Action::State { changes } => uses_clock(changes),
        Action::Control { rest, body, .. } => {
            in_text(rest) || body.as_ref().is_some_and(uses_clock)
        }
        Action::Event { .. } | Action::Wait { .. } => false,
    };
    in_action || step.expect.as_ref().is_some_and(uses_clock)
}

/// `{"now": RFC 3339, "unix_ms": n}`; either will do.
fn time_of(clock: &Value) -> Option<i64> {
    let exact = clock.get("unix_ms").and_then(Value::as_i64);
    exact.or_else(|| {
        let now: jiff::Timestamp = clock.get("now")?.as_str()?.parse().ok()?;
        Some(now.as_millisecond())
    })
}

fn may_not_control(answer: &ControlAnswer) -> bool {
    let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
    refusals.contains(&answer.status)
}

fn late(name: &str, within: Duration, expected: &Value, other: Option<&Value>) -> Trouble {
    let seconds = within.as_secs();
    match other {
        None => format!("no event `{name}` within {seconds} s").into(),
        Some(other) => {
            let why = format!("no such event `{name}` within {seconds} s, but this one");
            let lines = compare(expected, Some(other), &Value::Null).lines;
            Trouble { lines, ..why.into() }
        }
    }
}

fn no_control() -> String {
    "only a sandbox can do that; --control URL says where it is controlled".to_owned()
}

/// Control calls behind which events are counted anew.
const FORGETTING: [&str; 2] = ["reset", "restore"];
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// In real time.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// `Date` has whole seconds, and answers take a moment.
const NO_SKEW_MS: i64 = 2500;
