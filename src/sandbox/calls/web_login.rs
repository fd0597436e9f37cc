//! Login of users on web pages.

use serde_json::json;

use super::login::{check_code, user_of};
use crate::sandbox::{
    audience::Grant,
    call::Answer,
    credential::Credential,
    dispatch::{CallSpec, Cx},
    openid,
    refusal::Refusal,
    settings::OauthScope,
    state::State,
};

/// The answers come as `text/plain`, as all of `/sns/`. The last two are called with the user's
/// own token.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::get("/sns/oauth2/access_token", exchange)
        .with(Credential::SecretInQuery("secret"))
        .plain(),
    CallSpec::get("/sns/oauth2/refresh_token", refresh)
        .with(Credential::Bearer("refresh_token", 40030))
        .plain(),
    CallSpec::get("/sns/userinfo", tell).with(Credential::Bearer("access_token", 40001)).plain(),
    CallSpec::get("/sns/auth", check).with(Credential::Bearer("access_token", 40001)).plain(),
];

/// Codes are those of mini program logins: each works once, and names its user.
fn exchange(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    if cx.query.value("grant_type") != Some("authorization_code") {
        return Err(Refusal::new(40002));
    }
    let code = cx.query.value("code").ok_or_else(|| Refusal::new(41008))?;
    check_code(cx.account, code)?;
    let openid = openid::derived(&cx.account.identity.app_id, user_of(code));
    let refresh_token = cx.account.marked_text(TOKEN_LENGTH);
    let state = &mut *cx.state();
    state.audience.admit(&openid, cx.now_ms);
    let grant = Grant {
        openid,
        scope: state.settings.oauth_scope,
        expires_ms: cx.now_ms.saturating_add(REFRESH_LIFE_MS),
    };
    state.user_tokens.keep_refresh(&refresh_token, grant.clone());
    Ok(grant_access(cx, state, &refresh_token, grant))
}

/// The refresh token stays the same, and its life goes on from the first login.
fn refresh(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    if cx.query.value("grant_type") != Some("refresh_token") {
        return Err(Refusal::new(40002));
    }
    if cx.query.value("appid") != Some(&cx.account.identity.app_id) {
        return Err(Refusal::new(40013));
    }
    let token = cx.query.value("refresh_token").ok_or_else(|| Refusal::new(41003))?;
    let state = &mut *cx.state();
    let grant = state.user_tokens.refresh(token, cx.now_ms)?.clone();
    Ok(grant_access(cx, state, token, grant))
}

fn grant_access(cx: &Cx<'_>, state: &mut State, refresh_token: &str, grant: Grant) -> Answer {
    let access_token = cx.account.marked_text(TOKEN_LENGTH);
    let answer = json!({
        "access_token": access_token,
        "expires_in": ACCESS_LIFE_MS / 1000,
        "refresh_token": refresh_token,
        "openid": grant.openid,
        "scope": grant.scope,
    });
    let expires_ms = cx.now_ms.saturating_add(ACCESS_LIFE_MS);
    state.user_tokens.keep_access(&access_token, Grant { expires_ms, ..grant });
    Answer::json(&answer)
}

/// The grant behind the token in the query, for the openid beside it.
fn granted(cx: &Cx<'_>) -> Result<Grant, Refusal> {
    let token = cx.query.value("access_token").ok_or_else(|| Refusal::new(41001))?;
    let grant = cx.state().user_tokens.access(token, cx.now_ms)?.clone();
    let openid = cx.query.value("openid").ok_or_else(|| Refusal::new(41009))?;
    if openid == grant.openid { Ok(grant) } else { Err(Refusal::new(40003)) }
}

/// Only for the larger scope: 48001.
fn tell(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let grant = granted(cx)?;
    if grant.scope != OauthScope::Userinfo {
        return Err(Refusal::new(48001));
    }
    Ok(Answer::json(&json!({
        "openid": grant.openid,
        "nickname": "微信用户",
        "sex": 0,
        "province": "",
        "city": "",
        "country": "",
        "headimgurl": "",
        "privilege": [],
    })))
}

fn check(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    granted(cx).map(|_| Answer::done())
}

const TOKEN_LENGTH: usize = 110;
/// Two hours and thirty days, as documented.
const ACCESS_LIFE_MS: i64 = 7_200_000;
const REFRESH_LIFE_MS: i64 = 30 * 86_400_000;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn log_in(bench: &Bench, code: &str) -> Value {
        let query = format!("appid=wx1&secret=s1&grant_type=authorization_code&code={code}");
        bench.get("/sns/oauth2/access_token", &query).json()
    }

    fn text<'a>(value: &'a Value, name: &str) -> &'a str {
        value[name].as_str().unwrap()
    }

    #[test]
    fn a_user_logs_in_and_is_told_about() {
        let bench = Bench::new();
        let login = log_in(&bench, "alice-1");
        assert_eq!(
            (&login["expires_in"], &login["scope"]),
            (&json!(7200), &json!("snsapi_userinfo"))
        );
        assert_eq!(log_in(&bench, "alice-1")["errcode"], 40163);
        assert_eq!(log_in(&bench, "a%20b")["errcode"], 40029);
        let (token, openid) = (text(&login, "access_token"), text(&login, "openid"));
        let ask = |path: &str, token: &str, openid: &str| {
            bench.get(path, &format!("access_token={token}&openid={openid}")).json()
        };
        assert_eq!(ask("/sns/userinfo", token, openid)["openid"], openid);
        assert_eq!(ask("/sns/auth", token, openid), json!({"errcode": 0, "errmsg": "ok"}));
        assert_eq!(ask("/sns/auth", token, "oOther")["errcode"], 40003);
        assert_eq!(ask("/sns/auth", &bench.token(), openid)["errcode"], 40001, "not a user's");
        assert_eq!(ask("/sns/auth", "", openid)["errcode"], 41001);
        let own = bench.get("/cgi-bin/getcallbackip", &format!("access_token={token}"));
        assert_eq!(own.errcode, Some(40001), "not the account's");
        bench.control("POST", "clock", r#"{"advance_s":7200}"#);
        assert_eq!(ask("/sns/auth", token, openid)["errcode"], 42001);
    }

    #[test]
    fn a_token_is_refreshed_for_thirty_days() {
        let bench = Bench::new();
        bench.set(&json!({"oauth_scope": "snsapi_base"}));
        let login = log_in(&bench, "alice-1");
        let refresh = |token: &str| {
            let query = format!("appid=wx1&grant_type=refresh_token&refresh_token={token}");
            bench.get("/sns/oauth2/refresh_token", &query).json()
        };
        let fresh = refresh(text(&login, "refresh_token"));
        assert_eq!(fresh["openid"], login["openid"]);
        assert_ne!(fresh["access_token"], login["access_token"]);
        let query = format!(
            "access_token={}&openid={}",
            text(&fresh, "access_token"),
            text(&fresh, "openid")
        );
        assert_eq!(bench.get("/sns/userinfo", &query).errcode, Some(48001));
        assert_eq!(refresh("x")["errcode"], 40030);
        assert_eq!(refresh("")["errcode"], 41003);
        bench.control("POST", "clock", r#"{"advance_s":2592000}"#);
        assert_eq!(refresh(text(&login, "refresh_token"))["errcode"], 42002);
    }
}
