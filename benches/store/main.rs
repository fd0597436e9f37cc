//! Measures the capture store: writing, looking through a million exchanges, tidying up meanwhile.
//!
//! ```sh
//! cargo bench --bench store                      # everything, about 4 minutes
//! cargo bench --bench store -- --part search --exchanges 100000
//! ```
//!
//! It is the recorder and the reader of the program, in this process, with exchanges as a busy
//! gateway hands them over. Linux only; everything lies in a folder of its own that is gone when
//! this ends.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is its product")]

mod bench;
mod delays;
mod growth;
mod load;
mod machine;
mod options;
mod product;
mod query;
mod report;
mod retention;
mod store;
mod traffic;
mod write;

use std::{path::Path, process::ExitCode};

use clap::Parser as _;
use options::Options;

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = Options::parse();
    let missing = machine::missing(&options);
    if !missing.is_empty() {
        eprintln!("the measurement needs what this machine does not have:");
        missing.iter().for_each(|what| eprintln!("  - {what}"));
        return ExitCode::from(2);
    }
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures in one thread and waits in another for the end or for Ctrl-C.
fn run(options: Options) -> Outcome<()> {
    let folder = tempfile::Builder::new().prefix("wxgate-store-").tempdir()?;
    let place = folder.path().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("bench".into()).spawn(move || {
        let outcome = bench::measure_all(&options, &place);
        // The receiver is gone only after Ctrl-C.
        drop(ended.send(outcome));
    })?;
    let outcome = runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            outcome = end => outcome?,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("told to end".into()),
        }
    });
    remove(folder.path());
    outcome
}

/// After Ctrl-C the measuring thread goes on until the process is gone, and may put another file
/// into the folder while it is being emptied.
fn remove(folder: &Path) {
    for _ in 0..REMOVALS {
        if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            return;
        }
    }
    eprintln!("{} is left, please remove it", folder.display());
}

const REMOVALS: u32 = 100;
