//! What an account's administrator does on the authorization page, by control.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{authorization::Authorization, ticket};
use crate::{
    base::kind::AccountKind,
    sandbox::{account::Account, control_form, platform::Platform, world::World},
};

/// `{"appid"}`: whose administrator acts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorizeForm {
    appid: String,
    /// Permission sets that are granted; without it the first three, and all that are set up.
    func_info: Option<Vec<u32>>,
    /// The code of the page; without it nobody asks how the administrator got there.
    pre_auth_code: Option<String>,
}

/// What `method` on `noun`, one of [`NOUNS`], asks of a third-party platform.
pub(in crate::sandbox) fn act(
    platform: &Platform,
    component: &Account,
    method: &Method,
    noun: &str,
    body: &[u8],
) -> Result<Value, (StatusCode, String)> {
    let done = match (method.as_str(), noun) {
        ("GET", "component") => show(component),
        ("POST", "authorize") => authorize(platform, component, body),
        ("POST", "unauthorize") => unauthorize(component, body),
        _ => return Err((StatusCode::METHOD_NOT_ALLOWED, format!("{noun}: not with {method}"))),
    };
    done.map_err(|text| (StatusCode::BAD_REQUEST, text))
}

/// Control calls of third-party platforms.
pub(in crate::sandbox) const NOUNS: &[&str] = &["component", "authorize", "unauthorize"];

/// For `GET component`: what a client needs before it has received its first push.
fn show(component: &Account) -> Result<Value, String> {
    check(component)?;
    Ok(component.quiet_state().open.to_json())
}

/// For `POST authorize`: gives the code that the page would hand to the platform.
fn authorize(platform: &Platform, component: &Account, body: &[u8]) -> Result<Value, String> {
    check(component)?;
    let form: AuthorizeForm = control_form::read(body)?;
    if !platform.is_account(&form.appid, |kind| {
        kind != AccountKind::OpenPlatform && kind != AccountKind::Wecom
    }) {
        return Err(format!("there is no account with the AppID `{}` to authorize", form.appid));
    }
    let now_ms = component.now_ms();
    let mut state = component.state_at(now_ms);
    if let Some(code) = &form.pre_auth_code {
        let known = state.open.check_preauth_code(code, now_ms);
        known.map_err(|refusal| format!("pre_auth_code: {}", refusal.errmsg))?;
    }
    let mut granted = form.func_info.unwrap_or_else(|| {
        [1, 2, 3].into_iter().chain(state.settings.open.set_numbers()).collect()
    });
    granted.sort_unstable();
    granted.dedup();
    granted.truncate(MOST_SETS);
    let (refresh_token, code) = (component.ids.text(64), component.ids.text(80));
    let life_s = state.settings.open.authorization_code_life_s;
    let expires_ms = now_ms.saturating_add(i64::from(life_s) * 1000);
    let authorization =
        Authorization::new(format!("refreshtoken@@@{refresh_token}"), granted, now_ms);
    let is_again = state
        .open
        .authorize(&form.appid, authorization, (code.clone(), expires_ms))
        .map_err(|full| full.errmsg.into_owned())?;
    let info_type = if is_again { "updateauthorized" } else { "authorized" };
    let fields = [
        ("AuthorizerAppid", Value::from(form.appid)),
        ("AuthorizationCode", Value::from(code.as_str())),
        ("AuthorizationCodeExpiredTime", Value::from(expires_ms / 1000)),
        ("PreAuthCode", Value::from(form.pre_auth_code.unwrap_or_default())),
    ];
    let mut world = World { account: component, state: &mut state, now_ms };
    ticket::tell(&mut world, info_type, fields);
    Ok(json!({ "authorization_code": code, "expires_in": life_s }))
}

/// `{"appid"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnauthorizeForm {
    appid: String,
}

/// For `POST unauthorize`: every token and code is dead.
fn unauthorize(component: &Account, body: &[u8]) -> Result<Value, String> {
    check(component)?;
    let form: UnauthorizeForm = control_form::read(body)?;
    let now_ms = component.now_ms();
    let mut state = component.state_at(now_ms);
    if !state.open.unauthorize(&form.appid) {
        return Err(format!("`{}` has not authorized this platform", form.appid));
    }
    let mut world = World { account: component, state: &mut state, now_ms };
    let fields = [("AuthorizerAppid", Value::from(form.appid))];
    ticket::tell(&mut world, "unauthorized", fields);
    drop(state);
    show(component)
}

fn check(account: &Account) -> Result<(), String> {
    let is_platform = account.identity.kind == AccountKind::OpenPlatform;
    if is_platform {
        Ok(())
    } else {
        Err("only an account of kind open-platform has this".to_owned())
    }
}

/// More than the platform has.
const MOST_SETS: usize = 1000;

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::sandbox::open::token_calls::tests::Duo;

    #[test]
    fn authorizations_are_told_when_given_renewed_and_withdrawn() {
        let duo = Duo::new();
        let code = duo.component("api_create_preauthcode", &json!({})).json();
        let body = json!({ "appid": "wx1", "pre_auth_code": code["pre_auth_code"] }).to_string();
        let given = duo.control("authorize", &body);
        let token = duo.acting_token();
        assert_eq!(duo.control("component", "")["authorizations"][0]["appid"], "wx1");
        duo.control("unauthorize", r#"{"appid":"wx1"}"#);
        let events = duo.control("events", "")["events"].as_array().unwrap().clone();
        let told: Vec<&str> = events.iter().map(|e| e["event"].as_str().unwrap()).collect();
        assert_eq!(
            told,
            ["component_verify_ticket", "authorized", "updateauthorized", "unauthorized"]
        );
        let message = &events[1]["message"];
        assert_eq!(message["AuthorizationCode"], given["authorization_code"]);
        assert_eq!(
            (&message["AppId"], &message["AuthorizerAppid"]),
            (&json!("wxopen"), &json!("wx1"))
        );
        assert_eq!(message["PreAuthCode"], code["pre_auth_code"]);
        let query = format!("access_token={token}");
        assert_eq!(duo.get("/cgi-bin/getcallbackip", &query).errcode, Some(40001));
    }

    #[test]
    fn what_cannot_be_authorized_is_refused() {
        let duo = Duo::new();
        let post = |name: &str, rest: &str, body: &str| {
            duo.bench.control_of(name, &Method::POST, rest, body).0
        };
        for body in [
            "",
            "{}",
            r#"{"appid":"wx7"}"#,
            r#"{"appid":"wxopen"}"#,
            r#"{"appid":"wx1","pre_auth_code":"x"}"#,
        ] {
            assert_eq!(post("open", "authorize", body), 400, "{body}");
        }
        assert_eq!(post("open", "unauthorize", r#"{"appid":"wx1"}"#), 400);
        assert_eq!(post("shop", "authorize", r#"{"appid":"wx1"}"#), 400);
        assert_eq!(duo.bench.control_of("shop", &Method::GET, "component", "").0, 400);
    }
}
