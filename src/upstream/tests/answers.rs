//! Answers that are late, broken, odd, or early.

use super::*;
use crate::base::body::Response;

/// A server that reads one request's head and then says `answer` and hangs up.
async fn saying(answer: impl Into<Vec<u8>>) -> Scripted {
    let answer: Arc<Vec<u8>> = Arc::new(answer.into());
    Scripted::start(move |_, mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            stream.head().await;
            stream.say(answer.as_slice()).await;
        }
    })
    .await
}

/// A server that says `answer`, then nothing more, and holds the connection.
async fn saying_and_hanging(
    answer: &'static str,
) -> (Scripted, tokio::sync::watch::Receiver<bool>) {
    let (closed, is_closed) = tokio::sync::watch::channel(false);
    let closed = Arc::new(closed);
    let server = Scripted::start(move |_, mut stream| {
        let closed = Arc::clone(&closed);
        async move {
            stream.head().await;
            stream.say(answer).await;
            drop(stream.end().await);
            closed.send_replace(true);
        }
    })
    .await;
    (server, is_closed)
}

#[tokio::test]
async fn no_head_within_its_limit_ends_the_try_and_the_connection() {
    let (server, mut is_closed) = saying_and_hanging("").await;
    let mut rig = Rig::plain(&server);
    rig.limits.header = SHORT;
    let failure = rig.get("/x").await.unwrap_err();
    assert!(is_timeout(&failure, Phase::Answer) && !failure.nothing_was_sent, "{failure:?}");
    is_closed.wait_for(|closed| *closed).await.unwrap();
    assert_eq!(rig.pool.idle(), 0);
}

#[tokio::test]
async fn the_total_limit_counts_when_less_of_it_is_left() {
    let (server, _) = saying_and_hanging("HTTP/1.1 20").await;
    let mut rig = Rig::plain(&server);
    rig.limits.total = SHORT;
    match rig.get("/x").await.unwrap_err().error {
        WireError::Timeout { phase: Phase::Answer, limit, .. } => assert_eq!(limit, SHORT),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn silence_in_the_middle_of_a_body_ends_it_with_an_error_and_frees_the_slot() {
    let (server, mut is_closed) =
        saying_and_hanging("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
    let mut rig = Rig::with(vec![server.origin(Scheme::Http)], 1, |_| {});
    rig.limits.body_idle = SHORT;
    let mut body = rig.get("/x").await.unwrap().response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    assert!(matches!(body.frame().await, Some(Err(BodyError::Stalled))));
    is_closed.wait_for(|closed| *closed).await.unwrap();
    drop(rig.get("/x").await.unwrap()); // the only slot is free
}

#[tokio::test]
async fn a_cut_answer_is_never_taken_for_a_whole_one() {
    for (case, answer) in [
        ("length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        ("chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
        ("last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        ("chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n"),
    ] {
        let server = saying(answer).await;
        let rig = Rig::plain(&server);
        let end = whole(rig.get("/x").await.unwrap()).await;
        assert!(matches!(end, Err(BodyError::Answer(_))), "{case}: {end:?}");
        assert_eq!(rig.pool.idle(), 0, "{case}");
    }
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_whole_only_at_its_end() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    ] {
        for cut in 0..=answer.len() {
            let server = saying(&answer[..cut]).await;
            let rig = Rig::plain(&server);
            let is_whole = match rig.get("/x").await {
                Ok(sent) => whole(sent).await.is_ok_and(|body| body == "body"),
                Err(failure) => {
                    assert!(!failure.nothing_was_sent);
                    false
                }
            };
            assert_eq!(is_whole, cut == answer.len(), "{:?}", &answer[..cut]);
        }
    }
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_body_is_an_error() {
    let server = Scripted::start(|_, mut stream| async move {
        stream.head().await;
        stream.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
        stream.reset();
    })
    .await;
    let rig = Rig::plain(&server);
    // The RST may overtake the head: then there is no answer at all.
    match rig.get("/x").await {
        Ok(sent) => assert!(whole(sent).await.is_err()),
        Err(failure) => assert!(matches!(failure.error, WireError::Reset { .. })),
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_the_connection_is_whole() {
    let body = "x".repeat(200_000);
    let server = saying(format!("HTTP/1.1 200 OK\r\n\r\n{body}")).await;
    let rig = Rig::plain(&server);
    assert_eq!(whole(rig.get("/x").await.unwrap()).await.unwrap(), body);
    assert_eq!(rig.pool.idle(), 0);
}

#[tokio::test]
async fn what_is_not_http_is_invalid_and_an_early_end_is_a_reset() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
    for (case, answer) in [
        ("garbage", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n"),
        ("status", "HTTP/1.1 2x0 OK\r\n\r\n"),
        ("obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"),
        ("too long a head", long.as_str()),
        ("too many fields", many.as_str()),
    ] {
        let failure = Rig::plain(&saying(answer).await).get("/x").await.unwrap_err();
        let is_invalid = matches!(failure.error, WireError::Invalid { .. });
        assert!(is_invalid && !failure.nothing_was_sent, "{case}: {failure:?}");
    }
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-"] {
        let failure = Rig::plain(&saying(answer).await).get("/x").await.unwrap_err();
        let is_reset = matches!(failure.error, WireError::Reset { .. });
        assert!(is_reset && !failure.nothing_was_sent, "{answer:?}: {failure:?}");
    }
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_invalid() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw";
    let (server, mut is_closed) = saying_and_hanging(answer).await;
    let rig = Rig::plain(&server);
    let mut request = get("/x");
    request.headers_mut().insert("upgrade", "x".parse().unwrap());
    request.headers_mut().insert("connection", "upgrade".parse().unwrap());
    let failure = rig.send(request).await.unwrap_err();
    assert!(matches!(failure.error, WireError::Invalid { .. }), "{failure:?}");
    is_closed.wait_for(|closed| *closed).await.unwrap();
    let received = String::from_utf8(server.received()).unwrap().to_lowercase();
    assert!(!received.contains("upgrade"), "we never ask for it: {received}");
}

#[tokio::test]
async fn a_few_interim_answers_pass_and_many_are_invalid() {
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let interim = |count| format!("{}{last}", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count));
    let rig = Rig::plain(&saying(interim(8)).await);
    assert_eq!(whole(rig.get("/x").await.unwrap()).await.unwrap(), "ok");
    let (server, _) = saying_and_hanging(Box::leak(
        "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(9).into_boxed_str(),
    ))
    .await;
    let failure = Rig::plain(&server).get("/x").await.unwrap_err();
    assert!(matches!(failure.error, WireError::Invalid { .. }), "{failure:?}");
}

#[tokio::test]
async fn any_status_is_an_answer_and_no_redirect_is_followed() {
    for status in ["302 Found\r\nLocation: /elsewhere", "404 Not Found", "500 Oops", "599 Odd"] {
        let server = saying(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).await;
        let rig = Rig::plain(&server);
        let sent = rig.get("/x?a=1&a=%20").await.unwrap();
        assert_eq!(sent.response.status().as_str(), &status[..3]);
        assert_eq!(server.accepted(), 1);
        assert!(server.received().starts_with(b"GET /x?a=1&a=%20 HTTP/1.1\r\n"));
        assert_eq!(rig.metric("upstream_ejections_total"), 0);
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_upload_is_passed_on_and_the_upload_ends() {
    let (closed, mut is_closed) = tokio::sync::watch::channel(false);
    let closed = Arc::new(closed);
    let server = Scripted::start(move |_, mut stream| {
        let closed = Arc::clone(&closed);
        async move {
            stream.head().await;
            let body = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
            stream.say(body).await;
            assert!(stream.end().await.is_err(), "reset, not ended as if it were whole");
            closed.send_replace(true);
        }
    })
    .await;
    let rig = Rig::plain(&server);
    let (mut feed, body) = fed();
    feed.send_data("begin".into()).await.unwrap();
    let sent = rig.send(post(body)).await.unwrap();
    assert_eq!(sent.response.status(), 413);
    assert_eq!(whole(sent).await.unwrap(), "no");
    is_closed.wait_for(|closed| *closed).await.unwrap();
    assert_eq!(rig.pool.idle(), 0);
}

#[tokio::test]
async fn the_letter_case_of_header_names_survives_to_a_client_of_http1() {
    let server =
        saying("HTTP/1.1 200 OK\r\nWechatmp-SN: 1\r\nX-rId: 2\r\nContent-Length: 2\r\n\r\nok")
            .await;
    let rig = Rig::plain(&server);
    let response: Response = rig.get("/x").await.unwrap().response;

    // What the edge does: hyper's server writes the same response to a client.
    let (client, server_side) = tokio::io::duplex(64 * 1024);
    let response = Arc::new(std::sync::Mutex::new(Some(response)));
    let service = hyper::service::service_fn(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let tasks = Tasks::default();
    let io = hyper_util::rt::TokioIo::new(server_side);
    let mut http1 = hyper::server::conn::http1::Builder::new();
    http1.preserve_header_case(true).keep_alive(false).timer(hyper_util::rt::TokioTimer::new());
    tasks.spawn(http1.serve_connection(io, service));
    let mut client = client;
    tokio::io::AsyncWriteExt::write_all(&mut client, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut client, &mut text).await.unwrap();
    assert!(text.contains("Wechatmp-SN: 1\r\n") && text.contains("X-rId: 2\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\nok"), "{text}");
}
