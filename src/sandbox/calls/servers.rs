//! The platform's own addresses.

use serde_json::json;

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// The platform advises to ask once a day.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::get("/cgi-bin/getcallbackip", callback_addresses),
    CallSpec::get("/cgi-bin/get_api_domain_ip", api_addresses),
    CallSpec::post("/cgi-bin/callback/check", check_callback),
];

/// Where pushes come from: loopback, as the sandbox pushes from here. A network among them,
/// because the platform has had such entries too.
fn callback_addresses(_: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&json!({ "ip_list": ["127.0.0.1", "127.0.0.0/8"] })))
}

/// Where `api.weixin.qq.com` is; for the sandbox this is it.
fn api_addresses(_: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&json!({ "ip_list": ["127.0.0.1"] })))
}

/// 40202 and 40203 for words that the platform does not know; both may be missing.
fn check_callback(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let word = |name: &str| cx.form.text(name).unwrap_or_default();
    if !matches!(word("action"), "dns" | "ping" | "all" | "") {
        return Err(Refusal::new(40202));
    }
    if !matches!(word("check_operator"), "CHINANET" | "UNICOM" | "CAP" | "DEFAULT" | "") {
        return Err(Refusal::new(40203));
    }
    reach_callback(cx)
}

/// No address for pushes is set: there is nothing to reach.
fn reach_callback(_: &Cx<'_>) -> Result<Answer, Refusal> {
    Err(Refusal::new(40201))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;

    #[test]
    fn addresses_need_a_token_and_a_get() {
        let bench = Bench::new();
        let answer = bench.get_with_token("/cgi-bin/getcallbackip", "");
        assert_eq!((answer.errcode, answer.json()["ip_list"].is_array()), (None, true));
        assert_eq!(bench.get("/cgi-bin/getcallbackip", "").errcode, Some(41001));
        let post = bench.post("/cgi-bin/get_api_domain_ip", &serde_json::json!({}));
        assert_eq!(post.errcode, Some(43001));
    }

    #[test]
    fn a_callback_check_knows_its_words() {
        let bench = Bench::new();
        for (action, operator, errcode) in
            [("all", "DEFAULT", 40201), ("fax", "DEFAULT", 40202), ("dns", "ME", 40203)]
        {
            let body = serde_json::json!({"action": action, "check_operator": operator});
            let seen = bench.post("/cgi-bin/callback/check", &body);
            assert_eq!(seen.errcode, Some(errcode), "{body}");
        }
    }
}
