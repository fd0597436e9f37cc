//! A third-party platform as its SDK sees it, and a sandbox that plays the real one.

use std::{
    io::Write as _,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    Gateway,
    client::{Client, Reply},
    gateway::{Builder, address_of},
};

pub(crate) const PLATFORM: &str = "wxopen000000000001";
pub(crate) const SHOP: &str = "wx0000000000000001";
pub(crate) const BLOG: &str = "wx0000000000000002";
pub(crate) const IPS: &str = "/cgi-bin/getcallbackip";
/// A call whose page names no platforms: a component token is not enough.
pub(crate) const STAFF: &str = "/cgi-bin/customservice/getkflist";

/// What an SDK of a third-party platform does: a key in place of the secret, no header of ours.
pub(crate) struct Sdk {
    pub(crate) client: Client,
    pub(crate) key: String,
}

impl Sdk {
    pub(crate) fn new(client: &Client) -> Self {
        Self { key: client.key.clone().unwrap(), client: client.without_key() }
    }

    pub(crate) async fn fetch_component(&self, body: Value) -> Reply {
        self.client.post("/cgi-bin/component/api_component_token", body.to_string()).await
    }

    pub(crate) async fn component_token(&self) -> String {
        let body = json!({
            "component_appid": PLATFORM, "component_appsecret": self.key,
            "component_verify_ticket": "whatever the SDK was pushed",
        });
        let reply = self.fetch_component(body).await;
        let token = reply.json()["component_access_token"].as_str().unwrap_or_default().to_owned();
        assert!(token.starts_with("wxgt_"), "{}", reply.text());
        token
    }

    pub(crate) async fn component(&self, call: &str, mut body: Value) -> Reply {
        let token = self.component_token().await;
        body["component_appid"] = PLATFORM.into();
        let path = format!("/cgi-bin/component/{call}?component_access_token={token}");
        self.client.post(&path, body.to_string()).await
    }

    pub(crate) async fn refresh(&self, app_id: &str, handle: &str) -> Reply {
        let body = json!({ "authorizer_appid": app_id, "authorizer_refresh_token": handle });
        self.component("api_authorizer_token", body).await
    }

    pub(crate) async fn call(&self, path: &str, token: &str) -> Reply {
        self.client.get(&format!("{path}?access_token={token}")).await
    }
}

/// The merchant's administrator authorizes in the sandbox; what `api_query_auth` then answers.
pub(crate) async fn authorized(gateway: &Gateway, sdk: &Sdk, app_id: &str) -> Value {
    let given = gateway.sandbox("open", "authorize", json!({ "appid": app_id })).await.json();
    let body = json!({ "authorization_code": given["authorization_code"] });
    let reply = sdk.component("api_query_auth", body).await;
    let info = reply.json()["authorization_info"].clone();
    assert!(text(&info, "authorizer_access_token").starts_with("wxgt_"), "{}", reply.text());
    assert!(text(&info, "authorizer_refresh_token").starts_with("wxgr_"), "{}", reply.text());
    info
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// A sandbox of its own, as the platform that a gateway calls over the network.
pub(crate) struct Simulator {
    child: Child,
    pub(crate) control: Client,
    url: String,
    ca_pem: String,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wxgate"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--json"])
            .args(["--account", &format!("open=open-platform:{PLATFORM}:{SECRET}")])
            .args(["--account", &format!("blog={BLOG}:another-secret")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
            line
        });
        let ready: Value = serde_json::from_str(&line.await.unwrap()).unwrap();
        let (url, ca_pem) = (text(&ready, "url").to_owned(), text(&ready, "ca_pem").to_owned());
        let control = Client::new(address_of(&url), ca_pem.as_bytes(), None);
        Self { child, control, url, ca_pem }
    }

    pub(crate) async fn ticket(&self) -> String {
        let shown = self.control.get("/-/sandbox/open/component").await.json();
        text(&shown, "component_verify_ticket").to_owned()
    }

    pub(crate) async fn post(&self, rest: &str, body: Value) -> Value {
        let path = format!("/-/sandbox/open/{rest}");
        let reply = self.control.post(&path, body.to_string()).await;
        assert!(reply.status.is_success(), "{}", reply.text());
        reply.json()
    }

    pub(crate) fn gateway(&self) -> Builder {
        platform_at(&self.url, &self.ca_pem)
    }
}

/// A gateway whose account `open` is a platform at this URL.
pub(crate) fn platform_at(url: &str, ca_pem: &str) -> Builder {
    let account = format!(
        "[[account]]\nname = \"open\"\nkind = \"open-platform\"\napp_id = \"{PLATFORM}\"\n\
         app_secret = \"file:secrets/open\"\nupstream = [\"{url}\"]\nca = \"platform.pem\"\n"
    );
    Builder::new(&account).secret_file("secrets/open", SECRET).secret_file("platform.pem", ca_pem)
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// `wxgate token ticket open` with `input` on standard input: exit code, and what it said.
pub(crate) fn enter_ticket(folder: &std::path::Path, input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wxgate"))
        .args(["token", "ticket", "open"])
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}
