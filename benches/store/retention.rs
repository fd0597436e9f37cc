//! Writing and asking while the oldest exchanges are deleted.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::Instant;
use wxgate::{base::units::ByteSize, capture::CaptureSettings};

use super::{
    Outcome,
    bench::Bench,
    load,
    query::{Query, Timing, pages, scans},
    report::Budget,
    store::{Size, Store, settings},
    traffic::{Times, Traffic},
    write,
};

/// Once with too little space, once with too little time.
pub(crate) fn measure(bench: &Bench<'_>) -> Outcome<()> {
    let size = CaptureSettings { max_size: ByteSize(MAX_SIZE), ..settings() };
    let head = format!("within max_size of {} MB", MAX_SIZE / 1_000_000);
    let limit = MAX_SIZE as f64 / 1e6 * (1.0 + OVER);
    by(bench, &head, "size", size, Budget::AtMost(limit))?;
    let age = CaptureSettings { keep: KEEP, keep_meta: KEEP_META, ..settings() };
    let head = format!("keep of {} s and keep_meta of {} s", KEEP.as_secs(), KEEP_META.as_secs());
    by(bench, &head, "age", age, Budget::None)
}

fn by(
    bench: &Bench<'_>,
    head: &str,
    name: &str,
    settings: CaptureSettings,
    limit: Budget,
) -> Outcome<()> {
    let (report, rate) = (&bench.report, bench.options.rate);
    report.head(&format!("retention: {head}, {rate} offered a second"));
    let store = Store::open(bench.place, name, settings)?;
    let mut traffic = Traffic::new(Times::Now)?;
    // Until as much is deleted as is written.
    load::at_rate(&store, &mut traffic, rate, u64::from(rate) * KEEP_META.as_secs() * 2);
    let before = store.content()?.exchanges;
    let count = u64::from(rate) * u64::from(bench.options.seconds);
    let is_over = AtomicBool::new(false);
    let (mut written, watched) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&store, &is_over));
        let written = load::at_rate(&store, &mut traffic, rate, count);
        is_over.store(true, Ordering::Relaxed);
        (written, watcher.join())
    });
    let watched = watched.map_err(|_| "asking ended in a panic")??;
    let after = store.content()?.exchanges;
    write::tell(bench, &written);
    write::delays(bench, &mut written);
    let deleted = (before + count).saturating_sub(after + written.dropped);
    let share = deleted as f64 / count as f64 * 100.0;
    report.line("deleted, of what was written meanwhile", share, "%", Budget::None);
    report.line("capture.db, largest", watched.largest.database as f64 / 1e6, "MB", limit);
    report.line("its log, largest", watched.largest.log as f64 / 1e6, "MB", Budget::AtMost(LOG_MB));
    for (what, timing) in ["newest hundred", "an account", "nothing"].iter().zip(watched.timings) {
        let worst = timing.worst_ms();
        report.line(&format!("{what}, half of them"), timing.median_ms, "ms", Budget::None);
        report.line(&format!("{what}, slowest"), worst, "ms", Budget::AtMost(FILTER_MS));
    }
    Ok(())
}

/// What was seen from outside meanwhile.
struct Watched {
    largest: Size,
    timings: Vec<Timing>,
}

/// Asks like somebody who looks at a page again and again.
fn watch(store: &Store, is_over: &AtomicBool) -> Outcome<Watched> {
    let [nothing, _] = scans();
    let queries: Vec<Query> = pages().into_iter().chain([nothing]).collect();
    let mut timings = vec![Vec::new(); queries.len()];
    let mut largest = Size::default();
    while !is_over.load(Ordering::Relaxed) {
        for (query, timings) in queries.iter().zip(&mut timings) {
            let began = Instant::now();
            query.ask(store)?;
            timings.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let size = store.size();
        largest.database = largest.database.max(size.database);
        largest.log = largest.log.max(size.log);
        std::thread::sleep(EVERY);
    }
    let timings = timings.into_iter().map(|timings| Timing::of(0, timings)).collect();
    Ok(Watched { largest, timings })
}

/// Some seconds of writing; the lines alone need more than half of it after the warm-up.
const MAX_SIZE: u64 = 32_000_000;

/// The part of `max_size` that one burst may take beyond it.
const OVER: f64 = 0.1;

const KEEP: Duration = Duration::from_secs(3);
const KEEP_META: Duration = Duration::from_secs(6);

/// How often somebody asks.
const EVERY: Duration = Duration::from_millis(50);

/// As promised for a million.
const FILTER_MS: f64 = 100.0;

/// The writer empties its log when it is this long.
const LOG_MB: f64 = 64.0;
