//! What the platform does with a call, whichever it is.

use http::Method;
use serde_json::json;

use crate::sandbox::{
    Cut,
    calls::bench::{Bench, account},
};

const IPS: &str = "/cgi-bin/getcallbackip";

#[test]
fn the_first_thing_that_is_wrong_is_named() {
    let bench = Bench::new();
    let token = bench.token();
    let ask = |path: &str, query: &str| bench.get(path, query).errcode;
    assert_eq!(ask("/cgi-bin/nothing", ""), Some(40066));
    assert_eq!(ask(IPS, ""), Some(41001));
    assert_eq!(ask(IPS, "access_token="), Some(41001));
    assert_eq!(ask(IPS, "access_token=x"), Some(40001));
    assert_eq!(ask(IPS, &format!("access_token={token}x")), Some(40001));
    assert_eq!(ask("/shop/spu/add", &format!("access_token={token}")), Some(43002));
    bench.set(&json!({"unknown_token_errcode": 40014, "denied_paths": [IPS]}));
    assert_eq!(ask(IPS, "access_token=x"), Some(40014));
    assert_eq!(ask(IPS, &format!("access_token={token}")), Some(48001));
    assert_eq!(bench.post_text("/shop/spu/add", "").errcode, Some(44002));
    assert_eq!(bench.post_text("/shop/spu/add", "{\"a\":1,}").errcode, Some(47001));
}

#[test]
fn an_official_account_is_checked_for_its_address_on_every_call() {
    let bench = Bench::new();
    bench.set(&json!({"ip_list": ["10.0.0.1"]}));
    assert_eq!(bench.get_with_token(IPS, "").errcode, None);
    bench.set(&json!({"ip_check": "all"}));
    assert_eq!(bench.get_with_token(IPS, "").errcode, Some(40164));
    bench.set(&json!({"ip_list": ["127.0.0.0/8"]}));
    assert_eq!(bench.get_with_token(IPS, "").errcode, None);
}

#[test]
fn a_superseded_token_has_the_platforms_long_text() {
    let bench = Bench::new();
    let old = bench.token();
    bench.control("POST", "faults", r#"{"kind":"foreign_fetch"}"#);
    let refused = bench.get(IPS, &format!("access_token={old}")).json();
    let wanted = "invalid credential, access_token is invalid or not latest, could get \
                  access_token by getStableAccessToken, more details at \
                  https://mmbizurl.cn/s/JtxxFh33r rid: ";
    assert!(refused["errmsg"].as_str().unwrap().starts_with(wanted), "{refused}");
}

#[test]
fn a_token_is_good_for_its_own_account_only() {
    let bench = Bench::new();
    bench.platform.add_account(account("shop~sandbox", "wx1", "s2")).unwrap();
    let query = "grant_type=client_credential&appid=wx1&secret=s2";
    let shadow = bench.get("/cgi-bin/token", query).json();
    let shadow = shadow["access_token"].as_str().unwrap();
    bench.control("POST", "faults", r#"{"kind":"foreign_fetch"}"#);
    assert_eq!(bench.get(IPS, &format!("access_token={shadow}")).errcode, None);
    let calls = |name| {
        let account = bench.platform.account(name).unwrap();
        account.state().counters.to_json()
    };
    assert_eq!(calls("shop")["calls"], json!({}));
    assert_eq!(calls("shop~sandbox")["calls"], json!({IPS: 1}));
    assert_eq!(calls("shop~sandbox")["token_fetches"], 1);
    assert_eq!(bench.get(IPS, "access_token=x").errcode, Some(40001), "nobody's token");
    assert_eq!(bench.get(IPS, "").errcode, Some(41001), "nobody's call");
    assert!(bench.platform.remove_account("shop~sandbox"));
    assert_eq!(bench.get(IPS, &format!("access_token={shadow}")).errcode, Some(40001));
    assert!(!bench.platform.remove_account("shop~sandbox"));
}

#[test]
fn an_account_added_again_keeps_its_state_unless_its_secret_changed() {
    let bench = Bench::new();
    let token = bench.token();
    let ask = || bench.get(IPS, &format!("access_token={token}")).errcode;
    bench.platform.add_account(account("shop", "wx1", "s1")).unwrap();
    assert_eq!(ask(), None);
    bench.platform.add_account(account("shop", "wx1", "new")).unwrap();
    assert_eq!(ask(), Some(40001));
}

#[test]
fn faults_replace_the_handling_or_only_the_answer() {
    let bench = Bench::new();
    let strike = |fault: &str| {
        bench.control("POST", "faults", fault);
        bench.reply(Method::GET, IPS, &format!("access_token={}", bench.token()))
    };
    let status = strike(r#"{"kind":"status","value":503}"#).answer;
    assert_eq!((status.status.as_u16(), status.content_type), (503, "text/html"));
    let gbk = strike(r#"{"kind":"empty_gbk"}"#).answer;
    assert_eq!((gbk.body.len(), gbk.content_type), (0, "text/html; charset=gbk"));
    assert_eq!(strike(r#"{"kind":"busy"}"#).answer.errcode, Some(-1));
    let reset = strike(r#"{"kind":"reset_after","value":9}"#);
    assert_eq!((reset.cut, reset.answer.errcode), (Some(Cut::InBody(9)), None));
    assert_eq!(strike(r#"{"kind":"reset_before"}"#).cut, Some(Cut::BeforeHead));
    let late = strike(r#"{"kind":"delay","ms":250}"#);
    assert_eq!((late.delay.as_millis(), late.answer.status.as_u16()), (250, 200));
}

#[test]
fn a_reset_before_has_no_effect_and_a_reset_after_has() {
    let bench = Bench::new();
    let add =
        |id: &str| bench.post("/shop/spu/add", &crate::sandbox::calls::bench::product(id)).errcode;
    let exists = |id: &str| bench.post("/shop/spu/get", &json!({"out_product_id": id})).errcode;
    bench.control("POST", "faults", r#"{"kind":"reset_before","path":"/shop/spu/add"}"#);
    add("A");
    assert_eq!(exists("A"), Some(9_401_002));
    bench.control("POST", "faults", r#"{"kind":"reset_after","path":"/shop/spu/add"}"#);
    add("A");
    assert_eq!(exists("A"), Some(0));
}
