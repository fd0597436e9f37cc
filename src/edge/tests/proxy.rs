//! The PROXY protocol on a listener.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::harness::{TestEdge, ask, assert_took, until_closed};
use crate::{
    config::model::Scheme,
    edge::{Deadlines, metrics::Refusal},
};

const WHO: &[u8] = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
const HEADER: &[u8] = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n";

async fn behind_a_proxy(trusted: &[&str]) -> TestEdge {
    TestEdge::start(Scheme::Http, Deadlines::default(), trusted).await
}

#[tokio::test(start_paused = true)]
async fn a_trusted_proxy_tells_the_client_in_either_version() {
    let edge = behind_a_proxy(&["127.0.0.0/8"]).await;
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x01\x0a\0\0\x01\x10\0\x01\xbb";
    for (header, client) in [(HEADER, "203.0.113.7"), (v2, "198.51.100.1"), (b"", "127.0.0.1")] {
        let mut tcp = edge.tcp().await;
        let answer = ask(&mut tcp, &[header, WHO].concat()).await;
        assert!(answer.contains(&format!("\r\n\r\n{client} HttpLoopback")), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_cannot_claim_to_be_a_proxy() {
    let edge = behind_a_proxy(&["10.0.0.0/8"]).await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(&[HEADER, WHO].concat()).await.unwrap();
    let (answer, _) = until_closed(&mut tcp).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(!answer.contains("203.0.113.7"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_or_late_header_closes_the_connection() {
    let edge = behind_a_proxy(&["127.0.0.1"]).await;
    for (bytes, limit) in [(&b"PROXY TCP4 nonsense\r\n"[..], 0), (b"PROXY TCP4 203.", 5), (b"", 5)]
    {
        let mut tcp = edge.tcp().await;
        tcp.write_all(bytes).await.unwrap();
        let (answer, took) = until_closed(&mut tcp).await;
        assert_eq!(answer, "");
        assert_took(took, Duration::from_secs(limit));
    }
    assert_eq!(edge.shared.metrics.refusals(Refusal::ProxyHeader), 3);
}

#[tokio::test(start_paused = true)]
async fn trust_can_be_withdrawn_while_running() {
    let edge = behind_a_proxy(&["127.0.0.1"]).await;
    edge.shared.set_trusted_proxies(Vec::new());
    let mut tcp = edge.tcp().await;
    tcp.write_all(&[HEADER, WHO].concat()).await.unwrap();
    assert!(until_closed(&mut tcp).await.0.starts_with("HTTP/1.1 400"));
}
