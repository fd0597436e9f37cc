//! Signals under load lose nothing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use http::Method;

use crate::support::{Client, Gateway, client::Speak, eventually, gateway::DEMO};

const CALL: &str = "/cgi-bin/getcallbackip";

/// Clients that send one request after the other on kept connections until told to stop. A
/// connection that the gateway closes between two requests is opened again; a request that was
/// sent and not answered is lost.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(client: &Client, clients: usize) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..clients)
            .map(|number| {
                let speak = if number % 2 == 0 { Speak::Http1 } else { Speak::Http2 };
                tokio::spawn(keep_asking(client.clone(), speak, stop.clone(), answered.clone()))
            })
            .collect();
        Self { stop, answered, tasks }
    }

    async fn answered(&self, many: usize) {
        eventually("the load is under way", || async {
            self.answered.load(Ordering::Relaxed) >= many
        })
        .await;
    }

    /// What went wrong.
    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut lost = Vec::new();
        for task in self.tasks {
            lost.extend(task.await.unwrap());
        }
        lost
    }
}

async fn keep_asking(
    client: Client,
    speak: Speak,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut lost = Vec::new();
    'connections: while !stop.load(Ordering::Relaxed) {
        // A connection that is refused takes no request with it.
        let Ok(mut session) = client.try_session(speak).await else { break };
        while !stop.load(Ordering::Relaxed) {
            match session.send(client.request(Method::GET, CALL, "")).await {
                Ok(reply) if reply.errcode() == 0 => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    if reply.headers.get("connection").is_some_and(|value| value == "close") {
                        continue 'connections;
                    }
                }
                Ok(reply) => lost.push(reply.text()),
                // The gateway closed an idle connection: the request was not taken.
                Err(error) if error.is_canceled() || error.is_closed() => continue 'connections,
                Err(error) if is_refused_stream(&error) => continue 'connections,
                Err(error) => {
                    lost.push(format!("{speak:?}: {error:?}"));
                    continue 'connections;
                }
            }
        }
    }
    lost
}

/// GOAWAY told that the stream was not processed (RFC 9113 section 6.8), or the connection was
/// closed in the moment in which the request was about to be written.
fn is_refused_stream(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(h2) = cause.downcast_ref::<h2::Error>() {
            return h2.is_go_away() && h2.reason() == Some(h2::Reason::NO_ERROR);
        }
        source = cause.source();
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_nothing() {
    let mut gateway = Gateway::start().await;
    let load = Load::start(&gateway.client, 8);
    load.answered(200).await;
    gateway.signal("-TERM");
    let status = gateway.wait();
    let lost = load.end().await;
    assert!(status.success(), "{status}: {}", gateway.log());
    assert!(lost.is_empty(), "{} lost: {:?}", lost.len(), lost.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_finished_before_the_end() {
    let mut gateway = Gateway::start().await;
    gateway.client.get(CALL).await;
    // The platform takes the call at once and answers a second later.
    gateway.fault("demo", serde_json::json!({"kind": "delay", "path": CALL, "ms": 1000})).await;
    let slow = gateway.client.request(Method::GET, CALL, "");
    let mut session = gateway.client.session(Speak::Http2).await;
    let slow = tokio::spawn(async move { session.send(slow).await });
    eventually("the call has arrived at the platform", || async {
        gateway.counters("demo").await["calls"][CALL] == 2
    })
    .await;
    gateway.signal("-TERM");
    let status = gateway.wait();
    assert_eq!(slow.await.unwrap().unwrap().errcode(), 0);
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_load_lose_nothing_and_take_effect() {
    let gateway = Gateway::start().await;
    let load = Load::start(&gateway.client, 6);
    load.answered(50).await;
    let file = gateway.folder().join("proxy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let second =
        "[[account]]\nname = \"second\"\napp_id = \"wx0000000000000002\"\nupstream = \"sandbox\"\n";
    let demo = gateway.key("demo-only", &["--account", "demo"]);
    let load_key = Load::start(&demo, 2);
    load.end().await;
    for round in 0..20 {
        let text = if round % 2 == 0 { format!("{text}{second}") } else { text.clone() };
        std::fs::write(&file, text).unwrap();
        if round % 4 == 0 {
            gateway.signal("-HUP");
        }
        let output = gateway.cli(&["reload"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::write(&file, format!("{text}{second}")).unwrap();
    gateway.cli_json(&["reload"]);
    assert_eq!(gateway.client.get(&format!("/@second{CALL}")).await.errcode(), 0);
    let lost = load_key.end().await;
    assert!(lost.is_empty(), "{} lost: {:?}", lost.len(), lost.first());
}

#[tokio::test]
async fn a_bad_file_is_reported_and_the_old_one_stays() {
    let gateway = Gateway::start().await;
    let file = gateway.folder().join("proxy.toml");
    std::fs::write(
        &file,
        format!("[server]\nlisten = [\"https://127.0.0.1:0\"]\nhosts = []\nworkres = 3\n{DEMO}"),
    )
    .unwrap();
    let output = gateway.cli(&["reload"]);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!output.status.success());
    assert!(said.contains("workres") && said.contains("hosts"), "{said}");
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0);
}

#[tokio::test]
async fn what_needs_a_restart_is_said() {
    let gateway = Gateway::start().await;
    let file = gateway.folder().join("proxy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("shutdown_grace", "workers = 7\nshutdown_grace")).unwrap();
    let report = gateway.cli_json(&["reload"]);
    assert_eq!(report["needs_restart"], serde_json::json!(["server.workers"]));
}
