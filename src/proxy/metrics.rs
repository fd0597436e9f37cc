//! Counters of the request path.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::base::{name::Name, outcome::Outcome, stranger_log::StrangerLog};

/// Requests by account and outcome, latencies, callers without a key.
#[derive(Debug)]
pub struct ProxyMetrics {
    requests: Family<RequestLabels, Counter>,
    /// From the request's head to the end of the answer's body.
    pub(super) total: Histogram,
    /// From sending to the answer's head, each attempt.
    pub(super) upstream: Histogram,
    /// Requests that no key could be found for.
    pub(super) strangers: Counter,
    /// How many of them the log names.
    pub(super) stranger_log: StrangerLog,
    /// Surrogates that were handed out.
    pub(super) surrogates: Counter,
    surrogate_refusals: Family<ReasonLabel, Counter>,
    /// Requests that ended before an account was chosen, by outcome.
    pub(super) without_account: AccountCounters,
}

impl ProxyMetrics {
    /// Registers everything.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::<RequestLabels, Counter>::default();
        let (total, upstream) = (latency(), latency());
        let strangers = Counter::default();
        registry.register("requests", "Requests by account and outcome", requests.clone());
        registry.register(
            "request_duration_seconds",
            "Head of the request to end of the answer",
            total.clone(),
        );
        registry.register(
            "upstream_duration_seconds",
            "Sending to head of the answer, each attempt",
            upstream.clone(),
        );
        registry.register("strangers", "Requests without a valid key", strangers.clone());
        let (surrogates, surrogate_refusals) = (Counter::default(), Family::default());
        registry.register("surrogates", "Surrogates handed out", surrogates.clone());
        registry.register(
            "surrogate_refusals",
            "Surrogates refused, by reason",
            surrogate_refusals.clone(),
        );
        let without_account = AccountCounters::of(&requests, "-");
        Self {
            requests,
            total,
            upstream,
            strangers,
            stranger_log: StrangerLog::default(),
            surrogates,
            surrogate_refusals,
            without_account,
        }
    }

    /// Counts a surrogate that was refused; the reasons are a closed set.
    pub(super) fn surrogate_refused(&self, reason: &'static str) {
        self.surrogate_refusals.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// The counters of one account; the same ones again after a reload.
    #[must_use]
    pub fn for_account(&self, account: &Name) -> AccountCounters {
        AccountCounters::of(&self.requests, account.as_str())
    }
}

/// One counter an outcome, found once and not for each request.
#[derive(Debug)]
pub struct AccountCounters(Vec<Counter>);

impl AccountCounters {
    fn of(requests: &Family<RequestLabels, Counter>, account: &str) -> Self {
        let counter = |outcome: &Outcome| {
            let labels = RequestLabels { account: account.to_owned(), outcome: outcome.as_str() };
            requests.get_or_create(&labels).clone()
        };
        Self(Outcome::ALL.iter().map(counter).collect())
    }

    pub(super) fn inc(&self, outcome: Outcome) {
        let index = Outcome::ALL.iter().position(|known| *known == outcome);
        if let Some(counter) = index.and_then(|index| self.0.get(index)) {
            counter.inc();
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    account: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

fn latency() -> Histogram {
    Histogram::new(LATENCY_BUCKETS_SECONDS)
}

/// From a reused connection on the same host to the time limit of an answer.
const LATENCY_BUCKETS_SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
