//! What is tried again, and what is not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::Method;
use serde_json::json;

use crate::support::{
    Gateway,
    client::Speak,
    gateway::{Builder, message},
    origin::{Origin, Say},
};

const READ: &str = "/cgi-bin/getcallbackip";
const WRITE: &str = "/cgi-bin/message/custom/send";

async fn on(origin: &Origin) -> Gateway {
    Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await
}

#[tokio::test]
async fn a_busy_platform_is_asked_again_for_a_read_and_not_for_a_write() {
    let gateway = Gateway::start().await;
    gateway.fault("demo", json!({"kind": "busy", "path": READ, "count": 1})).await;
    let reply = gateway.client.get(READ).await;
    assert_eq!((reply.errcode(), reply.headers["x-wxgate-attempts"].to_str().unwrap()), (0, "2"));
    gateway.fault("demo", json!({"kind": "busy", "path": WRITE, "count": 1})).await;
    let reply = gateway.client.post(WRITE, message()).await;
    assert_eq!((reply.errcode(), reply.headers["x-wxgate-attempts"].to_str().unwrap()), (-1, "1"));
}

#[tokio::test]
async fn a_broken_connection_repeats_a_read_and_reports_a_write() {
    let gateway = Gateway::start().await;
    gateway.client.get(READ).await;
    gateway.fault("demo", json!({"kind": "reset_before", "path": READ, "count": 1})).await;
    assert_eq!(gateway.client.get(READ).await.errcode(), 0);
    gateway.fault("demo", json!({"kind": "reset_before", "path": WRITE, "count": 1})).await;
    let reply = gateway.client.post(WRITE, message()).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (502, "upstream_reset"), "{}", reply.text());
    assert_eq!(gateway.counters("demo").await["calls"][WRITE], 1, "sent once");
}

#[tokio::test]
async fn a_long_body_with_a_dead_token_is_asked_for_again() {
    let gateway = Gateway::start().await;
    gateway.client.get(READ).await;
    gateway.fault("demo", json!({"kind": "expire_token"})).await;
    let long = json!({"touser": "oTest0000000000000000000001", "msgtype": "text", "text": {"content": "x".repeat(70_000)}});
    let reply = gateway.client.post(WRITE, long.to_string()).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (503, "retry_needed"), "{}", reply.text());
    assert_eq!(reply.headers["retry-after"], "0");
    let again = gateway.client.post(WRITE, long.to_string()).await;
    assert_ne!(again.status.as_u16(), 503, "the token was replaced: {}", again.text());
}

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_is_left_for_the_next_one() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = refused.local_addr().unwrap();
    drop(refused);
    let origin = Origin::start(|_, _| Say::Json(r#"{"errcode":0,"errmsg":"ok"}"#.into())).await;
    let account = origin
        .account("shop")
        .replace("upstream = [", &format!("upstream = [\"https://{nobody}\", "));
    let gateway = Builder::new(&account)
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    for _ in 0..8 {
        let reply = gateway.client.post(WRITE, message()).await;
        assert_eq!(reply.errcode(), 0, "a write too: nothing was sent. {}", reply.text());
    }
    assert_eq!(origin.received().len(), 8);
}

#[tokio::test]
async fn an_upstream_that_is_down_is_said_so() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = refused.local_addr().unwrap();
    drop(refused);
    let origin = Origin::start(|_, _| Say::Nothing).await;
    let account = origin.account("shop").replace(&origin.address.to_string(), &nobody.to_string())
        + "own_tokens = true\n";
    let gateway = Builder::new(&account)
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    let reply =
        gateway.client.get(&format!("{READ}?access_token=my_own_token_from_elsewhere")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (502, "upstream_connect"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_write_is_never_repeated_after_it_was_sent_and_a_read_once() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let origin = Origin::start(move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        Say::RawThenClose(Vec::new())
    })
    .await;
    let gateway = on(&origin).await;
    let reply = gateway.client.post(WRITE, message()).await;
    assert_eq!(reply.status.as_u16(), 502, "{}", reply.text());
    assert_eq!(seen.swap(0, Ordering::Relaxed), 1);
    let reply = gateway.client.get(READ).await;
    assert_eq!(reply.status.as_u16(), 502, "{}", reply.text());
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_fault_on_request_is_answered_here_and_marked() {
    let gateway = Gateway::start().await;
    let with = |fault: &'static str| {
        let mut request = gateway.client.request(Method::GET, READ, "");
        request.headers_mut().insert("x-wxgate-fault", fault.parse().unwrap());
        request
    };
    let reply = gateway.client.send(Speak::Http1, with("errcode=45009")).await;
    assert_eq!((reply.status.as_u16(), reply.errcode()), (200, 45009));
    let reply = gateway.client.send(Speak::Http1, with("status=502")).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (502, ""));
    assert!(gateway.client.session(Speak::Http1).await.send(with("reset")).await.is_err());
    let reply = gateway.client.send(Speak::Http2, with("delay=10ms")).await;
    assert_eq!(reply.errcode(), 0);
    let reply = gateway.client.send(Speak::Http1, with("earthquake")).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "header_refused"));
    assert_eq!(gateway.counters("demo").await["calls"][READ], 1, "only the delayed one was sent");
}
