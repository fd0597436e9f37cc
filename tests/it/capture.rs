//! What is recorded, what is not, and that nothing is lost.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    Gateway,
    client::Speak,
    eventually,
    gateway::{Builder, message},
    origin::{Origin, Say},
};

const CALL: &str = "/cgi-bin/getcallbackip";

/// The exchange with this id, once it is stored.
async fn shown(gateway: &Gateway, id: &str) -> Value {
    let mut found = Value::Null;
    eventually("the exchange is stored", || {
        let output = gateway.cli(&["show", id, "--json"]);
        found = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let is_there = output.status.success();
        async move { is_there }
    })
    .await;
    found
}

fn id_of(reply: &crate::support::Reply) -> String {
    reply.headers["x-request-id"].to_str().unwrap().to_owned()
}

/// Every stored exchange, oldest first.
pub(crate) fn exported(gateway: &Gateway, filter: &[&str]) -> Vec<Value> {
    let output = gateway.cli(&[&["export", "--json"], filter].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn an_exchange_has_the_shape_of_the_contract() {
    let gateway = Gateway::start().await;
    let reply = gateway.client.post("/cgi-bin/message/custom/send?lang=zh", message()).await;
    let exchange = shown(&gateway, &id_of(&reply)).await;
    for (pointer, expected) in [
        ("/key", json!("first")),
        ("/account", json!("demo")),
        ("/lane", json!("live")),
        ("/client", json!("127.0.0.1")),
        ("/method", json!("POST")),
        ("/path", json!("/cgi-bin/message/custom/send")),
        ("/query", json!("lang=zh")),
        ("/status", json!(200)),
        ("/errcode", json!(0)),
        ("/outcome", json!("ok")),
        ("/error", json!(null)),
        ("/attempts/0/upstream", json!("sandbox")),
        ("/attempts/0/status", json!(200)),
        ("/attempts/0/errcode", json!(0)),
        ("/request/size", json!(message().len())),
        ("/request/truncated", json!(false)),
        ("/response/truncated", json!(false)),
        ("/replay_of", json!(null)),
        ("/note", json!(null)),
    ] {
        assert_eq!(exchange.pointer(pointer), Some(&expected), "{pointer} of {exchange:#}");
    }
    assert_eq!(exchange["id"], id_of(&reply));
    assert!(exchange["time"].as_str().unwrap().ends_with('Z'));
    assert!(exchange["attempts"][0]["token"].as_str().unwrap().starts_with("fp:"));
    assert!(exchange["attempts"][0]["ms"]["total"].as_f64().unwrap() > 0.0);
    assert!(exchange["request"]["body"].as_str().unwrap().contains("你好"));
    assert!(exchange["response"]["body"].as_str().unwrap().contains("\"errcode\":0"));
    let headers = exchange["request"]["headers"].to_string();
    assert!(headers.contains("content-type") && !headers.contains("authorization"), "{headers}");
}

#[tokio::test]
async fn a_refusal_is_recorded_without_its_body_and_an_errcode_is_an_outcome() {
    let gateway = Gateway::start().await;
    let reader = gateway.key("reader", &["--account", "demo", "--lane", "read-only"]);
    let reply = reader.post("/cgi-bin/message/custom/send", message()).await;
    let exchange = shown(&gateway, &id_of(&reply)).await;
    assert_eq!(
        (&exchange["error"], &exchange["outcome"]),
        (&json!("lane_read_only"), &json!("gateway"))
    );
    assert_eq!(exchange["errcode"], -94031);
    assert_eq!(exchange["key"], "reader");
    assert!(exchange["request"]["body"].as_str().unwrap_or_default().is_empty(), "{exchange:#}");
    let reply = gateway.client.get("/cgi-bin/no/such/call").await;
    assert_eq!(reply.errcode(), 40066);
    assert_eq!(shown(&gateway, &id_of(&reply)).await["outcome"], "request");
}

#[tokio::test]
async fn bytes_that_are_no_text_stand_as_base64_and_long_bodies_are_cut() {
    let tables = format!("{}[capture]\nbody_cap = \"1KiB\"\n", crate::support::gateway::DEMO);
    let gateway = Gateway::with(&tables).await;
    let body = json!({"scene": "a=1", "check_path": false}).to_string();
    let reply = gateway.client.post("/wxa/getwxacodeunlimit", body).await;
    let size = reply.body.len();
    let exchange = shown(&gateway, &id_of(&reply)).await;
    assert!(exchange["response"]["body"]["base64"].is_string(), "{exchange:#}");
    assert_eq!(exchange["response"]["size"], size);
    assert_eq!(exchange["response"]["truncated"], size > 1024);
}

#[tokio::test]
async fn what_a_fault_or_override_did_is_marked() {
    let gateway = Gateway::start().await;
    let mut request = gateway.client.request(Method::GET, CALL, "");
    request.headers_mut().insert("x-wxgate-fault", "errcode=45009".parse().unwrap());
    let reply = gateway.client.send(Speak::Http1, request).await;
    let exchange = shown(&gateway, &id_of(&reply)).await;
    assert_eq!((&exchange["outcome"], &exchange["errcode"]), (&json!("quota"), &json!(45009)));
    assert!(exchange.to_string().contains("errcode=45009"), "{exchange:#}");
}

#[tokio::test]
async fn the_filter_language_finds_what_it_says() {
    let gateway = Gateway::start().await;
    gateway.client.get(CALL).await;
    gateway.client.get("/cgi-bin/no/such/call").await;
    let last = gateway.client.post("/cgi-bin/message/custom/send", message()).await;
    shown(&gateway, &id_of(&last)).await;
    for (filter, count) in [
        (&["path:/cgi-bin/message"][..], 1),
        (&["errcode:!0"], 1),
        (&["errcode:40066", "|", "method:POST"], 2),
        (&["-outcome:ok"], 1),
        (&["key:first", "account:demo", "since:1h"], 3),
        (&["body:你好"], 1),
        (&["status:>=400"], 0),
        (&["getcallbackip"], 1),
    ] {
        assert_eq!(exported(&gateway, filter).len(), count, "{filter:?}");
    }
    let output = gateway.cli(&["export", "--json", "colour:red"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("colour") && said.contains('^'), "{said}");
}

#[tokio::test]
async fn a_har_file_holds_the_exchanges_in_the_standard_form() {
    let gateway = Gateway::start().await;
    let reply = gateway.client.post("/cgi-bin/message/custom/send", message()).await;
    shown(&gateway, &id_of(&reply)).await;
    let file = gateway.folder().join("out.har");
    let output = gateway.cli(&["export", "--har", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let har: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(har["log"]["version"], "1.2");
    let entry = &har["log"]["entries"][0];
    assert_eq!(
        (&entry["request"]["method"], &entry["response"]["status"]),
        (&json!("POST"), &json!(200))
    );
    assert!(entry["request"]["postData"]["text"].as_str().unwrap().contains("你好"));
    assert!(entry["time"].is_number() && entry["timings"]["wait"].is_number());
}

/// kill -9 under load, again and again: what had ended 100 ms before is there, the databases
/// are whole, and no token is fetched at a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_that_ended_a_moment_before() {
    let origin = Origin::start(|_, _| Say::Json(r#"{"errcode":0,"errmsg":"ok"}"#.into())).await;
    let mut gateway = Builder::new(&origin.account("shop"))
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    gateway.client.get(CALL).await;
    let key = gateway.client.key.clone();
    let mut expected = Vec::new();
    for _ in 0..20 {
        let mut session = gateway.client.session(Speak::Http1).await;
        for _ in 0..20 {
            let request = gateway.client.request(Method::GET, CALL, "");
            expected.push(id_of(&session.send(request).await.unwrap()));
        }
        // The promise is about exchanges that ended 100 ms before the kill; load goes on meanwhile.
        let loaded = tokio::time::Instant::now();
        while loaded.elapsed() < std::time::Duration::from_millis(100) {
            let request = gateway.client.request(Method::GET, CALL, "");
            session.send(request).await.unwrap();
        }
        gateway.kill();
        gateway = gateway.restart().await;
        gateway.client.key.clone_from(&key);
    }
    assert_eq!(origin.token_fetches(), 1, "the sealed token was used again each time");
    let stored: std::collections::HashSet<String> = exported(&gateway, &[])
        .iter()
        .map(|exchange| exchange["id"].as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = expected.iter().filter(|id| !stored.contains(*id)).collect();
    assert!(missing.is_empty(), "{} of {} are missing", missing.len(), expected.len());
    for name in ["wxgate.db", "capture.db"] {
        let database =
            rusqlite::Connection::open(gateway.folder().join("data").join(name)).unwrap();
        let verdict: String =
            database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{name}");
    }
}

#[tokio::test]
async fn tail_shows_exchanges_as_they_end() {
    use std::io::BufRead as _;
    let gateway = Gateway::start().await;
    let mut tail = std::process::Command::new(env!("CARGO_BIN_EXE_wxgate"))
        .args(["tail", "--json", "path:/cgi-bin/getcallbackip"])
        .current_dir(gateway.folder())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(tail.stdout.take().unwrap()).lines();
    let first = tokio::task::spawn_blocking(move || {
        lines.map_while(Result::ok).find(|line| line.contains("\"id\""))
    });
    let seen = async {
        // The stream begins a moment after the start; calls go on until it shows one.
        loop {
            gateway.client.get(CALL).await;
            tokio::task::yield_now().await;
        }
    };
    let line = tokio::select! {
        line = first => line.unwrap().unwrap(),
        () = seen => unreachable!(),
        () = tokio::time::sleep(std::time::Duration::from_secs(10)) => panic!("tail showed nothing"),
    };
    tail.kill().unwrap();
    tail.wait().unwrap();
    let exchange: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(exchange["path"], CALL);
}
