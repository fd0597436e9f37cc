//! What is counted about upstreams.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::wire::WireError;

/// The counters of all accounts. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    attempts: Family<AttemptLabels, Counter>,
    ejections: Family<AccountLabels, Counter>,
    connections_opened: Family<AccountLabels, Counter>,
    connections_reused: Family<AccountLabels, Counter>,
    queue_waiting: Family<AccountLabels, Gauge>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountLabels {
    account: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AttemptLabels {
    account: String,
    result: AttemptResult,
}

/// How a try ended, as a metric's label.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
pub enum AttemptResult {
    /// An answer of whatever status.
    Answered,
    /// The name has no usable address.
    Dns,
    /// No TCP connection, or the proxy refused.
    Connect,
    /// No trusted TLS.
    Tls,
    /// The connection broke.
    Reset,
    /// The answer was not HTTP.
    Invalid,
    /// A time limit ran out.
    Timeout,
    /// No slot of `max_connections` was free.
    Queue,
    /// The upstream is this gateway.
    Loop,
    /// The request broke off.
    Request,
}

impl From<&WireError> for AttemptResult {
    fn from(error: &WireError) -> Self {
        use crate::wire::Phase;
        match error {
            WireError::Dns { .. } => Self::Dns,
            WireError::Connect { .. } | WireError::Proxy { .. } | WireError::Ejected { .. } => {
                Self::Connect
            }
            WireError::Tls { .. } | WireError::Roots { .. } => Self::Tls,
            WireError::Reset { .. } => Self::Reset,
            WireError::Invalid { .. } | WireError::TooLarge { .. } => Self::Invalid,
            WireError::Busy { .. } | WireError::Timeout { phase: Phase::Queue, .. } => Self::Queue,
            WireError::Timeout { .. } => Self::Timeout,
            WireError::Loop { .. } => Self::Loop,
            WireError::Request { .. } => Self::Request,
        }
    }
}

impl Metrics {
    /// Makes the counters known to `registry`, which adds its own prefix.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "upstream_attempts",
            "Tries at an upstream, by how they ended",
            self.attempts.clone(),
        );
        registry.register(
            "upstream_ejections",
            "How often an upstream was set aside after failures in a row",
            self.ejections.clone(),
        );
        registry.register(
            "upstream_connections_opened",
            "Connections made to upstreams",
            self.connections_opened.clone(),
        );
        registry.register(
            "upstream_connections_reused",
            "Requests that went over a kept connection",
            self.connections_reused.clone(),
        );
        registry.register(
            "upstream_queue_waiting",
            "Requests that wait for one of max_connections",
            self.queue_waiting.clone(),
        );
    }

    /// The counters of one account, looked up once instead of on each request.
    pub(super) fn of(&self, account: &str) -> AccountMetrics {
        let labels = AccountLabels { account: account.to_owned() };
        let answered =
            AttemptLabels { account: account.to_owned(), result: AttemptResult::Answered };
        AccountMetrics {
            answered: self.attempts.get_or_create(&answered).clone(),
            attempts: self.attempts.clone(),
            account: account.to_owned(),
            ejections: self.ejections.get_or_create(&labels).clone(),
            opened: self.connections_opened.get_or_create(&labels).clone(),
            reused: self.connections_reused.get_or_create(&labels).clone(),
            waiting: self.queue_waiting.get_or_create(&labels).clone(),
        }
    }
}

/// The counters of one account.
#[derive(Debug)]
pub(super) struct AccountMetrics {
    account: String,
    attempts: Family<AttemptLabels, Counter>,
    answered: Counter,
    pub(super) ejections: Counter,
    pub(super) opened: Counter,
    pub(super) reused: Counter,
    pub(super) waiting: Gauge,
}

impl AccountMetrics {
    pub(super) fn count(&self, result: AttemptResult) {
        if result == AttemptResult::Answered {
            self.answered.inc();
        } else {
            let labels = AttemptLabels { account: self.account.clone(), result };
            self.attempts.get_or_create(&labels).inc();
        }
    }
}
