//! What the measurement needs of the machine, and what it is.

use std::{path::Path, process::Command};

use super::{
    frame,
    options::{Options, Part},
};

/// Everything that is missing, each with what to do about it.
pub(crate) fn missing(options: &Options) -> Vec<String> {
    let mut missing = Vec::new();
    if !Path::new("/proc/self/schedstat").exists() {
        missing.push("Linux with scheduler statistics (/proc/self/schedstat)".to_owned());
        return missing;
    }
    if frame::cores() < 2 {
        missing.push("two cores: one for the writer, one for whoever hands exchanges over".into());
    }
    let (folder, wanted) = (std::env::temp_dir(), wanted_bytes(options));
    if let Some(free) = free_bytes(&folder).filter(|free| *free < wanted) {
        missing.push(format!(
            "{:.1} GB in {} (free: {:.1} GB): set TMPDIR to a folder on a larger disk, or give a \
             smaller --exchanges",
            wanted as f64 / 1e9,
            folder.display(),
            free as f64 / 1e9,
        ));
    }
    missing
}

/// The file of the largest part: each removes its own before the next begins.
fn wanted_bytes(options: &Options) -> u64 {
    let written = u64::from(options.seconds) * FASTEST_A_SECOND;
    let stored = if options.wants(Part::Search) || options.wants(Part::Growth) {
        options.exchanges
    } else {
        0
    };
    written.max(stored) * BYTES_AN_EXCHANGE + SPARE_BYTES
}

/// Two lines about what is measured on.
pub(crate) fn description() -> String {
    let folder = std::env::temp_dir();
    format!(
        "{}\nwxgate {} | SQLite {} | {} on {}",
        frame::machine(),
        env!("CARGO_PKG_VERSION"),
        rusqlite::version(),
        folder.display(),
        df(&folder, "fstype").unwrap_or_else(|| "an unknown file system".to_owned()),
    )
}

/// `None` where nobody can tell.
fn free_bytes(folder: &Path) -> Option<u64> {
    df(folder, "avail")?.parse().ok()
}

/// One column of `df`: the standard library does not know of file systems.
fn df(folder: &Path, column: &str) -> Option<String> {
    let output = Command::new("df")
        .args(["--block-size=1", &format!("--output={column}")])
        .arg(folder)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1).map(|line| line.trim().to_owned())
}

/// Of `capture.db`, with something to spare.
const BYTES_AN_EXCHANGE: u64 = 1300;

/// More than one writer can store.
const FASTEST_A_SECOND: u64 = 300_000;

/// Write-ahead logs, and what SQLite keeps beside.
const SPARE_BYTES: u64 = 256 << 20;
