//! What Prometheus learns about tokens.

use std::{fmt, sync::Weak, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _},
    metrics::{MetricType, counter::Counter, family::Family, gauge::ConstGauge},
    registry::Registry,
};

use super::{
    broker::Broker,
    error::TokenError,
    generation::{EndReason, Verdict},
    provider::FetchedBy,
    slot_id::{Held, SlotId},
    status::SlotState,
};

/// Counters of all slots. Labels come from closed sets: accounts, modes, kinds of failure, ends.
#[derive(Clone, Default)]
pub(super) struct TokenMetrics {
    fetches: Family<FetchLabels, Counter>,
    births: Family<BirthLabels, Counter>,
    deaths: Family<SlotLabels, Counter>,
    ends: Family<EndLabels, Counter>,
    foreign_fetches: Family<SlotLabels, Counter>,
}

impl TokenMetrics {
    /// Counts one call to an issuer.
    pub(super) fn count_fetch(&self, slot: &SlotId, mode: FetchedBy, error: Option<&TokenError>) {
        let result = error.map_or("ok", TokenError::kind);
        let labels = FetchLabels { account: slot.owner(), mode: mode.as_str(), result };
        self.fetches.get_or_create(&labels).inc();
    }

    /// Counts a token that the issuer gave for the first time.
    pub(super) fn count_birth(&self, account: String, fetched_by: FetchedBy) {
        let labels = BirthLabels { account, fetched_by: fetched_by.as_str() };
        self.births.get_or_create(&labels).inc();
    }

    /// Counts the end of a token.
    pub(super) fn count_end(&self, account: String, reason: EndReason, verdict: Option<Verdict>) {
        if verdict == Some(Verdict::ForeignFetch) {
            self.foreign_fetches.get_or_create(&SlotLabels { account: account.clone() }).inc();
        }
        self.ends.get_or_create(&EndLabels { account, reason: reason.as_str() }).inc();
    }

    /// Makes the counters that alarms look at begin at 0: an increase from nothing is none.
    pub(super) fn begin(&self, slot: &SlotId) {
        let labels = SlotLabels { account: slot.owner() };
        drop(self.foreign_fetches.get_or_create(&labels));
        drop(self.deaths.get_or_create(&labels));
    }

    /// Counts a token that the platform refused before its end.
    pub(super) fn count_death(&self, slot: &SlotId) {
        self.deaths.get_or_create(&SlotLabels { account: slot.owner() }).inc();
    }

    /// Adds the counters, and gauges that are read when Prometheus asks.
    pub(super) fn register(&self, broker: Weak<Broker>, registry: &mut Registry) {
        registry.register("token_fetches", "Calls to token issuers", self.fetches.clone());
        let help = "Tokens that came here for the first time";
        registry.register("token_births", help, self.births.clone());
        registry.register("token_ends", "Tokens that ended", self.ends.clone());
        let help = "Tokens that ended because another holder of the AppSecret fetched one";
        registry.register("token_foreign_fetches", help, self.foreign_fetches.clone());
        let help = "Tokens that the platform refused before their end";
        registry.register("token_deaths", help, self.deaths.clone());
        registry.register_collector(Box::new(Ages { broker }));
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    account: String,
    mode: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BirthLabels {
    account: String,
    fetched_by: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    account: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    account: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    account: String,
    state: &'static str,
}

/// Age, remaining life and state of each token at the moment of asking, and forced refreshes.
struct Ages {
    broker: Weak<Broker>,
}

impl fmt::Debug for Ages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ages(..)")
    }
}

impl Collector for Ages {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(broker) = self.broker.upgrade() else { return Ok(()) };
        let mut slots = broker.status();
        // One series an account: tickets and merchants have counters only.
        slots.retain(|slot| slot.slot.held == Held::Token);
        let seconds = |time: Duration| time.as_secs_f64();

        let help = "Time since the token in use was fetched";
        let mut ages =
            encoder.encode_descriptor("token_age_seconds", help, None, MetricType::Gauge)?;
        for slot in &slots {
            if let Some(age) = slot.age() {
                let labels = SlotLabels { account: slot.slot.owner() };
                ConstGauge::new(seconds(age)).encode(ages.encode_family(&labels)?)?;
            }
        }
        let help = "Remaining life of the token in use, 0 without one";
        let mut lives =
            encoder.encode_descriptor("token_left_seconds", help, None, MetricType::Gauge)?;
        for slot in &slots {
            let labels = SlotLabels { account: slot.slot.owner() };
            let left = slot.left().unwrap_or_default();
            ConstGauge::new(seconds(left)).encode(lives.encode_family(&labels)?)?;
        }
        let help = "Forced refreshes of today (UTC+8), by the gateway and by operators";
        let mut forced =
            encoder.encode_descriptor("token_forced_today", help, None, MetricType::Gauge)?;
        for slot in &slots {
            let labels = SlotLabels { account: slot.slot.owner() };
            let today = i64::from(slot.forced_today);
            ConstGauge::new(today).encode(forced.encode_family(&labels)?)?;
        }
        let help = "1 for the state that the account's token is in";
        let mut states = encoder.encode_descriptor("token_state", help, None, MetricType::Gauge)?;
        for slot in &slots {
            for state in SlotState::ALL {
                let labels = StateLabels { account: slot.slot.owner(), state: state.as_str() };
                let is_it = i64::from(*state == slot.state);
                ConstGauge::new(is_it).encode(states.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
