//! What is counted of connections.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Counters of the edge; clones share them.
#[derive(Clone, Debug, Default)]
pub struct EdgeMetrics {
    pub(super) open: Gauge,
    pub(super) accepted: Counter,
    pub(super) requests: Counter,
    ended: Family<CutLabel, Counter>,
    refused: Family<RefusalLabel, Counter>,
}

impl EdgeMetrics {
    /// Names them, without a prefix: that is the registry's.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Client connections that are open", self.open.clone());
        registry.register(
            "connections_accepted",
            "Client connections accepted since the start",
            self.accepted.clone(),
        );
        registry.register(
            "connection_requests",
            "Requests that came over client connections, before any check",
            self.requests.clone(),
        );
        registry.register(
            "connections_ended",
            "Client connections or HTTP/2 streams that the gateway ended, by reason",
            self.ended.clone(),
        );
        registry.register(
            "connections_refused",
            "Client connections that never carried a request, by reason",
            self.refused.clone(),
        );
    }

    pub(super) fn cut(&self, reason: Cut) {
        self.ended.get_or_create(&CutLabel { reason }).inc();
    }

    pub(super) fn refuse(&self, reason: Refusal) {
        self.refused.get_or_create(&RefusalLabel { reason }).inc();
    }

    /// How many ended for this reason.
    #[cfg(test)]
    pub(super) fn cuts(&self, reason: Cut) -> u64 {
        self.ended.get_or_create(&CutLabel { reason }).get()
    }

    /// How many were refused for this reason.
    #[cfg(test)]
    pub(super) fn refusals(&self, reason: Refusal) -> u64 {
        self.refused.get_or_create(&RefusalLabel { reason }).get()
    }
}

/// Why the gateway ended a connection, or a stream of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cut {
    /// Nothing came after the handshake.
    Silent,
    /// A request head did not end in time.
    SlowHead,
    /// A request body stalled or trickled.
    SlowBody,
    /// The client did not take the answer.
    SlowReader,
    /// Too long without a request.
    Idle,
    /// Too old, or too many requests.
    Worn,
    /// HTTP/2 frames that only cost work.
    Flood,
    /// It made room for others while idle.
    Shed,
    /// The gateway shuts down.
    Drain,
    /// It did not go after a good-bye.
    Lingering,
    /// The shutdown took too long.
    Abort,
}

impl Cut {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::SlowHead => "slow_head",
            Self::SlowBody => "slow_body",
            Self::SlowReader => "slow_reader",
            Self::Idle => "idle",
            Self::Worn => "worn",
            Self::Flood => "flood",
            Self::Shed => "shed",
            Self::Drain => "drain",
            Self::Lingering => "lingering",
            Self::Abort => "abort",
        }
    }
}

/// Why a connection never got as far as HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Refusal {
    /// One client has too many.
    Crowd,
    /// The PROXY header is broken or late.
    ProxyHeader,
    /// TLS failed.
    Handshake,
    /// The client showed a certificate that does not verify.
    ClientCertificate,
    /// TLS took too long.
    HandshakeTimeout,
    /// It made room for others before it had said anything of use.
    Shed,
    /// The gateway shut down in the middle of it.
    Drain,
}

impl Refusal {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Crowd => "crowd",
            Self::ProxyHeader => "proxy_header",
            Self::Handshake => "handshake",
            Self::ClientCertificate => "client_certificate",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::Shed => "shed",
            Self::Drain => "drain",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabel {
    reason: Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabel {
    reason: Refusal,
}

impl EncodeLabelValue for Cut {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

impl EncodeLabelValue for Refusal {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_each_counter_under_its_name() {
        let (metrics, mut registry) = (EdgeMetrics::default(), Registry::with_prefix("wxgate"));
        metrics.register(&mut registry);
        metrics.accepted.inc();
        metrics.cut(Cut::SlowHead);
        metrics.refuse(Refusal::ProxyHeader);
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).unwrap();
        for line in [
            "wxgate_connections 0",
            "wxgate_connections_accepted_total 1",
            "wxgate_connections_ended_total{reason=\"slow_head\"} 1",
            "wxgate_connections_refused_total{reason=\"proxy_header\"} 1",
        ] {
            assert!(page.lines().any(|it| it == line), "{line} in\n{page}");
        }
    }
}
