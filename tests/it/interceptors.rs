//! Tools between a program and the platform: one rule sends the program to the gateway.
//!
//! The program is one for the platform, with its address, and knows of no gateway. The rules are
//! those that `wxgate key create --for` prints.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use tokio::sync::oneshot;

use crate::{
    sdks::{APP_ID, node_modules},
    support::{Gateway, eventually},
    tools::{text, tool},
};

/// wechatpy as it is, and a stable token by hand.
const PROGRAM: &str = r#"
import sys, requests
from wechatpy import WeChatClient
app_id, secret = sys.argv[1:3]
client = WeChatClient(app_id, secret, timeout=10)
assert client.access_token.startswith("wxgt_"), client.access_token
assert client.misc.get_wechat_ips()
form = {"grant_type": "client_credential", "appid": app_id, "secret": secret}
answer = requests.post("https://api.weixin.qq.com/cgi-bin/stable_token", json=form, timeout=10)
assert answer.json()["access_token"].startswith("wxgt_"), answer.text
print("done")
"#;

/// A tool with all processes that it starts; they end together.
struct Tool(Child);

impl Tool {
    fn start(command: &mut Command) -> Self {
        Self(command.process_group(0).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// The program, sent through the tool by the usual variable, trusting the tool's CA.
fn run_program(python: &Path, secret: &str, tool_url: &str, tool_ca: &Path) {
    let output = Command::new(python)
        .args(["-c", PROGRAM, APP_ID, secret])
        .env("HTTPS_PROXY", tool_url)
        .env("https_proxy", tool_url)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("REQUESTS_CA_BUNDLE", tool_ca)
        .env_remove("CURL_CA_BUNDLE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

/// Where mitmproxy says that it listens. Its output is read on, or it would end at its next word.
async fn address_of(said: ChildStdout) -> String {
    let (told, address) = oneshot::channel();
    std::thread::spawn(move || {
        let mut told = Some(told);
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once("proxy listening at ")
                && let Some(told) = told.take()
            {
                let _ = told.send(address.trim_end_matches('.').to_owned());
            }
        }
    });
    address.await.unwrap()
}

/// The snippet for a tool, the key that it was made with, and the CA in its place.
async fn setup_of(gateway: &Gateway, word: &str) -> (String, String) {
    let ca = gateway.client.without_key().get("/-/ca.pem").await;
    fs::write(gateway.folder().join("wxgate-ca.pem"), &ca.body).unwrap();
    let made = gateway.cli_json(&["key", "create", word, "--account", "demo", "--for", word]);
    let string = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (string(&made["setup"]["text"]), string(&made["key"]))
}

async fn served_all(gateway: &Gateway) {
    let counters = gateway.counters("demo").await;
    assert_eq!(counters["token_fetches"], 1);
    assert_eq!(counters["calls"]["/cgi-bin/getcallbackip"], 1);
}

fn program_tools() -> Option<PathBuf> {
    tool("WXGATE_TEST_PYTHON", "python3", &["-c", "import wechatpy.crypto"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_its_real_secret_is_sent_here_by_rules_of_whistle() {
    let Some(python) = program_tools() else { return };
    let Some(modules) = node_modules("whistle") else { return };
    let Some(node) = tool("WXGATE_TEST_NODE", "node", &["--version"]) else { return };
    let gateway = Gateway::start().await;
    let (rules, _) = setup_of(&gateway, "whistle").await;
    let home = gateway.folder().join("whistle");
    fs::create_dir_all(&home).unwrap();
    // It takes no port 0.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _whistle = Tool::start(
        Command::new(node)
            .arg(modules.join("whistle/bin/whistle.js"))
            .args(["run", "-M", "safe", "-H", "127.0.0.1", "-p", &port.to_string()])
            .args(["-r", &rules])
            .arg("-D")
            .arg(&home)
            .env("WHISTLE_PATH", &home)
            .env("NODE_EXTRA_CA_CERTS", gateway.folder().join("wxgate-ca.pem"))
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let ca = home.join(".whistle/certs/root.crt");
    eventually("whistle to listen", || async {
        ca.exists() && TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    let secret = "0123456789abcdef0123456789abcdef";
    run_program(&python, secret, &format!("http://127.0.0.1:{port}"), &ca);
    served_all(&gateway).await;
    let everything = gateway.everything_written();
    let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(!everything.iter().any(|(_, bytes)| is_in(bytes)), "the secret never came here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_a_key_for_its_secret_is_sent_here_by_mitmproxy() {
    let Some(python) = program_tools() else { return };
    let Some(mitmdump) = tool("WXGATE_TEST_MITMDUMP", "mitmdump", &["--version"]) else { return };
    let gateway = Gateway::start().await;
    let (snippet, key) = setup_of(&gateway, "mitmproxy").await;
    // Its sister without a screen has the same options.
    let more = "--listen-host 127.0.0.1 --listen-port 0 --set confdir=mitmproxy";
    let line = snippet.replacen("mitmproxy ", &format!("exec {} {more} ", mitmdump.display()), 1);
    let mut mitmproxy = Tool::start(
        Command::new("sh")
            .args(["-c", &line])
            .env("PYTHONUNBUFFERED", "1")
            .current_dir(gateway.folder())
            .stdout(Stdio::piped()),
    );
    let address = address_of(mitmproxy.0.stdout.take().unwrap()).await;
    let ca = gateway.folder().join("mitmproxy/mitmproxy-ca-cert.pem");
    run_program(&python, &key, &format!("http://{address}"), &ca);
    served_all(&gateway).await;
}
