//! One request of the collection: a step of the plan with all that is known of its call.

use super::{
    body::Body,
    description, examples,
    format::{Auth, Event, FormField, Item, Pair, Payload, Request, Saved, Url, id_of},
    plan::{Folder, Step},
    script, words,
};
use crate::wechat::{Call, CallClass, Endpoint, catalogue, endpoint::endpoint};

/// A step with what the platform's data says of it.
pub(super) struct Shown {
    /// The step.
    pub(super) step: &'static Step,
    /// Its call among the documented ones.
    pub(super) endpoint: Option<&'static Endpoint>,
    /// Its row of the catalogue.
    pub(super) call: Option<&'static Call>,
    /// Whether it is left out where requests go to the real platform.
    pub(super) is_sandbox_only: bool,
    /// Its path, without variables.
    pub(super) path: &'static str,
}

impl Shown {
    /// Looks everything up.
    pub(super) fn of(folder: &'static Folder, step: &'static Step) -> Self {
        let path = step.call.as_deref().or(step.control.as_deref()).unwrap_or_default();
        Self {
            step,
            endpoint: endpoint(path),
            call: catalogue::lookup_path(path),
            is_sandbox_only: folder.sandbox || step.sandbox || step.control.is_some(),
            path,
        }
    }

    /// Its Chinese name.
    pub(super) fn zh(&self) -> &'static str {
        let known =
            || self.endpoint.map(|e| e.name_zh.as_str()).or_else(|| self.call.map(|c| c.name_zh));
        self.step.zh.as_deref().or_else(known).unwrap_or_default()
    }

    /// Its English name.
    pub(super) fn en(&self) -> &'static str {
        let known =
            || self.endpoint.map(|e| e.name_en.as_str()).or_else(|| self.call.map(|c| c.name_en));
        self.step.en.as_deref().or_else(known).unwrap_or_default()
    }

    /// Whether it deletes, pays, refunds or reaches many people.
    pub(super) fn is_dangerous(&self) -> bool {
        !self.is_sandbox_only && self.call.is_some_and(|call| call.class == CallClass::Danger)
    }

    /// Its method.
    pub(super) fn method(&self) -> &'static str {
        let control = || self.step.control.as_deref()?.split(' ').next();
        let known = || self.call.map(|call| call.method.as_str());
        self.step.method.as_deref().or_else(control).or_else(known).unwrap_or("POST")
    }

    /// Its path at the gateway.
    pub(super) fn gateway_path(&self) -> String {
        match self.step.control.as_deref().and_then(|control| control.split(' ').nth(1)) {
            Some(rest) => format!("/-/sandbox/{{{{account}}}}/{rest}"),
            None => self.path.to_owned(),
        }
    }

    /// The body that is sent: the plan's, else the documents' example with variables.
    pub(super) fn body(&self) -> Option<Body> {
        if let Some(body) = &self.step.body {
            return Some(body.clone());
        }
        let documented = self.endpoint?;
        let mut body = Body::documented(&documented.example_request, &documented.request);
        words::with_variables(&mut body);
        for (place, value) in &self.step.set {
            body.set(place, value);
        }
        Some(body)
    }

    /// The request with a body.
    pub(super) fn request(&self, body: Option<&Body>, description: String) -> Request {
        let is_form = self.endpoint.is_some_and(|endpoint| endpoint.is_multipart);
        let payload =
            body.map(|body| if is_form { form(body) } else { Payload::json(body.to_text()) });
        Request {
            auth: self.step.keyless.then(Auth::none),
            method: self.method().to_owned(),
            header: self.header(matches!(payload, Some(Payload::Raw { .. }))),
            body: payload,
            url: url(&self.gateway_path(), &self.step.query),
            description,
        }
    }

    /// Requests go to the sandbox until a script takes the header off.
    fn header(&self, is_json: bool) -> Vec<Pair> {
        let mut header = Vec::new();
        if is_json {
            header.push(Pair::new("Content-Type", "application/json"));
        }
        if self.step.control.is_none() {
            header.push(Pair::new("X-Wxgate-Account", "{{account}}"));
            header.push(Pair::new("X-Wxgate-Upstream", "sandbox"));
        }
        header
    }

    /// The name in the list.
    fn name(&self) -> String {
        let mark = match (self.is_sandbox_only, self.is_dangerous()) {
            (true, _) => "沙箱 sandbox: ",
            (false, true) => "⚠ ",
            (false, false) => "",
        };
        format!("{mark}{} {}", self.zh(), self.en())
    }
}

/// The request as the collection holds it; `place` is unlike that of every other.
pub(super) fn item(shown: &Shown, place: &str) -> Item {
    let before = script::before(shown.step, shown.is_sandbox_only, shown.is_dangerous());
    let mut event: Vec<Event> = before.as_deref().map(Event::before).into_iter().collect();
    event.push(Event::after(&script::after(shown.step)));
    Item::Request(Box::new(Saved {
        id: id_of(&format!("request {place}")),
        name: shown.name(),
        event,
        request: shown.request(shown.body().as_ref(), description::of(shown)),
        response: examples::of(shown, place),
    }))
}

fn form(body: &Body) -> Payload {
    let field = |(name, value): &(String, Body)| FormField {
        key: name.clone(),
        value: value.plain(),
        kind: "text",
    };
    Payload::FormData { formdata: body.fields().iter().map(field).collect() }
}

fn url(path: &str, query: &std::collections::BTreeMap<String, String>) -> Url {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let question = if pairs.is_empty() { "" } else { "?" };
    Url {
        raw: format!("{{{{base_url}}}}{path}{question}{}", pairs.join("&")),
        host: vec!["{{base_url}}".to_owned()],
        path: path.split('/').skip(1).map(ToOwned::to_owned).collect(),
        query: query.iter().map(|(name, value)| Pair::new(name, value)).collect(),
    }
}
