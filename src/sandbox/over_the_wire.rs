//! The sandbox through real sockets.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::ServerName;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Sandbox, SandboxError, SandboxOptions, Tls,
    calls::bench::{account, form},
};
use crate::base::{secret::Secret, tasks::Tasks};

async fn start(change: impl FnOnce(&mut SandboxOptions)) -> (Sandbox, Tasks) {
    let tasks = Tasks::default();
    let mut options = SandboxOptions {
        accounts: vec![account("shop", "wx1", "s1")],
        seed: Some(1),
        ..SandboxOptions::default()
    };
    change(&mut options);
    (Sandbox::start(options, tasks.clone()).await.unwrap(), tasks)
}

async fn start_plain() -> (Sandbox, Tasks) {
    start(|options| options.tls = Tls::Plain).await
}

async fn tls(sandbox: &Sandbox, alpn: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(sandbox.ca_der().unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let tcp = TcpStream::connect(sandbox.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

type Sent = Result<Response<Bytes>, hyper::Error>;

/// Sends one request over plain HTTP/1.1.
async fn send(sandbox: &Sandbox, request: Request<Full<Bytes>>) -> Sent {
    let tcp = TcpStream::connect(sandbox.address()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
    let exchange = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        drop(sender);
        Ok(Response::from_parts(head, body))
    };
    tokio::join!(exchange, connection).0
}

fn request(method: Method, target: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(target).header("host", "localhost");
    builder.body(Full::new(body.into())).unwrap()
}

async fn get(sandbox: &Sandbox, target: &str) -> Sent {
    send(sandbox, request(Method::GET, target, "")).await
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

async fn token(sandbox: &Sandbox) -> String {
    let target = "/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=s1";
    let answer = json_of(&get(sandbox, target).await.unwrap());
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn control(sandbox: &Sandbox, rest: &str, body: &Value) {
    let body = body.to_string();
    let answer = sandbox.control("shop", &Method::POST, rest, body.as_bytes()).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
}

#[tokio::test]
async fn both_protocols_are_spoken_over_tls_that_its_own_ca_vouches_for() {
    let (sandbox, tasks) = start(|_| {}).await;
    let target = "https://localhost/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=s1";
    let ask = || request(Method::GET, target, "");

    let stream = TokioIo::new(tls(&sandbox, "h2").await);
    let h2 = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let (mut sender, connection) = h2;
    let connection = tasks.spawn(connection);
    let answer = sender.send_request(ask()).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_2));
    drop((sender, answer));
    connection.await.unwrap().unwrap();

    let stream = TokioIo::new(tls(&sandbox, "http/1.1").await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tasks.spawn(connection);
    let answer = sender.send_request(ask()).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json; encoding=utf-8");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(serde_json::from_slice::<Value>(&body).unwrap()["access_token"].is_string());

    assert!(sandbox.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    drop(sender);
    tasks.shutdown().await;
    assert!(TcpStream::connect(sandbox.address()).await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn twenty_mebibytes_go_up_and_come_down_unchanged() {
    let (sandbox, _tasks) = start_plain().await;
    control(&sandbox, "state", &json!({"media_limit_bytes": 32 << 20})).await;
    let token = token(&sandbox).await;
    let content: Vec<u8> =
        (0..20_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let target = format!("/cgi-bin/media/upload?access_token={token}&type=image");
    let mut upload = request(Method::POST, &target, form(&[("media", Some("a.bin"), &content)]));
    let form = http::HeaderValue::from_static("multipart/form-data; boundary=XX");
    upload.headers_mut().insert("content-type", form);
    let up = json_of(&send(&sandbox, upload).await.unwrap());
    let media_id = up["media_id"].as_str().unwrap();
    let target = format!("/cgi-bin/media/get?access_token={token}&media_id={media_id}");
    let down = get(&sandbox, &target).await.unwrap();
    assert!(down.body() == &content);
    assert!(down.headers()["content-disposition"].to_str().unwrap().contains(media_id));
}

#[tokio::test]
async fn header_names_keep_their_letter_case_on_http1() {
    let (sandbox, _tasks) = start_plain().await;
    let headers = json!([["Wechatmp-TimeStamp", "1"], ["Wechatmp-AppId", "wx1"], ["X-oDD", "2"]]);
    control(&sandbox, "state", &json!({"response_headers": headers})).await;
    for _ in 0..2 {
        let mut tcp = TcpStream::connect(sandbox.address()).await.unwrap();
        tcp.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.unwrap();
        for wanted in
            ["\r\nWechatmp-TimeStamp: 1\r\n", "\r\nWechatmp-AppId: wx1\r\n", "\r\nX-oDD: 2\r\n"]
        {
            assert!(answer.contains(wanted), "{answer}");
        }
    }
}

#[tokio::test]
async fn resets_break_the_connection_before_or_in_the_answer() {
    let (sandbox, _tasks) = start_plain().await;
    control(&sandbox, "faults", &json!({"kind": "reset_before"})).await;
    assert!(get(&sandbox, "/a").await.is_err());
    control(&sandbox, "faults", &json!({"kind": "reset_after"})).await;
    assert!(get(&sandbox, "/a").await.is_err());
    assert_eq!(json_of(&get(&sandbox, "/a").await.unwrap())["errcode"], 40066);

    control(&sandbox, "faults", &json!({"kind": "reset_after", "value": 5})).await;
    let mut tcp = TcpStream::connect(sandbox.address()).await.unwrap();
    tcp.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let end = tcp.read_to_end(&mut answer).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(answer.ends_with(b"\r\n\r\n{\"err"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn the_date_is_that_of_the_accounts_clock_and_a_body_may_trickle() {
    let (sandbox, _tasks) = start_plain().await;
    control(&sandbox, "faults", &json!({"kind": "slow_body", "ms": 50})).await;
    let begin = tokio::time::Instant::now();
    let answer = get(&sandbox, "/a").await.unwrap();
    assert_eq!(json_of(&answer)["errcode"], 40066);
    assert!(begin.elapsed() >= Duration::from_millis(50));
    assert_eq!(answer.headers()["date"], "Wed, 31 Dec 2025 16:00:00 GMT");
    control(&sandbox, "clock", &json!({"at": "2030-01-01T00:00:00Z"})).await;
    let answer = get(&sandbox, "/a").await.unwrap();
    assert_eq!(answer.headers()["date"], "Tue, 01 Jan 2030 00:00:00 GMT");
}

#[tokio::test]
async fn a_reset_of_a_stream_leaves_the_other_streams_alone() {
    let (sandbox, tasks) = start(|_| {}).await;
    let stream = TokioIo::new(tls(&sandbox, "h2").await);
    let h2 = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let (mut sender, connection) = h2;
    tasks.spawn(connection);
    control(&sandbox, "faults", &json!({"kind": "reset_before", "path": "/a"})).await;
    let ask = |path: &str| request(Method::GET, &format!("https://localhost{path}"), "");
    assert!(sender.send_request(ask("/a")).await.is_err());
    assert_eq!(sender.send_request(ask("/b")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_delayed_call_takes_effect_although_its_client_leaves() {
    let (sandbox, _tasks) = start_plain().await;
    control(&sandbox, "faults", &json!({"kind": "delay", "ms": 600_000})).await;
    let counted = async {
        let wanted = json!({"/a": 1});
        while json_of(&sandbox.control("shop", &Method::GET, "counters", b"").await)["calls"]
            != wanted
        {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(10);
    let waiting = async { tokio::time::timeout(limit, counted).await.expect("it is counted") };
    tokio::select! {
        answer = get(&sandbox, "/a") => panic!("not held back: {answer:?}"),
        () = waiting => {}
    }
}

#[tokio::test]
async fn a_body_above_the_cap_has_an_errcode_and_the_server_goes_on() {
    let (sandbox, _tasks) = start_plain().await;
    let mut tcp = TcpStream::connect(sandbox.address()).await.unwrap();
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n";
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.shutdown().await.unwrap();
    let mut answer = Vec::new();
    drop(tcp.read_to_end(&mut answer).await);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.contains("\"errcode\":45001"), "{answer}");

    let large = vec![b' '; super::intake::CAP_BYTES + 1];
    let refused = send(&sandbox, request(Method::POST, "/a", large)).await.unwrap();
    assert_eq!(json_of(&refused)["errcode"], 45001);
    assert_eq!(json_of(&get(&sandbox, "/a").await.unwrap())["errcode"], 40066);
}

#[tokio::test]
async fn nonsense_on_the_wire_is_survived() {
    let (sandbox, _tasks) = start(|_| {}).await;
    for noise in [&b"\x16\x03\x01\xff\xff"[..], b"GET / HTTP/1.1\r\n\r\n", &[0; 5000], b""] {
        let mut tcp = TcpStream::connect(sandbox.address()).await.unwrap();
        tcp.write_all(noise).await.unwrap();
        tcp.shutdown().await.unwrap();
        drop(tcp.read_to_end(&mut Vec::new()).await);
    }
    let mut stream = tls(&sandbox, "http/1.1").await;
    stream.write_all(b"GET \xff\xff HTTP/1.1\r\n: \r\n\r\n").await.unwrap();
    drop(stream.read_to_end(&mut Vec::new()).await);
    tls(&sandbox, "h2")
        .await
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxx")
        .await
        .unwrap();
    let mut stream = tls(&sandbox, "http/1.1").await;
    let ask = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn control_over_http_is_off_unless_allowed_and_then_asks_for_its_token() {
    let (closed, _tasks) = start_plain().await;
    let answer = get(&closed, "/-/sandbox/counters").await.unwrap();
    assert_eq!(json_of(&answer)["errcode"], 40066);

    let (open, _tasks) = start(|options| {
        options.tls = Tls::Plain;
        options.allow_control_over_http = true;
        options.control_token = Some(Secret::new("t".into()));
    })
    .await;
    assert_eq!(get(&open, "/-/sandbox/counters").await.unwrap().status(), 401);
    let mut ask = request(Method::POST, "/-/sandbox/clock", r#"{"advance_s":60}"#);
    ask.headers_mut().insert("authorization", "Bearer t".parse().unwrap());
    let answer = send(&open, ask).await.unwrap();
    assert_eq!((answer.status().as_u16(), json_of(&answer)["now"].is_string()), (200, true));
}

#[tokio::test]
async fn what_cannot_work_is_said_at_the_start() {
    let options = SandboxOptions {
        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        allow_control_over_http: true,
        ..SandboxOptions::default()
    };
    let refused = Sandbox::start(options.clone(), Tasks::default()).await.unwrap_err();
    assert!(matches!(refused, SandboxError::ControlTokenNeeded { .. }));
    assert!(refused.to_string().contains("--control-token"));

    let (sandbox, _tasks) = start_plain().await;
    let taken = SandboxOptions { listen: sandbox.address(), ..SandboxOptions::default() };
    let refused = Sandbox::start(taken, Tasks::default()).await.unwrap_err();
    assert!(matches!(refused, SandboxError::Bind { .. }));

    let twins = vec![account("a", "wx1", "s"), account("b", "wx1", "s")];
    let twins = SandboxOptions { accounts: twins, ..SandboxOptions::default() };
    let refused = Sandbox::start(twins, Tasks::default()).await.unwrap_err();
    assert!(matches!(refused, SandboxError::Account { .. }));
}
