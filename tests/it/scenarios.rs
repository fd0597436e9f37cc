//! Scenarios played by the real program: into a sandbox of its own, directly, through a gateway.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{Gateway, eventually, gateway::cli_in};

/// A picture, a product, its audit and the event, and a fault.
const SMALL: &str = r#"{
  "name": "small",
  "vars": {"product": "${id:TEA}"},
  "steps": [
    {"state": {"audit_delay_s": 60}},
    {
      "note": "a picture",
      "call": "POST /shop/img/upload",
      "form": {"media": {"file": "a.png", "base64": "iVBORw0KGgo="}, "resp_type": "1"},
      "save": {"picture": "img_info.temp_img_url"}
    },
    {
      "note": "a product",
      "call": "POST /shop/spu/add",
      "body": {
        "out_product_id": "${product}", "title": "明前龙井绿茶", "path": "p?g=${product}",
        "head_img": ["${picture}"], "desc_info": {"imgs": ["${picture}"]},
        "third_cat_id": 7523, "brand_id": 2100000000, "info_version": "1",
        "skus": [{
          "out_product_id": "${product}", "out_sku_id": "S", "thumb_img": "${picture}",
          "sale_price": 12800, "market_price": 12800, "stock_num": 1, "sku_code": "c", "barcode": "b",
          "sku_attrs": [{"attr_key": "k", "attr_value": "v"}]
        }]
      },
      "expect": {"data": {"out_product_id": {"$echo": "body.out_product_id"}, "product_id": {"$gt": 0}}},
      "save": {"id": "data.product_id"}
    },
    {"wait": "2m"},
    {"event": "open_product_spu_audit", "expect": {"OpenProductSpuAudit": {"product_id": "${id}", "status": 4}}},
    {"call": "POST /shop/spu/get", "body": {"product_id": "${id}"}, "expect": {"spu": {"status": STATUS}}},
    {"control": "POST faults", "body": {"kind": "errcode", "value": 45009, "path": "/cgi-bin/getcallbackip"}},
    {"call": "GET /cgi-bin/getcallbackip", "expect": {"errcode": 45009}}
  ]
}"#;

fn write(folder: &Path, status: u32) {
    let text = SMALL.replace("STATUS", &status.to_string());
    std::fs::write(folder.join("small.json"), text).unwrap();
}

fn text(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b));
    format!("{out}{error}")
}

#[test]
fn a_sandbox_of_its_own_is_all_that_a_scenario_needs() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 5);
    let output = cli_in(folder.path(), &["sandbox", "run", "small.json"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("small: 8 of 8 steps passed"), "{}", text(&output));
    let listed = cli_in(folder.path(), &["sandbox", "run", "--list"]);
    assert!(text(&listed).contains("transaction-component"), "{}", text(&listed));
}

#[test]
fn a_failed_step_shows_its_difference_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 11);
    let output = cli_in(folder.path(), &["sandbox", "run", "small.json"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for wanted in [
        "FAIL   6 POST /shop/spu/get",
        "-     \"status\": 11",
        "+     \"status\": 5",
        "2 not played",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!told.contains('\u{1b}'), "no colours into a pipe: {told}");
    let output = cli_in(folder.path(), &["sandbox", "run", "small.json", "--keep-going", "--json"]);
    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 9, "a line for each step, and the sum");
    assert_eq!((&lines[5]["ok"], &lines[5]["step"]), (&false.into(), &6.into()));
    assert!(lines[5]["diff"].to_string().contains("\\\"status\\\": 5"), "{}", lines[5]);
    assert_eq!((&lines[8]["passed"], &lines[8]["failed"]), (&7.into(), &1.into()));
}

#[test]
fn every_mistake_of_a_file_is_told_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = "{\"steps\":[\n{\"cal\":\"x\"},\n{\"call\":\"GET /a\",\"body\":\"${b}\"}]}";
    std::fs::write(folder.path().join("wrong.json"), wrong).unwrap();
    let output =
        cli_in(folder.path(), &["sandbox", "run", "wrong.json", "--base", "http://127.0.0.1:9"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("wrong.json:2:") && told.contains("wrong.json:3:"), "{told}");
}

/// A stand-alone sandbox, told to end when it is dropped.
struct Alone {
    child: Child,
    url: String,
}

impl Alone {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wxgate"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--control-token", "t1", "--json"])
            .args(["--ca-file", "ca.pem"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, url: ready["url"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn directly_a_token_is_fetched_and_control_wants_its_own() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 5);
    let alone = Alone::start(folder.path());
    let app = ["--app-id", "wx0123456789abcdef", "--app-secret", "sandbox-app-secret"];
    let run = |more: &[&str]| {
        let line =
            [&["sandbox", "run", "small.json", "--base", &alone.url], &app[..], more].concat();
        cli_in(folder.path(), &line)
    };
    let output = run(&["--ca", "ca.pem", "--control-token", "t1"]);
    assert!(output.status.success(), "{}", text(&output));
    let output = run(&["--insecure-loopback", "--control-token", "t1"]);
    assert!(output.status.success(), "another run has other ids: {}", text(&output));
    let output = run(&["--ca", "ca.pem", "--control-token", "t2"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("control refused it"), "{}", text(&output));
    assert_eq!(run(&[]).status.code(), Some(69), "its CA is not in any store");

    let ctl = |words: &[&str]| {
        let at = ["sandbox", "ctl", "--url", &alone.url, "--ca", "ca.pem", "--control-token", "t1"];
        cli_in(folder.path(), &[&at, words].concat())
    };
    let counters = ctl(&["counters", "--json"]);
    let counters: Value = serde_json::from_slice(&counters.stdout).unwrap();
    assert_eq!(counters["calls"]["/shop/spu/add"], 2, "{counters}");
    assert!(ctl(&["state", "frozen=true"]).status.success());
    let shown = ctl(&["state", "--json"]);
    assert!(text(&shown).contains("\"frozen\":true"), "{}", text(&shown));
    let refused = ctl(&["faults", "add", "boom"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_gateway_a_key_is_enough() {
    let gateway = Gateway::start().await;
    write(&gateway.folder(), 5);
    let url = format!("https://localhost:{}", gateway.client.address.port());
    let key = gateway.client.key.clone().unwrap();
    let at = ["--key", &key, "--ca", "certs/ca.pem"];
    let run = [&["sandbox", "run", "small.json", "--base", &url], &at[..]].concat();
    let output = gateway.cli(&run);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(gateway.counters("demo").await["calls"]["/shop/spu/add"], 1);
    let ctl = [&["sandbox", "ctl", "counters", "--url", &url], &at[..]].concat();
    let output = gateway.cli(&ctl);
    assert!(text(&output).contains("/shop/spu/add"), "{}", text(&output));
    let reader = gateway.key("reader", &[]).key.unwrap();
    let ctl = ["sandbox", "ctl", "reset", "--url", &url, "--key", &reader, "--ca", "certs/ca.pem"];
    let output = gateway.cli(&ctl);
    assert_eq!(output.status.code(), Some(4), "an operator's key: {}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_is_played_again() {
    let gateway = Gateway::start().await;
    write(&gateway.folder(), 5);
    let url = format!("https://localhost:{}", gateway.client.address.port());
    let key = gateway.client.key.clone().unwrap();
    let run = |file: &str| {
        let line = ["sandbox", "run", file, "--base", &url, "--key", &key, "--ca", "certs/ca.pem"];
        gateway.cli(&line)
    };
    assert!(run("small.json").status.success());
    let export = [
        "export",
        "--scenario",
        "path:/shop",
        "--match",
        "spu.title",
        "--echo",
        "data.out_product_id",
    ];
    let exported = || gateway.cli(&export);
    eventually("three recorded calls", || async { text(&exported()).contains("3 step(s)") }).await;
    let file: Value = serde_json::from_slice(&exported().stdout).unwrap();
    let steps = file["steps"].as_array().unwrap();
    assert_eq!(steps[0]["form"]["media"]["file"], "a.png", "{file:#}");
    assert_eq!(steps[1]["body"]["out_product_id"], "${id:TEA}", "{file:#}");
    assert_eq!(steps[1]["body"]["head_img"][0], "${temp_img_url}", "{file:#}");
    assert_eq!(steps[1]["expect"]["data"]["out_product_id"]["$echo"], "body.out_product_id");
    assert_eq!(steps[2]["body"]["product_id"], "${product_id}", "{file:#}");
    assert_eq!(steps[2]["expect"]["spu"]["title"], "明前龙井绿茶", "{file:#}");
    std::fs::write(gateway.folder().join("again.json"), file.to_string()).unwrap();
    let output = run("again.json");
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("3 of 3"), "{}", text(&output));
}

/// The documents' 38 steps with the waits between them, the old generation, and order shipping.
const SHIPPED: &[&str] = &["transaction-component", "transaction-component-old", "order-shipping"];

#[test]
fn what_is_shipped_passes_on_a_sandbox_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let output = cli_in(folder.path(), &[&["sandbox", "run"], SHIPPED].concat());
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn what_is_shipped_passes_directly() {
    let folder = tempfile::tempdir().unwrap();
    let alone = Alone::start(folder.path());
    let at = ["--base", &alone.url, "--ca", "ca.pem", "--control-token", "t1"];
    let app = ["--app-id", "wx0123456789abcdef", "--app-secret", "sandbox-app-secret"];
    let line = [&["sandbox", "run"], SHIPPED, &at[..], &app[..]].concat();
    let output = cli_in(folder.path(), &line);
    assert!(output.status.success(), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shipped_passes_through_a_gateway() {
    let gateway = Gateway::start().await;
    let url = format!("https://localhost:{}", gateway.client.address.port());
    let key = gateway.client.key.clone().unwrap();
    let at = ["--base", &url, "--key", &key, "--ca", "certs/ca.pem"];
    let output = gateway.cli(&[&["sandbox", "run"], SHIPPED, &at[..]].concat());
    assert!(output.status.success(), "{}", text(&output));
}
