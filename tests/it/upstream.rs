//! What reaches the upstream, and what comes back, byte for byte.

use http::Method;
use serde_json::json;

use crate::support::{
    Gateway,
    client::Speak,
    gateway::Builder,
    origin::{Origin, Say},
};

async fn on(origin: &Origin) -> Gateway {
    Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await
}

fn ok() -> Say {
    Say::Json(r#"{"errcode":0,"errmsg":"ok"}"#.into())
}

#[tokio::test]
async fn forwarding_changes_nothing_but_what_must_change() {
    let origin = Origin::start(|_, _| ok()).await;
    let gateway = on(&origin).await;
    let body = "{\"b\": 12345678901234567890,\t\"a\":\"\\u4f60\",\"raw\":\"你好\"}";
    let mut request = gateway.client.request(
        Method::POST,
        "/cgi-bin/message/custom/send?b=%20+2&a=&b=%E4%BD%A0",
        body,
    );
    for (name, value) in [
        ("cookie", "session=1"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-real-ip", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
        ("x-wxgate-account", "shop"),
        ("te", "trailers"),
        ("accept-encoding", "gzip"),
        ("wechatmp-timestamp", "1767225600"),
        ("user-agent", "Postman"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let reply = gateway.client.send(Speak::Http1, request).await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());
    let received = origin.received();
    let [one] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(one.body, body.as_bytes());
    let (target, token) = one.target().rsplit_once("&access_token=").unwrap();
    assert_eq!(target, "/cgi-bin/message/custom/send?b=%20+2&a=&b=%E4%BD%A0");
    assert!(token.starts_with("90_"));
    let headers = one.headers();
    let mut names: Vec<_> = headers.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "wechatmp-timestamp"
        ]
    );
    assert_eq!(headers["host"], origin.address.to_string());
    assert_eq!(headers["accept-encoding"], "identity");
}

#[tokio::test]
async fn the_letter_case_of_header_names_survives_to_http1() {
    let origin = Origin::start(|_, _| {
        Say::Raw(b"HTTP/1.1 200 OK\r\nWechatmp-TimeStamp: 1\r\nContent-Type: application/json; encoding=utf-8\r\nNum-Used: 3\r\nSet-Cookie: a=b\r\ncontent-length: 2\r\n\r\n{}".to_vec())
    })
    .await;
    let gateway = on(&origin).await;
    let key = gateway.client.key.clone().unwrap();
    let answer = gateway
        .client
        .raw(format!("GET /cgi-bin/getcallbackip HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"))
        .await;
    assert!(answer.contains("\r\nWechatmp-TimeStamp: 1\r\n"), "{answer}");
    assert!(answer.contains("\r\nNum-Used: 3\r\n"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("set-cookie"), "{answer}");
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("content-security-policy: sandbox; default-src 'none'"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_upstream_with_a_wrong_certificate_gets_not_a_byte_of_a_request() {
    let origin = Origin::with_names(&["other.example"], |_, _| ok()).await;
    let gateway = Builder::new(&(origin.account("shop") + "own_tokens = true\n"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    let reply =
        gateway.client.get("/cgi-bin/getcallbackip?access_token=my_own_token_from_elsewhere").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (502, "upstream_tls"), "{}", reply.text());
    let reply = gateway.client.get("/cgi-bin/getcallbackip").await;
    assert_eq!(
        reply.code(),
        "token_unavailable",
        "the token call trusts no more: {}",
        reply.text()
    );
    assert_eq!((origin.received().len(), origin.token_fetches()), (0, 0));
}

#[tokio::test]
async fn a_picture_arrives_byte_identical_and_a_json_error_in_its_place_is_read() {
    let gateway = Gateway::start().await;
    let body =
        json!({"scene": "a=1", "page": "pages/index/index", "check_path": false}).to_string();
    let first = gateway.client.post("/wxa/getwxacodeunlimit", body.clone()).await;
    let second = gateway
        .client
        .send(Speak::Http2, gateway.client.request(Method::POST, "/wxa/getwxacodeunlimit", body))
        .await;
    assert!(
        first.headers["content-type"].to_str().unwrap().starts_with("image/"),
        "{:?}",
        first.headers
    );
    assert!(first.body.len() > 200 && first.body == second.body);
    let decoder = png::Decoder::new(std::io::Cursor::new(first.body.to_vec()));
    assert!(decoder.read_info().is_ok());
    let reply = gateway
        .client
        .post("/wxa/getwxacodeunlimit", json!({"scene": "x".repeat(33)}).to_string())
        .await;
    assert_ne!(reply.errcode(), 0);
}

#[tokio::test]
async fn a_twenty_mebibyte_upload_and_download_are_byte_identical() {
    let gateway = Gateway::start().await;
    gateway.sandbox("demo", "state", json!({"media_limit_bytes": 32 << 20})).await;
    let media: Vec<u8> =
        (0..20_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut form = b"--XyZ\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n".to_vec();
    form.extend_from_slice(&media);
    form.extend_from_slice(b"\r\n--XyZ--\r\n");
    for speak in [Speak::Http1, Speak::Http2] {
        let mut request =
            gateway.client.request(Method::POST, "/cgi-bin/media/upload?type=image", form.clone());
        request
            .headers_mut()
            .insert("content-type", "multipart/form-data; boundary=XyZ".parse().unwrap());
        let reply = gateway.client.send(speak, request).await;
        let id = reply.json()["media_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{}", reply.text()))
            .to_owned();
        let request =
            gateway.client.request(Method::GET, &format!("/cgi-bin/media/get?media_id={id}"), "");
        let reply = gateway.client.send(speak, request).await;
        assert!(reply.body == media, "{speak:?}: {} bytes came back", reply.body.len());
    }
}

#[tokio::test]
async fn an_answer_cut_by_the_upstream_is_seen_to_be_cut() {
    let origin = Origin::start(|_, _| Say::RawThenClose(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n\x89PNGcut".to_vec())).await;
    let gateway = on(&origin).await;
    for speak in [Speak::Http1, Speak::Http2] {
        let request = gateway.client.request(Method::GET, "/cgi-bin/media/get?media_id=x", "");
        let reply = gateway.client.session(speak).await.send(request).await;
        assert!(reply.is_err(), "{speak:?}: a cut answer looked whole");
    }
}

#[tokio::test]
async fn an_upstream_that_is_this_gateway_is_a_loop() {
    let config = |port: u16| {
        format!(
            "[server]\nlisten = [\"https://127.0.0.1:{port}\"]\nhosts = [\"localhost\"]\n[[account]]\nname = \"self\"\napp_id = \"wx0123456789abcdef\"\napp_secret = \"env:SECRET\"\nown_tokens = true\nupstream = [\"https://localhost:{port}\"]\n"
        )
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let builder =
        Builder::from_file(&config(free)).env("SECRET", "0123456789abcdef0123456789abcdef");
    let (code, said) = builder.fail();
    assert_eq!(code, 78, "the file already tells: {said}");
}
