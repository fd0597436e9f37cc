//! What hyper lets through and no honest client sends.

use http::Method;

use crate::support::{Gateway, client::Speak};

/// What is sent (`{auth}` stands for a good key), the status and the code that come back.
const MALFORMED: &[(&str, &str, u16, &str)] = &[
    ("no Host", "GET /cgi-bin/x HTTP/1.1\r\n{auth}\r\n", 400, "header_refused"),
    (
        "two Hosts",
        "GET /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "header_refused",
    ),
    ("empty Host", "GET /cgi-bin/x HTTP/1.1\r\nHost: \r\n{auth}\r\n", 400, "header_refused"),
    ("odd Host", "GET /cgi-bin/x HTTP/1.1\r\nHost: a/b@c\r\n{auth}\r\n", 400, "header_refused"),
    (
        "foreign Host",
        "GET /cgi-bin/x HTTP/1.1\r\nHost: evil.example\r\n{auth}\r\n",
        421,
        "host_unknown",
    ),
    (
        "Host is not SNI",
        "GET /cgi-bin/x HTTP/1.1\r\nHost: 127.0.0.1\r\n{auth}\r\n",
        421,
        "host_unknown",
    ),
    (
        "absolute-form",
        "GET http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "target_refused",
    ),
    (
        "authority-form",
        "GET evil.example:80 HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "target_refused",
    ),
    ("asterisk", "GET * HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n", 400, "target_refused"),
    (
        "odd method",
        "get /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        405,
        "method_refused",
    ),
    ("TRACE", "TRACE /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n", 405, "method_refused"),
    ("PATCH", "PATCH /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n", 405, "method_refused"),
    (
        "double slash",
        "GET //evil.example/x HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "path_refused",
    ),
    (
        "dots",
        "GET /cgi-bin/../cgi-bin/token HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "path_refused",
    ),
    (
        "encoded dots",
        "GET /%2e%2e/x HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "path_refused",
    ),
    (
        "encoded slash",
        "GET /cgi-bin%2Ftoken HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "path_refused",
    ),
    (
        "backslash",
        "GET /cgi-bin\\token HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        400,
        "path_refused",
    ),
    ("encoded NUL", "GET /x%00 HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n", 400, "path_refused"),
    (
        "gzip, chunked",
        "POST /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n{auth}\r\n0\r\n\r\n",
        400,
        "header_refused",
    ),
    (
        "chunked twice",
        "POST /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n{auth}\r\n0\r\n\r\n",
        400,
        "header_refused",
    ),
    (
        "expectation",
        "POST /cgi-bin/x HTTP/1.1\r\nHost: localhost\r\nExpect: wonder\r\nContent-Length: 0\r\n{auth}\r\n",
        417,
        "expectation_refused",
    ),
];

#[tokio::test]
async fn malformed_requests_get_a_clear_refusal_and_reach_nobody() {
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let auth = format!("Authorization: Bearer {key}\r\nConnection: close\r\n");
    for (name, request, status, code) in MALFORMED {
        let answer = gateway.client.raw(request.replace("{auth}", &auth)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
        let expected = format!("x-wxgate-error: {code}");
        assert!(answer.to_ascii_lowercase().contains(&expected), "{name}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("x-request-id: "), "{name}: {answer}");
    }
    let calls = gateway.counters("demo").await["calls"].clone();
    assert_eq!(calls, serde_json::json!({}), "nothing reached the platform");
}

#[tokio::test]
async fn smuggled_requests_are_answered_once_or_not_at_all() {
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let auth = format!("Host: localhost\r\nAuthorization: Bearer {key}\r\n");
    let inner = format!("GET /cgi-bin/get_api_domain_ip HTTP/1.1\r\n{auth}\r\n");
    for smuggled in [
        format!(
            "POST /cgi-bin/getcallbackip HTTP/1.1\r\n{auth}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
            5 + inner.len()
        ),
        format!(
            "POST /cgi-bin/getcallbackip HTTP/1.1\r\n{auth}Content-Length: 0\r\nContent-Length: 5\r\n\r\n{inner}"
        ),
        format!(
            "POST /cgi-bin/getcallbackip HTTP/1.1\r\n{auth}Transfer-Encoding: chunked\r\n\r\nzz\r\n{inner}"
        ),
        format!("GET /cgi-bin/getcallbackip HTTP/1.1\r\n{auth}Content-Length : 5\r\n\r\n{inner}"),
    ] {
        let answer = gateway.client.raw(&smuggled).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{smuggled}\n->\n{answer}");
    }
    let calls = gateway.counters("demo").await["calls"].clone();
    assert_eq!(calls["/cgi-bin/get_api_domain_ip"], serde_json::Value::Null, "{calls}");
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_refused_on_both_protocols() {
    let gateway = Gateway::start().await;
    for speak in [Speak::Http1, Speak::Http2] {
        let mut request = gateway.client.request(Method::GET, "/cgi-bin/getcallbackip", "");
        for number in 0..99 {
            let name = http::HeaderName::try_from(format!("x-filler-{number}")).unwrap();
            request.headers_mut().insert(name, "1".parse().unwrap());
        }
        let mut session = gateway.client.session(speak).await;
        let reply = session.send(request).await.unwrap();
        assert_eq!(reply.status.as_u16(), 431, "{speak:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_whether_its_length_is_told_or_not() {
    let gateway =
        Gateway::with(&format!("body_max = \"1KiB\"\n{}", crate::support::gateway::DEMO)).await;
    let reply = gateway.client.post("/cgi-bin/message/custom/send", vec![b' '; 1025]).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (413, "body_too_large"));
    let key = gateway.client.key.clone().unwrap();
    let chunk = "x".repeat(1000);
    let request = format!(
        "POST /cgi-bin/message/custom/send HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3e8\r\n{chunk}\r\n3e8\r\n{chunk}\r\n0\r\n\r\n"
    );
    let answer = gateway.client.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn liveness_is_answered_whatever_the_host_and_unknown_doors_are_not_found() {
    let gateway = Gateway::start().await;
    let answer = gateway
        .client
        .raw("GET /-/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let anonymous = gateway.client.without_key();
    assert_eq!(anonymous.get("/-/readyz").await.status.as_u16(), 200);
    let ca = anonymous.get("/-/ca.pem").await;
    assert!(ca.text().starts_with("-----BEGIN CERTIFICATE-----"));
    for path in ["/-/console/", "/-/api/v1/keys", "/-/nothing", "/-/callback/demo", "/-/relay"] {
        let reply = gateway.client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (404, "not_found"), "{path}");
    }
    let developer = gateway.key("dev", &["--account", "demo"]);
    let reply = developer.get("/-/sandbox/demo/counters").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "operator_only"));
}

#[tokio::test]
async fn plain_http_on_loopback_serves_everything_for_a_proxy_in_front() {
    let tables = format!("trusted_proxies = [\"127.0.0.1\"]\n{}", crate::support::gateway::DEMO);
    let config = format!(
        "[server]\nlisten = [\"https://127.0.0.1:0\", \"http://127.0.0.1:0\"]\nhosts = [\"localhost\"]\n{tables}"
    );
    let gateway = crate::support::gateway::Builder::from_file(&config).start().await;
    let key = gateway.key("far", &["--account", "demo", "--network", "203.0.113.7"]).key.unwrap();
    let address = crate::support::gateway::address_of(gateway.ready["public"][1].as_str().unwrap());
    let request = format!(
        "GET /cgi-bin/getcallbackip HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.7\r\nConnection: close\r\n\r\n"
    );
    let answer = plain(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let with_proxy_line = format!(
        "PROXY TCP4 203.0.113.7 127.0.0.1 5000 80\r\n{}",
        request.replace("X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n", "")
    );
    let answer = plain(address, &with_proxy_line).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let spoofed = request.replace("198.51.100.1, 203.0.113.7", "203.0.113.7, 198.51.100.1");
    assert!(plain(address, &spoofed).await.contains("key_network"), "the rightmost address counts");
}

async fn plain(address: std::net::SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
