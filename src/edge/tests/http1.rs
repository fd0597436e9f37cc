//! HTTP/1.1: heads, bodies, answers, idling.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::harness::{GET, TestEdge, after, ask, assert_took, one_answer, until_closed};
use crate::{
    config::model::Scheme,
    edge::{Deadlines, metrics::Cut},
};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test(start_paused = true)]
async fn requests_on_one_connection_are_answered() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    for _ in 0..3 {
        let answer = ask(&mut tcp, GET).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
        assert!(!answer.contains("Connection: close"), "{answer}");
    }
    let who = ask(&mut tcp, b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(who.ends_with("127.0.0.1 HttpLoopback None"), "{who}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_after_ten_seconds() {
    let edge = TestEdge::http().await;
    let (text, took) = until_closed(&mut edge.tcp().await).await;
    assert_eq!(text, "");
    assert_took(took, secs(10));
    assert_eq!(edge.shared.metrics.cuts(Cut::Silent), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dribbled_head_is_cut_ten_seconds_after_its_first_byte() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    after(secs(9)).await;
    let begun = tokio::time::Instant::now();
    let (mut reader, mut writer) = tcp.split();
    let dribble = async {
        for byte in GET.iter().cycle() {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            after(secs(1)).await;
        }
    };
    tokio::select! {
        _ = until_closed(&mut reader) => {}
        () = dribble => {}
    }
    let took = begun.elapsed();
    assert!((secs(10)..=secs(12)).contains(&took), "{took:?}");
    assert_eq!(edge.shared.metrics.cuts(Cut::SlowHead), 1);
}

#[tokio::test(start_paused = true)]
async fn half_a_head_after_a_request_gets_the_limit_of_heads_not_of_idling() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    ask(&mut tcp, GET).await;
    after(secs(60)).await;
    tcp.write_all(b"GET / HT").await.unwrap();
    let (_, took) = until_closed(&mut tcp).await;
    assert_took(took, secs(10));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_stays_seventy_five_seconds() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    for _ in 0..2 {
        ask(&mut tcp, GET).await;
        after(secs(74)).await;
    }
    ask(&mut tcp, GET).await;
    let (_, took) = until_closed(&mut tcp).await;
    assert_took(took, secs(75));
    assert_eq!(edge.shared.metrics.cuts(Cut::Idle), 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_for_the_answer_is_no_ones_fault() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    edge.entered.notified().await;
    after(secs(3000)).await;
    edge.gate.notify_one();
    assert!(one_answer(&mut tcp).await.ends_with("waited"));
    let (_, took) = until_closed(&mut tcp).await;
    assert_took(took, secs(75));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_upload_is_ended_after_its_pause_and_the_connection_with_it() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    let head = b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
    tcp.write_all(head).await.unwrap();
    tcp.write_all(&[b'x'; 50_000]).await.unwrap();
    let (answer, took) = until_closed(&mut tcp).await;
    assert_took(took, secs(15));
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("Connection: close"), "{answer}");
    assert_eq!(edge.shared.metrics.cuts(Cut::SlowBody), 1);
}

#[tokio::test(start_paused = true)]
async fn a_trickled_upload_is_ended_and_a_slow_one_is_not() {
    let edge = TestEdge::http().await;
    let head = b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 409600\r\n\r\n";
    for (piece, expected) in [(2048, "409600 bytes"), (64, "408")] {
        let mut tcp = edge.tcp().await;
        tcp.write_all(head).await.unwrap();
        let (mut reader, mut writer) = tcp.split();
        let upload = async {
            for _ in 0..409_600 / piece {
                after(secs(1)).await;
                if writer.write_all(&vec![b'x'; piece]).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = one_answer(&mut reader) => answer,
            () = upload => unreachable!(),
        };
        assert!(answer.contains(expected), "{piece}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_after_thirty_seconds() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tcp.readable().await.unwrap();
    let begun = tokio::time::Instant::now();
    while edge.shared.connections() > 0 {
        after(secs(1)).await;
    }
    assert!((secs(30)..secs(33)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(edge.shared.metrics.cuts(Cut::SlowReader), 1);
    let mut rest = Vec::new();
    assert!(
        tcp.read_to_end(&mut rest).await.is_err(),
        "reset, so that the kernel frees its buffer"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_is_served() {
    let edge = TestEdge::http().await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // As small as a slow reader's really is: the kernel enlarges it for those who read fast,
    // and in paused time everybody seems to.
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut tcp = socket.connect(edge.address).await.unwrap();
    tcp.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut piece = vec![0; 64 * 1024];
    for _ in 0..600 {
        tcp.read_exact(&mut piece).await.unwrap();
        after(secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_its_side_still_gets_the_answer() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    tcp.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tcp.shutdown().await.unwrap();
    edge.entered.notified().await;
    after(secs(5)).await;
    edge.gate.notify_one();
    let (answer, _) = until_closed(&mut tcp).await;
    assert!(answer.ends_with("waited"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn the_last_request_of_a_worn_connection_says_so() {
    let limits = Deadlines { max_requests: 3, ..Deadlines::default() };
    let edge = TestEdge::start(Scheme::Http, limits, &[]).await;
    let mut tcp = edge.tcp().await;
    for last in [false, false, true] {
        let answer = ask(&mut tcp, GET).await;
        assert_eq!(answer.contains("Connection: close"), last, "{answer}");
    }
    assert_took(until_closed(&mut tcp).await.1, Duration::ZERO);
    let mut old = edge.tcp().await;
    for _ in 0..2 {
        ask(&mut old, GET).await;
        after(secs(70)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_closed_when_it_is_quiet_or_with_its_next_answer() {
    let limits = Deadlines { keep_alive_idle: secs(10_000), ..Deadlines::default() };
    let edge = TestEdge::start(Scheme::Http, limits, &[]).await;
    let mut quiet = edge.tcp().await;
    ask(&mut quiet, GET).await;
    assert_took(until_closed(&mut quiet).await.1, secs(3600));
    let mut busy = edge.tcp().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    edge.entered.notified().await;
    after(secs(3601)).await;
    edge.gate.notify_one();
    let (answer, _) = until_closed(&mut busy).await;
    assert!(answer.contains("Connection: close") && answer.ends_with("waited"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn letter_case_of_an_upstreams_header_names_survives() {
    let edge = TestEdge::http().await;
    let answer = ask(&mut edge.tcp().await, b"GET /cased HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.contains("Wechatmp-KEY: 1\r\n"), "{answer}");
    assert!(answer.contains("Content-Length: 0\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_is_left_alone_and_keeps_its_place() {
    let edge = TestEdge::http().await;
    let mut tcp = edge.tcp().await;
    let request =
        b"GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let answer = ask(&mut tcp, request).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    after(secs(5000)).await;
    tcp.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    tcp.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"ping");
    assert_eq!((edge.shared.connections(), edge.shared.metrics.open.get()), (0, 1));
    drop(tcp);
    while edge.shared.metrics.open.get() > 0 {
        after(secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn when_no_place_is_left_idle_connections_make_room() {
    let edge = TestEdge::http().await;
    let mut permits = Vec::new();
    let mut idle = edge.tcp().await;
    ask(&mut idle, GET).await;
    while let Some(permit) = edge.shared.admission.try_permit() {
        permits.push(permit);
    }
    // One place is already in the hands of the accept loop.
    let mut busy = edge.tcp().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    edge.entered.notified().await;
    let begun = tokio::time::Instant::now();
    let answer = ask(&mut edge.tcp().await, GET).await;
    assert!(answer.ends_with("hello") && begun.elapsed() < secs(2), "{:?}", begun.elapsed());
    assert_eq!(until_closed(&mut idle).await.0, "");
    assert_eq!(edge.shared.metrics.cuts(Cut::Shed), 1);
    edge.gate.notify_one();
    assert!(one_answer(&mut busy).await.ends_with("waited"), "who is busy stays");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_long_is_431() {
    let edge = TestEdge::http().await;
    let request = |filler: usize| {
        let frame = "GET / HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(filler - frame))
    };
    let limit = 32 * 1024;
    let answer = ask(&mut edge.tcp().await, request(limit).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (answer, _) = {
        let mut tcp = edge.tcp().await;
        tcp.write_all(request(limit + 1).as_bytes()).await.unwrap();
        until_closed(&mut tcp).await
    };
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = "a: b\r\n".repeat(101);
    let mut tcp = edge.tcp().await;
    tcp.write_all(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).await.unwrap();
    assert!(until_closed(&mut tcp).await.0.starts_with("HTTP/1.1 431"));
}
