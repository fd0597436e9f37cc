//! The broker, seen from outside: one fetch, no storms, nothing lost.

use http::Method;
use serde_json::json;

use crate::support::{
    Client, Gateway,
    client::Speak,
    eventually,
    gateway::{Builder, message},
    origin::{self, Origin, Say},
};

const CALL: &str = "/cgi-bin/getcallbackip";

/// Sends the same call on `streams` HTTP/2 streams at once and counts errcode 0.
async fn storm(client: &Client, streams: usize) -> usize {
    let mut tasks = Vec::new();
    for _ in 0..streams.div_ceil(100) {
        let session = client.session(Speak::Http2).await;
        for _ in 0..100.min(streams) {
            let (request, mut session) = (client.request(Method::GET, CALL, ""), session.second());
            tasks.push(tokio::spawn(async move {
                let reply = session.send(request).await.unwrap();
                assert!(reply.status.is_success(), "{}", reply.text());
                reply.errcode()
            }));
        }
    }
    let mut good = 0;
    for task in tasks {
        good += usize::from(task.await.unwrap() == 0);
    }
    good
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_on_a_cold_token_make_one_fetch() {
    let gateway = Gateway::start().await;
    assert_eq!(storm(&gateway.client, 1000).await, 1000);
    let counters = gateway.counters("demo").await;
    assert_eq!(
        (counters["token_fetches"].as_i64(), counters["forced"].as_i64()),
        (Some(1), Some(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_another_holder_fetched_a_token() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
    gateway.fault("demo", json!({"kind": "foreign_fetch"})).await;
    assert_eq!(storm(&gateway.client, 1000).await, 1000);
    let counters = gateway.counters("demo").await;
    assert_eq!(
        (counters["token_fetches"].as_i64(), counters["forced"].as_i64()),
        (Some(2), Some(0)),
        "the first token, and one for all thousand"
    );
    let history = gateway.cli_json(&["token", "history", "demo"]);
    assert_eq!(history["generations"][1]["verdict"], "foreign_fetch", "{history:#}");
    assert_eq!(gateway.log().matches("died early").count(), 1);
}

#[tokio::test]
async fn the_timeline_survives_a_kill_and_names_who_fetched_meanwhile() {
    let first_token = origin::token(0);
    let origin = Origin::start(move |request, number| {
        // From the second call on, the first token is one of the past.
        let is_dead = number > 0 && request.target().contains(&first_token);
        let answer = if is_dead { 40001 } else { 0 };
        Say::Json(format!(r#"{{"errcode":{answer},"errmsg":"invalid credential or ok"}}"#))
    })
    .await;
    let builder = Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem);
    let mut gateway = builder.start().await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
    let before = gateway.cli_json(&["token", "history"]);
    gateway.kill();
    let stopped = gateway.cli_json(&["token", "history", "shop"]);
    assert_eq!(stopped["generations"][0]["born"], before["generations"][0]["born"]);

    let gateway = gateway.restart().await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
    assert_eq!(origin.token_fetches(), 2);
    let after = gateway.cli_json(&["token", "history", "shop", "--limit", "2"]);
    let [new, old] = [&after["generations"][0], &after["generations"][1]];
    assert_eq!(
        (&new["asked_by"], &new["ended"], &new["verdict"]),
        (&json!("replacement"), &json!(null), &json!(null))
    );
    assert_eq!(
        (&old["end_reason"], &old["errcode"], &old["verdict"]),
        (&json!("refused"), &json!(40001), &json!("foreign_fetch"))
    );
    assert_eq!(old["foreign_fetch"]["after"], old["born"]);
    assert_eq!(old["foreign_fetch"]["before"], old["first_refusal"]);
    let tokens = gateway.cli_json(&["token", "show"]);
    let shop = tokens["tokens"].as_array().unwrap().iter().find(|t| t["slot"] == "shop/token");
    assert_eq!(shop.unwrap()["last_verdict"]["generation"], old["generation"]);

    let shown = gateway.cli(&["token", "history"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    for part in ["AppSecret", "怎么办", "What to do", "docs/BESIDE-PRODUCTION.md", "refused"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[tokio::test]
async fn an_expired_token_is_replaced_within_the_request() {
    let gateway = Gateway::start().await;
    gateway.client.get(CALL).await;
    gateway.fault("demo", json!({"kind": "expire_token"})).await;
    let reply = gateway.client.post("/cgi-bin/message/custom/send", message()).await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());
    assert_eq!(reply.headers["x-wxgate-attempts"], "2");
    assert_eq!(gateway.counters("demo").await["token_fetches"], 2);
}

#[tokio::test]
async fn a_restart_fetches_nothing() {
    let gateway = Gateway::start().await;
    let origin = Origin::start(|_, _| Say::Json(r#"{"errcode":0,"errmsg":"ok"}"#.into())).await;
    drop(gateway);
    let builder = Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem);
    let gateway = builder.start().await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
    let gateway = gateway.restart().await;
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
    assert_eq!(origin.token_fetches(), 1);
}

#[tokio::test]
async fn a_refused_address_is_named_with_the_place_to_enter_it() {
    let gateway = Gateway::start().await;
    gateway
        .sandbox("demo", "state", json!({"ip_list": ["203.0.113.9"], "caller_ip": "198.51.100.4"}))
        .await;
    let reply = gateway.client.get(CALL).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (502, "token_unavailable"),
        "{}",
        reply.text()
    );
    let body = reply.json();
    assert_eq!(body["wxgate"]["upstream"]["errcode"], 40164);
    assert!(body["errmsg"].as_str().unwrap().contains("198.51.100.4"), "{body}");
    assert!(body["wxgate"]["hint"].as_str().unwrap().contains("白名单"), "{body}");
    gateway.sandbox("demo", "state", json!({"ip_list": []})).await;
    gateway.cli(&["token", "refresh", "demo"]);
    eventually("a token again", || async { gateway.client.get(CALL).await.errcode() == 0 }).await;
}

#[tokio::test]
async fn every_error_of_the_token_call_reaches_the_caller_and_asks_the_issuer_once() {
    for errcode in [40013, 40125, 40243, 45009, 45011, 50007, 89503, -1] {
        let gateway = Gateway::start().await;
        gateway.fault("demo", json!({"kind": "errcode", "path": "/cgi-bin/stable_token", "value": errcode, "count": 0})).await;
        for _ in 0..5 {
            let reply = gateway.client.get(CALL).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (502, "token_unavailable"),
                "{}",
                reply.text()
            );
            assert_eq!(reply.json()["wxgate"]["upstream"]["errcode"], errcode, "{}", reply.text());
        }
        let fetches = gateway.counters("demo").await["token_fetches"].as_i64().unwrap();
        assert!(fetches <= 2, "{errcode}: {fetches} fetches for five requests");
    }
}

#[tokio::test]
async fn a_platform_that_refuses_every_token_is_told_apart_from_a_gateway_without_one() {
    let gateway = Gateway::start().await;
    gateway
        .fault("demo", json!({"kind": "errcode", "path": CALL, "value": 40001, "count": 0}))
        .await;
    let reply = gateway.client.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (502, "token_rejected"), "{}", reply.text());
    assert_eq!(reply.json()["wxgate"]["upstream"]["errcode"], 40001);
    assert_eq!(gateway.counters("demo").await["forced"], 0);
}

#[tokio::test]
async fn the_sandbox_lane_has_a_token_of_its_own_and_never_touches_the_real_one() {
    let origin = Origin::start(|_, _| Say::Json(r#"{"errcode":0,"errmsg":"ok"}"#.into())).await;
    let gateway = Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    let toy = gateway.key("toy", &["--account", "shop", "--lane", "sandbox"]);
    assert_eq!(toy.get(CALL).await.errcode(), 0);
    let mut request = gateway.client.request(Method::GET, CALL, "");
    request.headers_mut().insert("x-wxgate-upstream", "sandbox".parse().unwrap());
    assert_eq!(gateway.client.send(Speak::Http1, request).await.errcode(), 0);
    let shadow = gateway.cli_json(&["token", "history", "shop~sandbox"]);
    assert_eq!(shadow["generations"].as_array().unwrap().len(), 1);
    let real = gateway.cli_json(&["token", "history", "shop"]);
    assert_eq!(real["generations"], json!([]));
    assert_eq!((origin.received().len(), origin.token_fetches()), (0, 0));
    assert_eq!(gateway.counters("shop").await["calls"][CALL], 2);
}
