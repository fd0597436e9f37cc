//! The real program in a folder of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::client::{Client, Reply};

/// A running gateway. Dropped, it is told to end, and must do so with exit code 0.
pub(crate) struct Gateway {
    child: Option<Child>,
    folder: Arc<tempfile::TempDir>,
    log: Arc<Mutex<String>>,
    pub(crate) ready: Value,
    pub(crate) client: Client,
}

/// How it is started.
pub(crate) struct Builder {
    folder: Arc<tempfile::TempDir>,
    config: String,
    environment: Vec<(String, String)>,
}

/// The usual: one sandbox account called `demo`.
pub(crate) const DEMO: &str = r#"
[[account]]
name = "demo"
kind = "mini-program"
app_id = "wx0123456789abcdef"
upstream = "sandbox"
"#;

/// Two sandbox accounts, a mini program and an official account.
pub(crate) const TWO: &str = r#"
[[account]]
name = "shop"
app_id = "wx0000000000000001"
upstream = "sandbox"

[[account]]
name = "blog"
kind = "official-account"
app_id = "wx0000000000000002"
upstream = "sandbox"
"#;

impl Gateway {
    /// A gateway with the account `demo`.
    pub(crate) async fn start() -> Self {
        Self::with(DEMO).await
    }

    /// A gateway with these tables behind `[server]`.
    pub(crate) async fn with(tables: &str) -> Self {
        Builder::new(tables).start().await
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Everything that it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Runs `wxgate` in the gateway's folder.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Output {
        cli_in(self.folder.path(), arguments)
    }

    /// [`Gateway::cli`] with `--json`, parsed; must succeed.
    pub(crate) fn cli_json(&self, arguments: &[&str]) -> Value {
        let output = self.cli(&[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{error}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// A new key, and a client that carries it.
    pub(crate) fn key(&self, name: &str, arguments: &[&str]) -> Client {
        let made = self.cli_json(&[&["key", "create", name], arguments].concat());
        self.client.with_key(made["key"].as_str().unwrap())
    }

    /// A control call of the account's sandbox.
    pub(crate) async fn sandbox(&self, account: &str, call: &str, body: Value) -> Reply {
        let reply =
            self.client.post(&format!("/-/sandbox/{account}/{call}"), body.to_string()).await;
        assert!(reply.status.is_success(), "{call}: {}", reply.text());
        reply
    }

    pub(crate) async fn fault(&self, account: &str, fault: Value) {
        self.sandbox(account, "faults", fault).await;
    }

    pub(crate) async fn counters(&self, account: &str) -> Value {
        self.client.get(&format!("/-/sandbox/{account}/counters")).await.json()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    /// The same folder again, after [`Gateway::wait`] or a kill.
    pub(crate) async fn restart(mut self) -> Self {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            assert!(child.wait().unwrap().success());
        }
        let mut again =
            Builder { folder: self.folder.clone(), config: String::new(), environment: Vec::new() }
                .start()
                .await;
        if again.client.key.is_none() {
            again.client.key.clone_from(&self.client.key);
        }
        again
    }

    /// Kills without warning; the folder stays.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Every byte of every file below the data folder, and the log.
    pub(crate) fn everything_written(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = vec![("log".to_owned(), self.log().into_bytes())];
        for entry in fs::read_dir(self.folder.path().join("data")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                all.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
        all
    }
}

impl Builder {
    pub(crate) fn new(tables: &str) -> Self {
        let config = format!(
            "[server]\nlisten = [\"https://127.0.0.1:0\"]\nhosts = [\"localhost\", \"127.0.0.1\"]\nshutdown_grace = \"10s\"\n{tables}"
        );
        Self { folder: Arc::new(tempfile::tempdir().unwrap()), config, environment: Vec::new() }
    }

    /// A whole file instead of the usual beginning.
    pub(crate) fn from_file(config: &str) -> Self {
        Self {
            folder: Arc::new(tempfile::tempdir().unwrap()),
            config: config.to_owned(),
            environment: Vec::new(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Writes a file that only the owner can read, before the start.
    pub(crate) fn secret_file(self, name: &str, text: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn start(self) -> Gateway {
        if !self.config.is_empty() {
            fs::write(self.folder.path().join("proxy.toml"), &self.config).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_wxgate"))
            .args(["serve", "--json"])
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        collect(child.stderr.take().unwrap(), log.clone());
        let stdout = child.stdout.take().unwrap();
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).unwrap();
            line
        })
        .await
        .unwrap();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("no ready line: {line} {}", log.lock().unwrap()));
        let address = address_of(ready["public"][0].as_str().unwrap());
        let ca = match ready["ca"].as_str() {
            Some(path) => fs::read(self.folder.path().join(path)).unwrap(),
            None => fs::read(self.folder.path().join("certs/ca.pem")).unwrap_or_default(),
        };
        let key = ready["first_key"].as_str().map(ToOwned::to_owned);
        let client = Client::new(address, &ca, key);
        Gateway { child: Some(child), folder: self.folder, log, ready, client }
    }

    /// Starts and expects that it refuses to run; the exit code and what it said.
    pub(crate) fn fail(self) -> (i32, String) {
        fs::write(self.folder.path().join("proxy.toml"), &self.config).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_wxgate"))
            .args(["serve", "--json"])
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.code().unwrap(), said)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let status = child.wait().unwrap();
        if !std::thread::panicking() {
            assert!(status.success(), "the gateway ended with {status}: {}", self.log());
        } else {
            eprintln!("--- log of the gateway\n{}", self.log());
        }
    }
}

/// Runs `wxgate` in a folder.
pub(crate) fn cli_in(folder: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wxgate"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// `https://127.0.0.1:34567` -> the address.
pub(crate) fn address_of(url: &str) -> SocketAddr {
    url.split_once("://").unwrap().1.parse().unwrap()
}

/// A request body that the sandbox accepts for `/cgi-bin/message/custom/send`.
pub(crate) fn message() -> String {
    json!({"touser": "oTest0000000000000000000001", "msgtype": "text", "text": {"content": "你好"}})
        .to_string()
}

fn collect(mut from: impl std::io::Read + Send + 'static, into: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
}
