//! Everybody at once on one account, whose tokens live for seconds and are taken by others.
//!
//! `WXGATE_TEST_SOAK_S` says for how long.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    capture::exported,
    leaks::scrape,
    sdks::{APP_ID, Pasted, node, paste, python},
    support::{Gateway, gateway::DEMO},
    tools::{base_url, text, tool},
};

/// Every token of the platform, and every one that a client gets.
const LIFE_S: u64 = 5;
/// How often another holder takes the token. The broker replaces 20 dead tokens at once, and one
/// more a minute: beyond that it would burn the platform's quota.
const FAULTS: u32 = 18;
/// Long enough for some tokens of each sort, short enough for everyday.
const USUAL_S: u64 = 15;

fn length() -> Duration {
    let told = std::env::var("WXGATE_TEST_SOAK_S").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(told.unwrap_or(USUAL_S))
}

/// A client in a process of its own, which ends by itself and then says how it went.
async fn run(mut command: Command) -> Value {
    let run = move || {
        let command = command.env("NO_PROXY", "*").env("no_proxy", "*").stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let line = String::from_utf8_lossy(&output.stdout).lines().last().unwrap().to_owned();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}", text(&output)))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// A collection that knows `access_token` only, again and again until the end. Those of its
/// requests that can be made more than once.
async fn run_newman(
    newman: PathBuf,
    base: String,
    key: String,
    until: Instant,
    folder: PathBuf,
) -> usize {
    let mut runs = 0;
    while Instant::now() < until {
        let mut command = Command::new(&newman);
        command
            .args(["run", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/collection.json")])
            .args(["--folder", "获取推送服务器 IP", "--folder", "发送客服消息"])
            .args(["--color", "off", "--iteration-count", "5", "--delay-request", "100"])
            .args(["--ssl-extra-ca-certs", "wxgate-ca.pem"])
            .args(["--env-var", &format!("base_url={base}")])
            .args(["--env-var", &format!("access_token={key}")])
            .current_dir(&folder);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", text(&output));
        runs += 1;
    }
    runs
}

/// How often the gateway itself called the issuer.
async fn fetches_of_the_broker(gateway: &Gateway) -> u64 {
    let metrics = scrape(gateway).await;
    let rows = metrics.lines().filter(|line| line.starts_with("wxgate_token_fetches_total{"));
    rows.map(|row| row.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn clients(pasted: &Pasted, seconds: u64) -> Option<Vec<Command>> {
    let scripts = [
        (python("soak.py")?, "wechatpy"),
        (node("soak.js")?, "co-wechat-api"),
        (node("soak.js")?, "wechat-api"),
        (node("soak.js")?, "node-easywechat"),
    ];
    let started = scripts.into_iter().map(|(mut script, word)| {
        pasted.given_to(&mut script);
        script.args([word, &seconds.to_string(), APP_ID]);
        script
    });
    Some(started.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_sdks_and_newman_share_short_tokens_that_others_take_and_none_notices() {
    let Some(newman) = tool("WXGATE_TEST_NEWMAN", "newman", &["--version"]) else { return };
    let tables = format!(
        "{DEMO}\n[token]\nsurrogate_life = \"{LIFE_S}s\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n"
    );
    let gateway = Gateway::with(&tables).await;
    gateway.sandbox("demo", "state", json!({"token_life_s": LIFE_S})).await;
    let files = ["wechatpy.py", "co-wechat-api.js", "node-easywechat.js", "wechat-api.js"];
    let pasted = paste(&gateway, &files).await;
    let length = length();
    let Some(commands) = clients(&pasted, length.as_secs()) else { return };
    let until = Instant::now() + length;
    let (base, folder) = (base_url(&gateway), gateway.folder());
    let newman = tokio::spawn(run_newman(newman, base, pasted.key.clone(), until, folder));
    let running: Vec<_> = commands.into_iter().map(|command| tokio::spawn(run(command))).collect();
    let mut faults = 0;
    let mut pace = interval(length / FAULTS);
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while faults < u64::from(FAULTS) {
        pace.tick().await;
        gateway.fault("demo", json!({"kind": "foreign_fetch"})).await;
        faults += 1;
    }
    let mut told = Vec::new();
    for client in running {
        told.push(client.await.unwrap());
    }
    let runs = newman.await.unwrap();
    let calls = told.iter().map(|client| client["calls"].as_u64().unwrap()).collect::<Vec<_>>();
    assert!(runs > 0 && calls.iter().all(|calls| *calls > 10), "{told:?}");
    for client in &told {
        // Its cache counts whole seconds: of a token of 5 s it is up to a second behind.
        let is_slow = client["sdk"] == "node-easywechat";
        let errors = client["errors"].as_object().unwrap();
        assert!(errors.keys().all(|error| is_slow && error.starts_with("42001")), "{client}");
    }

    let counters = gateway.counters("demo").await;
    let (seen, own) =
        (counters["token_fetches"].as_u64().unwrap(), fetches_of_the_broker(&gateway).await);
    assert_eq!(seen, own, "the platform saw no fetch but the broker's");
    assert_eq!(counters["forced"], 0);
    // One for each fault, one for each token that neared its end, none for a client.
    let most = faults + length.as_secs() / 3 + 3;
    assert!(seen <= most, "{seen} fetches in {length:?}, {faults} faults");
    for errcode in ["errcode:40001", "errcode:40014"] {
        assert!(exported(&gateway, &[errcode]).is_empty(), "a client saw {errcode}");
    }
    eprintln!("soak: {length:?}, {faults} faults, {seen} fetches, {runs} runs of newman, {told:?}");
}
