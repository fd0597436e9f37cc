//! Questions to a store, and how long the answers take.

use tokio::time::Instant;
use wxgate::{
    base::clock::{Clock as _, SystemClock},
    capture::Filter,
};

use super::{
    Outcome,
    bench::Bench,
    product::{PROMOTION, id_text},
    report::{Budget, Report, number},
    store::Store,
    traffic::{RARE_ERRCODE, product_id},
};

/// One question.
pub(crate) struct Query {
    name: &'static str,
    filter: String,
    ask: Ask,
    budget: Budget,
    runs: usize,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// For the newest hundred without bodies, as a list shows them.
    Lines,
    /// For the newest hundred as a whole.
    Whole,
    /// For all of them, oldest first, as `wxgate export` does.
    Export,
}

/// How long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    found: usize,
    pub(crate) median_ms: f64,
    worst_ms: f64,
}

fn filter(name: &'static str, filter: &str) -> Query {
    let budget = Budget::AtMost(FILTER_MS);
    Query { name, filter: filter.to_owned(), ask: Ask::Lines, budget, runs: 9 }
}

fn body(name: &'static str, filter: String) -> Query {
    Query { name, filter, ask: Ask::Lines, budget: Budget::AtMost(BODY_MS), runs: 3 }
}

/// What people ask for: an account, a caller, a path, an error, a time.
pub(crate) fn filters() -> Vec<Query> {
    vec![
        filter("everything", ""),
        Query { ask: Ask::Whole, ..filter("everything, with bodies", "") },
        filter("an account", "account:shop-3"),
        filter("a caller of an account", "key:dev-7 account:shop-3"),
        filter("a path", "path:/shop/order/get"),
        filter("paths by pattern", "path:/channels/**"),
        filter("a call by name", "materials"),
        filter("failed", "status:>=500"),
        filter("an errcode, 1 of 1 000", "errcode:45009"),
        Query { ask: Ask::Whole, ..filter("the same, with bodies", "errcode:45009") },
        filter("an errcode, 1 of 200 000", &format!("errcode:{RARE_ERRCODE}")),
        filter("slow", "slower-than:2s"),
        filter("the last hour, refused", "since:1h errcode:!0"),
        filter("an hour four days ago", "since:97h until:96h account:shop-3"),
        filter("a bare word that is nowhere", "zzzz"),
        filter("nothing", "account:nobody"),
    ]
}

/// Words in bodies; the rare one stands in one of the oldest exchanges.
pub(crate) fn bodies(exchanges: u64) -> Vec<Query> {
    let rare = id_text(product_id(exchanges / 20));
    vec![
        body("1 of 100", format!("body:{PROMOTION}")),
        body("1 of all", format!("body:P-{rare}")),
        body("none", "body:P-no-such-product".to_owned()),
        body("none, of one account", "account:shop-3 body:P-no-such-product".to_owned()),
        body("none, in the last day", "since:24h body:P-no-such-product".to_owned()),
        Query {
            budget: Budget::None,
            runs: 1,
            ..body("a JSON value", format!("json:$.out_product_id=P-{rare}"))
        },
        Query {
            ask: Ask::Export,
            budget: Budget::None,
            runs: 1,
            ..body("export of 1 of 1 000", "errcode:45009".to_owned())
        },
    ]
}

/// Two that look at everything, for tables: a filter and a word in bodies.
pub(crate) fn scans() -> [Query; 2] {
    let nothing = Query { runs: 7, ..filter("nothing", "account:nobody") };
    [nothing, Query { runs: 2, ..body("none", "body:P-no-such-product".to_owned()) }]
}

/// The newest hundred, and a filter that hits often: what must not depend on what is stored.
pub(crate) fn pages() -> [Query; 2] {
    [filter("everything", ""), filter("an account", "account:shop-3")]
}

impl Query {
    /// Asks several times; each time over a connection of its own.
    pub(crate) fn measure(&self, store: &Store) -> Outcome<Timing> {
        let mut timings = Vec::new();
        let mut found = 0;
        for _ in 0..self.runs {
            let began = Instant::now();
            found = self.ask(store)?;
            timings.push(began.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Timing::of(found, timings))
    }

    /// How many there are, at most a page.
    pub(crate) fn ask(&self, store: &Store) -> Outcome<usize> {
        let reader = store.reader()?;
        let filter = Filter::parse(&self.filter, SystemClock.now())?;
        Ok(match self.ask {
            Ask::Lines => reader.lines(&filter, PAGE, None)?.len(),
            Ask::Whole => reader.list(&filter, PAGE, None)?.len(),
            Ask::Export => {
                let mut count = 0;
                for exchange in reader.export(&filter, None) {
                    exchange?;
                    count += 1;
                }
                count
            }
        })
    }

    fn tell(&self, report: &Report, timing: Timing) {
        let verdict = report.judge(self.name, timing.median_ms, "ms", self.budget);
        println!(
            "  {:<28} {:<42} {:>6} {:>9} {:>9} {:<9} {verdict}",
            self.name,
            self.filter,
            timing.found,
            number(timing.median_ms),
            number(timing.worst_ms),
            self.budget,
        );
    }
}

impl Timing {
    /// Of several runs, in milliseconds.
    pub(crate) fn of(found: usize, mut timings: Vec<f64>) -> Self {
        timings.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| timings.get(index).copied().unwrap_or(f64::NAN);
        let last = timings.len().saturating_sub(1);
        Self { found, median_ms: at(last / 2), worst_ms: at(last) }
    }

    /// For a line with both.
    pub(crate) fn worst_ms(self) -> f64 {
        self.worst_ms
    }
}

/// Every question to a store that holds what was asked for.
pub(crate) fn measure(bench: &Bench<'_>, store: &Store) -> Outcome<()> {
    let exchanges = store.stored();
    for (title, queries) in [("filters", filters()), ("words in bodies", bodies(exchanges))] {
        bench.report.head(&format!("search: {title}, {exchanges} stored; ms"));
        println!(
            "  {:<28} {:<42} {:>6} {:>9} {:>9} budget",
            "asked for", "filter", "found", "median", "slowest"
        );
        for query in queries {
            query.tell(&bench.report, query.measure(store)?);
        }
    }
    Ok(())
}

/// Exchanges of an answer.
const PAGE: usize = 100;

const FILTER_MS: f64 = 100.0;
const BODY_MS: f64 = 2000.0;
