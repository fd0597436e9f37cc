//! Saved examples of a request: in Chinese, in English where that differs, and one that fails.

use super::{
    body::Body,
    description,
    format::{Pair, Response, id_of},
    request::Shown,
    words,
};

/// What Postman shows under a request.
pub(super) fn of(shown: &Shown, place: &str) -> Vec<Response> {
    // What prepares the sandbox is no example of anything.
    if shown.is_sandbox_only {
        return Vec::new();
    }
    let body = example(shown);
    let answer = answer(shown);
    let english = body.as_ref().map(words::in_english);
    let english_answer = answer.as_ref().map(words::in_english);
    let mut examples = Vec::new();
    if english == body && english_answer == answer {
        examples.push(good(shown, place, "成功 Success", body.as_ref(), answer.as_ref()));
    } else {
        let zh = "成功（中文示例） Success (example in Chinese)";
        let en = "成功（英文示例） Success (example in English)";
        examples.push(good(shown, place, zh, body.as_ref(), answer.as_ref()));
        examples.push(good(shown, place, en, english.as_ref(), english_answer.as_ref()));
    }
    examples.extend(bad(shown, place, body.as_ref()));
    examples
}

/// The documents' example as it stands, so that request and answer fit each other.
fn example(shown: &Shown) -> Option<Body> {
    match (&shown.step.body, shown.endpoint) {
        (Some(body), _) => Some(body.clone()),
        (None, Some(endpoint)) => {
            Some(Body::documented(&endpoint.example_request, &endpoint.request))
        }
        (None, None) => None,
    }
}

/// None for a picture.
fn answer(shown: &Shown) -> Option<Body> {
    match (&shown.step.answer, shown.endpoint) {
        _ if shown.step.picture => None,
        (Some(answer), _) => Some(answer.clone()),
        (None, Some(endpoint)) => {
            Some(Body::documented(&endpoint.example_response, &endpoint.response))
        }
        (None, None) => Some(refusal(0, "ok")),
    }
}

fn good(
    shown: &Shown,
    place: &str,
    name: &str,
    body: Option<&Body>,
    answer: Option<&Body>,
) -> Response {
    let (language, kind) =
        if shown.step.picture { ("Image", "image/jpeg") } else { ("json", "application/json") };
    Response {
        id: id_of(&format!("example {place} {name}")),
        name: name.to_owned(),
        original: shown.request(body, String::new()),
        status: "OK",
        code: 200,
        language,
        header: vec![Pair::new("Content-Type", kind)],
        cookie: Vec::new(),
        body: answer.map(Body::to_text).unwrap_or_default(),
    }
}

/// The first errcode that is the call's own.
fn bad(shown: &Shown, place: &str, body: Option<&Body>) -> Option<Response> {
    let code = description::errcodes(shown).into_iter().next()?;
    let name = format!("失败 Failure {}: {} {}", code.code, code.zh, code.en);
    let answer = refusal(code.code, code.en);
    let example = good(shown, place, &name, body, Some(&answer));
    // A failed picture is JSON as well.
    let header = vec![Pair::new("Content-Type", "application/json")];
    Some(Response { language: "json", header, ..example })
}

fn refusal(code: i64, text: &str) -> Body {
    let field = |name: &str, value: serde_json::Value| (name.to_owned(), Body::Value(value));
    Body::Object(vec![field("errcode", code.into()), field("errmsg", text.into())])
}
