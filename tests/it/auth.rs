//! Who may call: every place for a key, every way to be turned away.

use http::Method;
use serde_json::json;

use crate::support::{
    Gateway,
    client::Speak,
    eventually,
    gateway::{Builder, message},
    origin::{Origin, Say},
};

const CALL: &str = "/cgi-bin/getcallbackip";

#[tokio::test]
async fn a_key_is_found_in_every_place() {
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let anonymous = gateway.client.without_key();
    let mut header = anonymous.request(Method::GET, CALL, "");
    header.headers_mut().insert("x-api-key", key.parse().unwrap());
    assert_eq!(anonymous.send(Speak::Http1, header).await.errcode(), 0);
    for path in [
        format!("{CALL}?access_token={key}"),
        format!("{CALL}?a=1&component_access_token={key}"),
        format!(
            "/sns/jscode2session?appid=wx0123456789abcdef&secret={key}&js_code=alice-1&grant_type=authorization_code"
        ),
    ] {
        let reply = anonymous.get(&path).await;
        assert_eq!(reply.errcode(), 0, "{path}: {}", reply.text());
    }
    let body = json!({"appid": "wx0123456789abcdef", "appsecret": key}).to_string();
    let reply = anonymous.post("/cgi-bin/clear_quota/v2", body).await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());
    let calls = &gateway.counters("demo").await["calls"];
    assert_eq!(calls[CALL], 3);
}

#[tokio::test]
async fn two_different_keys_are_ambiguous_and_the_same_twice_is_not() {
    let gateway = Gateway::start().await;
    let other = gateway.key("other", &["--account", "demo"]).key.unwrap();
    let own = gateway.client.key.clone().unwrap();
    let reply = gateway.client.get(&format!("{CALL}?access_token={other}")).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "ambiguous_key"));
    assert_eq!(gateway.client.get(&format!("{CALL}?access_token={own}")).await.errcode(), 0);
}

#[tokio::test]
async fn a_stranger_is_turned_away_and_never_stored() {
    let gateway = Gateway::start().await;
    let good = gateway.client.key.clone().unwrap();
    let last = if good.ends_with('a') { 'b' } else { 'a' };
    let misspelt = format!("{}{last}", &good[..good.len() - 1]);
    let unknown = wxgate::access::KeyText::generate().reveal().to_owned();
    for (key, code, errcode) in [
        (None, "key_missing", -94010),
        (Some(unknown), "key_unknown", -94011),
        (Some(misspelt), "key_malformed", -94012),
        (Some("wxgk_short".to_owned()), "key_malformed", -94012),
    ] {
        let client =
            key.map_or_else(|| gateway.client.without_key(), |key| gateway.client.with_key(&key));
        let reply = client.get(CALL).await;
        assert_eq!((reply.status.as_u16(), reply.code(), reply.errcode()), (401, code, errcode));
        let body = reply.json();
        assert!(body["errmsg"].as_str().unwrap().starts_with("wxgate: "));
        assert_eq!(body["wxgate"]["code"], code);
        assert_eq!(body["wxgate"]["request_id"], reply.headers["x-request-id"].to_str().unwrap());
        assert!(!body["wxgate"]["hint"].as_str().unwrap().is_empty());
    }
    let stored = gateway.cli(&["export", "--json"]).stdout;
    assert!(stored.is_empty(), "{}", String::from_utf8_lossy(&stored));
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_the_next_request() {
    let gateway = Gateway::start().await;
    let alice = gateway.key("alice", &["--account", "demo"]);
    assert_eq!(alice.get(CALL).await.errcode(), 0);
    gateway.cli_json(&["key", "revoke", "alice"]);
    let reply = alice.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "key_revoked"));
}

#[tokio::test]
async fn a_key_with_networks_opens_nothing_from_elsewhere() {
    let gateway = Gateway::start().await;
    let away = gateway.key("away", &["--account", "demo", "--network", "203.0.113.0/24"]);
    let reply = away.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "key_network"));
    let here = gateway.key("here", &["--account", "demo", "--network", "127.0.0.0/8"]);
    assert_eq!(here.get(CALL).await.errcode(), 0);
}

#[tokio::test]
async fn a_blocked_call_says_which_rule_blocked_it() {
    let gateway = Gateway::start().await;
    let reader = gateway.key("reader", &["--account", "demo", "--lane", "read-only"]);
    assert_eq!(reader.get(CALL).await.errcode(), 0);
    let reply = reader.post("/cgi-bin/message/custom/send", message()).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "lane_read_only"));
    assert!(reply.text().contains("read-only"), "{}", reply.text());
    let reply = reader.get("/cgi-bin/no/such/call").await;
    assert_eq!(reply.code(), "lane_read_only", "an unknown path is no known read");
    let shop = gateway.key("shop", &["--account", "demo", "--path", "/shop"]);
    let reply = shop.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "path_not_allowed"));
    let viewer = gateway.key("viewer", &["--account", "demo", "--role", "viewer"]);
    assert_eq!(viewer.get(CALL).await.code(), "path_not_allowed");
}

#[tokio::test]
async fn a_key_made_with_errors_wechat_gets_status_200() {
    let gateway = Gateway::start().await;
    let sdk = gateway.key("sdk", &["--account", "demo", "--errors", "wechat", "--path", "/shop"]);
    let reply = sdk.get(CALL).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code(), reply.errcode()),
        (200, "path_not_allowed", -94032)
    );
}

#[tokio::test]
async fn a_request_from_inside_a_mini_program_names_the_shipped_key() {
    let gateway = Gateway::start().await;
    let alice = gateway.key("alice", &["--account", "demo"]);
    let mut request = alice.request(Method::GET, CALL, "");
    request
        .headers_mut()
        .insert("referer", "https://servicewechat.com/wx0/1/page-frame.html".parse().unwrap());
    let reply = alice.send(Speak::Http1, request).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "client_call"));
    assert!(reply.text().contains("alice"));
    // The log is written apart from the request.
    eventually("the alarm in the log", || async {
        gateway.log().contains("ALARM") && gateway.log().contains("alice")
    })
    .await;
}

#[tokio::test]
async fn a_rotated_key_leaves_the_old_one_dead() {
    let gateway = Gateway::start().await;
    let old = gateway.key("ci", &["--account", "demo"]);
    let made = gateway.cli_json(&["key", "rotate", "ci"]);
    let new = gateway.client.with_key(made["key"].as_str().unwrap());
    assert_eq!(new.get(CALL).await.errcode(), 0);
    assert_eq!(old.get(CALL).await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_token_of_somebody_else_is_refused_and_a_placeholder_is_filled() {
    let gateway = Gateway::start().await;
    for placeholder in
        ["", "ACCESS_TOKEN", "%7B%7Baccess_token%7D%7D", "{{token}}", "undefined", "null"]
    {
        let path = format!("{CALL}?access_token={}", placeholder.replace(['{', '}'], ""));
        let path = if placeholder == "{{token}}" {
            format!("{CALL}?access_token=%7B%7Btoken%7D%7D")
        } else {
            path
        };
        let reply = gateway.client.get(&path).await;
        assert_eq!(reply.errcode(), 0, "{path}: {}", reply.text());
    }
    let reply =
        gateway.client.get(&format!("{CALL}?access_token=90_foreign_token_of_another_host")).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "foreign_token"));
    let reply = gateway.client.get(&format!("{CALL}?access_token=&access_token=")).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "ambiguous_token"));
    let reply = gateway.client.get(&format!("{CALL}?Access%5FToken=x")).await;
    assert_eq!(reply.code(), "ambiguous_token");
}

#[tokio::test]
async fn a_reset_of_the_quota_is_for_operators() {
    let gateway = Gateway::start().await;
    let developer = gateway.key("dev", &["--account", "demo"]);
    let reply = developer
        .post("/cgi-bin/clear_quota", json!({"appid": "wx0123456789abcdef"}).to_string())
        .await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "operator_only"));
}

#[tokio::test]
async fn a_key_in_a_place_that_is_none_for_it_never_goes_upstream() {
    let origin = Origin::start(|_, _| Say::Json(r#"{"errcode":0,"errmsg":"ok"}"#.into())).await;
    let gateway = Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    let boss = ["--role", "operator", "--account", "shop", "--lane", "live", "--allow-danger"];
    let boss = gateway.key("boss", &boss);
    let key = boss.key.clone().unwrap();
    for query in [
        format!("key={key}"),
        format!("SECRET={key}"),
        format!("%73ecret={key}"),
        format!("x=1;secret={key}"),
    ] {
        let reply = boss.get(&format!("{CALL}?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, "ambiguous_token"), "{query}");
    }
    for (name, value) in
        [("x-auth-token", key.clone()), ("referer", format!("https://x/?access_token={key}"))]
    {
        let mut request = boss.request(Method::GET, CALL, "");
        request.headers_mut().insert(name, value.parse().unwrap());
        let reply = boss.send(Speak::Http1, request).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, "header_refused"), "{name}");
    }
    let login =
        "/sns/jscode2session?appid=wx0123456789abcdef&js_code=a-1&grant_type=authorization_code";
    let twice = format!(r#"{{"appsecret":"{key}","secret":"{key}","appsecret":"{key}"}}"#);
    boss.post(login, twice.clone()).await;
    boss.post("/cgi-bin/clear_quota/v2?appsecret=", twice.clone()).await;
    boss.post("/cgi-bin/clear_quota/v2", twice).await;
    boss.post("/cgi-bin/clear_quota/v2", "").await;
    let received = origin.received();
    assert_eq!(received.len(), 4, "{received:?}");
    for request in &received {
        let text = format!("{}{}", request.head, String::from_utf8_lossy(&request.body));
        assert!(!text.contains("wxgk_"), "{text}");
        assert!(text.contains("0123456789abcdef0123456789abcdef"), "the secret is there: {text}");
    }
}

#[tokio::test]
async fn a_second_account_in_the_headers_is_refused() {
    let gateway = Gateway::start().await;
    let mut request = gateway.client.request(Method::GET, &format!("/@demo{CALL}"), "");
    request.headers_mut().insert("x-wxgate-account", "other".parse().unwrap());
    assert_eq!(gateway.client.send(Speak::Http1, request).await.code(), "header_refused");
    let mut request = gateway.client.request(Method::GET, CALL, "");
    request.headers_mut().append("x-wxgate-account", "demo".parse().unwrap());
    request.headers_mut().append("x-wxgate-account", "demo".parse().unwrap());
    assert_eq!(gateway.client.send(Speak::Http1, request).await.code(), "header_refused");
}
