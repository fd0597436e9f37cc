//! The collection that `wxgate postman` writes: in form, and in newman against the sandbox.

use std::process::Command;

use serde_json::Value;

use crate::{
    support::{Gateway, eventually},
    tools::{base_url, text, tool},
};

/// Writes both files beside the gateway; what the command printed.
fn written(gateway: &Gateway, more: &[&str]) -> Value {
    let url = base_url(gateway);
    let line = [&["postman", "--json", "--url", &url, "--account", "demo"], more].concat();
    let output = gateway.cli(&line);
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_the_whole_collection_twice_and_every_request_succeeds() {
    let Some(newman) = tool("WXGATE_TEST_NEWMAN", "newman", &["--version"]) else { return };
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let files = written(&gateway, &["--app-id", "wx0123456789abcdef"]);
    // A second run finds what the first has left in the sandbox.
    for run in 1..=2 {
        let output = Command::new(&newman)
            .args(["run", files["collection"].as_str().unwrap()])
            .args(["-e", files["environment"].as_str().unwrap()])
            .args(["--env-var", &format!("key={key}")])
            .args(["--ssl-extra-ca-certs", "certs/ca.pem", "--color", "off"])
            .args(["--reporters", "cli,json", "--reporter-json-export", "run.json"])
            .current_dir(gateway.folder())
            .output()
            .unwrap();
        assert!(output.status.success(), "run {run}: {}", text(&output));
        let report = std::fs::read(gateway.folder().join("run.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        let stats = &report["run"]["stats"];
        assert_eq!(stats["requests"]["total"], files["requests"], "none is skipped");
        for what in ["requests", "assertions", "testScripts", "prerequestScripts"] {
            assert_eq!(stats[what]["failed"], 0, "run {run}, {what}");
        }
        assert!(stats["assertions"]["total"].as_u64() > files["requests"].as_u64());
    }
    let calls = gateway.counters("demo").await["calls"].clone();
    let shop = calls.as_object().unwrap().keys().filter(|path| path.starts_with("/shop/"));
    assert_eq!(shop.count(), 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_real_platform_nothing_dangerous_runs_and_no_control_is_called() {
    let Some(newman) = tool("WXGATE_TEST_NEWMAN", "newman", &["--version"]) else { return };
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let files = written(&gateway, &[]);
    // The account's upstream stands in for the real one: it counts what it gets.
    let output = Command::new(&newman)
        .args(["run", files["collection"].as_str().unwrap()])
        .args(["-e", files["environment"].as_str().unwrap()])
        .args(["--env-var", &format!("key={key}"), "--env-var", "sandbox=false"])
        .args(["--ssl-extra-ca-certs", "certs/ca.pem", "--color", "off"])
        .current_dir(gateway.folder())
        .output()
        .unwrap();
    let told = text(&output);
    assert!(told.contains("/shop/register/check"), "{told}");
    let calls = gateway.counters("demo").await["calls"].clone();
    let called = |path: &str| calls.get(path).and_then(Value::as_u64).unwrap_or(0);
    assert_eq!(called("/shop/register/check"), 1, "{calls}");
    // Prepared orders and dangerous calls were left out.
    assert_eq!(called("/shop/order/add"), 1, "{calls}");
    for path in ["/shop/spu/del", "/cgi-bin/message/mass/sendall", "/shop/pay/refundorder"] {
        assert_eq!(called(path), 0, "{path}");
    }
    eventually("the log says where control was asked", || async {
        gateway.log().contains("/shop/complaint/get_list")
    })
    .await;
    assert!(!gateway.log().contains("/-/sandbox/demo/state"), "control was called");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_gateway_is_found_and_a_key_is_written_only_when_asked_for() {
    let gateway = Gateway::start().await;
    let output = gateway.cli(&["postman", "--out", "plain"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("--ssl-extra-ca-certs"), "{}", text(&output));
    let read = |name: &str| {
        let file = gateway.folder().join(name).join("wxgate.postman_environment.json");
        std::fs::read_to_string(file).unwrap()
    };
    let plain = read("plain");
    assert!(!plain.contains("wxgk_") && plain.contains("\"demo\""), "{plain}");
    let port = format!(":{}\"", gateway.client.address.port());
    assert!(plain.contains(&port), "{plain}");
    let key = gateway.client.key.clone().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_wxgate"))
        .args(["postman", "--out", "keyed", "--key-env"])
        .env("WXGATE_KEY", &key)
        .current_dir(gateway.folder())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(!text(&output).contains(&key) && read("keyed").contains(&key));
}
