//! A wxgate with as many accounts and keys as wanted, everything on, and how it started.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use rusqlite::params;
use sha2::Digest as _;
use tokio::time::Instant;
use wxgate::{
    access::KeyText,
    store::{Database, Durability, GATEWAY_SCHEMA},
};

use super::{
    Outcome, configs, page,
    peer::Running,
    process::{Core, Program, command},
    workshop::{Workshop, free_port, private},
};

/// What a gateway has.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Its files are called by it.
    pub(crate) name: String,
    pub(crate) accounts: usize,
    pub(crate) keys: usize,
    pub(crate) capture_size: &'static str,
}

/// A gateway that serves.
pub(crate) struct Gateway {
    pub(crate) running: Running,
    /// The texts of its keys, the workshop's first.
    pub(crate) keys: Vec<String>,
    pub(crate) accounts: usize,
    /// From the start of the process until it said that it serves.
    pub(crate) ready: Duration,
    pub(crate) log: PathBuf,
    data: PathBuf,
    metrics: SocketAddr,
}

/// What a gateway costs before anybody has called.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rest {
    pub(crate) resident_kib: u64,
    /// CPU time a second.
    pub(crate) cpu_ms: f64,
}

impl Gateway {
    /// Starts it between `origin` and a free port, and waits until it serves.
    pub(crate) fn start(
        wxgate: &Path,
        workshop: &Workshop,
        setup: &Setup,
        origin: SocketAddr,
    ) -> Outcome<Self> {
        let listen = free_port()?;
        let data = workshop.file(&format!("{}-data", setup.name));
        let _ = fs::remove_dir_all(&data);
        let keys = store_keys(&data, &workshop.key, setup.keys)?;
        let text = config(workshop, setup, &data, listen, origin)?;
        let file = workshop.write(&format!("{}.toml", setup.name), text)?;
        let log = workshop.file(&format!("{}.log", setup.name));
        let mut serve = command(Core::Peer, wxgate);
        serve.arg("serve").arg("--config").arg(file).current_dir(workshop.path());
        let began = Instant::now();
        let mut program = Program::start(serve, &log)?;
        let metrics = wait_until_ready(&mut program, &data, &log)?;
        let (ready, accounts) = (began.elapsed(), setup.accounts);
        let running = Running { program, address: listen };
        Ok(Self { running, keys, accounts, ready, log, data, metrics })
    }

    /// Waits until nothing goes on any more, then looks for a while.
    pub(crate) fn rest(&self) -> Rest {
        let deadline = Instant::now() + CALM_LIMIT;
        while self.cpu_ms_a_second(CALM_LOOK) > CALM_CPU_MS && Instant::now() < deadline {}
        let cpu_ms = self.cpu_ms_a_second(REST_LOOK);
        Rest { resident_kib: self.running.program.resident_kib(), cpu_ms }
    }

    /// The sum of all lines of a metric, whatever their labels.
    pub(crate) fn metric(&self, name: &str) -> Outcome<f64> {
        Ok(page::sum(&page::read(self.metrics)?, name))
    }

    /// What its databases take on disk.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let entries = fs::read_dir(&self.data).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
    }

    fn cpu_ms_a_second(&self, look: Duration) -> f64 {
        let before = self.running.program.cpu();
        sleep(look);
        let used = self.running.program.cpu().saturating_sub(before);
        used.as_secs_f64() * 1e3 / look.as_secs_f64()
    }
}

/// The address of its metrics, from the file that is written when everything listens.
fn wait_until_ready(program: &mut Program, data: &Path, log: &Path) -> Outcome<SocketAddr> {
    let deadline = Instant::now() + READY_LIMIT;
    loop {
        if let Ok(text) = fs::read_to_string(data.join("run.json")) {
            let said: serde_json::Value = serde_json::from_str(&text)?;
            let url = said.get("metrics").and_then(serde_json::Value::as_str).unwrap_or_default();
            return Ok(url.trim_start_matches("http://").parse()?);
        }
        if program.has_ended() || Instant::now() > deadline {
            let said = fs::read_to_string(log).unwrap_or_default();
            return Err(format!("wxgate does not become ready:\n{said}").into());
        }
        sleep(Duration::from_millis(1));
    }
}

/// Keys in the gateway's database, as `wxgate key create` leaves them there; a hundred thousand
/// runs of it would take an hour.
fn store_keys(data: &Path, first: &str, count: usize) -> Outcome<Vec<String>> {
    fs::create_dir_all(data)?;
    let mut texts = vec![KeyText::parse(first)?];
    texts.resize_with(count, KeyText::generate);
    let shown = texts.iter().map(|text| text.reveal().to_owned()).collect();
    let database = Database::open(&data.join("wxgate.db"), GATEWAY_SCHEMA, Durability::Full)?;
    database.write_blocking(move |transaction| {
        let mut insert = transaction.prepare(
            "INSERT INTO key (id, name, hash, role, lane, allow_danger, errors, accounts, paths,
                              networks, rate, created_ms, expires_ms, revoked_ms)
             VALUES (?1, ?2, ?3, 'developer', 'live', 0, 'http', '[]', '[]', '[]', NULL, ?4,
                     NULL, NULL)",
        )?;
        for (number, text) in texts.iter().enumerate() {
            let (id, hash) = (text.id(), text.sha256());
            let name = format!("key-{number}");
            insert.execute(params![id.as_str(), name, hash.as_slice(), CREATED_MS])?;
        }
        Ok(())
    })?;
    Ok(shown)
}

/// As it is shipped but for one worker, limits that never bite, and room for requests at once.
fn config(
    workshop: &Workshop,
    setup: &Setup,
    data: &Path,
    listen: SocketAddr,
    origin: SocketAddr,
) -> Outcome<String> {
    let size = setup.capture_size;
    let mut text = configs::wxgate_server(workshop, data, listen);
    let _ = write!(
        text,
        r#"[limits]
per_key = "1000000/s"
in_flight = 100000
[capture]
enabled = true
max_size = "{size}"
"#
    );
    for number in 0..setup.accounts {
        // No two alike, and nothing that other texts hold.
        let hash = sha2::Sha256::digest(format!("secret {number}"));
        let text_of: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = workshop.write(&format!("secret-{number}"), text_of)?;
        private(&secret)?;
        let (name, app_id) = (account(number), format!("wx{number:016x}"));
        text += &configs::wxgate_account(workshop, &name, &app_id, &secret, origin);
    }
    Ok(text)
}

/// The name of an account.
pub(crate) fn account(number: usize) -> String {
    format!("shop-{number}")
}

/// A start with very many keys or accounts takes its time.
const READY_LIMIT: Duration = Duration::from_secs(300);
/// Long enough to catch what wakes up each second.
const REST_LOOK: Duration = Duration::from_secs(2);
const CALM_LOOK: Duration = Duration::from_millis(500);
const CALM_CPU_MS: f64 = 20.0;
const CALM_LIMIT: Duration = Duration::from_secs(20);
/// Long ago.
const CREATED_MS: i64 = 1_700_000_000_000;
