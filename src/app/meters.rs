//! Every room's counters, in one registry.

use std::sync::Arc;

use prometheus_client::{metrics::info::Info, registry::Registry};

use crate::{
    access::AccessMetrics, edge::EdgeMetrics, proxy::ProxyMetrics,
    upstream::Metrics as UpstreamMetrics,
};

/// The registry, and what the rooms count with.
pub(super) struct Meters {
    pub(super) registry: Registry,
    pub(super) proxy: Arc<ProxyMetrics>,
    pub(super) access: AccessMetrics,
    pub(super) edge: EdgeMetrics,
    pub(super) upstream: UpstreamMetrics,
}

impl Meters {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("wxgate");
        let proxy = Arc::new(ProxyMetrics::register(&mut registry));
        let (access, edge, upstream) =
            (AccessMetrics::default(), EdgeMetrics::default(), UpstreamMetrics::default());
        access.register(&mut registry);
        edge.register(&mut registry);
        upstream.register(&mut registry);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        Self { registry, proxy, access, edge, upstream }
    }
}
