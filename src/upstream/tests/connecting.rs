//! Tries that do not get a connection, or not at once.

use tokio::{io::AsyncWriteExt, net::TcpListener};

use super::*;
use crate::{
    base::egress::Egress,
    wire::{
        OwnListeners, RootsSource,
        testing::{Authority, black_hole, direct, head},
    },
};

fn origin(address: std::net::SocketAddr, scheme: Scheme) -> Origin {
    Origin { scheme, host: address.ip().to_string(), port: address.port() }
}

/// Where nobody listens.
async fn nobody() -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    origin(listener.local_addr().unwrap(), Scheme::Http)
}

async fn greeter() -> Scripted {
    Scripted::start(|_, mut stream| async move {
        while !stream.head().await.is_empty() {
            stream.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    })
    .await
}

/// A TLS server with a certificate of `authority`, that answers "ok" over `alpn`.
async fn tls_greeter(authority: &Authority, name: &str, last_year: i32) -> Scripted {
    let acceptor = authority.acceptor(name, last_year, &["http/1.1"]);
    Scripted::start(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            while !head(&mut tls).await.is_empty() {
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_refused_connection_is_told_at_once_and_nothing_was_sent() {
    let rig = Rig::new(vec![nobody().await]);
    let failure = rig.get("/x").await.unwrap_err();
    assert!(matches!(failure.error, WireError::Connect { .. }), "{failure:?}");
    assert!(failure.nothing_was_sent && failure.timing.connect.is_some());
    assert_eq!(failure.timing.first_byte, None);
}

#[tokio::test]
async fn a_black_hole_ends_with_the_limit_of_connecting() {
    let (address, _held) = black_hole().await;
    let origins = vec![origin(address, Scheme::Http)];
    let rig = Rig::with(origins, 64, |options| options.limits.connect = SHORT);
    let failure = rig.get("/x").await.unwrap_err();
    assert!(is_timeout(&failure, Phase::Connect) && failure.nothing_was_sent, "{failure:?}");
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_ends_with_the_limit_of_tls() {
    let silent = Scripted::start(|_, mut stream| async move { drop(stream.end().await) }).await;
    let rig =
        Rig::with(vec![silent.origin(Scheme::Https)], 64, |options| options.limits.tls = SHORT);
    let failure = rig.get("/x").await.unwrap_err();
    assert!(is_timeout(&failure, Phase::Handshake) && failure.nothing_was_sent, "{failure:?}");
}

#[tokio::test]
async fn only_a_valid_certificate_sees_a_request_and_others_see_not_a_byte_of_it() {
    let (good, unknown) = (Authority::new(), Authority::new());
    for (case, authority, name, last_year) in [
        ("unknown authority", &unknown, "127.0.0.1", 2099),
        ("wrong name", &good, "other.example", 2099),
        ("expired", &good, "127.0.0.1", 2020),
    ] {
        let server = tls_greeter(authority, name, last_year).await;
        let rig = Rig::with(vec![server.origin(Scheme::Https)], 64, |o| o.roots = good.roots());
        let failure = rig.get("/secret-path").await.unwrap_err();
        assert!(matches!(failure.error, WireError::Tls { .. }), "{case}: {failure:?}");
        assert!(failure.nothing_was_sent && failure.timing.tls.is_some(), "{case}");
        drop(rig);
        // Only TLS records came: a ClientHello begins with 22, an alert with 21.
        let received = server.received();
        assert_eq!(received.first(), Some(&22), "{case}");
        assert_eq!(memchr::memmem::find(&received, b"HTTP/"), None, "{case}");
    }
    let server = tls_greeter(&good, "127.0.0.1", 2099).await;
    let rig = Rig::with(vec![server.origin(Scheme::Https)], 64, |o| o.roots = good.roots());
    let sent = rig.get("/x").await.unwrap();
    assert!(sent.timing.tls.is_some() && sent.timing.dns.is_none() && !sent.reused);
    assert_eq!(whole(sent).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_system_root_store_does_not_trust_our_own_authority() {
    let authority = Authority::new();
    let server = tls_greeter(&authority, "127.0.0.1", 2099).await;
    let rig = Rig::with(vec![server.origin(Scheme::Https)], 64, |options| {
        options.roots = RootsSource::Config(crate::base::roots::Roots::System);
    });
    let failure = rig.get("/x").await.unwrap_err();
    assert!(matches!(failure.error, WireError::Tls { .. }), "{failure:?}");
}

#[tokio::test]
async fn tls_runs_from_end_to_end_through_a_proxy() {
    let authority = Authority::new();
    let server = tls_greeter(&authority, "127.0.0.1", 2099).await;
    let behind = server.address;
    let proxy = Scripted::start(move |_, mut stream| async move {
        let ask = stream.head().await;
        assert!(ask.starts_with(&format!("CONNECT {behind} HTTP/1.1\r\n")), "{ask}");
        let mut out = tokio::net::TcpStream::connect(behind).await.unwrap();
        stream.say("HTTP/1.1 200 OK\r\n\r\n").await;
        drop(tokio::io::copy_bidirectional(&mut stream, &mut out).await);
    })
    .await;
    let egress = Egress { proxy: Some(proxy.origin(Scheme::Http)), ..direct() };
    let rig = Rig::with(vec![server.origin(Scheme::Https)], 64, |options| {
        (options.roots, options.egress) = (authority.roots(), egress);
    });
    assert_eq!(whole(rig.get("/secret-path").await.unwrap()).await.unwrap(), "ok");
    assert_eq!(memchr::memmem::find(&proxy.received(), b"secret-path"), None);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_nothing_was_sent() {
    let proxy = Scripted::start(|_, mut stream| async move {
        stream.head().await;
        stream.say("HTTP/1.1 403 Forbidden\r\n\r\n").await;
    })
    .await;
    let egress = Egress { proxy: Some(proxy.origin(Scheme::Http)), ..direct() };
    let rig = Rig::with(vec![nobody().await], 64, |options| options.egress = egress);
    let failure = rig.get("/x").await.unwrap_err();
    assert!(failure.nothing_was_sent);
    match failure.error {
        WireError::Proxy { reason, .. } => assert_eq!(reason, "HTTP/1.1 403 Forbidden"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn our_own_listener_is_never_an_upstream() {
    let server = greeter().await;
    let own = OwnListeners::default();
    let listeners = own.clone();
    let rig = Rig::with(vec![server.origin(Scheme::Http)], 64, |options| options.own = own);
    whole(rig.get("/x").await.unwrap()).await.unwrap();
    let other = Rig::with(vec![server.origin(Scheme::Http)], 64, |o| o.own = listeners.clone());
    listeners.set(vec![server.address]);
    let failure = other.get("/x").await.unwrap_err();
    assert!(matches!(failure.error, WireError::Loop { .. }), "{failure:?}");
    assert_eq!(server.accepted(), 1, "not even a connection was made");
    assert!(other.fleet.order().is_ok(), "a loop says nothing of health");
}

#[tokio::test]
async fn the_second_origin_takes_over_and_the_first_one_returns_by_a_probe() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let first = origin(listener.local_addr().unwrap(), Scheme::Http);
    drop(listener);
    let second = greeter().await;
    let rig = Rig::new(vec![first.clone(), second.origin(Scheme::Http)]);
    for _ in 0..7 {
        let (label, sent) = rig.fail_over().await.unwrap();
        assert_eq!(*label, *second.origin(Scheme::Http).to_string());
        whole(sent).await.unwrap();
    }
    assert_eq!(rig.metric("upstream_ejections_total"), 1);
    assert_eq!(rig.fleet.order().unwrap().count(), 1, "the first one is set aside");

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    let with_probe = rig.fleet.order().unwrap();
    assert_eq!(with_probe.clone().count(), 2);
    assert_eq!(*with_probe.clone().next().unwrap().label().as_ref(), *first.to_string());
    assert_eq!(rig.fleet.order().unwrap().count(), 1, "one request probes, the others do not");

    let back = TcpListener::bind(("127.0.0.1", first.port)).await.unwrap();
    let tasks = Tasks::default();
    tasks.spawn(async move {
        let (mut tcp, _) = back.accept().await.unwrap();
        head(&mut tcp).await;
        tcp.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    });
    let probe = with_probe.clone().next().unwrap();
    rig.send_to(probe, get("/x")).await.unwrap();
    assert_eq!(rig.fleet.order().unwrap().count(), 2, "it is back");
}

#[tokio::test]
async fn while_all_are_set_aside_one_request_a_second_tries_and_the_rest_hears_why() {
    let rig = Rig::new(vec![nobody().await, nobody().await]);
    for _ in 0..5 {
        let error = rig.fail_over().await.unwrap_err();
        assert!(matches!(error, WireError::Connect { .. }), "{error:?}");
    }
    let error = rig.fail_over().await.unwrap_err();
    match &error {
        WireError::Ejected { failures: 5, retry_after, last, .. } => {
            assert!(*retry_after <= Duration::from_secs(1) && last.contains("no connection"));
        }
        other => panic!("{other:?}"),
    }
    assert!(error.nothing_was_sent());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    // Both pauses are over: the first is probed, then the other.
    assert_eq!(rig.fleet.order().unwrap().count(), 1);
    assert_eq!(rig.fleet.order().unwrap().count(), 1);
    assert!(rig.fleet.order().is_err());
}
