//! The command line.

use std::{net::SocketAddr, path::PathBuf};

/// Compares wxgate with nginx, nginx with Lua, HAProxy and a bare hyper proxy.
#[derive(clap::Parser, Debug)]
#[command(name = "peers", bin_name = "cargo bench --bench peers --")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    /// Rounds of each scenario; peers take turns within a round, and medians are shown.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Seconds of load for each peer in each round.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Only these scenarios.
    #[arg(long, value_delimiter = ',')]
    pub(crate) scenario: Vec<String>,
    /// Only these peers; nginx, against which all are measured, is always there.
    #[arg(long, value_delimiter = ',')]
    pub(crate) peer: Vec<String>,
    /// The wxgate binary; default: the one built along with this.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_wxgate"))]
    pub(crate) wxgate: PathBuf,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What else this binary is.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Mode {
    /// A pass-through of hyper and rustls and nothing else, in the foreground.
    Bare(Bare),
}

/// The bare proxy's settings.
#[derive(clap::Args, Debug)]
pub(crate) struct Bare {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Where it forwards to.
    pub(crate) origin: SocketAddr,
    /// A folder with `cert.pem`, `key.pem` and `ca.pem`.
    pub(crate) folder: PathBuf,
}
