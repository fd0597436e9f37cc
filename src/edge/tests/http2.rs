//! HTTP/2: what h2 itself puts no limit on.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::io::AsyncWriteExt as _;

use super::harness::{TestEdge, after, assert_took, until_closed};
use crate::{
    config::model::Scheme,
    edge::{Deadlines, metrics::Cut},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("https://localhost{path}")).body(()).unwrap()
}

async fn body_of(mut body: h2::RecvStream) -> Result<String, h2::Error> {
    let mut text = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        text.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn fetch(client: &mut h2::client::SendRequest<Bytes>, path: &str) -> String {
    let (response, _) = client.send_request(get(path), true).unwrap();
    body_of(response.await.unwrap().into_body()).await.unwrap()
}

/// Sends `bytes` after the TLS handshake and tells how long the connection lived on.
async fn lifetime_after(edge: &TestEdge, bytes: &[u8]) -> Duration {
    let mut tls = edge.tls(&["h2"]).await;
    tls.write_all(bytes).await.unwrap();
    tls.flush().await.unwrap();
    until_closed(&mut tls).await.1
}

#[tokio::test(start_paused = true)]
async fn requests_are_answered_side_by_side() {
    let edge = TestEdge::https().await;
    let mut client = edge.h2().await;
    let (waiting, _) = client.send_request(get("/wait"), true).unwrap();
    edge.entered.notified().await;
    assert_eq!(fetch(&mut client, "/who").await, "127.0.0.1 Https Some(\"localhost\")");
    edge.gate.notify_one();
    assert_eq!(body_of(waiting.await.unwrap().into_body()).await.unwrap(), "waited");
}

#[tokio::test(start_paused = true)]
async fn every_way_to_say_nothing_is_cut() {
    let edge = TestEdge::https().await;
    let headers_without_end = [PREFACE, SETTINGS, &[0, 0, 1, 1, 1, 0, 0, 0, 1, 0x82]].concat();
    let half_a_frame = [PREFACE, SETTINGS, &[0, 0, 8, 6, 0]].concat();
    for (bytes, expected, cut) in [
        (&b""[..], 10, Cut::Silent),
        (&PREFACE[..12], 10, Cut::SlowHead),
        (PREFACE, 10, Cut::SlowHead),
        (&headers_without_end, 10, Cut::SlowHead),
        (&half_a_frame, 10, Cut::SlowHead),
    ] {
        let before = edge.shared.metrics.cuts(cut);
        assert_took(lifetime_after(&edge, bytes).await, secs(expected));
        assert_eq!(edge.shared.metrics.cuts(cut), before + 1, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_gets_a_goaway_and_is_closed() {
    let edge = TestEdge::https().await;
    // This client does not answer the PING of the good-bye.
    let took = lifetime_after(&edge, &[PREFACE, SETTINGS].concat()).await;
    assert_took(took, secs(75 + 5));
    assert_eq!(edge.shared.metrics.cuts(Cut::Idle), 1);
    assert_eq!(edge.shared.metrics.cuts(Cut::Lingering), 1);
    // This one does.
    let mut client = edge.h2().await;
    fetch(&mut client, "/").await;
    let begun = tokio::time::Instant::now();
    while edge.shared.connections() > 0 {
        after(secs(1)).await;
    }
    assert!((secs(75)..secs(78)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(edge.shared.metrics.cuts(Cut::Idle), 2);
    assert_eq!(edge.shared.metrics.cuts(Cut::Lingering), 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_for_the_answer_is_no_ones_fault() {
    let edge = TestEdge::https().await;
    let mut client = edge.h2().await;
    let (response, _) = client.send_request(get("/wait"), true).unwrap();
    edge.entered.notified().await;
    after(secs(3000)).await;
    edge.gate.notify_one();
    assert_eq!(body_of(response.await.unwrap().into_body()).await.unwrap(), "waited");
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_window_is_reset_and_the_others_live_on() {
    let edge = TestEdge::https().await;
    let mut client = edge.h2().await;
    let (response, _) = client.send_request(get("/endless"), true).unwrap();
    let mut stuck = response.await.unwrap().into_body();
    let (waiting, _) = client.send_request(get("/wait"), true).unwrap();
    let begun = tokio::time::Instant::now();
    let mut received = 0;
    // Nothing is released, so the window of the stream runs dry.
    let error = loop {
        match stuck.data().await {
            Some(Ok(piece)) => received += piece.len(),
            Some(Err(error)) => break error,
            None => panic!("a stream that was cut looks complete"),
        }
    };
    assert!(error.is_reset(), "{error}");
    assert!(received > 0);
    assert_took(begun.elapsed(), secs(30));
    assert_eq!(edge.shared.metrics.cuts(Cut::SlowReader), 1);
    edge.gate.notify_one();
    assert_eq!(body_of(waiting.await.unwrap().into_body()).await.unwrap(), "waited");
    assert_eq!(fetch(&mut client, "/").await, "hello", "new ones are welcome, too");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_upload_ends_with_its_stream() {
    let edge = TestEdge::https().await;
    let mut client = edge.h2().await;
    let request = Request::post("https://localhost/upload").body(()).unwrap();
    let (response, mut body) = client.send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(b"begun"), false).unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(response.await.unwrap().status(), 408);
    assert!((secs(9)..secs(16)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_worn_connection_gets_a_goaway_after_its_last_request() {
    let limits = Deadlines { max_requests: 2, ..Deadlines::default() };
    let edge = TestEdge::start(Scheme::Https, limits, &[]).await;
    let mut client = edge.h2().await;
    for _ in 0..2 {
        assert_eq!(fetch(&mut client, "/").await, "hello");
    }
    while edge.shared.connections() > 0 {
        after(Duration::from_millis(10)).await;
    }
    assert_eq!(edge.shared.metrics.cuts(Cut::Worn), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_is_cut() {
    let edge = TestEdge::https().await;
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let flood = [PREFACE, SETTINGS, &ping.repeat(500)].concat();
    assert_took(lifetime_after(&edge, &flood).await, Duration::ZERO);
    assert_eq!(edge.shared.metrics.cuts(Cut::Flood), 1);
}
