//! Control: of one account, a file for each noun, and of all accounts together.

mod accounts;
mod clock;
mod faults;
mod parts;
mod snapshot;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) use self::accounts::answer_for_all;
pub use self::snapshot::RESTORE_CAP_BYTES;
use super::{
    account::Account,
    cashier, control_form, fire, open,
    platform::Platform,
    push::{self, Sender},
    query::Query,
    shop::{audits, trace},
    signing,
};

/// As [`answer`], and sets push URLs, which is the one thing that asks somebody else.
pub(super) async fn serve(
    platform: &Platform,
    sender: &Sender,
    account: &str,
    method: &Method,
    rest: &str,
    body: &[u8],
) -> Response<Bytes> {
    let place = rest.split('?').next().unwrap_or_default().trim_matches('/');
    let is_push = method == Method::POST && place == "push";
    match platform.account(account).filter(|_| is_push) {
        Some(account) => {
            let done = push::control::set(&account, sender, body).await;
            told(done.map(|value| value.to_string().into()))
        }
        None => answer(platform, account, method, rest, body),
    }
}

/// Does what `method` on `rest` (`faults`, `events?after=7` …) asks of the account called
/// `account`.
pub(super) fn answer(
    platform: &Platform,
    account: &str,
    method: &Method,
    rest: &str,
    body: &[u8],
) -> Response<Bytes> {
    let Some(account) = platform.account(account) else {
        let names = platform.account_names().join(", ");
        let text = format!("there is no sandbox account `{account}`; there are: {names}");
        return refused(StatusCode::NOT_FOUND, &text);
    };
    // What control shows and changes is as of now.
    drop(account.state_at(account.now_ms()));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let request =
        Request { method, rest: rest.trim_matches('/'), query: Query::parse(query), body };
    let done = act(platform, &account, &request);
    account.announce(&mut account.state_at(account.now_ms()));
    told(done)
}

fn told(done: Told) -> Response<Bytes> {
    match done {
        Ok(text) => json_answer(StatusCode::OK, text),
        Err((status, text)) => refused(status, &text),
    }
}

/// An error with its text, as all control calls write it.
pub(super) fn refused(status: StatusCode, text: &str) -> Response<Bytes> {
    json_answer(status, json!({ "message": text }).to_string().into())
}

/// The status and the text of a refusal.
pub(super) type Refused = (StatusCode, String);

/// What to answer.
pub(super) type Done = Result<Value, Refused>;

/// The same, written.
type Told = Result<Bytes, Refused>;

/// A control call.
struct Request<'a> {
    method: &'a Method,
    /// Behind the account's name, without query.
    rest: &'a str,
    query: Query<'a>,
    body: &'a [u8],
}

/// One line for each control call, so that they can be read off here.
fn act(platform: &Platform, account: &Account, request: &Request<'_>) -> Told {
    let Request { method, rest, body, .. } = *request;
    let (is_get, is_post) = (method == Method::GET, method == Method::POST);
    let is_delete = method == Method::DELETE;
    let (noun, of) = rest.split_once('/').unwrap_or((rest, ""));
    let done = match (noun, of) {
        ("snapshot", "") if is_get => return snapshot::take(account),
        ("restore", "") if is_post => snapshot::restore(platform, account, body),
        ("faults", "") if is_post => faults::arm(account, body),
        ("faults", "") if is_delete => Ok(faults::clear(account)),
        ("faults", "") if is_get => Ok(faults::list(account)),
        ("faults", id) if is_delete => faults::remove(account, id),
        ("audits", "") if is_get => Ok(audits::waiting(account)),
        ("audits", "") if is_post => audits::decide(account, body).map_err(bad_request),
        ("cashier", "") if is_post => {
            cashier::open(platform, account, body).map_err(|text| (StatusCode::CONFLICT, text))
        }
        ("traces", "") if is_post => trace::give(account, body).map_err(bad_request),
        ("counters", "") if is_get => Ok(account.quiet_state().counters.to_json()),
        ("clock", "") if is_get => Ok(clock::show(account)),
        ("clock", "") if is_post => clock::set(account, body),
        ("events", "") if is_get => {
            Ok(account.quiet_state().events.to_json(number(request, "after")?))
        }
        ("events", "") if is_post => fire::fire(account, body),
        ("push", "") if is_get => Ok(push::control::show(account)),
        ("push", "") if is_delete => Ok(push::control::forget(account)),
        ("pushes", "") if is_get => Ok(push::control::pushes(account, number(request, "after")?)),
        ("pushes", of) if is_post => push::control::redeliver(account, of),
        ("journal", "") if is_get => {
            Ok(account.quiet_state().journal.to_json(&account.identity.name))
        }
        ("reset", "") if is_post => reset(account, body),
        ("state", "") if is_get => Ok(account.state().show(account.now_ms())),
        ("state", "") if is_post => settings(account, body),
        (noun, "") if open::control::NOUNS.contains(&noun) => {
            open::control::act(platform, account, method, noun, body)
        }
        ("signing", "") => signing::control::act(account, method, body),
        ("state", part) if is_get => parts::show(account, part, &request.query),
        (noun, _) if NOUNS.contains(&noun) => {
            Err((StatusCode::METHOD_NOT_ALLOWED, format!("not with {method}: {CHOICES}")))
        }
        _ => Err((StatusCode::NOT_FOUND, format!("there is no `{rest}`: {CHOICES}"))),
    };
    done.map(|value| value.to_string().into())
}

/// `{"keep_settings"?}`, or nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetForm {
    #[serde(default)]
    keep_settings: bool,
}

fn reset(account: &Account, body: &[u8]) -> Done {
    let form = if body.is_empty() { ResetForm::default() } else { read::<ResetForm>(body)? };
    account.reset(form.keep_settings);
    account.ring();
    Ok(account.state().show(account.now_ms()))
}

/// Changes the switches that are named, all of them or, if one is wrong, none.
fn settings(account: &Account, body: &[u8]) -> Done {
    let Value::Object(changes) = read(body)? else {
        return Err(bad_request("state takes a JSON object of switches".to_owned()));
    };
    let mut state = account.state();
    state.settings = state.settings.changed(changes).map_err(bad_request)?;
    Ok(state.show(account.now_ms()))
}

/// A body of JSON, read.
fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    control_form::read(body).map_err(bad_request)
}

/// A whole number from the query; 0 if it is not there.
fn number(request: &Request<'_>, name: &str) -> Result<u64, Refused> {
    let Some(text) = request.query.value(name) else { return Ok(0) };
    text.parse().map_err(|_| bad_request(format!("`{name}` is a whole number, not `{text}`")))
}

/// A refusal of what was sent.
pub(super) fn bad_request(text: String) -> Refused {
    (StatusCode::BAD_REQUEST, text)
}

/// A refusal for want of what was named.
pub(super) fn not_found(text: String) -> Refused {
    (StatusCode::NOT_FOUND, text)
}

/// Whether control calls begin so behind the account's name.
pub(super) fn has_noun(rest: &str) -> bool {
    let noun = rest.split('/').next().unwrap_or_default();
    noun == "signing" || NOUNS.contains(&noun) || open::control::NOUNS.contains(&noun)
}

/// Control speaks plain JSON; the platform's oddities are for its calls.
fn json_answer(status: StatusCode, text: Bytes) -> Response<Bytes> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What there is, for whoever asked for something else.
const CHOICES: &str = "GET, POST or DELETE faults, DELETE faults/{id}, GET counters, GET or POST \
                       clock, GET or POST events, GET, POST or DELETE push, GET pushes, POST \
                       pushes/{id}/redeliver, GET journal, POST reset, GET or POST state, GET \
                       state/{part}, GET snapshot, POST restore, POST cashier, POST traces, GET or POST \
                       audits, GET or POST signing; of third-party platforms GET component, POST authorize, POST \
                       unauthorize";
const NOUNS: &[&str] = &[
    "cashier", "traces", "faults", "counters", "clock", "events", "journal", "reset", "state",
    "snapshot", "restore", "push", "pushes", "audits",
];

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
