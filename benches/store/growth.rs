//! Whether an exchange costs the same, and a question is answered as fast, while the file grows.

use super::{
    Outcome,
    bench::Bench,
    load,
    query::{pages, scans},
    report::number,
    store::Store,
    traffic::Traffic,
};

/// Fills the store, and stops at each power of ten. Writes at the offered rate: what comes slower
/// lies in smaller segments, which is the harder case for a filter.
pub(crate) fn measure(bench: &Bench<'_>, store: &Store, traffic: &mut Traffic) -> Outcome<()> {
    bench.report.head("growth: the same with more and more stored; us an exchange, ms a question");
    println!(
        "  {:>9} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "stored", "segments", "MB", "lost", "write us", "newest", "account", "nothing", "no body"
    );
    for stored in steps(bench.options.exchanges) {
        let count = stored.saturating_sub(traffic.made());
        let written = load::at_rate(store, traffic, bench.options.rate, count);
        let content = store.content()?;
        let mut line = format!(
            "  {:>9} {:>9} {:>9} {:>7} {:>9}",
            content.exchanges,
            content.segments,
            number(store.size().database as f64 / 1e6),
            written.dropped,
            number(written.cpu_us()),
        );
        for query in pages().iter().chain(&scans()) {
            line += &format!(" {:>9}", number(query.measure(store)?.median_ms));
        }
        println!("{line}");
    }
    Ok(())
}

/// Ten thousand, a hundred thousand, and so on; at last what was asked for.
fn steps(exchanges: u64) -> Vec<u64> {
    let mut steps: Vec<u64> =
        (4..).map(|power| 10_u64.pow(power)).take_while(|step| *step < exchanges).collect();
    steps.push(exchanges);
    steps
}
