//! What the room counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::base::code::ErrorCode;

/// Counters of the room; clones share them. Every label comes from a closed set.
#[derive(Clone, Debug, Default)]
pub struct AccessMetrics {
    refusals: Family<CodeLabel, Counter>,
    limited: Family<LimitLabel, Counter>,
    pub(super) keys: Gauge,
    pub(super) quota_blocks: Gauge,
    pub(super) in_flight: Gauge,
}

impl AccessMetrics {
    /// Makes the metrics visible under `registry`'s prefix.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("access_refusals", "Requests refused, by code", self.refusals.clone());
        registry.register("limit_hits", "Limits that refused a request", self.limited.clone());
        registry.register("keys", "Keys that are not revoked", self.keys.clone());
        registry.register(
            "quota_blocks",
            "Paths held back until the platform's quota turns",
            self.quota_blocks.clone(),
        );
        registry.register("in_flight", "Requests in progress", self.in_flight.clone());
    }

    /// Counts a refusal. To be called for those of [`permit`](super::permit), whose functions
    /// are pure; the rest of the room counts its own.
    pub fn refused(&self, code: ErrorCode) {
        self.refusals.get_or_create(&CodeLabel { code: code.name() }).inc();
    }

    /// Counts a limit that refused, and the refusal.
    pub(super) fn hit(&self, limit: LimitKind) {
        let (limit, code) = match limit {
            LimitKind::Key => ("key", ErrorCode::RateLimited),
            LimitKind::Path => ("path", ErrorCode::RateLimited),
            LimitKind::Quota => ("quota", ErrorCode::QuotaExhausted),
            LimitKind::InFlight => ("in_flight", ErrorCode::Overloaded),
        };
        self.limited.get_or_create(&LimitLabel { limit }).inc();
        self.refused(code);
    }

    #[cfg(test)]
    pub(super) fn refusals_of(&self, code: ErrorCode) -> u64 {
        self.refusals.get_or_create(&CodeLabel { code: code.name() }).get()
    }
}

/// The kinds of limits, as metrics tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitKind {
    /// A key's own rate, or `per_key`.
    Key,
    /// An `[[account.limit]]`.
    Path,
    /// The platform's quota.
    Quota,
    /// Requests at once.
    InFlight,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_and_refusals_appear_with_their_kind() {
        let metrics = AccessMetrics::default();
        let mut registry = Registry::with_prefix("wxgate");
        metrics.register(&mut registry);
        for kind in [LimitKind::Key, LimitKind::Path, LimitKind::Quota, LimitKind::InFlight] {
            metrics.hit(kind);
        }
        metrics.refused(ErrorCode::KeyUnknown);
        metrics.keys.set(3);

        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "wxgate_limit_hits_total{limit=\"key\"} 1",
            "wxgate_limit_hits_total{limit=\"in_flight\"} 1",
            "wxgate_access_refusals_total{code=\"key_unknown\"} 1",
            "wxgate_access_refusals_total{code=\"rate_limited\"} 2",
            "wxgate_access_refusals_total{code=\"quota_exhausted\"} 1",
            "wxgate_access_refusals_total{code=\"overloaded\"} 1",
            "wxgate_keys 3",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
