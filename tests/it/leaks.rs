//! Canaries: known secrets go through every flow, then everything that was written is searched.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Method;
use serde_json::json;

use crate::support::{
    Gateway,
    client::Speak,
    gateway::Builder,
    origin::{Origin, Say, json_answer},
};

const SECRET: &str = "c4nary0123456789abcdef0123456789";
const TICKET: &str = "TICKETcanary_0123456789abcdef";
const SESSION_KEY: &str = "SESSIONcanary0123456789==";

/// The places and forms in which a careless upstream echoes what it was sent.
fn echo(target: &str) -> Say {
    let token = target
        .split("access_token=")
        .nth(1)
        .unwrap_or_default()
        .split('&')
        .next()
        .unwrap_or_default();
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let body = json!({
        "errcode": 0,
        "request": {"request_url": format!("https://api.weixin.qq.com{target}")},
        "plain": token, "base64": BASE64_STANDARD.encode(token), "offset": BASE64_STANDARD.encode(format!("x{token}")),
        "hex": hex, "secret": SECRET, "encoded_secret": BASE64_STANDARD.encode(SECRET),
    });
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Echo: {token}\r\nLocation: /x?access_token={token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Say::Raw([head.as_bytes(), body.as_bytes()].concat())
}

/// A platform that echoes what it should not.
async fn careless() -> Origin {
    Origin::start(|request, _| match request.target() {
        target if target.contains("type=refused") => Say::Raw(json_answer(
            &json!({"errcode": 40097, "errmsg": format!("invalid args {target}")}).to_string(),
        )),
        target if target.starts_with("/cgi-bin/gzip") => gzipped(target),
        target if target.starts_with("/cgi-bin/octets") => Say::Raw(octets(target)),
        target if target.starts_with("/cgi-bin/reason") => {
            Say::Raw(format!("HTTP/1.1 200 {target}\r\nContent-Length: 2\r\n\r\n{{}}").into_bytes())
        }
        target if target.starts_with("/cgi-bin/reject") => Say::Raw(json_answer(
            &json!({"errcode": 40001, "errmsg": format!("invalid credential {target}")})
                .to_string(),
        )),
        target if target.starts_with("/cgi-bin/ticket/getticket") => Say::Raw(json_answer(
            &json!({"errcode": 0, "errmsg": "ok", "ticket": TICKET, "expires_in": 7200})
                .to_string(),
        )),
        target if target.starts_with("/sns/jscode2session") => Say::Raw(json_answer(
            &json!({"openid": "oTest", "session_key": SESSION_KEY}).to_string(),
        )),
        target if target.starts_with("/cgi-bin/again") => {
            Say::Raw(json_answer(&json!({"errcode": 0, "echo": TICKET}).to_string()))
        }
        target => echo(target),
    })
    .await
}

/// Encoded although it was not asked for.
fn gzipped(target: &str) -> Say {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(json!({"errcode": 0, "url": target}).to_string().as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Say::Raw([head.into_bytes(), body].concat())
}

/// JSON under another name.
fn octets(target: &str) -> Vec<u8> {
    let answer = json_answer(&json!({"errcode": 0, "url": target}).to_string());
    String::from_utf8(answer)
        .unwrap()
        .replace("application/json; encoding=utf-8", "application/octet-stream")
        .into_bytes()
}

/// Every way in which a credential travels, on both protocols; path, headers and body of the answers.
async fn flows(gateway: &Gateway, key: &str) -> Vec<(String, String, Vec<u8>)> {
    let secret_body = json!({"appid": "wx0123456789abcdef", "appsecret": key}).to_string();
    let login = "/sns/jscode2session?appid=wx0123456789abcdef&js_code=1&grant_type=authorization_code&secret=";
    let mut answers = Vec::new();
    for (method, path, body) in [
        (Method::GET, "/cgi-bin/getcallbackip".to_owned(), String::new()),
        (
            Method::POST,
            "/cgi-bin/openapi/rid/get?x=1".to_owned(),
            json!({"rid": "1", "note": key}).to_string(),
        ),
        (Method::GET, format!("/cgi-bin/getcallbackip?access_token={key}"), String::new()),
        (Method::GET, format!("{login}{key}"), String::new()),
        (Method::GET, "/cgi-bin/token?appid=wx0123456789abcdef&secret=x".to_owned(), String::new()),
        (Method::POST, "/cgi-bin/clear_quota/v2".to_owned(), secret_body),
        (
            Method::GET,
            "/cgi-bin/getcallbackip?access_token=some_foreign_token_canary".to_owned(),
            String::new(),
        ),
        (Method::GET, "/cgi-bin/ticket/getticket?type=refused".to_owned(), String::new()),
        (Method::GET, "/cgi-bin/gzip".to_owned(), String::new()),
        (Method::GET, "/cgi-bin/octets".to_owned(), String::new()),
    ] {
        for speak in [Speak::Http1, Speak::Http2] {
            let request = gateway.client.request(method.clone(), &path, body.clone());
            let reply = gateway.client.send(speak, request).await;
            answers.push((path.clone(), format!("{:?}", reply.headers), reply.body.to_vec()));
        }
    }
    let key_line =
        format!("Host: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n");
    let raw = gateway.client.raw(format!("GET /cgi-bin/reason HTTP/1.1\r\n{key_line}")).await;
    answers.push(("/cgi-bin/reason".into(), raw, Vec::new()));
    let ticket = gateway.client.get("/cgi-bin/ticket/getticket?type=jsapi").await;
    assert!(ticket.text().contains(TICKET), "the ticket that was asked for passes");
    let again = gateway.client.get("/cgi-bin/again").await;
    answers.push(("/cgi-bin/again".into(), String::new(), again.body.to_vec()));
    // The last, because it is the end of the token.
    let rejected = gateway.client.get("/cgi-bin/reject").await;
    assert_eq!(rejected.code(), "token_rejected", "{}", rejected.text());
    answers.push(("/cgi-bin/reject".into(), String::new(), rejected.body.to_vec()));
    answers
}

/// Files, log, metrics and whatever a command prints.
async fn everything(gateway: &Gateway) -> Vec<(String, Vec<u8>)> {
    let mut written = gateway.everything_written();
    for arguments in [
        &["export", "--json"][..],
        &["export", "--har", "-"],
        &["export", "--json", "--unmask"],
        &["token", "show"],
        &["token", "history", "shop"],
        &["key", "list", "--json"],
    ] {
        let output = gateway.cli(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        written.push((format!("{arguments:?}"), output.stdout));
    }
    written.push(("metrics".into(), metrics_of(gateway).await.into_bytes()));
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_log_database_export_metric_or_answer() {
    let origin = careless().await;
    let tables = "[metrics]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"debug\"\n";
    let gateway = Builder::new(&format!("{}{tables}", origin.account("shop")))
        .secret_file("secrets/shop", SECRET)
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    let key = gateway.client.key.clone().unwrap();
    let answers = flows(&gateway, &key).await;
    let written = everything(&gateway).await;
    assert!(
        written.iter().any(|(_, bytes)| find(bytes, b"/cgi-bin/openapi/rid/get")),
        "the search itself works"
    );
    // Of these, what the caller itself sent or asked for may be in its own answer.
    for (what, canary, may_be_answered) in [
        ("AppSecret", SECRET.to_owned(), false),
        ("token", format!("90_{:0>47}", 0), false),
        ("key", key, true),
        ("ticket", TICKET.to_owned(), false),
        ("session_key", SESSION_KEY.to_owned(), true),
    ] {
        for form in forms(&canary) {
            for (place, bytes) in &written {
                assert!(!find(bytes, form.as_bytes()), "{what} as {form} in {place}");
            }
            for (path, headers, body) in answers.iter().filter(|_| !may_be_answered) {
                assert!(!find(body, form.as_bytes()), "{what} as {form} in the answer of {path}");
                assert!(!headers.contains(&form), "{what} as {form} in the headers of {path}");
            }
        }
    }
}

/// Raw, hex, and base64 as it stands alone.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let inner = |prefix: &str| {
        let text = BASE64_STANDARD.encode(format!("{prefix}{secret}"));
        let begin = (prefix.len() * 8).div_ceil(6);
        let end = (prefix.len() + secret.len()) * 8 / 6;
        text[begin..end].to_owned()
    };
    vec![secret.to_owned(), hex.clone(), hex.to_uppercase(), inner(""), inner("x"), inner("xy")]
}

fn find(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

async fn metrics_of(gateway: &Gateway) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let url = gateway.ready["metrics"].as_str().unwrap();
    let address = crate::support::gateway::address_of(url);
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(
            format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    for name in [
        "wxgate_requests_total{account=\"shop\",outcome=\"ok\"}",
        "wxgate_request_duration_seconds_bucket",
        "wxgate_upstream_duration_seconds_bucket",
        "wxgate_token_fetches_total",
        "wxgate_token_age_seconds",
        "wxgate_build_info",
    ] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
    text
}
