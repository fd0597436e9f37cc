//! Quotas asked for, and cleared.

use serde_json::{Value, json};

use crate::sandbox::{
    call::Answer,
    credential::Credential,
    dispatch::{self, CallSpec, Cx},
    form::FormKind,
    refusal::Refusal,
};

/// `clear_quota/v2` lists body fields, but its example has them in the query.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/openapi/quota/get", get),
    CallSpec::post("/cgi-bin/openapi/quota/clear", clear_path),
    CallSpec::post("/cgi-bin/clear_quota", clear),
    CallSpec::post("/cgi-bin/clear_quota/v2", clear_with_secret)
        .with(Credential::SecretAnywhere("appsecret"))
        .form(FormKind::OptionalJson),
];

/// `cgi_path` is a path without host: 76003 for anything else, 76021 for a path that does not
/// exist, 76022 for `/sns/`, whose calls have no quota of the account.
fn named_call<'a>(cx: &'a Cx<'_>) -> Result<(&'a str, &'static CallSpec), Refusal> {
    let path = cx.form.text("cgi_path").ok_or_else(|| Refusal::new(76003))?;
    if !path.starts_with('/') {
        return Err(Refusal::new(76003));
    }
    if path.starts_with("/sns/") {
        return Err(Refusal::new(76022));
    }
    let spec = dispatch::find(path, Some(cx.account.identity.kind));
    Ok((path, spec.ok_or_else(|| Refusal::new(76021))?))
}

/// What a path may be called, and was.
fn get(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (path, spec) = named_call(cx)?;
    let mut state = cx.state();
    let limits = state.settings.quotas.get(path).copied().unwrap_or(spec.limits);
    let (today, _) = state.quotas.used(path, cx.now_ms);
    let daily = limits.daily.unwrap_or(u32::MAX);
    let mut answer = json!({
        "errcode": 0,
        "errmsg": "ok",
        "quota": {
            "daily_limit": daily, "used": today, "remain": daily.saturating_sub(today),
        },
    });
    if let Some(minute) = limits.minute {
        answer["rate_limit"] = json!({ "call_count": minute, "refresh_second": 60 });
    }
    Ok(Answer::json(&answer))
}

/// One path alone, fifty times a month: 48006 after that.
fn clear_path(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (path, _) = named_call(cx)?;
    let state = &mut *cx.state();
    state.quotas.clear_path(path, state.settings.path_clears_a_month, cx.now_ms)?;
    Ok(Answer::done())
}

/// The AppID in the body must be the token's own.
fn clear(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    if cx.form.field("appid").and_then(Value::as_str) != Some(&cx.account.identity.app_id) {
        return Err(Refusal::new(40013));
    }
    clear_with_secret(cx)
}

/// Both calls use up the same ten times a month; one success uses one.
fn clear_with_secret(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    state.quotas.clear(state.settings.clears_a_month, cx.now_ms)?;
    Ok(Answer::done())
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::json;

    const SEND: &str = "/cgi-bin/message/custom/send";

    #[test]
    fn a_quota_runs_out_is_shown_and_cleared() {
        let bench = Bench::new();
        bench.set(&json!({"quotas": {SEND: {"daily": 2, "minute": 1}}}));
        let message = json!({"touser":"o1","msgtype":"text","text":{"content":"hi"}});
        assert_eq!(bench.post(SEND, &message).errcode, Some(0));
        assert_eq!(bench.post(SEND, &message).errcode, Some(45011));
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(bench.post(SEND, &message).errcode, Some(0));
        assert_eq!(bench.post(SEND, &message).errcode, Some(45009));
        let ask = || bench.post("/cgi-bin/openapi/quota/get", &json!({"cgi_path": SEND})).json();
        assert_eq!(ask()["quota"], json!({"daily_limit": 2, "used": 2, "remain": 0}));
        assert_eq!(ask()["rate_limit"], json!({"call_count": 1, "refresh_second": 60}));
        let clear = |app_id: &str| bench.post("/cgi-bin/clear_quota", &json!({"appid": app_id}));
        assert_eq!(clear("wx2").errcode, Some(40013));
        assert_eq!(clear("wx1").errcode, Some(0));
        assert_eq!(ask()["quota"]["used"], 0);
        assert_eq!(bench.post(SEND, &message).errcode, Some(0));
    }

    #[test]
    fn both_clearing_calls_share_ten_times_a_month() {
        let bench = Bench::new();
        let v2 = "/cgi-bin/clear_quota/v2";
        let in_query = || bench.post_query(v2, "appid=wx1&appsecret=s1", "").errcode;
        let in_body = || bench.post_bare(v2, r#"{"appid":"wx1","appsecret":"s1"}"#).errcode;
        assert!((0..5).all(|_| in_query() == Some(0) && in_body() == Some(0)));
        assert_eq!(in_query(), Some(48006));
        let clear = bench.post("/cgi-bin/clear_quota", &json!({"appid": "wx1"}));
        assert_eq!(clear.errcode, Some(48006));
        assert_eq!(bench.post_query(v2, "appid=wx1&appsecret=x", "").errcode, Some(40125));
        assert_eq!(bench.post_bare(v2, "").errcode, Some(41002));
    }

    #[test]
    fn one_path_is_cleared_fifty_times_a_month_and_others_stay() {
        let bench = Bench::new();
        let message = json!({"touser":"o1","msgtype":"text","text":{"content":"hi"}});
        let clear = |path: &str| {
            bench.post("/cgi-bin/openapi/quota/clear", &json!({"cgi_path": path})).errcode
        };
        let used = || {
            let quota = bench.post("/cgi-bin/openapi/quota/get", &json!({"cgi_path": SEND}));
            quota.json()["quota"]["used"].clone()
        };
        bench.post(SEND, &message);
        assert_eq!((clear("/cgi-bin/getcallbackip"), used()), (Some(0), json!(1)));
        assert_eq!((clear(SEND), used()), (Some(0), json!(0)));
        assert!((0..48).all(|_| clear(SEND) == Some(0)));
        assert_eq!((clear(SEND), clear("/cgi-bin/nothing")), (Some(48006), Some(76021)));
    }

    #[test]
    fn paths_that_have_no_quota_are_refused() {
        let bench = Bench::new();
        for (path, errcode) in [
            (json!("/cgi-bin/nothing"), 76021),
            (json!("/sns/jscode2session"), 76022),
            (json!("https://api.weixin.qq.com/cgi-bin/token"), 76003),
            (json!("cgi-bin/token"), 76003),
            (json!(7), 76003),
        ] {
            let answer = bench.post("/cgi-bin/openapi/quota/get", &json!({"cgi_path": path}));
            assert_eq!(answer.errcode, Some(errcode), "{path}");
        }
    }
}
