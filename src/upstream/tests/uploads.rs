//! Request bodies on their way out.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A megabyte in which no two places look alike.
fn megabyte() -> Bytes {
    (0u32..262_144).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// A server that sends back the body of each request that has a `Content-Length`.
async fn echo() -> Scripted {
    Scripted::start(|_, mut stream| async move {
        loop {
            let head = stream.head().await.to_lowercase();
            let Some(length) = head.split("content-length: ").nth(1) else { return };
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            stream.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")).await;
            stream.say(body).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_megabyte_comes_back_byte_for_byte() {
    let server = echo().await;
    let rig = Rig::plain(&server);
    let body = megabyte();
    assert_eq!(body.len(), 1 << 20);
    assert_eq!(whole(rig.send(post(body.clone())).await.unwrap()).await.unwrap(), body);

    // The same as a stream whose length the client announced.
    let (mut feed, stream) = fed();
    let mut request = post(stream);
    request.headers_mut().insert("content-length", body.len().into());
    let parts = body.clone();
    let tasks = Tasks::default();
    tasks.spawn(async move {
        for start in (0..parts.len()).step_by(10_000) {
            let end = parts.len().min(start + 10_000);
            feed.send_data(parts.slice(start..end)).await.unwrap();
        }
    });
    let sent = rig.send(request).await.unwrap();
    assert!(sent.reused);
    assert_eq!(whole(sent).await.unwrap(), body);
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_stream_of_unknown_length_goes_out_in_chunks_with_one_framing() {
    let server = Scripted::start(|_, mut stream| async move {
        stream.head().await;
        let mut body = Vec::new();
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await.unwrap());
        }
        stream.say("HTTP/1.1 204 No Content\r\n\r\n").await;
    })
    .await;
    let rig = Rig::plain(&server);
    let (mut feed, body) = fed();
    let mut request = post(body);
    request.headers_mut().insert("transfer-encoding", "gzip, chunked".parse().unwrap());
    feed.send_data("hello".into()).await.unwrap();
    drop(feed);
    assert_eq!(rig.send(request).await.unwrap().response.status(), 204);
    let received = String::from_utf8(server.received()).unwrap();
    let fields = received.to_lowercase().matches("transfer-encoding: chunked\r\n").count();
    assert_eq!(fields, 1, "{received}");
    assert!(!received.contains("gzip") && received.ends_with("5\r\nhello\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn a_client_that_breaks_off_resets_the_upstream_connection() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let server = Scripted::start(move |_, mut stream| {
        let tell = tell.lock().unwrap().take().unwrap();
        async move {
            stream.head().await;
            tell.send(stream.end().await).unwrap();
        }
    })
    .await;
    let rig = Rig::plain(&server);
    let (mut feed, body) = fed();
    feed.send_data("half".into()).await.unwrap();
    let tasks = Tasks::default();
    let received = server.received_changes();
    tasks.spawn(async move {
        wait_for(received, b"half").await;
        feed.abort(BodyError::TooLarge { cap_bytes: 4 });
    });
    let failure = rig.send(post(body)).await.unwrap_err();
    match &failure.error {
        WireError::Request { source: BodyError::TooLarge { cap_bytes: 4 }, .. } => {}
        other => panic!("{other:?}"),
    }
    assert!(!failure.nothing_was_sent);
    let end = told.await.unwrap().unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(!server.received().ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn a_caller_that_leaves_during_an_upload_resets_the_connection_and_frees_the_slot() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let server = Scripted::start(move |_, mut stream| {
        let tell = tell.lock().unwrap().take().unwrap();
        async move { tell.send(stream.end().await).unwrap() }
    })
    .await;
    let rig = Rig::with(vec![server.origin(Scheme::Http)], 1, |_| {});
    let (mut feed, body) = fed();
    feed.send_data("half".into()).await.unwrap();
    tokio::select! {
        answer = rig.send(post(body)) => panic!("{answer:?}"),
        () = server.wait_received(b"half") => {}
    }
    let end = told.await.unwrap().unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(feed.send_data("more".into()).await.is_err(), "nobody reads the upload any more");
}

#[tokio::test]
async fn an_upload_that_the_upstream_does_not_read_fails_after_its_limit() {
    let server = Scripted::start(|_, mut stream| async move {
        stream.head().await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut rig = Rig::plain(&server);
    rig.limits.upload_stall = SHORT;
    let (mut feed, body) = fed();
    let tasks = Tasks::default();
    tasks.spawn(async move { while feed.send_data(vec![0; 100_000].into()).await.is_ok() {} });
    let failure = rig.send(post(body)).await.unwrap_err();
    assert!(is_timeout(&failure, Phase::Upload), "{failure:?}");
}

#[tokio::test]
async fn the_limit_of_the_answer_begins_with_the_end_of_the_request() {
    let server = Scripted::start(|_, mut stream| async move { drop(stream.end().await) }).await;
    let mut rig = Rig::plain(&server);
    (rig.limits.header, rig.limits.upload_stall) = (SHORT, SHORT);
    let (mut feed, body) = fed();
    feed.send_data("begin".into()).await.unwrap();
    let ended = Arc::new(std::sync::Mutex::new(None));
    let (note, received) = (Arc::clone(&ended), server.received_changes());
    let tasks = Tasks::default();
    tasks.spawn(async move {
        wait_for(received, b"begin").await;
        // A client may be slower than any limit of the upstream.
        tokio::time::timeout(3 * SHORT, std::future::pending::<()>()).await.unwrap_err();
        *note.lock().unwrap() = Some(tokio::time::Instant::now());
        drop(feed);
    });
    let failure = rig.send(post(body)).await.unwrap_err();
    let ended = ended.lock().unwrap().take().unwrap();
    assert!(is_timeout(&failure, Phase::Answer), "{failure:?}");
    assert!(ended.elapsed() >= SHORT, "{:?}", ended.elapsed());
}

#[tokio::test]
async fn a_server_that_half_closes_after_its_answer_has_answered() {
    let server = Scripted::start(|_, mut stream| async move {
        stream.head().await;
        stream.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        stream.shutdown().await.unwrap();
        drop(stream.end().await);
    })
    .await;
    let rig = Rig::plain(&server);
    for _ in 0..3 {
        assert_eq!(whole(rig.send(post("body")).await.unwrap()).await.unwrap(), "ok");
    }
}

/// Until these bytes have come.
async fn wait_for(mut received: tokio::sync::watch::Receiver<Vec<u8>>, bytes: &[u8]) {
    received.wait_for(|all| memchr::memmem::find(all, bytes).is_some()).await.unwrap();
}
