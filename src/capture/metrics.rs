//! What the capture counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Counters and gauges of the capture. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct CaptureMetrics {
    /// Exchanges that were stored.
    pub recorded: Counter,
    /// Exchanges that were lost, by reason.
    pub dropped: Family<DropLabels, Counter>,
    /// Exchanges that wait for the writer.
    pub queue_len: Gauge,
    /// The memory they hold.
    pub queue_bytes: Gauge,
    /// The part of `capture.db` that is in use.
    pub stored_bytes: Gauge,
    /// 1 while exchanges are recorded, 0 while they are not.
    pub running: Gauge,
}

impl CaptureMetrics {
    /// Makes them known under names that begin with `capture_`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("capture");
        registry.register("recorded", "Exchanges stored", self.recorded.clone());
        registry.register("dropped", "Exchanges not stored", self.dropped.clone());
        registry.register("queue_length", "Exchanges waiting", self.queue_len.clone());
        registry.register("queue_bytes", "Memory of those waiting", self.queue_bytes.clone());
        registry.register("stored_bytes", "Used part of capture.db", self.stored_bytes.clone());
        registry.register("running", "1 while exchanges are recorded", self.running.clone());
    }

    pub(super) fn drop_for(&self, reason: DropReason, count: u64) {
        let labels = DropLabels { reason: reason.as_str() };
        self.dropped.get_or_create(&labels).inc_by(count);
    }

    /// All lost exchanges since the start.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        let count = |reason: &DropReason| {
            self.dropped.get_or_create(&DropLabels { reason: reason.as_str() }).get()
        };
        DropReason::ALL.iter().map(count).sum()
    }
}

/// The label of `dropped`.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct DropLabels {
    reason: &'static str,
}

/// Why an exchange was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DropReason {
    /// The writer was behind.
    QueueFull,
    /// The file could not be written.
    Storage,
    /// It came after the capture was closed.
    Closed,
    /// It could not be encoded.
    Encoding,
}

impl DropReason {
    const ALL: [Self; 4] = [Self::QueueFull, Self::Storage, Self::Closed, Self::Encoding];

    fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Storage => "storage",
            Self::Closed => "closed",
            Self::Encoding => "encoding",
        }
    }
}
