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
#[path = "../frame/mod.rs"]
mod frame;
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
#[path = "../frame/process.rs"]
mod process;
mod report;
mod scenario;
mod soak;
mod workshop;

use std::process::ExitCode;

use clap::Parser as _;
use frame::{Outcome, told};
use options::{Mode, Options};

/// The same as the program's, also for the bare proxy.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    match &options.mode {
        Some(Mode::Bare(bare)) => return told(bare::serve(bare)),
        Some(Mode::Load(load)) => return told(generator::serve(load)),
        Some(Mode::Growth(_) | Mode::Soak(_)) | None => {}
    }
    let refused = frame::refused("comparison", &machine::missing(&options));
    refused.unwrap_or_else(|| told(run(options)))
}

/// Everything that is started has the measuring thread as its parent and dies with it
/// (`process::Program`).
fn run(options: Options) -> Outcome<()> {
    let workshop = workshop::Workshop::open()?;
    let folder = workshop.path().to_owned();
    frame::run(&folder, move || match &options.mode {
        Some(Mode::Growth(growth)) => growth::measure(&options, growth, &workshop),
        Some(Mode::Soak(soak)) => soak::run(&options, soak, &workshop),
        Some(Mode::Bare(_) | Mode::Load(_)) | None => scenario::measure_all(&options, &workshop),
    })
}
