//! The gateway's own limits, and what it knows of the platform's quotas.

use serde_json::json;

use crate::support::{
    Gateway,
    gateway::{Builder, DEMO},
    origin::{Origin, Say},
};

const CALL: &str = "/cgi-bin/getcallbackip";

#[tokio::test]
async fn a_key_over_its_rate_is_told_when_to_come_back() {
    let gateway = Gateway::start().await;
    let slow = gateway.key("slow", &["--account", "demo", "--rate", "2/m"]);
    for _ in 0..2 {
        assert_eq!(slow.get(CALL).await.errcode(), 0);
    }
    let reply = slow.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (429, "rate_limited"));
    let after: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&after));
    assert!(reply.headers["ratelimit"].to_str().unwrap().starts_with("\"key\";r=0;t="));
    assert_eq!(reply.headers["ratelimit-policy"], "\"key\";q=2;w=60");
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0, "another key is not concerned");
}

#[tokio::test]
async fn a_path_limit_counts_all_keys_and_a_daily_one_survives_a_restart() {
    let tables = format!("{DEMO}[[account.limit]]\npath = \"/cgi-bin/**\"\nrate = \"3/d\"\n");
    let gateway = Gateway::with(&tables).await;
    let alice = gateway.key("alice", &["--account", "demo"]);
    for client in [&alice, &gateway.client, &alice] {
        assert_eq!(client.get(CALL).await.errcode(), 0);
    }
    let gateway = gateway.restart().await;
    let reply = gateway.client.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (429, "rate_limited"), "{}", reply.text());
    assert!(reply.text().contains("/cgi-bin/**"));
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_remembered_until_it_is_reset() {
    let origin = Origin::start(|_, number| {
        let code = if number == 0 { 45009 } else { 0 };
        Say::Json(json!({"errcode": code, "errmsg": "reach max api daily quota limit"}).to_string())
    })
    .await;
    let gateway = Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 45009);
    for _ in 0..3 {
        let reply = gateway.client.get(CALL).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (429, "quota_exhausted"));
        assert!(reply.headers.contains_key("retry-after"));
    }
    assert_eq!(
        gateway.client.get("/cgi-bin/get_api_domain_ip").await.errcode(),
        0,
        "another path has its own quota"
    );
    assert_eq!(origin.received().len(), 2);
    let gateway = gateway.restart().await;
    assert_eq!(
        gateway.client.get(CALL).await.code(),
        "quota_exhausted",
        "a restart does not forget"
    );
    gateway.cli_json(&["limit", "reset", "shop"]);
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
}

#[tokio::test]
async fn requests_beyond_the_slots_are_shed_and_slots_come_back() {
    let tables = format!("{DEMO}[limits]\nin_flight = 1\n");
    let gateway = Gateway::with(&tables).await;
    gateway.client.get(CALL).await;
    let client = gateway.client.clone();
    let slow = tokio::spawn(async move {
        loop {
            let mut request = client.request(http::Method::GET, CALL, "");
            request.headers_mut().insert("x-wxgate-fault", "delay=1s".parse().unwrap());
            let reply = client.send(crate::support::client::Speak::Http1, request).await;
            // One of the questions below may hold the slot at that moment.
            if reply.status.as_u16() != 503 {
                return reply;
            }
        }
    });
    crate::support::eventually("the slot is taken", || async {
        gateway.client.get(CALL).await.status.as_u16() == 503
    })
    .await;
    let reply = gateway.client.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (503, "overloaded"));
    assert_eq!(slow.await.unwrap().errcode(), 0);
    crate::support::eventually("the slot is free", || async {
        gateway.client.get(CALL).await.errcode() == 0
    })
    .await;
}

#[tokio::test]
async fn another_spelling_of_a_path_has_no_limit_of_its_own() {
    let tables =
        format!("{DEMO}[[account.limit]]\npath = \"/cgi-bin/getcallbackip\"\nrate = \"1/m\"\n");
    let gateway = Gateway::with(&tables).await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
    for path in
        [CALL, "/cgi-bin/getcallbackip/", "/CGI-BIN/getcallbackip", "/cgi-bin/GetCallbackIp"]
    {
        assert_eq!(gateway.client.get(path).await.code(), "rate_limited", "{path}");
    }
}
