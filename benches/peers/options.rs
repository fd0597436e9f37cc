//! The command line.

use std::{net::SocketAddr, path::PathBuf};

/// Compares wxgate with nginx, nginx with Lua, HAProxy and a bare hyper proxy.
#[derive(clap::Parser, Debug)]
#[command(name = "peers", bin_name = "cargo bench --bench peers --")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    /// Rounds of each scenario; peers take turns within a round, and medians are shown.
    #[arg(long, global = true, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Seconds of load for each peer in each round.
    #[arg(long, global = true, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Only these scenarios.
    #[arg(long, value_delimiter = ',')]
    pub(crate) scenario: Vec<String>,
    /// Only these peers; nginx, against which all are measured, is always there.
    #[arg(long, value_delimiter = ',')]
    pub(crate) peer: Vec<String>,
    /// The wxgate binary; default: the one built along with this.
    #[arg(long, global = true, default_value = env!("CARGO_BIN_EXE_wxgate"))]
    pub(crate) wxgate: PathBuf,
    /// What cargo passes to every bench.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

/// What else this binary is.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Mode {
    /// Where the cost of wxgate grows: with accounts, keys and connections.
    Growth(Growth),
    /// Mixed load at a part of the highest rate; ends with 1 if anything fails or grows.
    Soak(Soak),
    /// A pass-through of hyper and rustls and nothing else, in the foreground.
    Bare(Bare),
    /// Sends requests as it is told on its standard input.
    #[command(hide = true)]
    Load(Load),
}

/// What may grow.
#[derive(clap::Args, Debug)]
pub(crate) struct Growth {
    /// Only these dimensions: accounts, keys, connections, idle.
    #[arg(long, value_delimiter = ',')]
    pub(crate) dimension: Vec<String>,
}

/// How long, and how hard.
#[derive(clap::Args, Debug)]
pub(crate) struct Soak {
    /// Minutes of load.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) minutes: u32,
    /// Which part of the highest rate is held.
    #[arg(long, default_value_t = 0.6)]
    pub(crate) share: f64,
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

/// Where requests go, over how many connections.
#[derive(clap::Args, Debug)]
pub(crate) struct Load {
    /// Who is asked.
    pub(crate) address: SocketAddr,
    /// The CA to trust.
    pub(crate) ca: PathBuf,
    /// The caller's key.
    pub(crate) key: String,
    /// HTTP/1.1 connections with small requests.
    #[arg(long, default_value_t = 0)]
    pub(crate) http1: usize,
    /// HTTP/2 connections with small requests.
    #[arg(long, default_value_t = 0)]
    pub(crate) http2: usize,
    /// HTTP/1.1 connections with a mebibyte, up and down in turn.
    #[arg(long, default_value_t = 0)]
    pub(crate) large: usize,
}
