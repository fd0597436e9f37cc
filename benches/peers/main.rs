//! Compares wxgate with other proxies that do the same job, on this machine, in one run.
//!
//! ```sh
//! cargo bench --bench peers                      # everything, about 25 minutes
//! cargo bench --bench peers -- --rounds 1 --seconds 2 --scenario small-h1
//! cargo bench --bench peers -- growth            # accounts, keys, connections, about 20 minutes
//! cargo bench --bench peers -- soak --minutes 10 # mixed load, held; ends with 1 if it fails
//! ```
//!
//! docs/PERFORMANCE.md says what is measured and what came out. Linux only; all traffic stays on
//! loopback, every port is a free one, and whatever was started ends with this process.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is its product")]

mod bare;
mod configs;
mod gateway;
mod generator;
mod growth;
mod idle;
mod latency;
mod load;
mod machine;
mod options;
mod page;
mod peer;
mod process;
mod report;
mod scenario;
mod soak;
mod workshop;

use std::process::ExitCode;

use clap::Parser as _;
use options::{Mode, Options};

/// The same as the program's, also for the bare proxy.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = Options::parse();
    match &options.mode {
        Some(Mode::Bare(bare)) => return told(bare::serve(bare)),
        Some(Mode::Load(load)) => return told(generator::serve(load)),
        Some(Mode::Growth(_) | Mode::Soak(_)) | None => {}
    }
    let missing = machine::missing(&options);
    if !missing.is_empty() {
        eprintln!("the comparison needs what this machine does not have:");
        missing.iter().for_each(|what| eprintln!("  - {what}"));
        return ExitCode::from(2);
    }
    told(run(options))
}

fn told(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures in one thread and waits in another for the end or for Ctrl-C. Everything that was
/// started has the measuring thread as its parent and dies with it (`process::Program`).
fn run(options: Options) -> Outcome<()> {
    let workshop = workshop::Workshop::open()?;
    let folder = workshop.path().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let outcome = match &options.mode {
            Some(Mode::Growth(growth)) => growth::measure(&options, growth, &workshop),
            Some(Mode::Soak(soak)) => soak::run(&options, soak, &workshop),
            Some(Mode::Bare(_) | Mode::Load(_)) | None => {
                scenario::measure_all(&options, &workshop)
            }
        };
        // The receiver is gone only after Ctrl-C.
        drop(ended.send(outcome));
    });
    let outcome = runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            outcome = end => outcome?,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("told to end".into()),
        }
    });
    // After Ctrl-C the measuring thread still holds the folder, so it is removed from here.
    let _ = std::fs::remove_dir_all(folder);
    outcome
}
