//! The platform's own addresses.

use std::net::{IpAddr, Ipv4Addr};

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

/// 40201 while no address for pushes is set. The sandbox asks no name server and pings nobody:
/// an address that is set counts as reached.
fn reach_callback(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let host = state.push.host().ok_or_else(|| Refusal::new(40201))?;
    let ip = host.parse::<IpAddr>().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let operator = cx.form.text("check_operator").unwrap_or("DEFAULT");
    let action = cx.form.text("action").unwrap_or("all");
    let mut answer = json!({});
    if action != "ping" {
        answer["dns"] = json!([{ "ip": ip, "real_operator": operator }]);
    }
    if action != "dns" {
        answer["ping"] = json!([{
            "ip": ip, "from_operator": operator, "package_loss": "0%", "time": "0.100ms",
        }]);
    }
    Ok(Answer::json(&answer))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::{calls::bench::Bench, push};

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

    #[tokio::test]
    async fn a_push_url_that_is_set_is_reached() {
        let bench = Bench::new();
        let account = bench.platform.account("shop").unwrap();
        let url = r#"{"url":"http://127.0.0.1:9/wx","verify":false}"#.as_bytes();
        push::control::set(&account, &push::Sender::default(), url).await.unwrap();
        let ask = |action: &str| {
            let body = serde_json::json!({"action": action, "check_operator": "CAP"});
            bench.post("/cgi-bin/callback/check", &body).json()
        };
        let all = ask("all");
        assert_eq!(all["dns"][0]["ip"], "127.0.0.1");
        assert_eq!((&all["ping"][0]["package_loss"], all.get("errcode")), (&"0%".into(), None));
        assert!(ask("dns").get("ping").is_none() && ask("ping").get("dns").is_none());
    }
}
