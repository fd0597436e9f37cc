//! Canaries: known secrets go through every flow, then everything that was written is searched.

mod careless;
mod forms;

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use http::Method;
use serde_json::json;

use self::{
    careless::{WAYS, careless},
    forms::tells,
};
use crate::support::{Gateway, client::Speak, eventually, gateway::Builder, origin};

const SECRET: &str = "c4a9e70123456789abcdef0123456789";
const TICKET: &str = "TICKETcanary_0123456789abcdef";
const SESSION_KEY: &str = "SESSIONcanary0123456789==";

/// An answer, and how it came.
struct Answered {
    path: String,
    /// Status, headers and body, or the bytes as they came.
    bytes: Vec<u8>,
}

impl Answered {
    async fn get(
        gateway: &Gateway,
        speak: Speak,
        method: Method,
        path: &str,
        body: String,
    ) -> Self {
        let request = gateway.client.request(method, path, body);
        let reply = gateway.client.send(speak, request).await;
        // A client would read it, and no search for text does.
        assert!(!reply.headers.contains_key("content-encoding"), "{path} is still encoded");
        let head = format!("{} {:?}\n", reply.status, reply.headers);
        Self { path: path.to_owned(), bytes: [head.as_bytes(), &reply.body].concat() }
    }
}

/// Every way in which a credential travels, on both protocols.
async fn flows(gateway: &Gateway, key: &str) -> Vec<Answered> {
    let secret_body = json!({"appid": "wx0123456789abcdef", "appsecret": key}).to_string();
    let login = "/sns/jscode2session?appid=wx0123456789abcdef&js_code=1&grant_type=authorization_code&secret=";
    let rid = json!({"rid": "1", "note": key}).to_string();
    let get = |path: String| (Method::GET, path, String::new());
    let mut calls = vec![
        get("/cgi-bin/getcallbackip".into()),
        (Method::POST, "/cgi-bin/openapi/rid/get?x=1".into(), rid),
        get(format!("/cgi-bin/getcallbackip?access_token={key}")),
        get(format!("{login}{key}")),
        get("/cgi-bin/token?appid=wx0123456789abcdef&secret=x".into()),
        (Method::POST, "/cgi-bin/clear_quota/v2".into(), secret_body),
        get("/cgi-bin/getcallbackip?access_token=some_foreign_token_canary".into()),
        get("/cgi-bin/ticket/getticket?type=refused".into()),
    ];
    calls.extend(WAYS.iter().map(|path| get((*path).to_owned())));
    let mut answers = Vec::new();
    for (method, path, body) in calls {
        for speak in [Speak::Http1, Speak::Http2] {
            let (method, body) = (method.clone(), body.clone());
            answers.push(Answered::get(gateway, speak, method, &path, body).await);
        }
    }
    // As bytes: reason, letter case of names, chunks and trailers are what a client drops.
    for path in ["/cgi-bin/reason", "/cgi-bin/name", "/cgi-bin/early"] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        );
        let bytes = gateway.client.raw(head).await.into_bytes();
        answers.push(Answered { path: path.into(), bytes });
    }
    let ticket = gateway.client.get("/cgi-bin/ticket/getticket?type=jsapi").await;
    assert!(ticket.text().contains(TICKET), "the ticket that was asked for passes");
    let again = "/cgi-bin/again";
    answers.push(Answered::get(gateway, Speak::Http1, Method::GET, again, String::new()).await);
    // The last, because it is the end of the token.
    let rejected = gateway.client.get("/cgi-bin/reject").await;
    assert_eq!(rejected.code(), "token_rejected", "{}", rejected.text());
    answers.push(Answered { path: "/cgi-bin/reject".into(), bytes: rejected.body.to_vec() });
    answers
}

/// `wxgate tail`, until it is dropped.
struct Tail {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Tail {
    /// Comes back when it shows requests.
    async fn start(gateway: &Gateway, argument: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wxgate"))
            .args(["tail", argument])
            .current_dir(gateway.folder())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut out, kept) = (child.stdout.take().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut part) {
                kept.lock().unwrap().extend_from_slice(&part[..count]);
            }
        });
        let tail = Self { child, shown };
        eventually("tail shows a request", || async {
            gateway.client.get("/cgi-bin/getcallbackip").await;
            !tail.shown.lock().unwrap().is_empty()
        })
        .await;
        tail
    }

    /// What it has shown once it shows `last`.
    async fn until(&self, last: &str) -> Vec<u8> {
        eventually("tail shows the last request", || async {
            let shown = self.shown.lock().unwrap();
            memchr::memmem::find(&shown, last.as_bytes()).is_some()
        })
        .await;
        self.shown.lock().unwrap().clone()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Files, log, metrics and whatever a command prints.
async fn everything(gateway: &Gateway) -> Vec<(String, Vec<u8>)> {
    let mut written = gateway.everything_written();
    for arguments in [
        &["export", "--json"][..],
        &["export", "--har", "-"],
        &["export", "--json", "--unmask"],
        &["token", "show"],
        &["token", "show", "--json"],
        &["token", "history", "shop"],
        &["key", "list", "--json"],
        &["reload"],
        &["check"],
    ] {
        written.push((format!("{arguments:?}"), printed(gateway, arguments)));
    }
    let all =
        String::from_utf8(printed(gateway, &["export", "--json", "path:/cgi-bin/echo"])).unwrap();
    let exchange: serde_json::Value = serde_json::from_str(all.lines().next().unwrap()).unwrap();
    let id = exchange["id"].as_str().unwrap();
    for arguments in [&["show", id][..], &["show", id, "--unmask", "--json"]] {
        written.push((format!("{arguments:?}"), printed(gateway, arguments)));
    }
    written.push(("metrics".into(), metrics_of(gateway).await.into_bytes()));
    written
}

fn printed(gateway: &Gateway, arguments: &[&str]) -> Vec<u8> {
    let output = gateway.cli(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    [output.stdout, output.stderr].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_log_database_export_metric_or_answer() {
    let origin = careless().await;
    let tables =
        "[metrics]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"debug\"\nformat = \"json\"\n";
    let gateway = Builder::new(&format!("{}{tables}", origin.account("shop")))
        .secret_file("secrets/shop", SECRET)
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    let key = gateway.client.key.clone().unwrap();
    let tails = [Tail::start(&gateway, "--json").await, Tail::start(&gateway, "--verbose").await];
    let answers = flows(&gateway, &key).await;
    let mut written = everything(&gateway).await;
    for tail in &tails {
        written.push(("tail".into(), tail.until("/cgi-bin/reject").await));
    }
    let is_there = |text: &str| written.iter().any(|(_, bytes)| holds(bytes, text));
    assert!(is_there("/cgi-bin/openapi/rid/get"), "the search itself works");
    // Each way was gone: its answer is masked, or refused because nobody could read it.
    for answer in answers.iter().filter(|answer| WAYS.contains(&&*answer.path)) {
        let is_masked = holds(&answer.bytes, "access_token=********");
        let is_refused = holds(&answer.bytes, "upstream_invalid");
        let has_none = ["/cgi-bin/name", "/cgi-bin/early"].contains(&&*answer.path);
        let shown = String::from_utf8_lossy(&answer.bytes);
        assert_eq!(!is_masked && !is_refused, has_none, "{}: {shown}", answer.path);
    }
    let calls = origin.received().len();
    let last = [origin::token(calls - 1), origin::token(calls)];
    assert!(origin.token_fetches() > 1, "a token was replaced");
    // Of these, what the caller itself sent or asked for may be in its own answer.
    for (what, canary, may_be_answered) in [
        ("AppSecret", SECRET, false),
        ("token", &*origin::token(0), false),
        ("the last token", &last[0], false),
        ("the last token", &last[1], false),
        ("key", &key, true),
        ("ticket", TICKET, false),
        ("session_key", SESSION_KEY, true),
    ] {
        for (place, bytes) in &written {
            assert_eq!(tells(bytes, canary), None, "{what} in {place}");
        }
        for answer in answers.iter().filter(|_| !may_be_answered) {
            assert_eq!(
                tells(&answer.bytes, canary),
                None,
                "{what} in the answer of {}",
                answer.path
            );
        }
    }
}

#[test]
fn the_search_finds_what_was_not_masked() {
    let token = origin::token(7);
    for secret in [SECRET, &token] {
        for (form, text) in forms::spellings(secret) {
            let text = format!("{{\"a\":\"{text}\"}}");
            assert!(tells(text.as_bytes(), secret).is_some(), "{form}: {text}");
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// What Prometheus gets.
pub(crate) async fn scrape(gateway: &Gateway) -> String {
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
    text
}

async fn metrics_of(gateway: &Gateway) -> String {
    let text = scrape(gateway).await;
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
