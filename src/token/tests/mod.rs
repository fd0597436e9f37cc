//! Stories of tokens, with a scripted platform on the other side.

mod cold;
mod corp;
mod dead;
mod failing;
mod forced;
mod platform;
mod reload;
mod restart;
mod story;
mod time;
mod trouble;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use tokio::{runtime::Handle, sync::Semaphore, time::Instant};

use super::*;
use crate::{
    base::{
        clock::{Clock, from_unix_ms},
        redact::Redactor,
        secret::Secret,
        tasks::Tasks,
    },
    config::model::ForceRefresh,
    store::{Database, Durability, GATEWAY_SCHEMA, InstallationKey},
};

/// Issues and judges tokens as WeChat does, or as WeCom: the current one to its very end.
struct Platform {
    state: Mutex<Issuing>,
    /// A fetch takes one permit; none left = it hangs.
    gate: Semaphore,
    credential: Credential,
    family: FetchedBy,
}

struct Issuing {
    serial: u32,
    token: String,
    ends: Instant,
    /// Tokens that the platform refuses although the issuer gives them out.
    poisoned: HashSet<String>,
    error: Option<TokenError>,
    panics: bool,
    calls: Vec<(Renewal, Instant)>,
}

impl Platform {
    fn new(family: FetchedBy) -> Arc<Self> {
        Self::with_secret(family, "an-app-secret-of-32-characters-1")
    }

    fn with_secret(family: FetchedBy, app_secret: &str) -> Arc<Self> {
        let mut state = Issuing {
            serial: 0,
            token: String::new(),
            ends: Instant::now(),
            poisoned: HashSet::new(),
            error: None,
            panics: false,
            calls: Vec::new(),
        };
        state.rotate();
        let app_secret = Secret::new(app_secret.into());
        let credential = Credential { app_id: "wx0123456789abcdef".into(), app_secret };
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        Arc::new(Self { state: Mutex::new(state), gate, credential, family })
    }

    /// From now on every fetch hangs until [`Platform::let_through`].
    fn hang(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn let_through(&self, fetches: usize) {
        self.gate.add_permits(fetches);
    }

    /// Another holder of the AppSecret made the platform forget our token.
    fn foreign_fetch(&self) {
        self.state.lock().unwrap().rotate();
    }

    /// The API refuses the current token, while the issuer believes in it.
    fn poison(&self) {
        let mut state = self.state.lock().unwrap();
        let token = state.token.clone();
        state.poisoned.insert(token);
    }

    /// From now on fetches end so.
    fn answer(&self, error: Option<TokenError>) {
        self.state.lock().unwrap().error = error;
    }

    fn panic_once(&self) {
        self.state.lock().unwrap().panics = true;
    }

    /// Whether an API call with this token succeeds.
    fn accepts(&self, token: &Issued) -> bool {
        let state = self.state.lock().unwrap();
        token.secret.matches(state.token.as_bytes())
            && Instant::now() < state.ends
            && !state.poisoned.contains(&state.token)
    }

    fn fetches(&self) -> usize {
        self.state.lock().unwrap().calls.len()
    }

    fn forced(&self) -> usize {
        self.forced_times().len()
    }

    fn forced_times(&self) -> Vec<Instant> {
        let state = self.state.lock().unwrap();
        let forced = state.calls.iter().filter(|(renewal, _)| *renewal == Renewal::Forced);
        forced.map(|(_, at)| *at).collect()
    }

    fn call_times(&self) -> Vec<Instant> {
        self.state.lock().unwrap().calls.iter().map(|(_, at)| *at).collect()
    }

    fn token_text(&self) -> String {
        self.state.lock().unwrap().token.clone()
    }
}

impl Issuing {
    fn rotate(&mut self) {
        self.serial += 1;
        self.token = format!("75_token-number-{:06}-of-the-platform", self.serial);
        self.ends = Instant::now() + Duration::from_secs(7200);
    }

    fn grant(&mut self, renewal: Renewal, family: FetchedBy) -> Result<TokenGrant, TokenError> {
        self.calls.push((renewal, Instant::now()));
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let left = self.ends.saturating_duration_since(Instant::now());
        let is_new = renewal == Renewal::Forced || family == FetchedBy::Classic;
        let is_over = if family.is_kept_to_its_end() {
            left.is_zero()
        } else {
            is_new || left < Duration::from_secs(300)
        };
        if is_over {
            self.rotate();
        }
        let valid_for = self.ends.saturating_duration_since(Instant::now());
        Ok(TokenGrant { token: Secret::new(self.token.clone()), valid_for })
    }
}

impl TokenProvider for Platform {
    fn fetch(&self, renewal: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            let panics = std::mem::take(&mut self.state.lock().unwrap().panics);
            assert!(!panics, "a bug in the provider");
            self.state.lock().unwrap().grant(renewal, self.family)
        })
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        self.family
    }
}

/// A wall clock that follows tokio's time and can be set, forward and back.
#[derive(Debug)]
struct WallClock {
    started: Instant,
    offset_ms: AtomicI64,
}

impl Clock for WallClock {
    fn now(&self) -> SystemTime {
        let passed_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap();
        from_unix_ms(NOON_MS + passed_ms + self.offset_ms.load(Ordering::Relaxed))
    }
}

/// A gateway's folder and what outlives a restart of the gateway.
struct World {
    dir: tempfile::TempDir,
    clock: Arc<WallClock>,
    redactor: Arc<Redactor>,
    platform: Arc<Platform>,
    policy: SlotPolicy,
    /// Paused time moves only through [`World::pass`], also while the database works.
    _still: Option<StandingStill>,
}

impl World {
    fn new(family: FetchedBy, force_refresh: ForceRefresh) -> Self {
        let clock = WallClock { started: Instant::now(), offset_ms: AtomicI64::new(0) };
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(clock),
            redactor: Arc::new(Redactor::new()),
            platform: Platform::new(family),
            policy: SlotPolicy { force_refresh, forced_per_day: 10 },
            _still: Some(StandingStill::begin()),
        }
    }

    fn stable() -> Self {
        Self::new(FetchedBy::Stable, ForceRefresh::Never)
    }

    async fn start(&self) -> Gateway {
        self.start_with_boot_clock(|| None).await
    }

    async fn start_with_boot_clock(&self, boot_clock: BootClock) -> Gateway {
        let path = self.dir.path().join("wxgate.db");
        let store = Arc::new(Database::open(&path, GATEWAY_SCHEMA, Durability::Full).unwrap());
        let key = self.dir.path().join("installation.key");
        let tasks = Tasks::default();
        let broker = Broker::start(BrokerParts {
            store: store.clone(),
            key: Arc::new(InstallationKey::load_or_create(&key).unwrap()),
            clock: self.clock.clone(),
            redactor: self.redactor.clone(),
            tasks: tasks.clone(),
            runtime: Handle::current(),
            boot_clock,
        })
        .await
        .unwrap();
        let slot = broker.register(shop(), self.platform.clone(), self.policy);
        Gateway { broker, slot, tasks, store }
    }

    /// Lets `time` pass, second by second, so that every timer fires at its time.
    async fn pass(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            tokio::time::advance(Duration::from_secs(1)).await;
            settle().await;
        }
    }

    fn set_wall_clock(&self, by_s: i64) {
        self.clock.offset_ms.fetch_add(by_s * 1000, Ordering::Relaxed);
    }
}

/// A running broker with one account.
struct Gateway {
    broker: Arc<Broker>,
    slot: Arc<Slot>,
    tasks: Tasks,
    store: Arc<Database>,
}

impl Gateway {
    /// What a proxied call does: takes the token, and after a refusal once more another.
    async fn call(&self, platform: &Platform) -> Result<Arc<Issued>, TokenError> {
        let token = self.slot.token(LIMIT).await?;
        if platform.accepts(&token) {
            self.slot.note_good(&token);
            return Ok(token);
        }
        self.slot.report_dead(&token, 40001);
        let token = self.slot.after(&token, LIMIT).await?;
        if platform.accepts(&token) {
            self.slot.note_good(&token);
            return Ok(token);
        }
        self.slot.report_dead(&token, 40001);
        Err(TokenError::Rejected { account: shop(), errcode: 40001, until: Instant::now() })
    }

    async fn history(&self) -> Vec<Generation> {
        self.broker.history(&shop(), 100).await.unwrap()
    }

    fn status(&self) -> SlotStatus {
        self.broker.status().remove(0)
    }

    /// Stops as the gateway does, and everything is written.
    async fn stop(self) {
        self.tasks.shutdown().await;
    }
}

/// Keeps tokio from moving paused time by itself while a test waits for another thread.
struct StandingStill(Arc<AtomicBool>, std::thread::Thread);

impl StandingStill {
    fn begin() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let until = is_over.clone();
        // tokio does not advance paused time while a blocking task runs.
        tokio::task::spawn_blocking(move || {
            sender.send(std::thread::current()).unwrap();
            while !until.load(Ordering::Acquire) {
                std::thread::park();
            }
        });
        Self(is_over, receiver.recv().unwrap())
    }
}

impl Drop for StandingStill {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
        self.1.unpark();
    }
}

fn shop() -> SlotId {
    SlotId::real("shop".parse().unwrap())
}

fn refused(errcode: i64, errmsg: &str, refused_ip: Option<&str>) -> TokenError {
    let refused_ip = refused_ip.map(|ip| ip.parse().unwrap());
    TokenError::Refused { account: shop(), errcode, errmsg: errmsg.into(), refused_ip }
}

/// Keeps what this thread logs, from now on until it is dropped.
struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _until: tracing::subscriber::DefaultGuard,
}

impl Log {
    fn begin() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(Pen(lines.clone()))
            .finish();
        Self { lines, _until: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines of this room that hold `part`.
    fn with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.lines.lock().unwrap().clone()).unwrap();
        let is_ours = |line: &&str| line.contains("wxgate::token") && line.contains(part);
        text.lines().filter(is_ours).map(str::to_owned).collect()
    }
}

/// Writes into a [`Log`].
#[derive(Clone)]
struct Pen(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Pen {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Lets every task run that can.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// Wall time at the start of each test: 2026-11-22T04:00:00Z, noon in Beijing.
const NOON_MS: i64 = 1_795_320_000_000;
/// What a request is ready to wait.
const LIMIT: Duration = Duration::from_secs(10);
