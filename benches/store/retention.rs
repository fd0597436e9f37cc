//! Writing and asking while the oldest exchanges are deleted.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::Instant;
use wxgate::{
    base::{
        clock::{Clock as _, SystemClock},
        units::ByteSize,
    },
    capture::CaptureSettings,
};

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
    by(bench, &format!("max_size is {} MB", MAX_SIZE / 1_000_000), "size", &size)?;
    let max_size = ByteSize(2 << 30);
    let age = CaptureSettings { keep: KEEP, keep_meta: KEEP_META, max_size, ..settings() };
    let head = format!("keep is {} s, keep_meta {} s", KEEP.as_secs(), KEEP_META.as_secs());
    by(bench, &head, "age", &age)
}

fn by(bench: &Bench<'_>, head: &str, name: &str, settings: &CaptureSettings) -> Outcome<()> {
    let (report, rate) = (&bench.report, bench.options.rate);
    report.head(&format!("retention: {head}, {rate} offered a second"));
    let store = Store::open(bench.place, name, settings.clone())?;
    let mut traffic = Traffic::new(Times::Now)?;
    // Until as much is deleted as is written.
    load::at_rate(&store, &mut traffic, rate, u64::from(rate) * KEEP_META.as_secs() * 2);
    let count = u64::from(rate) * u64::from(bench.options.seconds);
    let is_over = AtomicBool::new(false);
    let (mut written, watched) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&store, &is_over));
        let written = load::at_rate(&store, &mut traffic, rate, count);
        is_over.store(true, Ordering::Relaxed);
        (written, watcher.join())
    });
    let (content, now_ms) = (store.content()?, SystemClock.unix_ms().unsigned_abs());
    let watched = watched.map_err(|_| "asking ended in a panic")??;
    write::tell(bench, &written);
    write::delays(bench, &mut written);
    let limit = settings.max_size.0 as f64 / 1e6 * OVER;
    let largest = watched.largest.database as f64 / 1e6;
    report.line("capture.db, largest", largest, "MB", Budget::AtMost(limit));
    report.line("its log, largest", watched.largest.log as f64 / 1e6, "MB", Budget::AtMost(LOG_MB));
    for (what, oldest_ms, keep) in [
        ("age of the oldest exchange", content.oldest_ms, settings.keep_meta),
        ("age of the oldest body", content.oldest_part_ms, settings.keep),
    ] {
        let age = now_ms.saturating_sub(oldest_ms) as f64 / 1e3;
        report.line(what, age, "s", Budget::AtMost(keep.as_secs_f64() + LATE_S));
    }
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

/// A batch may take a little more than `max_size` before something is deleted for it.
const OVER: f64 = 1.1;

const KEEP: Duration = Duration::from_secs(3);
const KEEP_META: Duration = Duration::from_secs(6);

/// How often somebody asks.
const EVERY: Duration = Duration::from_millis(50);

/// How late something may be deleted.
const LATE_S: f64 = 1.0;

/// As promised for a million.
const FILTER_MS: f64 = 100.0;

/// The writer empties its log when it is this long.
const LOG_MB: f64 = 64.0;
