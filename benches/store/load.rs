//! Hands exchanges to a recorder: at a given rate, or as fast as it takes them.

use std::time::Duration;

use tokio::time::Instant;

use super::{delays::Delays, store::Store, traffic::Traffic};

/// What became of some exchanges.
pub(crate) struct Written {
    pub(crate) exchanges: u64,
    /// From the first one to the last commit.
    pub(crate) seconds: f64,
    pub(crate) dropped: u64,
    /// Of the writer thread.
    pub(crate) cpu: Duration,
    /// Empty at full speed, where the queue is always long.
    pub(crate) delays: Delays,
}

impl Written {
    /// Exchanges a second.
    pub(crate) fn rate(&self) -> f64 {
        self.exchanges as f64 / self.seconds
    }

    /// CPU time of the writer for each exchange, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.exchanges.max(1) as f64
    }
}

/// `rate` exchanges a second until `count` are handed over.
pub(crate) fn at_rate(store: &Store, traffic: &mut Traffic, rate: u32, count: u64) -> Written {
    let run = Run::begin(store);
    let mut delays = Delays::default();
    let mut pushed = 0;
    while pushed < count || run.settled() < pushed {
        let due = (run.began.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        let is_any = pushed < due.min(count);
        while pushed < due.min(count) {
            store.record(&traffic.next());
            pushed += 1;
        }
        let now = Instant::now();
        if is_any {
            delays.handed_over(pushed, now);
        }
        delays.settled(run.settled(), now);
        std::thread::sleep(TICK);
    }
    delays.settled(run.settled(), Instant::now());
    run.end(pushed, delays)
}

/// As fast as the recorder takes them without losing any, until `is_over` says so.
pub(crate) fn full_speed(
    store: &Store,
    traffic: &mut Traffic,
    is_over: impl Fn(u64, Duration) -> bool,
) -> Written {
    let run = Run::begin(store);
    let mut pushed = 0;
    while !is_over(pushed, run.began.elapsed()) {
        if store.queued() > QUEUED_MOST {
            std::thread::sleep(PAUSE);
            continue;
        }
        (0..PUSHED_AT_ONCE).for_each(|_| store.record(&traffic.next()));
        pushed += PUSHED_AT_ONCE;
    }
    run.end(pushed, Delays::default())
}

/// What was so before.
struct Run<'a> {
    store: &'a Store,
    began: Instant,
    cpu: Duration,
    dropped: u64,
    settled: u64,
}

impl<'a> Run<'a> {
    fn begin(store: &'a Store) -> Self {
        store.flush();
        Self {
            store,
            cpu: store.writer_cpu(),
            dropped: store.dropped(),
            settled: store.stored() + store.dropped(),
            began: Instant::now(),
        }
    }

    /// How many since then are stored or lost.
    fn settled(&self) -> u64 {
        self.store.stored() + self.store.dropped() - self.settled
    }

    fn end(self, exchanges: u64, delays: Delays) -> Written {
        self.store.flush();
        Written {
            exchanges,
            seconds: self.began.elapsed().as_secs_f64(),
            dropped: self.store.dropped() - self.dropped,
            cpu: self.store.writer_cpu().saturating_sub(self.cpu),
            delays,
        }
    }
}

/// How often exchanges are handed over, and how exactly delays are known.
const TICK: Duration = Duration::from_millis(1);

/// The recorder drops what comes when 10 000 wait.
const QUEUED_MOST: usize = 8000;
const PUSHED_AT_ONCE: u64 = 100;
const PAUSE: Duration = Duration::from_micros(200);
