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
}
