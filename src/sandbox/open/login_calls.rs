//! Users of an account that log in through a third-party platform.

use serde_json::json;

use super::check_component;
use crate::{
    base::kind::AccountKind,
    sandbox::{
        call::Answer,
        calls,
        credential::Credential,
        dispatch::{CallSpec, Cx},
        refusal::Refusal,
    },
};

/// In the query throughout, as all of `/sns/`.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::get("/sns/component/jscode2session", session)
        .with(Credential::ComponentToken)
        .plain(),
    CallSpec::get("/sns/oauth2/component/access_token", user_token)
        .with(Credential::ComponentToken)
        .plain(),
];

/// As `/sns/jscode2session`, for the mini program that the query names.
fn session(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let account = authorized(cx)?;
    let code = cx.query.value("js_code").ok_or_else(|| Refusal::new(41008))?;
    calls::login_session(&account, code, account.now_ms())
}

/// A token for what the user of an official account allowed.
fn user_token(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let account = authorized(cx)?;
    let code = cx.query.value("code").ok_or_else(|| Refusal::new(41008))?;
    let openid = calls::login_user(&account, code)?;
    Ok(Answer::json(&json!({
        "access_token": account.mint().text(),
        "expires_in": 7200,
        "refresh_token": account.mint().text(),
        "openid": openid,
        "scope": "snsapi_base",
    })))
}

/// The account that the query names, if it authorized the caller: 61003.
fn authorized(cx: &Cx<'_>) -> Result<std::sync::Arc<crate::sandbox::account::Account>, Refusal> {
    if cx.query.value("grant_type") != Some("authorization_code") {
        return Err(Refusal::new(40002));
    }
    check_component(cx, cx.query.value("component_appid"))?;
    let app_id = cx.query.value("appid").ok_or_else(|| Refusal::new(41002))?;
    cx.state().open.authorization(app_id)?;
    let account = cx.roster.by_app_id(app_id, |kind| kind != AccountKind::OpenPlatform);
    account.ok_or_else(|| Refusal::new(61003))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::open::token_calls::tests::Duo;

    fn ask(duo: &Duo, path: &str, rest: &str) -> crate::sandbox::calls::bench::Seen {
        let token = duo.component_token().json();
        let token = token["component_access_token"].as_str().unwrap();
        let common = "component_appid=wxopen&grant_type=authorization_code";
        duo.get(path, &format!("component_access_token={token}&{common}&{rest}"))
    }

    #[test]
    fn a_user_has_one_openid_whoever_logs_in_for_the_account() {
        let duo = Duo::new();
        duo.acting_token();
        let query = "appid=wx1&secret=s1&js_code=alice-1&grant_type=authorization_code";
        let own = duo.get("/sns/jscode2session", query).json();
        let got = ask(&duo, "/sns/component/jscode2session", "appid=wx1&js_code=alice-2");
        assert_eq!(got.json()["openid"], own["openid"]);
        let got = ask(&duo, "/sns/oauth2/component/access_token", "appid=wx1&code=alice-3").json();
        assert_eq!(got["openid"], own["openid"]);
        assert!(got["access_token"].is_string() && got["refresh_token"].is_string());
    }

    #[test]
    fn codes_work_once_and_only_for_accounts_that_authorized() {
        let duo = Duo::new();
        let path = "/sns/component/jscode2session";
        assert_eq!(ask(&duo, path, "appid=wx1&js_code=a-1").errcode, Some(61003));
        duo.acting_token();
        assert_eq!(ask(&duo, path, "appid=wx1&js_code=a-1").errcode, None);
        assert_eq!(ask(&duo, path, "appid=wx1&js_code=a-1").errcode, Some(40163));
        assert_eq!(ask(&duo, path, "appid=wx1").errcode, Some(41008));
        assert_eq!(ask(&duo, path, "js_code=a-2").errcode, Some(41002));
        let path = "/sns/oauth2/component/access_token";
        assert_eq!(ask(&duo, path, "appid=wx1").errcode, Some(41008));
        assert_eq!(ask(&duo, path, "appid=wx1&code=%20").errcode, Some(40029));
    }
}
