//! Shutting down without losing a request.

use std::time::Duration;

use http::Request;
use tokio::io::AsyncWriteExt as _;

use super::harness::{GET, TestEdge, after, ask, assert_took, one_answer, until_closed};
use crate::edge::{DrainReport, metrics::Cut};

const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_is_answered_and_its_connection_closed() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(WAIT).await.unwrap();
    edge.entered.notified().await;
    let drain = edge.shared.drained(Duration::from_secs(60));
    let client = async {
        after(Duration::from_secs(5)).await;
        edge.gate.notify_one();
        until_closed(&mut tcp).await
    };
    let (report, (answer, _)) = tokio::join!(drain, client);
    assert_eq!(report, DrainReport { left: 0 });
    assert!(answer.contains("Connection: close") && answer.ends_with("waited"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_gets_one_last_call_and_new_ones_are_refused() {
    let edge = TestEdge::http().await;
    let (mut quick, mut quiet) = (edge.tcp().await, edge.tcp().await);
    ask(&mut quick, GET).await;
    ask(&mut quiet, GET).await;
    edge.shared.begin_drain();
    let answer = ask(&mut quick, GET).await;
    assert!(answer.contains("Connection: close"), "{answer}");
    assert_took(until_closed(&mut quiet).await.1, Duration::from_millis(750));
    assert_eq!(edge.shared.drained(Duration::from_secs(1)).await.left, 0);
    assert!(tokio::net::TcpStream::connect(edge.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_quiet_for_long_ends_at_once() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    ask(&mut tcp, GET).await;
    after(Duration::from_secs(10)).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(edge.shared.drained(Duration::from_secs(60)).await.left, 0);
    assert_took(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_the_kernel_is_still_served() {
    let edge = TestEdge::http().await;
    // The accept loop has not had a turn since: blocking connects do not let it run.
    let clients: Vec<_> = (0..20)
        .map(|_| {
            use std::io::Write as _;
            let mut tcp = std::net::TcpStream::connect(edge.address).unwrap();
            tcp.write_all(GET).unwrap();
            tcp
        })
        .collect();
    edge.shared.begin_drain();
    for tcp in clients {
        tcp.set_nonblocking(true).unwrap();
        let mut tcp = tokio::net::TcpStream::from_std(tcp).unwrap();
        let (answer, _) = until_closed(&mut tcp).await;
        assert!(answer.ends_with("hello") && answer.contains("Connection: close"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_end_in_time_is_cut_and_counted() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(WAIT).await.unwrap();
    edge.entered.notified().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(edge.shared.drained(Duration::from_secs(55)).await, DrainReport { left: 1 });
    assert_took(begun.elapsed(), Duration::from_secs(55));
    assert_eq!(until_closed(&mut tcp).await.0, "");
    assert_eq!(edge.shared.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_head_is_out_is_finished() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(b"GET /late-end HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    edge.entered.notified().await;
    one_answer(&mut tcp).await;
    edge.shared.begin_drain();
    after(Duration::from_secs(3)).await;
    edge.gate.notify_one();
    let (rest, took) = until_closed(&mut tcp).await;
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    assert_took(took, Duration::from_millis(750));
}

#[tokio::test(start_paused = true)]
async fn http2_streams_are_finished_after_the_goaway() {
    let edge = TestEdge::https().await;
    let (mut idle, mut client) = (edge.h2().await, edge.h2().await);
    let get = |path: &str| Request::get(format!("https://localhost{path}")).body(()).unwrap();
    idle.send_request(get("/"), true).unwrap().0.await.unwrap();
    let (response, _) = client.send_request(get("/wait"), true).unwrap();
    edge.entered.notified().await;
    let drain = edge.shared.drained(Duration::from_secs(60));
    let finish = async {
        after(Duration::from_secs(5)).await;
        assert!(client.clone().ready().await.is_err(), "no new streams after the GOAWAY");
        edge.gate.notify_one();
        let mut body = response.await.unwrap().into_body();
        body.data().await.unwrap().unwrap()
    };
    let (report, body) = tokio::join!(drain, finish);
    assert_eq!((report.left, &body[..]), (0, &b"waited"[..]));
    assert_eq!(edge.shared.metrics.cuts(Cut::Drain), 2);
    assert_eq!(edge.shared.metrics.cuts(Cut::Lingering), 0);
}
