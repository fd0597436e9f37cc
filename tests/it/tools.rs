//! The clients that people really have: curl, Postman's newman, Python's requests.
//!
//! Each test says so and skips when its tool is missing; `.ci/run` installs them and sets
//! `WXGATE_TEST_TOOLS=required`, which makes a skip a failure.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::json;

use crate::support::{Gateway, gateway::Builder};

/// The tool, or none after having said so.
pub(crate) fn tool(variable: &str, usual: &str, try_it: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
    let works =
        Command::new(&path).args(try_it).output().is_ok_and(|output| output.status.success());
    if works {
        return Some(path);
    }
    skip(&format!("{usual} {try_it:?} does not work ({variable} may name another)"));
    None
}

/// Says why a test is skipped.
pub(crate) fn skip(message: &str) {
    assert!(
        std::env::var_os("WXGATE_TEST_TOOLS").is_none_or(|value| value != "required"),
        "{message}"
    );
    eprintln!("skipped: {message}");
}

pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn base_url(gateway: &Gateway) -> String {
    format!("https://localhost:{}", gateway.client.address.port())
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_speaks_both_protocols_and_gets_bytes_back_as_they_were() {
    let Some(curl) = tool("WXGATE_TEST_CURL", "curl", &["--version"]) else { return };
    let gateway = Gateway::start().await;
    gateway.sandbox("demo", "state", json!({"media_limit_bytes": 32 << 20})).await;
    let key = gateway.client.key.clone().unwrap();
    let media: Vec<u8> =
        (0..2_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(gateway.folder().join("photo.jpg"), &media).unwrap();
    for version in ["--http1.1", "--http2"] {
        let run = |arguments: &[&str]| {
            let output = Command::new(&curl)
                .args([
                    "-sS",
                    "--fail-with-body",
                    "--cacert",
                    "certs/ca.pem",
                    version,
                    "-H",
                    &format!("Authorization: Bearer {key}"),
                ])
                .args(arguments)
                .current_dir(gateway.folder())
                .output()
                .unwrap();
            assert!(output.status.success(), "{version} {arguments:?}: {}", text(&output));
            output.stdout
        };
        let url = base_url(&gateway);
        let answer = run(&[&format!("{url}/cgi-bin/getcallbackip")]);
        assert!(String::from_utf8_lossy(&answer).contains("ip_list"));
        let answer = run(&[
            "-F",
            "media=@photo.jpg;type=image/jpeg",
            &format!("{url}/cgi-bin/media/upload?type=image"),
        ]);
        let id = serde_json::from_slice::<serde_json::Value>(&answer).unwrap()["media_id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(run(&[&format!("{url}/cgi-bin/media/get?media_id={id}")]) == media, "{version}");
        let first = run(&[
            "-d",
            r#"{"scene":"a=1","check_path":false}"#,
            &format!("{url}/wxa/getwxacodeunlimit"),
        ]);
        let second = run(&[
            "-d",
            r#"{"scene":"a=1","check_path":false}"#,
            &format!("{url}/wxa/getwxacodeunlimit"),
        ]);
        assert!(first.starts_with(b"\x89PNG") && first == second);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_a_collection_that_only_knows_access_token() {
    let Some(newman) = tool("WXGATE_TEST_NEWMAN", "newman", &["--version"]) else { return };
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let output = Command::new(newman)
        .args([
            "run",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/collection.json"),
            "--color",
            "off",
        ])
        .args(["--ssl-extra-ca-certs", "certs/ca.pem"])
        .args([
            "--env-var",
            &format!("base_url={}", base_url(&gateway)),
            "--env-var",
            &format!("access_token={key}"),
        ])
        .current_dir(gateway.folder())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let counters = gateway.counters("demo").await;
    assert_eq!(counters["token_fetches"], 1);
    assert_eq!(counters["calls"]["/cgi-bin/message/custom/send"], 1);
}

const SCRIPT: &str = r#"
import sys, requests
base, key, ca = sys.argv[1:4]
session = requests.Session()
if ca:
    session.verify = ca
if key:
    session.headers["Authorization"] = "Bearer " + key
answer = session.get(base + "/cgi-bin/getcallbackip", timeout=10)
assert answer.status_code == 200 and answer.json()["ip_list"], answer.text
answer = session.post(base + "/cgi-bin/message/custom/send", timeout=10,
    json={"touser": "oTest0000000000000000000001", "msgtype": "text", "text": {"content": "hello"}})
assert answer.json()["errcode"] == 0, answer.text
answer = session.post(base + "/wxa/getwxacodeunlimit", json={"scene": "a=1", "check_path": False}, timeout=10)
assert answer.content.startswith(b"\x89PNG"), answer.content[:200]
print("fine")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python_requests_works_with_the_ca() {
    let Some(python) = tool("WXGATE_TEST_PYTHON", "python3", &["-c", "import requests"]) else {
        return;
    };
    let gateway = Gateway::start().await;
    let key = gateway.client.key.clone().unwrap();
    let output = Command::new(python)
        .args(["-c", SCRIPT, &base_url(&gateway), &key, "certs/ca.pem"])
        .env_remove("REQUESTS_CA_BUNDLE") // it would win over what the script says
        .env_remove("CURL_CA_BUNDLE")
        .current_dir(gateway.folder())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

/// What a program looks like that was written for the platform and never heard of a gateway.
const UNMODIFIED: &str = r#"
import requests
answer = requests.get("https://api.weixin.qq.com/cgi-bin/getcallbackip",
    params={"access_token": "ACCESS_TOKEN_OF_THE_CONFIGURATION"}, timeout=10)
assert answer.status_code == 200 and answer.json()["ip_list"], answer.text
print("fine")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_unmodified_program_works_with_a_hosts_entry_and_the_ca() {
    let Some(python) = tool("WXGATE_TEST_PYTHON", "python3", &["-c", "import requests"]) else {
        return;
    };
    if tool("WXGATE_TEST_UNSHARE", "unshare", &["-m", "true"]).is_none() {
        return; // a hosts file of one's own needs a mount namespace, and that needs root
    }
    let config = "[server]\nlisten = [\"https://127.0.0.77:443\"]\nhosts = [\"localhost\", \"api.weixin.qq.com\"]\n[[account]]\nname = \"demo\"\napp_id = \"wx0123456789abcdef\"\nupstream = \"sandbox\"\n";
    let gateway = Builder::from_file(config).start().await;
    let key = gateway.client.key.clone().unwrap();
    let folder = gateway.folder();
    std::fs::write(folder.join("hosts"), "127.0.0.1 localhost\n127.0.0.77 api.weixin.qq.com\n")
        .unwrap();
    // The one thing that a person enters: the key where the configuration had a token.
    let script = UNMODIFIED.replace("ACCESS_TOKEN_OF_THE_CONFIGURATION", &key);
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount --bind \"$1\" /etc/hosts && exec \"$2\" -c \"$3\"", "sh"])
        .args([folder.join("hosts").as_os_str(), python.as_os_str(), script.as_ref()])
        .env("REQUESTS_CA_BUNDLE", folder.join("certs/ca.pem"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(gateway.counters("demo").await["calls"]["/cgi-bin/getcallbackip"], 1);
}
