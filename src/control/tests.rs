//! Both ends of the socket, with real rooms behind it and a scripted issuer of tokens.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::*;
use crate::{
    access::{AccessMetrics, KeyRing, QuotaGate},
    base::{
        clock::{Clock as _, SharedClock, SystemClock},
        id::RequestId,
        name::Name,
        outcome::Outcome,
        redact::Redactor,
        secret::Secret,
        tasks::Tasks,
    },
    capture::{CaptureMetrics, CaptureSettings, Exchange, Recorder},
    config::{Config, model::ForceRefresh},
    store::{Database, Durability, GATEWAY_SCHEMA, InstallationKey},
    token::{
        Broker, BrokerParts, Credential, FetchedBy, Renewal, SlotId, SlotPolicy, TokenError,
        TokenGrant, TokenProvider, boot_clock,
    },
};

/// Gives a token, or says what the platform says to an address that is not on its list.
struct Issuer {
    credential: Credential,
    refuses: bool,
}

impl TokenProvider for Issuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let answer = if self.refuses {
            Err(TokenError::Refused {
                account: SlotId::real(name("shop")),
                errcode: 40_164,
                errmsg: "invalid ip 203.0.113.9, not in whitelist".into(),
                refused_ip: "203.0.113.9".parse().ok(),
            })
        } else {
            let token = Secret::new("81_a-real-token-that-nobody-may-see".into());
            Ok(TokenGrant { token, valid_for: Duration::from_secs(7200) })
        };
        Box::pin(async { answer })
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Stable
    }
}

/// A gateway without a request path.
struct Gateway {
    dir: TempDir,
    api: Api,
    tasks: Tasks,
    reloads: Arc<Mutex<Vec<Result<Value, String>>>>,
}

impl Gateway {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tasks = Tasks::default();
        let reloads = Arc::new(Mutex::new(Vec::new()));
        let api = api(dir.path(), &tasks, reloads.clone()).await;
        serve(&dir.path().join(SOCKET), api.clone(), &tasks).unwrap();
        Self { dir, api, tasks, reloads }
    }

    async fn client(&self) -> Client {
        Client::connect(self.dir.path()).await.unwrap()
    }

    fn audit(&self) -> Vec<String> {
        let rows = |c: &rusqlite::Connection| {
            let mut statement =
                c.prepare("SELECT who || ' ' || what || ' ' || subject FROM audit ORDER BY id")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        self.api.db.read_blocking(rows).unwrap()
    }
}

async fn api(dir: &Path, tasks: &Tasks, reloads: Arc<Mutex<Vec<Result<Value, String>>>>) -> Api {
    let clock: SharedClock = Arc::new(SystemClock);
    let redactor = Arc::new(Redactor::new());
    let db = Database::open(&dir.join("wxgate.db"), GATEWAY_SCHEMA, Durability::Full).unwrap();
    let db = Arc::new(db);
    let key = InstallationKey::load_or_create(&dir.join("installation.key")).unwrap();
    let parts = BrokerParts {
        store: db.clone(),
        key: Arc::new(key),
        clock: clock.clone(),
        redactor: redactor.clone(),
        tasks: tasks.clone(),
        runtime: Handle::current(),
        boot_clock,
    };
    let broker = Broker::start(parts).await.unwrap();
    for (account, refuses) in [("shop", false), ("closed", true)] {
        let credential = Credential {
            app_id: "wx1".into(),
            app_secret: Secret::new(format!("secret-of-{account}")),
        };
        let issuer = Arc::new(Issuer { credential, refuses });
        broker.register(SlotId::real(name(account)), issuer, policy());
    }
    let capture = Config::builtin(dir).capture;
    let (recorder, _) = Recorder::start(
        &dir.join("capture.db"),
        CaptureSettings::from(&capture),
        redactor,
        clock.clone(),
        CaptureMetrics::default(),
    )
    .unwrap();
    let metrics = AccessMetrics::default();
    Api {
        keys: KeyRing::load(db.clone(), &[], clock.clone(), metrics.clone()).unwrap(),
        broker,
        quota: QuotaGate::load(db.clone(), clock.now(), metrics).unwrap(),
        recorder,
        db,
        accounts: Arc::new(|| vec![name("shop"), name("closed")]),
        mask: Arc::new(Mask::default),
        reload: Arc::new(move || reloads.lock().unwrap().pop().unwrap()),
        rotate: Arc::new(|| Ok(2)),
        ready: json!({ "event": "ready" }),
        clock,
        tasks: tasks.clone(),
    }
}

fn policy() -> SlotPolicy {
    SlotPolicy { force_refresh: ForceRefresh::Never, forced_per_day: 10 }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn exchange(path: &str) -> Exchange {
    let client = "203.0.113.9".parse().unwrap();
    let query = "openid=oABC".to_owned();
    let mut exchange =
        Exchange::new(RequestId::new(), SystemClock.now(), client, Method::GET, path.into(), query);
    exchange.outcome = Outcome::Ok;
    exchange
}

fn refused(error: &ClientError) -> (u16, String) {
    match error {
        ClientError::Refused { status, .. } => (status.as_u16(), error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_in_force_when_its_answer_is_there_and_shown_once() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let form = json!({"name": "alice", "role": "developer", "lane": "live", "errors": "http", "accounts": ["shop"]});
    let made = client.post("/v1/keys", &form).await.unwrap();
    let text = made["key"].as_str().unwrap();
    let opens = |text: &str| gateway.api.keys.check(text, SystemClock.now());
    assert_eq!(opens(text).unwrap().name.as_str(), "alice");
    let list = client.get("/v1/keys").await.unwrap().to_string();
    assert!(list.contains("alice") && !list.contains("wxgk_"), "{list}");
    let rotated = client.post("/v1/keys/alice/rotate", &RotateForm::default()).await.unwrap();
    assert!(opens(text).is_err() && opens(rotated["key"].as_str().unwrap()).is_ok());
    client.delete("/v1/keys/alice").await.unwrap();
    let (status, error) = refused(&client.delete("/v1/keys/alice").await.unwrap_err());
    assert!(status == 409 && error.contains("revoked already"), "{status} {error}");
    let (status, _) = refused(&client.delete("/v1/keys/nobody").await.unwrap_err());
    assert_eq!(status, 404);
    assert_eq!(gateway.audit().len(), 3);
}

#[tokio::test]
async fn a_form_that_makes_no_key_is_refused_with_the_reason() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let base = json!({"name": "a", "role": "developer", "lane": "live", "errors": "http"});
    for (field, value, wanted) in [
        ("accounts", json!(["nobody"]), "no account `nobody`"),
        ("rate", json!("50"), "`50` is not a rate"),
        ("expires_s", json!(0), "expires at once"),
        ("name", json!("A B"), "is not a name"),
        ("paths", json!(["shop"]), "is not a path prefix"),
        ("extra", json!(1), "unknown field"),
    ] {
        let mut form = base.clone();
        form[field] = value;
        let (status, error) = refused(&client.post("/v1/keys", &form).await.unwrap_err());
        assert!(status == 400 && error.contains(wanted), "{status} {error}");
    }
    assert!(gateway.api.keys.is_empty());
}

#[tokio::test]
async fn a_refresh_shows_how_the_account_stands_and_never_the_token() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let status =
        client.post("/v1/tokens/shop/refresh", &RefreshForm { force: false }).await.unwrap();
    assert_eq!((&status["state"], &status["slot"]), (&json!("valid"), &json!("shop/token")));
    let all = client.get("/v1/tokens").await.unwrap().to_string();
    assert!(!all.contains("a-real-token") && !all.contains("secret-of"), "{all}");
    let history = client.get("/v1/tokens/shop/history?limit=5").await.unwrap();
    assert_eq!(history["generations"].as_array().unwrap().len(), 1);
    let error = client.post("/v1/tokens/closed/refresh", &json!({})).await.unwrap_err();
    assert_eq!(error.errcode(), Some(40_164));
    assert!(error.to_string().contains("203.0.113.9"), "{error}");
    let error = client.post("/v1/tokens/nobody/refresh", &json!({})).await.unwrap_err();
    assert!(error.hint().unwrap().contains("closed, shop"), "{error:?}");
    assert_eq!(error.errcode(), None);
}

#[tokio::test]
async fn a_forced_refresh_and_an_unmasking_are_on_record() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    client.post("/v1/tokens/shop/refresh", &RefreshForm { force: true }).await.unwrap();
    let form = AuditForm { what: "unmask".into(), subject: "exchange 01".into() };
    client.post("/v1/audit", &form).await.unwrap();
    assert_eq!(gateway.audit(), ["cli force refresh shop/token", "cli unmask exchange 01"]);
}

#[tokio::test]
async fn a_reset_frees_the_paths_of_one_account_or_of_all() {
    let gateway = Gateway::start().await;
    let (client, now) = (gateway.client().await, SystemClock.now());
    let quota = &gateway.api.quota;
    for account in ["shop", "closed"] {
        quota.note(&name(account), "/a", 45_009, now);
    }
    let reset = |account: Option<&str>| ResetForm { account: account.map(name) };
    let done = client.post("/v1/limits/reset", &reset(Some("shop"))).await.unwrap();
    assert_eq!(done["freed"], 1);
    assert!(quota.check(&name("shop"), "/a", now).is_ok());
    assert!(quota.check(&name("closed"), "/a", now).is_err());
    assert_eq!(client.post("/v1/limits/reset", &reset(None)).await.unwrap()["freed"], 1);
    let error = client.post("/v1/limits/reset", &reset(Some("x"))).await.unwrap_err();
    assert_eq!(refused(&error).0, 404);
}

#[tokio::test]
async fn a_reload_says_what_it_did_or_what_is_wrong() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let report = json!({"needs_restart": ["server.listen"]});
    gateway
        .reloads
        .lock()
        .unwrap()
        .extend([Err("proxy.toml:3: bad".to_owned()), Ok(report.clone())]);
    assert_eq!(client.post("/v1/reload", &json!({})).await.unwrap(), report);
    let error = client.post("/v1/reload", &json!({})).await.unwrap_err();
    assert_eq!(refused(&error), (422, "proxy.toml:3: bad".to_owned()));
    assert!(error.hint().unwrap().contains("old configuration stays"));
}

#[tokio::test]
async fn a_tail_has_what_its_filter_lets_through_masked_and_ends_with_the_gateway() {
    let gateway = Gateway::start().await;
    let mut lines = gateway.client().await.lines("/v1/tail?filter=path%3A%2Fshop").await.unwrap();
    assert!(lines.next().await.unwrap().unwrap().starts_with("{\"heartbeat\""));
    gateway.api.recorder.record(&exchange("/cgi-bin/user/get"));
    gateway.api.recorder.record(&exchange("/shop/spu/get"));
    let line = loop {
        let line = lines.next().await.unwrap().unwrap();
        if !line.starts_with("{\"heartbeat\"") {
            break line;
        }
    };
    assert!(line.contains("\"path\":\"/shop/spu/get\""), "{line}");
    assert!(line.contains("openid=****") && !line.contains("oABC"), "{line}");
    gateway.tasks.stop();
    while let Some(line) = lines.next().await.unwrap() {
        assert!(line.starts_with("{\"heartbeat\""), "{line}");
    }
    gateway.tasks.shutdown().await;
    assert!(!gateway.dir.path().join(SOCKET).exists());
}

#[tokio::test]
async fn a_wrong_filter_is_pointed_at() {
    let gateway = Gateway::start().await;
    let error = gateway.client().await.lines("/v1/tail?filter=kee%3Aalice").await.unwrap_err();
    let (status, text) = refused(&error);
    assert!(status == 400 && text.contains("kee:alice\n^^^"), "{text}");
}

#[tokio::test]
async fn a_status_tells_keys_capture_and_tokens() {
    let gateway = Gateway::start().await;
    let status = gateway.client().await.get("/v1/status").await.unwrap();
    assert_eq!(status["ready"]["event"], "ready");
    assert_eq!(status["capture"]["state"], "recording");
    assert_eq!((&status["keys"], status["tokens"].as_array().unwrap().len()), (&json!(0), 2));
}

#[tokio::test]
async fn nonsense_is_refused_in_json_and_a_long_body_too() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    assert_eq!(refused(&client.get("/v2/keys").await.unwrap_err()).0, 404);
    assert_eq!(refused(&client.delete("/v1/status").await.unwrap_err()).0, 404);
    let long = json!({"what": "x".repeat(100_000), "subject": "y"});
    let error = client.post("/v1/audit", &long).await.unwrap_err();
    assert!(matches!(error, ClientError::Nonsense | ClientError::Refused { .. }), "{error:?}");
    assert!(gateway.audit().is_empty());
}

#[tokio::test]
async fn a_socket_left_behind_is_nobody_and_the_next_gateway_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let connect = || Client::connect(dir.path());
    assert!(matches!(connect().await.unwrap_err(), ClientError::NotRunning));
    let path = dir.path().join(SOCKET);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists() && matches!(connect().await.unwrap_err(), ClientError::NotRunning));
    let tasks = Tasks::default();
    let api = api(dir.path(), &tasks, Arc::default()).await;
    serve(&path, api, &tasks).unwrap();
    connect().await.unwrap().get("/v1/status").await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
