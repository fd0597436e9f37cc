//! A minute of the soak.

use std::{fmt, thread::sleep, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        Outcome,
        gateway::Gateway,
        generator::{Generator, Kind, Seen},
        report::median,
    },
    DROPPED,
    watch::Watch,
};

/// What happened in it, and what the gateway held.
pub(super) struct Minute {
    number: u32,
    pub(super) seen: Seen,
    pub(super) seconds: f64,
    /// Captures dropped since the start of the gateway.
    pub(super) dropped: f64,
    pub(super) resident_mib: f64,
    pub(super) files: f64,
    cpu_us: f64,
    stored_mib: f64,
}

impl Minute {
    /// Lets it pass, and looks once a second.
    pub(super) fn pass(
        number: u32,
        gateway: &Gateway,
        generator: &mut Generator,
        watch: &mut Watch,
    ) -> Outcome<Self> {
        let (began, cpu) = (Instant::now(), gateway.running.program.cpu());
        let (mut resident, mut files) = (Vec::new(), Vec::new());
        for second in 1..=60 {
            sleep((began + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
            resident.push(gateway.running.program.resident_kib() as f64 / 1024.0);
            files.push(gateway.running.program.files() as f64);
        }
        let seen = generator.seen()?;
        let used = gateway.running.program.cpu().saturating_sub(cpu);
        watch.look(&resident, &files);
        Ok(Self {
            number,
            cpu_us: used.as_secs_f64() * 1e6 / seen.sum(|tally| tally.done) as f64,
            seen,
            seconds: began.elapsed().as_secs_f64(),
            dropped: gateway.metric(DROPPED)?,
            resident_mib: median(resident),
            files: median(files),
            stored_mib: gateway.stored_bytes() as f64 / f64::from(1 << 20),
        })
    }

    /// What the columns are.
    pub(super) fn head() -> String {
        format!(
            "{:>6} {:>9} {:>6} {:>5} {:>5} {:>5} {:>7} {:>8} {:>5} {:>7} {:>8} {:>19} {:>19} {:>19}",
            "minute",
            "requests",
            "failed",
            "own",
            "late",
            "again",
            "dropped",
            "RSS MiB",
            "files",
            "us/req",
            "disk MiB",
            "h1 p50/p99 ms",
            "h2 p50/p99 ms",
            "1 MiB p50/p99 ms"
        )
    }

    /// The first failures in words.
    pub(super) fn words(&self) -> &[String] {
        &self.seen.words
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |count| self.seen.sum(count);
        write!(
            f,
            "{:>6} {:>9} {:>6} {:>5} {:>5} {:>5} {:>7} {:>8.1} {:>5.0} {:>7.1} {:>8.0}",
            self.number,
            sum(|tally| tally.done),
            self.seen.failed(),
            sum(|tally| tally.own),
            sum(|tally| tally.late),
            sum(|tally| tally.again),
            self.dropped,
            self.resident_mib,
            self.files,
            self.cpu_us,
            self.stored_mib,
        )?;
        Kind::ALL.into_iter().try_for_each(|kind| {
            let tally = self.seen.of(kind);
            let (p50, p99) = (tally.p50_us as f64 / 1e3, tally.p99_us as f64 / 1e3);
            write!(f, " {:>19}", format!("{p50:.2} / {p99:.2}"))
        })
    }
}
