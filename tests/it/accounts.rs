//! Which account a request is for.

use http::Method;

use crate::support::{Gateway, client::Speak, gateway::TWO};

const CALL: &str = "/cgi-bin/getcallbackip";

async fn calls_of(gateway: &Gateway, account: &str) -> serde_json::Value {
    gateway.counters(account).await["calls"][CALL].clone()
}

#[tokio::test]
async fn the_path_the_header_or_the_keys_only_account_name_it() {
    let gateway = Gateway::with(TWO).await;
    assert_eq!(gateway.client.get(&format!("/@shop{CALL}")).await.errcode(), 0);
    let mut request = gateway.client.request(Method::GET, CALL, "");
    request.headers_mut().insert("x-wxgate-account", "blog".parse().unwrap());
    assert_eq!(gateway.client.send(Speak::Http2, request).await.errcode(), 0);
    let blogger = gateway.key("blogger", &["--account", "blog"]);
    assert_eq!(blogger.get(CALL).await.errcode(), 0);
    assert_eq!(calls_of(&gateway, "shop").await, 1);
    assert_eq!(calls_of(&gateway, "blog").await, 2);
}

#[tokio::test]
async fn the_sandboxes_accounts_are_those_of_the_file_and_a_large_snapshot_goes_through() {
    let gateway = Gateway::with(TWO).await;
    let listed = gateway.client.get("/-/sandbox/accounts").await.json();
    assert_eq!(listed["accounts"][0]["name"], "blog");
    assert_eq!(listed["accounts"][1]["app_id"], "wx0000000000000001");
    let refused = gateway.client.post("/-/sandbox/accounts", r#"{"name":"x"}"#).await;
    assert_eq!(refused.status.as_u16(), 409);
    assert!(refused.text().contains("proxy.toml"), "{}", refused.text());
    let snapshot = gateway.client.get("/-/sandbox/shop/snapshot").await.text();
    let large = format!("{snapshot}{}", " ".repeat(6 << 20));
    let restored = gateway.client.post("/-/sandbox/shop/restore", large).await;
    assert_eq!(restored.status.as_u16(), 200, "{}", restored.text());
}

#[tokio::test]
async fn a_key_with_two_accounts_must_name_one() {
    let gateway = Gateway::with(TWO).await;
    let reply = gateway.client.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "account_ambiguous"));
    assert!(reply.text().contains("blog, shop"), "{}", reply.text());
}

#[tokio::test]
async fn an_account_of_others_looks_like_one_that_does_not_exist() {
    let gateway = Gateway::with(TWO).await;
    let blogger = gateway.key("blogger", &["--account", "blog"]);
    let foreign = blogger.get(&format!("/@shop{CALL}")).await;
    let missing = blogger.get(&format!("/@nobody{CALL}")).await;
    for reply in [&foreign, &missing] {
        assert_eq!((reply.status.as_u16(), reply.code()), (404, "account_unknown"));
    }
    let strip = |text: String, name: &str, id: &str| text.replace(name, "X").replace(id, "ID");
    let id =
        |reply: &crate::support::Reply| reply.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(
        strip(foreign.text(), "shop", &id(&foreign)),
        strip(missing.text(), "nobody", &id(&missing)),
        "nothing tells the two apart"
    );
}

#[tokio::test]
async fn the_appid_of_a_secret_call_names_it() {
    let gateway = Gateway::with(TWO).await;
    let reply = gateway
        .client
        .get("/sns/jscode2session?appid=wx0000000000000001&secret=&js_code=bob-1&grant_type=authorization_code")
        .await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());
    assert!(reply.json()["openid"].is_string());
    assert_eq!(gateway.counters("shop").await["calls"]["/sns/jscode2session"], 1);
}

#[tokio::test]
async fn a_door_behind_an_account_is_refused() {
    let gateway = Gateway::with(TWO).await;
    for path in ["/@shop/-/healthz", "/@shop/@blog/cgi-bin/x"] {
        let reply = gateway.client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, "path_refused"), "{path}");
    }
}
