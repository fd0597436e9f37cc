//! `/cgi-bin/token` with its stable sister.

use serde_json::{Value, json};

use crate::sandbox::{
    call::Answer,
    credential::Credential,
    dispatch::{CallSpec, Cx},
    open,
    quota::Limits,
    refusal::Refusal,
    token_ledger::Grant,
};

/// Limits as documented (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::get("/cgi-bin/token", classic)
        .with(Credential::SecretInQuery("secret"))
        .limited(Limits::new(2000, None))
        .issuing(),
    CallSpec::post("/cgi-bin/stable_token", stable)
        .with(Credential::SecretInJson("secret"))
        .limited(Limits::new(500_000, Some(10_000)))
        .issuing(),
];

/// Mints at every call, and retires the token before: one holder an account, or they kill each
/// other's token.
fn classic(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_grant_type(cx.query.value("grant_type"))?;
    let mut guard = cx.state();
    let state = &mut *guard;
    let grant = state.ledger.grant_classic(&cx.account.mint(), &state.settings, cx.now_ms);
    drop(guard);
    open::note_own_fetch(cx);
    Ok(granted(&grant))
}

/// Any number of holders may call in normal mode; forcing takes the token from all of them.
/// `force_refresh` is a JSON boolean, and text is not taken for one.
fn stable(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_grant_type(cx.form.text("grant_type"))?;
    let is_forced = match cx.form.field("force_refresh") {
        None => false,
        Some(Value::Bool(is_forced)) => *is_forced,
        Some(_) => return Err(Refusal::with(47001, "force_refresh is a boolean")),
    };
    let mut guard = cx.state();
    let state = &mut *guard;
    let mint = cx.account.mint();
    let grant = if is_forced {
        state.ledger.grant_forced(&mint, &state.settings, cx.now_ms)?
    } else {
        state.ledger.grant_stable(&mint, &state.settings, cx.now_ms)
    };
    drop(guard);
    if is_forced {
        open::note_own_fetch(cx);
    }
    Ok(granted(&grant))
}

/// The only value that either call takes.
fn check_grant_type(given: Option<&str>) -> Result<(), Refusal> {
    match given {
        Some("client_credential") => Ok(()),
        Some(_) | None => Err(Refusal::new(40002)),
    }
}

/// The shape of success, which has no errcode.
fn granted(grant: &Grant) -> Answer {
    Answer::json(&json!({ "access_token": grant.access_token, "expires_in": grant.expires_in_s }))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::json;

    fn classic(bench: &Bench, query: &str) -> i64 {
        bench.get("/cgi-bin/token", query).errcode.unwrap_or(0)
    }

    #[test]
    fn the_classic_call_names_what_is_wrong() {
        let bench = Bench::new();
        for (query, errcode) in [
            ("grant_type=client_credential&appid=wx1&secret=s1", 0),
            ("grant_type=x&appid=wx1&secret=s1", 40002),
            ("appid=wx1&secret=s1", 40002),
            ("grant_type=client_credential&secret=s1", 41002),
            ("grant_type=client_credential&appid=wx1", 41004),
            ("grant_type=client_credential&appid=wx9&secret=s1", 40013),
            ("grant_type=client_credential&appid=WX1&secret=s1", 40013),
            ("grant_type=client_credential&appid=wx1&secret=x", 40125),
            ("", 41002),
        ] {
            assert_eq!(classic(&bench, query), errcode, "{query}");
        }
    }

    #[test]
    fn the_stable_call_takes_json_and_only_post() {
        let bench = Bench::new();
        let whole = json!({"grant_type":"client_credential","appid":"wx1","secret":"s1"});
        let post = |body: &str| bench.post_bare("/cgi-bin/stable_token", body);
        let good = post(&whole.to_string());
        assert_eq!((good.errcode, good.json()["expires_in"].as_i64()), (None, Some(7200)));
        // Its remaining life may be a second shorter by now.
        let again = post(&whole.to_string()).json();
        assert_eq!(good.json()["access_token"], again["access_token"], "the same token again");
        assert_eq!(bench.get("/cgi-bin/stable_token", "").errcode, Some(43002));
        for (body, errcode) in [
            ("", 44002),
            ("{", 47001),
            ("{}", 41002),
            (r#"{"appid":"wx1"}"#, 41004),
            (r#"{"appid":"wx1","secret":"s1"}"#, 40002),
            (r#"{"appid":"wx2","secret":"s1","grant_type":"client_credential"}"#, 40013),
            (r#"{"appid":"wx1","secret":"s2","grant_type":"client_credential"}"#, 40125),
            (r#"{"appid":1,"secret":"s1","grant_type":"client_credential"}"#, 41002),
        ] {
            assert_eq!(post(body).errcode, Some(errcode), "{body}");
        }
        let forced = |value: serde_json::Value| {
            let mut body = whole.clone();
            body["force_refresh"] = value;
            post(&body.to_string())
        };
        assert_eq!(forced(json!("true")).errcode, Some(47001));
        assert_ne!(forced(json!(true)).json()["access_token"], good.json()["access_token"]);
    }

    #[test]
    fn a_wrong_secret_and_a_foreign_address_are_worded_as_the_platform_does() {
        let bench = Bench::new();
        let query = "grant_type=client_credential&appid=wx1&secret=s1";
        bench.set(&json!({"ip_list": ["203.0.113.*"]}));
        let refused = bench.get("/cgi-bin/token", query);
        let text = refused.json()["errmsg"].as_str().unwrap().to_owned();
        let wanted = "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ";
        assert!(text.starts_with(wanted), "{text}");
        assert_eq!(refused.errcode, Some(40164));
        bench.set(&json!({"caller_ip": "203.0.113.4"}));
        assert_eq!(classic(&bench, query), 0);
        bench.set(&json!({"frozen": true}));
        assert_eq!(classic(&bench, query), 40243);
        bench.set(&json!({"wrong_secret_errcode": 40001}));
        assert_eq!(classic(&bench, "grant_type=client_credential&appid=wx1&secret=x"), 40001);
    }

    #[test]
    fn the_2001st_classic_call_of_a_day_is_refused() {
        let bench = Bench::new();
        let query = "grant_type=client_credential&appid=wx1&secret=s1";
        assert!((0..2000).all(|_| classic(&bench, query) == 0));
        assert_eq!(classic(&bench, query), 45009);
        bench.control("POST", "clock", r#"{"advance_s":86400}"#);
        assert_eq!(classic(&bench, query), 0);
    }
}
