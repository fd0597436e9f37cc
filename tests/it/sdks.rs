//! The SDKs that people really use, unmodified but for the base address.
//!
//! What they do stands in `tests/sdk`. Here it is done against a sandbox that stands alone, and
//! through a gateway with a key in place of the access token: it refuses to hand out tokens.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    support::Gateway,
    tools::{base_url, skip, text, tool},
};

const APP_ID: &str = "wx0123456789abcdef";
/// The simulated AppSecret that `wxgate sandbox` has unless told otherwise.
const APP_SECRET: &str = "sandbox-app-secret";

/// `wxgate sandbox`, plain HTTP, with its one usual account.
struct Sandbox {
    child: Child,
    folder: tempfile::TempDir,
    url: String,
}

impl Sandbox {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wxgate"))
            .args(["sandbox", "--http", "--listen", "127.0.0.1:0", "--json"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["url"].as_str().unwrap().to_owned();
        Self { child, folder, url }
    }

    /// Lets `script` run from its first step to its last.
    fn serve(&self, mut script: Command) {
        let control = format!("{}/-/sandbox/demo", self.url);
        finish(script.args([&self.url, APP_ID, APP_SECRET, &control]));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let status = self.child.wait().unwrap();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            eprintln!("--- log of the sandbox, which ended with {status}\n{log:?}");
        } else {
            assert!(status.success(), "the sandbox ended with {status}");
        }
    }
}

/// Proxies of the surroundings would stand between a script and loopback.
fn finish(script: &mut Command) {
    let output = script.env("NO_PROXY", "*").env("no_proxy", "*").output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.lines().any(|line| line.ends_with("done")), "{said}");
}

fn python_flow() -> Option<Command> {
    let python = tool("WXGATE_TEST_PYTHON", "python3", &["-c", "import wechatpy.crypto"])?;
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/wechatpy_flow.py"));
    Some(command)
}

/// Node.js with the packages of `WXGATE_TEST_NODE_MODULES`.
fn node_flow() -> Option<Command> {
    let folder = std::env::var_os("WXGATE_TEST_NODE_MODULES").map(PathBuf::from);
    let Some(folder) = folder.filter(|folder| folder.join("co-wechat-api").is_dir()) else {
        skip("WXGATE_TEST_NODE_MODULES names no folder with co-wechat-api in it");
        return None;
    };
    let mut command = Command::new(tool("WXGATE_TEST_NODE", "node", &["--version"])?);
    command
        .env("NODE_PATH", folder)
        .env("NODE_NO_WARNINGS", "1") // wechat-crypto is older than Buffer.from
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/node_flow.js"));
    Some(command)
}

#[test]
fn wechatpy_does_all_it_can_against_the_sandbox() {
    let Some(script) = python_flow() else { return };
    Sandbox::start().serve(script);
}

#[test]
fn co_wechat_api_easywechat_and_wechat_crypto_do_all_they_can_against_the_sandbox() {
    let Some(script) = node_flow() else { return };
    Sandbox::start().serve(script);
}

/// What users do who have a gateway: its address, and a key where a token was.
async fn through_a_gateway(mut script: Command, ca_variable: &str) {
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    script
        .args([&base_url(&gateway), APP_ID, &key])
        .env_remove("REQUESTS_CA_BUNDLE")
        .env_remove("CURL_CA_BUNDLE")
        .env(ca_variable, gateway.folder().join("certs/ca.pem"));
    finish(&mut script);
    let counters = gateway.counters("demo").await;
    assert_eq!(counters["token_fetches"], 1, "by the gateway, for all");
    assert_eq!(counters["calls"]["/cgi-bin/menu/create"], 1);
    assert_eq!(counters["calls"]["/cgi-bin/message/template/send"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpy_works_through_a_gateway_with_a_key_for_its_token() {
    let Some(script) = python_flow() else { return };
    through_a_gateway(script, "REQUESTS_CA_BUNDLE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn co_wechat_api_works_through_a_gateway_with_a_key_for_its_token() {
    let Some(script) = node_flow() else { return };
    through_a_gateway(script, "NODE_EXTRA_CA_CERTS").await;
}
