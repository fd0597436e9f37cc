//! The program: command line in, exit code out.

use std::process::ExitCode;

/// Costs less per request than the system's allocator, on musl most of all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    wxgate::cli::main()
}
