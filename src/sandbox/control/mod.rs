//! Control of one account: faults, counters, clock, journal, reset, state.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    account::Account,
    cashier,
    exchange::strike_tokens,
    fault::{Fault, FaultKind},
    fault_list::TokenFault,
    moment,
    platform::Platform,
    query::Query,
};

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
    match done {
        Ok(value) => json_answer(StatusCode::OK, &value),
        Err((status, text)) => refused(status, &text),
    }
}

/// An error with its text, as all control calls write it.
pub(super) fn refused(status: StatusCode, text: &str) -> Response<Bytes> {
    json_answer(status, &json!({ "message": text }))
}

/// What to answer, or the status and the text of a refusal.
type Done = Result<Value, (StatusCode, String)>;

/// A control call.
struct Request<'a> {
    method: &'a Method,
    /// Behind the account's name, without query.
    rest: &'a str,
    query: Query<'a>,
    body: &'a [u8],
}

/// One line for each control call, so that they can be read off here.
fn act(platform: &Platform, account: &Account, request: &Request<'_>) -> Done {
    let Request { method, rest, body, .. } = *request;
    let (is_get, is_post) = (method == Method::GET, method == Method::POST);
    match rest {
        "faults" if is_post => post_fault(account, body),
        "faults" if method == Method::DELETE => {
            account.state().faults.clear();
            Ok(faults(account))
        }
        "faults" if is_get => Ok(faults(account)),
        "counters" if is_get => Ok(account.state().counters.to_json()),
        "cashier" if is_post => {
            cashier::open(platform, account, body).map_err(|text| (StatusCode::CONFLICT, text))
        }
        "clock" if is_post => post_clock(account, body),
        "events" if is_get => Ok(account.state().events.to_json(number(request, "after")?)),
        "journal" if is_get => Ok(account.state().journal.to_json(&account.identity.name)),
        "reset" if is_post => {
            account.reset();
            Ok(account.state().show(account.now_ms()))
        }
        "state" if is_get => Ok(account.state().show(account.now_ms())),
        "state" if is_post => post_state(account, body),
        "cashier" | "faults" | "counters" | "clock" | "events" | "journal" | "reset" | "state" => {
            Err((StatusCode::METHOD_NOT_ALLOWED, format!("not with {method}: {CHOICES}")))
        }
        _ => Err((StatusCode::NOT_FOUND, format!("there is no `{rest}`: {CHOICES}"))),
    }
}

/// A token fault without a path strikes at once; what is left of its count, and every other
/// fault, waits for its calls.
fn post_fault(account: &Account, body: &[u8]) -> Done {
    let mut fault = Fault::parse(body).map_err(bad_request)?;
    let at_once = match fault.kind {
        FaultKind::ExpireToken => Some(TokenFault::Expire),
        FaultKind::ForeignFetch => Some(TokenFault::ForeignFetch),
        FaultKind::Delay
        | FaultKind::ResetBefore
        | FaultKind::ResetAfter
        | FaultKind::Status
        | FaultKind::EmptyGbk
        | FaultKind::Busy
        | FaultKind::Errcode => None,
    };
    let now_ms = account.now_ms();
    let mut state = account.state();
    if let Some(at_once) = at_once.filter(|_| fault.path.is_none()) {
        strike_tokens(&mut state, account, at_once, now_ms);
        fault.left = fault.left.map(|left| left.saturating_sub(1));
    }
    if fault.left != Some(0) && !state.faults.arm(fault) {
        return Err(bad_request("too many faults wait; DELETE faults, or POST reset".to_owned()));
    }
    drop(state);
    Ok(faults(account))
}

fn faults(account: &Account) -> Value {
    json!({ "faults": account.state().faults.to_json() })
}

/// `{"advance_s"}`: the only way is forward.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockForm {
    advance_s: u64,
}

/// Moves the account's clock: tokens age, quotas turn over, audits are decided.
fn post_clock(account: &Account, body: &[u8]) -> Done {
    let form: ClockForm =
        serde_json::from_slice(body).map_err(|error| bad_request(error.to_string()))?;
    if form.advance_s > MOST_ADVANCE_S {
        return Err(bad_request(format!("advance_s is at most {MOST_ADVANCE_S}")));
    }
    account.advance(Duration::from_secs(form.advance_s));
    Ok(json!({ "now": moment::rfc3339(account.now_ms()) }))
}

/// Changes the switches that are named, all of them or, if one is wrong, none.
fn post_state(account: &Account, body: &[u8]) -> Done {
    let changes = match serde_json::from_slice(body) {
        Ok(Value::Object(changes)) => changes,
        Ok(_) => return Err(bad_request("state takes a JSON object of switches".to_owned())),
        Err(error) => return Err(bad_request(error.to_string())),
    };
    let mut state = account.state();
    state.settings = state.settings.changed(changes).map_err(bad_request)?;
    Ok(state.show(account.now_ms()))
}

/// A whole number from the query; 0 if it is not there.
fn number(request: &Request<'_>, name: &str) -> Result<u64, (StatusCode, String)> {
    let Some(text) = request.query.value(name) else { return Ok(0) };
    text.parse().map_err(|_| bad_request(format!("`{name}` is a whole number, not `{text}`")))
}

fn bad_request(text: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, text)
}

/// Control speaks plain JSON; the platform's oddities are for its calls.
fn json_answer(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What there is, for whoever asked for something else.
const CHOICES: &str = "GET, POST or DELETE faults, GET counters, POST clock, GET events, \
                       GET journal, \
                       POST reset, GET or POST state, POST cashier";
/// A year at a time.
const MOST_ADVANCE_S: u64 = 366 * 86_400;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::calls::bench::Bench;

    const IPS: &str = "/cgi-bin/getcallbackip";

    fn stable(bench: &Bench) -> String {
        bench.stable_token()
    }

    fn ask(bench: &Bench, token: &str) -> Option<i64> {
        bench.get(IPS, &format!("access_token={token}")).errcode
    }

    #[test]
    fn token_faults_kill_the_token_at_once_and_a_normal_fetch_heals() {
        for (kind, errcode) in [("expire_token", 42001), ("foreign_fetch", 40001)] {
            let bench = Bench::new();
            let token = stable(&bench);
            assert_eq!(ask(&bench, &token), None);
            let fault = json!({ "kind": kind }).to_string();
            assert_eq!(bench.control("POST", "faults", &fault).0, 200);
            assert_eq!(ask(&bench, &token), Some(errcode));
            let fresh = stable(&bench);
            assert_ne!(fresh, token);
            assert_eq!(ask(&bench, &fresh), None, "{kind} strikes once");
        }
    }

    #[test]
    fn a_token_fault_with_a_path_or_count_strikes_later() {
        let bench = Bench::new();
        let token = stable(&bench);
        let fault = format!(r#"{{"kind":"foreign_fetch","path":"{IPS}","count":2}}"#);
        bench.control("POST", "faults", &fault);
        assert_eq!(ask(&bench, &token), Some(40001));
        assert_eq!(ask(&bench, &stable(&bench)), Some(40001), "and again");
        assert_eq!(ask(&bench, &stable(&bench)), None);
    }

    #[test]
    fn counters_have_exactly_the_shape_of_the_contract() {
        let bench = Bench::new();
        let token = stable(&bench);
        bench.fetch_stable(true);
        assert!((0..3).all(|_| ask(&bench, &token).is_none()));
        let (status, counters) = bench.control("GET", "counters", "");
        assert_eq!(status, 200);
        assert_eq!(counters, json!({"token_fetches": 2, "forced": 1, "calls": {IPS: 3}}));
    }

    #[test]
    fn token_calls_are_only_hit_by_faults_that_name_them() {
        let bench = Bench::new();
        bench.control("POST", "faults", r#"{"kind":"errcode","value":45009}"#);
        let token = stable(&bench);
        assert_eq!(ask(&bench, &token), Some(45009));
        let fault = r#"{"kind":"errcode","value":40164,"path":"/cgi-bin/stable_token"}"#;
        bench.control("POST", "faults", fault);
        let refused = bench.fetch_stable(false);
        assert_eq!(refused.errcode, Some(40164));
        assert!(refused.json()["errmsg"].as_str().unwrap().contains("::ffff:127.0.0.1"));
        assert_eq!(bench.fetch_stable(false).errcode, None);
    }

    #[test]
    fn the_clock_moves_one_account_and_tokens_grow_old() {
        let bench = Bench::new();
        let token = stable(&bench);
        assert_eq!(bench.control("POST", "clock", r#"{"advance_s":7200}"#).0, 200);
        assert_eq!(ask(&bench, &token), Some(42001));
        assert_eq!(bench.control("POST", "clock", r#"{"advance_s":-1}"#).0, 400);
        assert_eq!(bench.control("POST", "clock", r#"{"forward_s":1}"#).0, 400);
    }

    #[test]
    fn reset_forgets_everything_and_no_old_token_comes_back() {
        let bench = Bench::new();
        let token = stable(&bench);
        bench.set(&json!({"frozen": true}));
        bench.control("POST", "faults", r#"{"kind":"busy","count":0}"#);
        assert_eq!(bench.control("POST", "reset", "").0, 200);
        assert_eq!(ask(&bench, &token), Some(40001));
        let fresh = stable(&bench);
        assert_ne!(fresh, token);
        assert_eq!(ask(&bench, &fresh), None);
        let state = bench.control("GET", "state", "").1;
        assert_eq!(state["settings"]["frozen"], false);
        assert_eq!(state["live"]["faults"], json!([]));
    }

    #[test]
    fn the_journal_tells_what_was_answered() {
        let bench = Bench::new();
        ask(&bench, "1_x");
        let journal = bench.control("GET", "journal", "").1;
        let call = &journal["calls"][0];
        assert_eq!((&call["path"], &call["errcode"]), (&json!(IPS), &json!(40001)));
        assert_eq!((&call["account"], &call["method"]), (&json!("shop"), &json!("GET")));
        assert!(call["rid"].is_string() && call["time"].is_string());
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_choices() {
        let bench = Bench::new();
        for (method, rest, body, status, hint) in [
            ("POST", "faults", r#"{"kind":"boom"}"#, 400, "foreign_fetch"),
            ("POST", "faults", r#"{"kind":"busy","x":1}"#, 400, "count"),
            ("POST", "state", r#"{"x":1}"#, 400, "ip_list"),
            ("POST", "state", "[]", 400, "object"),
            ("GET", "nothing", "", 404, "journal"),
            ("PUT", "counters", "", 405, "GET counters"),
        ] {
            let (seen, answer) = bench.control(method, rest, body);
            assert_eq!(seen, status, "{rest}");
            assert!(answer["message"].as_str().unwrap().contains(hint), "{answer}");
        }
        let other = answer(&bench.platform, "nobody", &Method::GET, "counters", b"");
        assert_eq!(other.status(), 404);
        assert!(String::from_utf8_lossy(other.body()).contains("shop"));
    }
}
