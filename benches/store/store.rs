//! A capture store under measurement.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{runtime::Runtime, time::Instant};
use wxgate::{
    base::{clock::SystemClock, redact::Redactor, units::ByteSize},
    capture::{CaptureMetrics, CaptureSettings, Exchange, Reader, Recorder},
};

use super::{
    Outcome,
    traffic::{ACCOUNTS, token},
};

/// A recorder with a file of its own, which is removed along with this.
pub(crate) struct Store {
    recorder: Recorder,
    metrics: CaptureMetrics,
    folder: PathBuf,
    /// The writer's folder in /proc.
    writer: PathBuf,
    runtime: Runtime,
}

/// What the file takes, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) database: u64,
    /// The write-ahead log.
    pub(crate) log: u64,
}

/// What lies in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Content {
    pub(crate) segments: u64,
    pub(crate) exchanges: u64,
    /// Lines with their texts, which filters read.
    pub(crate) line_bytes: u64,
    pub(crate) detail_bytes: u64,
    /// Headers and bodies.
    pub(crate) part_bytes: u64,
    /// When the oldest exchange came, in milliseconds since 1970; 0 if there is none.
    pub(crate) oldest_ms: u64,
    /// The same for the oldest that still has its bodies.
    pub(crate) oldest_part_ms: u64,
}

impl Store {
    /// A new, empty one in a folder of this name.
    pub(crate) fn open(place: &Path, name: &str, settings: CaptureSettings) -> Outcome<Self> {
        let folder = place.join(name);
        fs::create_dir(&folder)?;
        // As in a gateway: each account has a secret and a token that must not be stored.
        let redactor = Redactor::new();
        for nth in 1..=ACCOUNTS {
            redactor.protect(&format!("shop-{nth}/token"), &token(nth));
            let secret =
                wxgate::base::secret::Secret::new(format!("{nth:04}{}", "5ec9e7".repeat(5)));
            redactor.protect(&format!("shop-{nth}/secret"), &secret);
        }
        let metrics = CaptureMetrics::default();
        let before = writers();
        let (recorder, _) = Recorder::start(
            &folder.join("capture.db"),
            settings,
            Arc::new(redactor),
            Arc::new(SystemClock),
            metrics.clone(),
        )?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let writer = find_writer(&before)?;
        Ok(Self { recorder, metrics, folder, writer, runtime })
    }

    /// Hands one exchange over.
    pub(crate) fn record(&self, exchange: &Exchange) {
        self.recorder.record(exchange);
    }

    /// How many wait for the writer.
    pub(crate) fn queued(&self) -> usize {
        self.recorder.queue_len()
    }

    /// How many were stored.
    pub(crate) fn stored(&self) -> u64 {
        self.metrics.recorded.get()
    }

    /// How many were lost.
    pub(crate) fn dropped(&self) -> u64 {
        self.metrics.dropped_total()
    }

    /// Waits until everything that was handed over is stored.
    pub(crate) fn flush(&self) {
        self.runtime.block_on(self.recorder.flush());
    }

    /// CPU time of the writer thread since its start, in user and kernel; the kernel's own
    /// threads, which bring the file to the disk, are not in it.
    pub(crate) fn writer_cpu(&self) -> Duration {
        let text = fs::read_to_string(self.writer.join("schedstat")).unwrap_or_default();
        let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
        Duration::from_nanos(nanos.unwrap_or(0))
    }

    /// A connection for questions, as the command line opens it.
    pub(crate) fn reader(&self) -> Outcome<Reader> {
        Ok(self.recorder.reader()?)
    }

    /// What the file takes just now.
    pub(crate) fn size(&self) -> Size {
        let length = |name| fs::metadata(self.folder.join(name)).map_or(0, |meta| meta.len());
        Size { database: length("capture.db"), log: length("capture.db-wal") }
    }

    /// What lies in it just now.
    pub(crate) fn content(&self) -> Outcome<Content> {
        let file = rusqlite::Connection::open(self.folder.join("capture.db"))?;
        let sum = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
        Ok(Content {
            segments: sum("SELECT count(*) FROM segment")?,
            exchanges: sum("SELECT ifnull(sum(count), 0) FROM segment")?,
            line_bytes: sum("SELECT ifnull(sum(length(data) + length(texts) + length(rids)), 0) \
                             FROM segment_lines")?,
            detail_bytes: sum("SELECT ifnull(sum(length(data)), 0) FROM segment_details")?,
            part_bytes: sum("SELECT ifnull(sum(part_bytes), 0) FROM segment")?,
            oldest_ms: sum("SELECT ifnull(min(last_ms), 0) FROM segment")?,
            oldest_part_ms: sum(
                "SELECT ifnull(min(last_ms), 0) FROM segment WHERE part_bytes > 0",
            )?,
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.runtime.block_on(self.recorder.flush_and_close(CLOSE_LIMIT));
        // What stays goes with the folder around it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// With the settings of an unchanged `proxy.toml`, but for the size: nothing is deleted.
pub(crate) fn settings() -> CaptureSettings {
    CaptureSettings {
        enabled: true,
        body_cap: ByteSize(256 << 10),
        keep: Duration::from_secs(7 * 86_400),
        keep_meta: Duration::from_secs(180 * 86_400),
        max_size: ByteSize(1 << 44),
        redact: vec!["session_key".to_owned()],
    }
}

/// The folder of the only writer that was not there before.
fn find_writer(before: &[PathBuf]) -> Outcome<PathBuf> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        // A thread gets its name a moment after its start.
        if let Some(writer) = writers().into_iter().find(|task| !before.contains(task)) {
            return Ok(writer);
        }
        if Instant::now() > deadline {
            return Err("the recorder has no thread called capture-writer".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Threads of this process that write a capture.
fn writers() -> Vec<PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let is_writer = |task: &PathBuf| {
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "capture-writer")
    };
    tasks.map(|task| task.path()).filter(is_writer).collect()
}

const START_LIMIT: Duration = Duration::from_secs(5);
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
