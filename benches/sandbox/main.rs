//! Measures the sandbox that runs by itself: how soon it is ready, what it holds, how fast it is.
//!
//! ```sh
//! cargo bench --bench sandbox                    # about half a minute
//! cargo bench --bench sandbox -- --rounds 9 --seconds 5
//! ```
//!
//! The program runs on one core, the load generator on the other; every answer must be the
//! product that was asked for. Linux only.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is its product")]

mod load;
mod server;

#[path = "../frame/mod.rs"]
mod frame;
#[expect(dead_code, reason = "each bench uses its part")]
#[path = "../frame/process.rs"]
mod process;

use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use clap::Parser as _;
use frame::Outcome;

/// Measures the simulator.
#[derive(clap::Parser, Debug)]
#[command(name = "sandbox", bin_name = "cargo bench --bench sandbox --")]
struct Options {
    /// Starts and runs of load that are measured; the middle one counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Seconds of load in each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one round showed.
struct Round {
    ready_ms: f64,
    rest_kib: u64,
    load_kib: u64,
    per_second: f64,
    cpu_us: f64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let refused = frame::refused("measurement", &missing());
    refused.unwrap_or_else(|| frame::told(run(options)))
}

fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if !Path::new("/proc/self/schedstat").exists() {
        missing.push("Linux with scheduler statistics (/proc/self/schedstat)".to_owned());
    }
    for (program, package) in [("wrk", "wrk"), ("taskset", "util-linux"), ("setpriv", "util-linux")]
    {
        let mut command = Command::new(program);
        let command = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_err() {
            missing.push(format!("{program}: apt-get install {package}"));
        }
    }
    if frame::cores() < 2 {
        missing.push("two cores: one for the sandbox, one for the load".to_owned());
    }
    missing
}

fn run(options: Options) -> Outcome<()> {
    let folder = tempfile::Builder::new().prefix("wxgate-sandbox-").tempdir()?;
    let place = folder.path().to_owned();
    frame::run(folder.path(), move || measure(&options, &place))
}

fn measure(options: &Options, folder: &Path) -> Outcome<()> {
    println!("{}", frame::machine());
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        rounds.push(one_round(options, folder)?);
    }
    let middle = |of: fn(&Round) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    println!("| what | measured | budget |\n|---|--:|--:|");
    println!("| ready | {:.0} ms | 50 |", middle(|round| round.ready_ms));
    println!("| memory at rest | {:.1} MiB | 30 |", middle(|round| round.rest_kib as f64 / 1024.0));
    println!(
        "| memory under load | {:.1} MiB | 30 |",
        middle(|round| round.load_kib as f64 / 1024.0)
    );
    println!(
        "| `/shop/spu/get` on one core | {:.0}/s | 20 000 |",
        middle(|round| round.per_second)
    );
    println!("| CPU a call | {:.1} µs | 50 |", middle(|round| round.cpu_us));
    Ok(())
}

fn one_round(options: &Options, folder: &Path) -> Outcome<Round> {
    let server = server::Server::start(folder)?;
    let rest_kib = server.program.resident_kib();
    let token = server.token()?;
    server.add_product(&token)?;
    let before = server.program.cpu();
    let calls = load::run(&server, &token, options, folder)?;
    let cpu = server.program.cpu().saturating_sub(before);
    Ok(Round {
        ready_ms: server.ready.as_secs_f64() * 1e3,
        rest_kib,
        load_kib: server.program.resident_kib(),
        per_second: calls as f64 / f64::from(options.seconds),
        cpu_us: cpu.as_secs_f64() * 1e6 / (calls as f64).max(1.0),
    })
}
