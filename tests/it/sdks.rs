//! The SDKs that people really use, unmodified but for the base address.
//!
//! What they do stands in `tests/sdk`. Here it is done against a sandbox that stands alone, and
//! through a gateway, with what `wxgate key create --for` prints pasted into the program.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    support::Gateway,
    tools::{base_url, skip, text, tool},
};

pub(crate) const APP_ID: &str = "wx0123456789abcdef";
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
            let log = fs::read_to_string(self.folder.path().join("log"));
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

/// A script of `tests/sdk` for Python with wechatpy.
pub(crate) fn python(script: &str) -> Option<Command> {
    let python = tool("WXGATE_TEST_PYTHON", "python3", &["-c", "import wechatpy.crypto"])?;
    let mut command = Command::new(python);
    command.arg(script_file(script));
    Some(command)
}

/// A script of `tests/sdk` for Node.js with the packages of `WXGATE_TEST_NODE_MODULES`.
pub(crate) fn node(script: &str) -> Option<Command> {
    let folder = node_modules("co-wechat-api")?;
    let mut command = Command::new(tool("WXGATE_TEST_NODE", "node", &["--version"])?);
    command
        .env("NODE_PATH", folder)
        .env("NODE_NO_WARNINGS", "1") // wechat-crypto is older than Buffer.from
        .arg(script_file(script));
    Some(command)
}

/// The folder with this package in it.
pub(crate) fn node_modules(package: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WXGATE_TEST_NODE_MODULES").map(PathBuf::from);
    let found = folder.filter(|folder| folder.join(package).is_dir());
    if found.is_none() {
        skip(&format!("WXGATE_TEST_NODE_MODULES names no folder with {package} in it"));
    }
    found
}

fn script_file(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk")).join(name)
}

#[test]
fn wechatpy_does_all_it_can_against_the_sandbox() {
    let Some(script) = python("wechatpy_flow.py") else { return };
    Sandbox::start().serve(script);
}

#[test]
fn co_wechat_api_easywechat_and_wechat_crypto_do_all_they_can_against_the_sandbox() {
    let Some(script) = node("node_flow.js") else { return };
    Sandbox::start().serve(script);
}

/// What programs have pasted, in a folder, and the key of the last one.
pub(crate) struct Pasted {
    folder: PathBuf,
    ca: PathBuf,
    operator: String,
    pub(crate) key: String,
}

/// Does what a person does: gets the CA, makes a key for each SDK, and pastes what is printed.
pub(crate) async fn paste(gateway: &Gateway, files: &[&str]) -> Pasted {
    let ca = gateway.client.without_key().get("/-/ca.pem").await;
    let pasted = Pasted {
        folder: gateway.folder().join("pasted"),
        ca: gateway.folder().join("wxgate-ca.pem"),
        operator: gateway.client.key.clone().unwrap(),
        key: String::new(),
    };
    fs::write(&pasted.ca, &ca.body).unwrap();
    fs::create_dir_all(&pasted.folder).unwrap();
    let paste_one = |file: &str| {
        let (word, ending) = file.rsplit_once('.').unwrap();
        let made = gateway.cli_json(&["key", "create", word, "--account", "demo", "--for", word]);
        let mut text = made["setup"]["text"].as_str().unwrap().to_owned();
        if ending == "js" {
            text.push_str("\nmodule.exports = typeof api === 'undefined' ? app : api;\n");
        }
        fs::write(pasted.folder.join(file), text).unwrap();
        made["key"].as_str().unwrap().to_owned()
    };
    let keys: Vec<String> = files.iter().map(|file| paste_one(file)).collect();
    let key = keys.last().unwrap().clone();
    Pasted { key, ..pasted }
}

impl Pasted {
    /// Starts the script where these files and the CA are.
    pub(crate) fn given_to(&self, script: &mut Command) {
        script
            .current_dir(self.folder.parent().unwrap())
            .env("WXGATE_SETUP", &self.folder)
            .env("WXGATE_KEY", &self.operator)
            .env("NODE_EXTRA_CA_CERTS", &self.ca)
            .env_remove("REQUESTS_CA_BUNDLE")
            .env_remove("CURL_CA_BUNDLE");
    }
}

/// A whole program through the gateway, which fetches one token, and one more for each time that
/// the script lets it die: never for a client.
async fn through_a_gateway(mut script: Command, files: &[&str], fetches: u64) {
    let gateway = Gateway::start().await;
    let pasted = paste(&gateway, files).await;
    pasted.given_to(&mut script);
    let control = format!("{}/-/sandbox/demo", base_url(&gateway));
    finish(script.args([&base_url(&gateway), APP_ID, &pasted.key, &control]));
    let counters = gateway.counters("demo").await;
    assert_eq!(counters["token_fetches"], fetches, "by the gateway, for all");
    assert_eq!(counters["forced"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpy_works_through_a_gateway_with_its_address_and_a_key() {
    let Some(script) = python("wechatpy_flow.py") else { return };
    through_a_gateway(script, &["wechatpy.py"], 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_of_node_js_work_through_a_gateway_with_its_address_and_a_key() {
    let Some(script) = node("node_flow.js") else { return };
    let files = ["wechat-api.js", "node-easywechat.js", "co-wechat-api.js"];
    through_a_gateway(script, &files, 4).await;
}
