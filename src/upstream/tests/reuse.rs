//! Connections that carry more than one request.

use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::wire::testing::{Authority, head};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that answers `per_connection` requests on each connection and then closes it.
async fn closing_after(per_connection: usize) -> Scripted {
    Scripted::start(move |_, mut stream| async move {
        for _ in 0..per_connection {
            if stream.head().await.is_empty() {
                return;
            }
            stream.say(OK).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    let server = closing_after(usize::MAX).await;
    let rig = Rig::plain(&server);
    for number in 0..5 {
        let sent = rig.get("/x").await.unwrap();
        assert_eq!(sent.reused, number > 0);
        assert_eq!(sent.timing.connect.is_some(), number == 0);
        assert!(sent.timing.first_byte.is_some());
        whole(sent).await.unwrap();
        eventually(|| rig.pool.idle() == 1).await;
    }
    assert_eq!(server.accepted(), 1);
    assert_eq!(rig.metric("upstream_connections_opened_total"), 1);
    assert_eq!(rig.metric("upstream_connections_reused_total"), 4);
    assert_eq!(rig.metric("upstream_attempts_total"), 5);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_nobody_a_request() {
    let server = Scripted::start(|_, mut stream| async move {
        stream.head().await;
        let mut body = Vec::new();
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await.unwrap());
        }
        stream.say(OK).await;
    })
    .await;
    let rig = Rig::plain(&server);
    for _ in 0..200 {
        // Sometimes the close is seen before the next request, sometimes only with it; a
        // streamed body must survive that as well.
        let (mut feed, body) = fed();
        feed.send_data("part".into()).await.unwrap();
        drop(feed);
        match rig.send(post(body)).await {
            Ok(sent) => drop(whole(sent).await.unwrap()),
            // Written just before the close arrived: nobody can know whether it was read.
            Err(failure) => {
                assert!(matches!(failure.error, WireError::Reset { .. }), "{failure:?}");
                assert!(!failure.nothing_was_sent);
            }
        }
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_peer_reset_is_replaced_in_silence() {
    let (reset, resets) = tokio::sync::watch::channel(0);
    let reset = Arc::new(reset);
    let server = Scripted::start(move |_, mut stream| {
        let reset = Arc::clone(&reset);
        async move {
            stream.head().await;
            stream.say(OK).await;
            stream.reset();
            reset.send_modify(|count| *count += 1);
        }
    })
    .await;
    let rig = Rig::plain(&server);
    for number in 1..=20 {
        let sent = rig.send(post("body")).await.unwrap();
        assert!(!sent.reused);
        whole(sent).await.unwrap();
        resets.clone().wait_for(|count| *count == number).await.unwrap();
        // The connection's task has to see it, too.
        eventually(|| rig.pool.idle() == 0).await;
    }
}

#[tokio::test]
async fn idle_connections_are_closed_by_age() {
    let server = closing_after(usize::MAX).await;
    let rig = Rig::plain(&server);
    whole(rig.get("/x").await.unwrap()).await.unwrap();
    eventually(|| rig.pool.idle() == 1).await;
    tokio::time::pause();
    for _ in 0..6 {
        tokio::time::advance(Duration::from_secs(5)).await; // 30 s in all
    }
    tokio::time::resume();
    eventually(|| rig.pool.idle() == 0).await;
}

#[tokio::test]
async fn a_stopped_group_of_tasks_keeps_nothing() {
    let server = closing_after(usize::MAX).await;
    let tasks = Tasks::default();
    let rig = Rig { pool: Pool::new(tasks.clone()), ..Rig::plain(&server) };
    whole(rig.get("/x").await.unwrap()).await.unwrap();
    eventually(|| rig.pool.idle() == 1).await;
    let running = rig.get("/x").await.unwrap();
    tasks.stop();
    whole(running).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), tasks.shutdown()).await.unwrap();
    assert_eq!(rig.pool.idle(), 0);
}

#[tokio::test]
async fn max_connections_holds_a_slot_to_the_end_of_the_body() {
    let server = closing_after(usize::MAX).await;
    let mut rig = Rig::with(vec![server.origin(Scheme::Http)], 2, |_| {});
    rig.limits.queue = SHORT;
    let first = rig.get("/x").await.unwrap();
    let second = rig.get("/x").await.unwrap();
    let failure = rig.get("/x").await.unwrap_err();
    assert!(is_timeout(&failure, Phase::Queue) && failure.nothing_was_sent, "{failure:?}");
    assert!(failure.timing.queue >= SHORT);
    assert_eq!(server.accepted(), 2, "the third one never connected");

    rig.limits.queue = Duration::from_secs(5);
    let (third, ()) = tokio::join!(rig.get("/x"), async {
        eventually(|| rig.metric("upstream_queue_waiting") == 1).await;
        whole(first).await.unwrap();
    });
    let third = third.unwrap();
    assert!(third.timing.queue > Duration::ZERO);
    drop(second); // dropped before its end: frees its slot as well
    whole(rig.get("/x").await.unwrap()).await.unwrap();
    whole(third).await.unwrap();
    assert_eq!(rig.metric("upstream_queue_waiting"), 0);
}

#[tokio::test]
async fn an_answer_dropped_before_its_end_resets_the_connection() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let server = Scripted::start(move |_, mut stream| {
        let tell = tell.lock().unwrap().take().unwrap();
        async move {
            stream.head().await;
            stream.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
            tell.send(stream.end().await).unwrap();
        }
    })
    .await;
    let rig = Rig::plain(&server);
    drop(rig.get("/x").await.unwrap());
    assert!(told.await.unwrap().is_err());
    assert_eq!(rig.pool.idle(), 0);
}

#[tokio::test]
async fn bytes_after_an_answer_never_reach_the_next_request() {
    let server = Scripted::start(|number, mut stream| async move {
        stream.head().await;
        let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
        stream.say(format!("{OK}{forged}")).await;
        assert!(number < 20);
        drop(stream.end().await);
    })
    .await;
    let rig = Rig::plain(&server);
    for _ in 0..20 {
        assert_eq!(whole(rig.get("/x").await.unwrap()).await.unwrap(), "ok");
    }
}

/// An account whose upstream speaks HTTP/2: it tells path and body of each request, and
/// never answers `/hang`.
async fn http2() -> (Scripted, Rig) {
    async fn tell(request: http::Request<Incoming>) -> hyper::Result<http::Response<Body>> {
        assert_eq!(request.version(), http::Version::HTTP_2);
        let path = request.uri().path().to_owned();
        if path == "/hang" {
            std::future::pending::<()>().await;
        }
        let body = request.into_body().collect().await?.to_bytes();
        Ok(http::Response::new(format!("{path} {}", String::from_utf8_lossy(&body)).into()))
    }
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", 2099, &["h2", "http/1.1"]);
    let server = Scripted::start(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let tls = acceptor.accept(stream).await.unwrap();
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let service = hyper::service::service_fn(tell);
            drop(server.serve_connection(TokioIo::new(tls), service).await);
        }
    })
    .await;
    let rig = Rig::with(vec![server.origin(Scheme::Https)], 64, |options| {
        (options.roots, options.offer_http2) = (authority.roots(), true);
    });
    (server, rig)
}

#[tokio::test]
async fn http2_carries_many_requests_on_one_connection() {
    let (server, rig) = http2().await;
    let all = (0..20).map(|_| async {
        let sent = rig.send(post("hello")).await.unwrap();
        assert_eq!(sent.response.version(), http::Version::HTTP_2);
        assert_eq!(whole(sent).await.unwrap(), "/x hello");
    });
    futures_util::future::join_all(all).await;
    assert_eq!(server.accepted(), 1, "a cold start opens one connection, not twenty");
}

#[tokio::test]
async fn a_request_given_up_over_http2_leaves_the_others_alone() {
    let (server, mut rig) = http2().await;
    rig.limits.header = SHORT;
    let failure = rig.get("/hang").await.unwrap_err();
    assert!(is_timeout(&failure, Phase::Answer), "{failure:?}");
    drop(rig.get("/dropped").await.unwrap());
    let sent = rig.send(post("hello")).await.unwrap();
    assert!(sent.reused);
    assert_eq!(whole(sent).await.unwrap(), "/x hello");
    assert_eq!(server.accepted(), 1);
}

/// The stages of a request are boxed as `Send`, though each stays on its worker.
#[tokio::test]
async fn sending_and_its_result_may_be_boxed() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let server = closing_after(1).await;
    let rig = Rig::plain(&server);
    let endpoint = &rig.fleet.endpoints()[0];
    let sending = is_send(rig.send_to(endpoint, get("/x")));
    whole(is_send(sending.await.unwrap())).await.unwrap();
}

#[tokio::test]
async fn http2_offered_to_a_server_that_speaks_http1_only_is_http1() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", 2099, &["http/1.1"]);
    let server = Scripted::start(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(stream).await.unwrap();
            while !head(&mut tls).await.is_empty() {
                tls.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let rig = Rig::with(vec![server.origin(Scheme::Https)], 64, |options| {
        (options.roots, options.offer_http2) = (authority.roots(), true);
    });
    for _ in 0..2 {
        whole(rig.get("/x").await.unwrap()).await.unwrap();
        eventually(|| rig.pool.idle() == 1).await;
    }
    assert_eq!(server.accepted(), 1);
}
