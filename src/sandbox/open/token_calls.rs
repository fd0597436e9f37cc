//! A third-party platform's tokens and codes.

use serde_json::{Value, json};

use super::{check_component, ticket};
use crate::{
    base::kind::AccountKind,
    sandbox::{
        call::Answer,
        credential::Credential,
        dispatch::{CallSpec, Cx},
        refusal::Refusal,
    },
};

/// `component_secret` on the first is the page's own word.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/component/api_start_push_ticket", start_push_ticket)
        .with(Credential::ComponentSecret("component_secret")),
    CallSpec::post("/cgi-bin/component/api_component_token", component_token)
        .with(Credential::ComponentSecret("component_appsecret"))
        .issuing(),
    CallSpec::post("/cgi-bin/component/api_create_preauthcode", create_preauth_code)
        .with(Credential::ComponentToken),
    CallSpec::post("/cgi-bin/component/api_query_auth", query_auth)
        .with(Credential::ComponentToken),
    CallSpec::post("/cgi-bin/component/api_authorizer_token", authorizer_token)
        .with(Credential::ComponentToken),
];

/// Tickets come again, the first at once.
fn start_push_ticket(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let mut state = cx.state();
    state.settings.open.component_tickets = true;
    ticket::deliver(&mut cx.world(&mut state));
    Ok(Answer::done())
}

/// A new token for a ticket of the last twelve hours.
fn component_token(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let ticket = cx.form.text("component_verify_ticket").ok_or_else(|| Refusal::new(61006))?;
    let state = &mut *cx.state();
    state.open.check_ticket(ticket, cx.now_ms)?;
    let grant = state.ledger.grant_classic(&cx.account.mint(), &state.settings, cx.now_ms);
    Ok(Answer::json(&json!({
        "component_access_token": grant.access_token,
        "expires_in": grant.expires_in_s,
    })))
}

fn create_preauth_code(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_component(cx, cx.form.text("component_appid"))?;
    let code = cx.account.ids.text(64);
    let state = &mut *cx.state();
    let life_s = state.settings.open.preauth_code_life_s;
    let expires_ms = cx.now_ms.saturating_add(i64::from(life_s) * 1000);
    state.open.add_preauth_code(code.clone(), expires_ms);
    Ok(Answer::json(&json!({ "pre_auth_code": code, "expires_in": life_s })))
}

/// Exchanges the code that an authorization gave; it works once.
fn query_auth(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_component(cx, cx.form.text("component_appid"))?;
    let code = cx.form.text("authorization_code").ok_or_else(|| Refusal::new(61009))?;
    let app_id = cx.state().open.spend_code(code, cx.now_ms)?;
    let mut answer = issue(cx, &app_id)?;
    let state = cx.state();
    answer["authorizer_appid"] = app_id.as_str().into();
    answer["func_info"] = state.open.authorization(&app_id)?.func_info();
    Ok(Answer::json(&json!({ "authorization_info": answer })))
}

/// A new token for the refresh token, which stays.
fn authorizer_token(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_component(cx, cx.form.text("component_appid"))?;
    let app_id = cx.form.text("authorizer_appid").ok_or_else(|| Refusal::new(40013))?;
    let given = cx.form.text("authorizer_refresh_token").ok_or_else(|| Refusal::new(61023))?;
    if cx.state().open.authorization(app_id)?.refresh_token != given {
        return Err(Refusal::new(61023));
    }
    Ok(Answer::json(&issue(cx, app_id)?))
}

/// A new token to act for an account, with what stands beside it. Where the tokens of both are
/// not kept apart, the account's own are dead.
fn issue(cx: &Cx<'_>, app_id: &str) -> Result<Value, Refusal> {
    let text = cx.account.mint().text();
    let mut guard = cx.state();
    let state = &mut *guard;
    let authorization = state.open.authorization_mut(app_id)?;
    authorization.issue(text.clone(), &state.settings, cx.now_ms);
    let answer = json!({
        "authorizer_access_token": text,
        "expires_in": state.settings.token_life_s,
        "authorizer_refresh_token": authorization.refresh_token,
    });
    drop(guard);
    let is_other = |kind| kind != AccountKind::OpenPlatform && kind != AccountKind::Wecom;
    if let Some(merchant) = cx.roster.by_app_id(app_id, is_other) {
        let now_ms = merchant.now_ms();
        let state = &mut *merchant.state();
        if !state.settings.open.acting_tokens_apart {
            state.ledger.foreign_fetch(&merchant.mint(), &state.settings, now_ms);
        }
    }
    Ok(answer)
}

#[cfg(test)]
pub(in crate::sandbox) mod tests {
    use http::Method;
    use serde_json::{Value, json};

    use crate::{
        base::kind::AccountKind,
        sandbox::{
            SandboxAccount,
            calls::bench::{Bench, Seen, account},
        },
    };

    /// A mini program `wx1` and a third-party platform `wxopen`.
    pub(in crate::sandbox) struct Duo {
        pub(in crate::sandbox) bench: Bench,
    }

    impl Duo {
        pub(in crate::sandbox) fn new() -> Self {
            let bench = Bench::new();
            let kind = AccountKind::OpenPlatform;
            let platform = SandboxAccount { kind, ..account("open", "wxopen", "s9") };
            bench.platform.add_account(platform).unwrap();
            Self { bench }
        }

        pub(in crate::sandbox) fn get(&self, path: &str, query: &str) -> Seen {
            self.bench.get(path, query)
        }

        pub(in crate::sandbox) fn post(&self, path: &str, query: &str, body: &Value) -> Seen {
            self.bench.post_query(path, query, &body.to_string())
        }

        /// A control call to the platform.
        pub(in crate::sandbox) fn control(&self, rest: &str, body: &str) -> Value {
            let method = if body.is_empty() { Method::GET } else { Method::POST };
            let (status, answer) = self.bench.control_of("open", &method, rest, body);
            assert_eq!(status, 200, "{answer}");
            answer
        }

        pub(in crate::sandbox) fn ticket(&self) -> String {
            self.control("component", "")["component_verify_ticket"].as_str().unwrap().to_owned()
        }

        pub(in crate::sandbox) fn component_token(&self) -> Seen {
            self.token_for_ticket(&self.ticket())
        }

        fn token_for_ticket(&self, ticket: &str) -> Seen {
            let body = json!({
                "component_appid": "wxopen", "component_appsecret": "s9",
                "component_verify_ticket": ticket,
            });
            self.post("/cgi-bin/component/api_component_token", "", &body)
        }

        /// A call with the platform's token, its own AppID in the body.
        pub(in crate::sandbox) fn component(&self, call: &str, body: &Value) -> Seen {
            let token = self.component_token().json();
            let token = token["component_access_token"].as_str().unwrap();
            let mut body = body.clone();
            body["component_appid"] = "wxopen".into();
            let path = format!("/cgi-bin/component/{call}");
            self.post(&path, &format!("component_access_token={token}"), &body)
        }

        pub(in crate::sandbox) fn authorize(&self, body: &str) -> Value {
            let code = self.control("authorize", body)["authorization_code"].clone();
            let got = self.component("api_query_auth", &json!({ "authorization_code": code }));
            got.json()["authorization_info"].clone()
        }

        pub(in crate::sandbox) fn acting_token_for(&self, body: &str) -> String {
            self.authorize(body)["authorizer_access_token"].as_str().unwrap().to_owned()
        }

        pub(in crate::sandbox) fn acting_token(&self) -> String {
            self.acting_token_for(r#"{"appid":"wx1"}"#)
        }
    }

    #[test]
    fn a_ticket_of_the_last_twelve_hours_gives_a_token() {
        let duo = Duo::new();
        let ticket = duo.ticket();
        let got = duo.token_for_ticket(&ticket);
        assert_eq!((got.errcode, &got.json()["expires_in"]), (None, &json!(7200)));
        duo.control("clock", r#"{"advance_s":43199}"#);
        assert_eq!(duo.token_for_ticket(&ticket).errcode, None);
        duo.control("clock", r#"{"advance_s":2}"#);
        assert_eq!(duo.token_for_ticket(&ticket).errcode, Some(61005));
        assert_eq!(duo.token_for_ticket("x").errcode, Some(61006));
        let call =
            |body: Value| duo.post("/cgi-bin/component/api_component_token", "", &body).errcode;
        let with = |app_id: &str, secret: &str| {
            call(json!({ "component_appid": app_id, "component_appsecret": secret }))
        };
        assert_eq!((with("wxopen", "x"), with("wx9", "s9")), (Some(40125), Some(61011)));
        assert_eq!((with("wx1", "s1"), with("wxopen", "s9")), (Some(61011), Some(61006)));
        assert_eq!(call(json!({})), Some(41002));
    }

    #[test]
    fn pushes_of_tickets_start_again_on_request() {
        let duo = Duo::new();
        duo.control("state", r#"{"component_tickets":false}"#);
        let before = duo.ticket();
        let body = json!({ "component_appid": "wxopen", "component_secret": "s9" });
        let start =
            |body: &Value| duo.post("/cgi-bin/component/api_start_push_ticket", "", body).errcode;
        assert_eq!(start(&body), Some(0));
        assert_ne!(duo.ticket(), before);
        let state = duo.control("state", "");
        assert_eq!(state["settings"]["component_tickets"], true);
        assert_eq!(start(&json!({ "component_appid": "wxopen" })), Some(41004));
    }

    #[test]
    fn a_code_is_exchanged_once_and_the_refresh_token_stays() {
        let duo = Duo::new();
        let code = duo.control("authorize", r#"{"appid":"wx1"}"#)["authorization_code"].clone();
        let query =
            |code: &Value| duo.component("api_query_auth", &json!({ "authorization_code": code }));
        let got = query(&code).json()["authorization_info"].clone();
        assert_eq!(got["authorizer_appid"], "wx1");
        assert_eq!(got["func_info"][0]["funcscope_category"]["id"], 1);
        assert_eq!(query(&code).errcode, Some(61009));
        let refresh = |app_id: &str, token: &Value| {
            let body = json!({ "authorizer_appid": app_id, "authorizer_refresh_token": token });
            duo.component("api_authorizer_token", &body)
        };
        let again = refresh("wx1", &got["authorizer_refresh_token"]).json();
        assert_eq!(again["authorizer_refresh_token"], got["authorizer_refresh_token"]);
        assert_ne!(again["authorizer_access_token"], got["authorizer_access_token"]);
        assert_eq!(refresh("wx1", &json!("x")).errcode, Some(61023));
        assert_eq!(refresh("wx7", &json!("x")).errcode, Some(61003));
        let newer = duo.authorize(r#"{"appid":"wx1"}"#);
        assert_eq!(refresh("wx1", &got["authorizer_refresh_token"]).errcode, Some(61023));
        assert_eq!(refresh("wx1", &newer["authorizer_refresh_token"]).errcode, None);
        let late = duo.control("authorize", r#"{"appid":"wx1"}"#)["authorization_code"].clone();
        duo.control("clock", r#"{"advance_s":600}"#);
        assert_eq!(query(&late).errcode, Some(61010));
    }

    #[test]
    fn a_preauth_code_is_for_the_caller_itself() {
        let duo = Duo::new();
        let got = duo.component("api_create_preauthcode", &json!({})).json();
        assert_eq!(got["expires_in"], 1800);
        let token = duo.component_token().json();
        let query = format!("access_token={}", token["component_access_token"].as_str().unwrap());
        let path = "/cgi-bin/component/api_create_preauthcode";
        assert_eq!(duo.post(path, &query, &json!({"component_appid": "wx1"})).errcode, Some(61011));
        assert_eq!(duo.post(path, &query, &json!({"component_appid": "wxopen"})).errcode, None);
        assert_eq!(duo.post(path, "", &json!({})).errcode, Some(41001));
    }
}
