//! How many exchanges a second the recorder stores, and what each costs.

use std::time::Duration;

use super::{
    Outcome,
    bench::Bench,
    load::{self, Written},
    report::Budget,
    store::{Store, settings},
    traffic::{Times, Traffic},
};

/// Once as fast as it goes, once at the promised rate.
pub(crate) fn measure(bench: &Bench<'_>) -> Outcome<()> {
    let report = &bench.report;
    let limit = Duration::from_secs(bench.options.seconds.into());
    let store = Store::open(bench.place, "write", settings())?;
    report.head("write: 0.7 kB requests with 0.5-1 kB answers, as fast as one writer stores them");
    let mut traffic = Traffic::new(Times::Now)?;
    let written = load::full_speed(&store, &mut traffic, |_, elapsed| elapsed >= limit);
    report.line("exchanges a second", written.rate(), "/s", Budget::AtLeast(RATE));
    tell(bench, &written);
    size(bench, &store)?;
    drop(store);

    let rate = bench.options.rate;
    let store = Store::open(bench.place, "rate", settings())?;
    report.head(&format!("write: the same, {rate} offered a second"));
    let count = u64::from(rate) * u64::from(bench.options.seconds);
    let mut written = load::at_rate(&store, &mut Traffic::new(Times::Now)?, rate, count);
    tell(bench, &written);
    delays(bench, &mut written);
    size(bench, &store)
}

/// Losses and cost.
pub(crate) fn tell(bench: &Bench<'_>, written: &Written) {
    let report = &bench.report;
    report.line("lost", written.dropped as f64, "", Budget::AtMost(0.0));
    let core = written.cpu.as_secs_f64() / written.seconds * 100.0;
    report.line("writer thread, of one core", core, "%", Budget::None);
    report.line("writer thread, CPU an exchange", written.cpu_us(), "us", Budget::AtMost(CPU_US));
}

/// From being handed over to being stored.
pub(crate) fn delays(bench: &Bench<'_>, written: &mut Written) {
    let report = &bench.report;
    report.line("until stored, half of them", written.delays.at(0.5), "ms", Budget::None);
    let p99 = written.delays.at(0.99);
    report.line("until stored, 99 of 100", p99, "ms", Budget::AtMost(DELAY_MS));
    report.line("until stored, slowest", written.delays.at(1.0), "ms", Budget::None);
}

/// What lies on the disk.
fn size(bench: &Bench<'_>, store: &Store) -> Outcome<()> {
    let report = &bench.report;
    let (size, content) = (store.size(), store.content()?);
    let exchanges = content.exchanges.max(1) as f64;
    let each = |bytes: u64| bytes as f64 / exchanges;
    report.line("capture.db, for each exchange", each(size.database), "B", Budget::None);
    report.note(
        "  of that",
        &format!(
            "{:.0} B lines, {:.0} B details, {:.0} B headers and bodies",
            each(content.line_bytes),
            each(content.detail_bytes),
            each(content.part_bytes),
        ),
    );
    let mean = exchanges / content.segments.max(1) as f64;
    report.line("exchanges in a segment", mean, "", Budget::None);
    Ok(())
}

/// Exchanges a second that one writer must take.
const RATE: f64 = 20_000.0;

/// What an exchange may cost then on one core.
const CPU_US: f64 = 50.0;

/// What ended so long before a kill is in the file.
const DELAY_MS: f64 = 100.0;
