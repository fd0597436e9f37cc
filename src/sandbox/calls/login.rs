//! Login of mini program users.

use base64::Engine as _;
use serde_json::json;

use crate::sandbox::{
    account::Account,
    call::Answer,
    credential::Credential,
    dispatch::{CallSpec, Cx},
    openid,
    refusal::Refusal,
};

/// The answer comes as `text/plain`, as all of `/sns/`.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[CallSpec::get("/sns/jscode2session", session)
    .with(Credential::SecretInQuery("secret"))
    .plain()];

fn session(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    if cx.query.value("grant_type") != Some("authorization_code") {
        return Err(Refusal::new(40002));
    }
    let code = cx.query.value("js_code").ok_or_else(|| Refusal::new(41008))?;
    login_session(cx.account, code, cx.now_ms)
}

/// What the code of a user of `account` is exchanged for.
pub(in crate::sandbox) fn login_session(
    account: &Account,
    code: &str,
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let openid = login_user(account, code)?;
    account.state().audience.admit(&openid, now_ms);
    let key = [account.ids.next().to_le_bytes(), account.ids.next().to_le_bytes()].concat();
    Ok(Answer::json(&json!({
        "session_key": base64::engine::general_purpose::STANDARD.encode(key),
        "openid": openid,
    })))
}

/// The openid of the user whose code it is. What stands before the last `-` names the user.
pub(in crate::sandbox) fn login_user(account: &Account, code: &str) -> Result<String, Refusal> {
    check_code(account, code)?;
    Ok(openid::derived(&account.identity.app_id, user_of(code)))
}

/// 40029 for a code that was never given, 40163 for one that was used.
pub(super) fn check_code(account: &Account, code: &str) -> Result<(), Refusal> {
    let state = &mut *account.state();
    let is_known = match &state.settings.login_codes {
        Some(codes) => codes.iter().any(|known| known == code),
        None => is_well_formed(code),
    };
    if !is_known {
        return Err(Refusal::new(40029));
    }
    if !state.login_codes.spend(code) {
        return Err(Refusal::new(40163));
    }
    Ok(())
}

/// Who a code belongs to.
pub(super) fn user_of(code: &str) -> &str {
    code.rsplit_once('-').map_or(code, |(user, _)| user)
}

/// Letters, digits, `-` and `_`.
pub(super) fn is_well_formed(code: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    code.len() <= MOST_CODE_BYTES && code.bytes().all(is_plain)
}

/// The platform's have 32.
const MOST_CODE_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::json;

    fn login(bench: &Bench, rest: &str) -> crate::sandbox::calls::bench::Seen {
        bench.get("/sns/jscode2session", &format!("appid=wx1&secret=s1&{rest}"))
    }

    #[test]
    fn a_code_works_once_and_names_its_user() {
        let bench = Bench::new();
        let code = |code: &str| format!("js_code={code}&grant_type=authorization_code");
        let first = login(&bench, &code("alice-1"));
        assert_eq!((first.errcode, first.content_type), (None, "text/plain"));
        assert_eq!(first.json()["openid"].as_str().unwrap().len(), 28);
        assert_eq!(login(&bench, &code("alice-1")).errcode, Some(40163));
        let second = login(&bench, &code("alice-2"));
        assert_eq!(first.json()["openid"], second.json()["openid"]);
        assert_ne!(first.json()["session_key"], second.json()["session_key"]);
        assert_eq!(login(&bench, &code("a%20b")).errcode, Some(40029));
        bench.set(&json!({"login_codes": ["bob-1"]}));
        assert_eq!(login(&bench, &code("carol-1")).errcode, Some(40029));
        assert_eq!(login(&bench, &code("bob-1")).errcode, None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let bench = Bench::new();
        assert_eq!(login(&bench, "grant_type=authorization_code").errcode, Some(41008));
        assert_eq!(login(&bench, "js_code=a").errcode, Some(40002));
        let wrong = "appid=wx1&secret=x&js_code=a&grant_type=authorization_code";
        assert_eq!(bench.get("/sns/jscode2session", wrong).errcode, Some(40125));
    }
}
