//! `/cgi-bin/gettoken`.

use serde_json::json;

use crate::sandbox::{
    call::Answer,
    credential::Credential,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// One token for each app, that is, for each secret.
pub(super) const CALLS: &[CallSpec] =
    &[CallSpec::get("/cgi-bin/gettoken", token).with(Credential::CorpSecret).issuing()];

/// The same token for as long as it lives, so that callers cannot take it from each other.
fn token(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let grant = state.ledger.grant_kept(&cx.account.mint(), &state.settings, cx.now_ms);
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "access_token": grant.access_token,
        "expires_in": grant.expires_in_s,
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        base::kind::AccountKind,
        sandbox::{
            SandboxAccount,
            calls::bench::{Bench, account},
        },
    };

    fn corp() -> Bench {
        Bench::of_kind(AccountKind::Wecom)
    }

    fn errcode(bench: &Bench, query: &str) -> Option<i64> {
        bench.get("/cgi-bin/gettoken", query).errcode
    }

    #[test]
    fn the_token_stays_the_same_until_its_end() {
        let bench = corp();
        let fetch = || bench.get("/cgi-bin/gettoken", "corpid=wx1&corpsecret=s1").json();
        let first = fetch();
        assert_eq!((&first["errcode"], &first["expires_in"]), (&json!(0), &json!(7200)));
        bench.control("POST", "clock", r#"{"advance_s":7100}"#);
        let again = fetch();
        assert_eq!(first["access_token"], again["access_token"]);
        assert!(again["expires_in"].as_i64().unwrap() <= 100);
        bench.control("POST", "clock", r#"{"advance_s":100}"#);
        let query = format!("access_token={}", first["access_token"].as_str().unwrap());
        let ips = |query: &str| bench.get("/cgi-bin/getcallbackip", query).errcode;
        assert_eq!(ips(&query), Some(42001));
        let fresh = fetch();
        assert_ne!(first["access_token"], fresh["access_token"]);
        let query = format!("access_token={}", fresh["access_token"].as_str().unwrap());
        assert_eq!(ips(&query), Some(0));
        assert_eq!((ips("access_token=x"), ips("")), (Some(40014), Some(41001)));
    }

    #[test]
    fn what_is_wrong_is_named_in_wecoms_words() {
        let bench = corp();
        let other = SandboxAccount { kind: AccountKind::Wecom, ..account("other", "ww2", "s2") };
        bench.platform.add_account(other).unwrap();
        for (query, wanted) in [
            ("corpid=wx1&corpsecret=s1", 0),
            ("corpsecret=s1", 41002),
            ("corpid=wx1", 41004),
            ("corpid=ww9&corpsecret=s1", 40013),
            ("corpid=wx1&corpsecret=x", 40001),
            ("corpid=wx1&corpsecret=s2", 40091),
        ] {
            assert_eq!(errcode(&bench, query), Some(wanted), "{query}");
        }
        let refused = bench.get("/cgi-bin/gettoken", "corpid=ww9&corpsecret=s1").json();
        let text = refused["errmsg"].as_str().unwrap();
        assert!(text.starts_with("invalid corpid, hint: ["), "{text}");
        assert!(text.ends_with("/devtool/query?e=40013"), "{text}");
        assert_eq!(bench.post_bare("/cgi-bin/gettoken", "{}").errcode, Some(43001));
    }

    #[test]
    fn an_address_off_the_list_is_told_its_own() {
        let bench = corp();
        bench.set(&json!({"ip_list": ["203.0.113.7"]}));
        let refused = bench.get("/cgi-bin/gettoken", "corpid=wx1&corpsecret=s1");
        assert_eq!(refused.errcode, Some(60020));
        assert!(refused.json()["errmsg"].as_str().unwrap().contains("from ip: 127.0.0.1, more"));
        bench.set(&json!({"caller_ip": "203.0.113.7"}));
        assert_eq!(errcode(&bench, "corpid=wx1&corpsecret=s1"), Some(0));
    }

    #[test]
    fn the_calls_of_wechat_are_not_wecoms() {
        let bench = corp();
        let query = "grant_type=client_credential&appid=wx1&secret=s1";
        assert_eq!(bench.get("/cgi-bin/token", query).errcode, Some(40066));
        let mini = Bench::new();
        assert_eq!(errcode(&mini, "corpid=wx1&corpsecret=s1"), Some(40066));
    }
}
