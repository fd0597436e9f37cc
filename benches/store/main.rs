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

#[path = "../frame/mod.rs"]
mod frame;

use std::process::ExitCode;

use clap::Parser as _;
use frame::Outcome;
use options::Options;

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    let refused = frame::refused("measurement", &machine::missing(&options));
    refused.unwrap_or_else(|| frame::told(run(options)))
}

fn run(options: Options) -> Outcome<()> {
    let folder = tempfile::Builder::new().prefix("wxgate-store-").tempdir()?;
    let place = folder.path().to_owned();
    frame::run(folder.path(), move || bench::measure_all(&options, &place))
}
