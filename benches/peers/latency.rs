//! How much longer an answer takes through a peer, at a rate that it can well stand.

use std::net::SocketAddr;

use super::{
    Outcome, configs, load,
    process::{Core, command},
    workshop::Workshop,
};

/// Milliseconds from sending to the end of the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Answers other than 2xx.
    pub(crate) failed: u64,
}

/// Sends `rate` requests a second for `seconds` over HTTP/1.1.
pub(crate) fn at_rate(
    workshop: &Workshop,
    address: SocketAddr,
    rate: u32,
    seconds: u32,
) -> Outcome<Latency> {
    let log = workshop.file("latency.tsv");
    let _ = std::fs::remove_file(&log);
    let each = (rate / CLIENTS).max(1);
    let mut h2load = command(Core::Rest, "h2load");
    h2load.args(["--h1", "-t1"]).arg(format!("-c{CLIENTS}")).arg(format!("--rps={each}"));
    h2load.args(["--rate=1", "--rate-period=3ms"]);
    h2load.arg(format!("-n{}", each * CLIENTS * seconds)).arg("-d").arg(workshop.file("body.json"));
    for header in load::headers(workshop) {
        h2load.arg("-H").arg(header);
    }
    h2load.arg("--log-file").arg(&log);
    h2load.arg(format!("https://localhost:{}{}", address.port(), configs::UP));
    let output = h2load.output()?;
    if !output.status.success() {
        return Err(format!("h2load failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = std::fs::read_to_string(&log)?;
    Ok(read(&text))
}

/// `start in µs`, `status`, `µs to the end`, a line a request.
fn read(text: &str) -> Latency {
    let mut failed = 0;
    let mut micros: Vec<(u64, u64)> = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let start = fields.next().and_then(|field| field.parse().ok());
        let is_good = fields.next().is_some_and(|status| status.starts_with('2'));
        match (start, fields.next().and_then(|field| field.parse().ok())) {
            (Some(start), Some(took)) if is_good => micros.push((start, took)),
            _ => failed += 1,
        }
    }
    // The first second opens connections.
    let first = micros.iter().map(|(start, _)| *start).min().unwrap_or(0);
    let mut took: Vec<u64> = micros
        .iter()
        .filter(|(start, _)| *start >= first + 1_000_000)
        .map(|(_, took)| *took)
        .collect();
    took.sort_unstable();
    let at = |share: f64| {
        let index = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
        took.get(index).map_or(0.0, |micros| *micros as f64 / 1e3)
    };
    Latency { p50_ms: at(0.5), p99_ms: at(0.99), failed }
}

/// Few, and they begin one after the other, so that what is sent at the same moment is little.
const CLIENTS: u32 = 16;
