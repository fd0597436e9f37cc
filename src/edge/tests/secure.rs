//! TLS on a listener.

use std::{sync::Arc, time::Duration};

use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsConnector;

use super::harness::{GET, TestEdge, after, ask, assert_took, until_closed};
use crate::edge::metrics::Refusal;
use crate::edge::tool::is_here;

#[tokio::test(start_paused = true)]
async fn alpn_chooses_the_protocol_and_none_means_http1() {
    let edge = TestEdge::https().await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&["http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let tls = edge.tls(offered).await;
        assert_eq!(tls.get_ref().1.alpn_protocol(), chosen);
    }
    let answer = ask(&mut edge.tls(&[]).await, GET).await;
    assert!(answer.ends_with("hello"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_name_or_with_a_foreign_one_gets_the_certificate() {
    let edge = TestEdge::https().await;
    let who = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
    let config = Arc::new(super::harness::client_config(edge.ca()));
    let by_address = ServerName::try_from("127.0.0.1").unwrap();
    let connector = TlsConnector::from(Arc::clone(&config));
    let mut tls = connector.connect(by_address, edge.tcp().await).await.unwrap();
    assert!(ask(&mut tls, who).await.ends_with("127.0.0.1 Https None"));
    let foreign = ServerName::try_from("api.weixin.qq.com").unwrap();
    let error = connector.connect(foreign, edge.tcp().await).await.unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_or_broken_handshake_is_ended() {
    let edge = TestEdge::https().await;
    for (bytes, limit) in [(&b""[..], 10), (b"\x16\x03\x01\x02\x00\x01", 10), (GET, 0)] {
        let mut tcp = edge.tcp().await;
        tcp.write_all(bytes).await.unwrap();
        let (_, took) = until_closed(&mut tcp).await;
        assert_took(took, Duration::from_secs(limit));
    }
    assert_eq!(edge.shared.metrics.refusals(Refusal::HandshakeTimeout), 2);
    assert_eq!(edge.shared.metrics.refusals(Refusal::Handshake), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_makes_room_or_lets_the_gateway_end() {
    let edge = TestEdge::https().await;
    let mut silent = edge.tcp().await;
    after(Duration::from_secs(1)).await;
    edge.shared.shed_idle();
    assert_took(until_closed(&mut silent).await.1, Duration::ZERO);
    let mut silent = edge.tcp().await;
    after(Duration::from_millis(1)).await;
    let (report, (_, took)) =
        tokio::join!(edge.shared.drained(Duration::from_secs(60)), until_closed(&mut silent));
    assert_eq!(report.left, 0);
    assert_took(took, Duration::from_millis(750));
    assert_eq!(edge.shared.metrics.refusals(Refusal::Shed), 1);
    assert_eq!(edge.shared.metrics.refusals(Refusal::Drain), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_resumed_with_its_ticket_and_never_with_early_data() {
    let edge = TestEdge::https().await;
    assert_eq!(edge.shared.certificates().unwrap().server_config().max_early_data_size, 0);
    let connector = TlsConnector::from(Arc::new(super::harness::client_config(edge.ca())));
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = connector.connect(name, edge.tcp().await).await.unwrap();
        ask(&mut tls, GET).await;
        kinds.push(tls.get_ref().1.handshake_kind().unwrap());
    }
    assert_eq!(kinds, [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]);
}

/// In real time, and on a thread of its own: other programs are involved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_and_python_accept_the_certificate_by_name_and_by_address() {
    if !(is_here("curl") && is_here("python3")) {
        return;
    }
    let edge = TestEdge::https().await;
    let (port, ca) = (edge.address.port(), edge.ca_file());
    let python = "import ssl, sys, urllib.request as r\n\
                  c = ssl.create_default_context(cafile=sys.argv[1])\n\
                  print(r.urlopen(sys.argv[2], context=c).read().decode(), end='')";
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/");
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "--http2", "--cacert"]).arg(&ca).arg(&url);
        let mut py = std::process::Command::new("python3");
        py.args(["-c", python]).arg(&ca).arg(&url).env("no_proxy", "*");
        for mut client in [curl, py] {
            let ran = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
            let (said, error) =
                (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert_eq!(said, "hello", "{url}: {error}");
        }
    }
}
