//! One origin of an account, with what is known of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use http::{HeaderValue, uri::Authority};

use super::{FleetLimits, gate::Gate, health::Health};
use crate::{
    base::origin::Origin,
    wire::{Connector, Target, WireError},
};

/// Tells endpoints apart in the pools; one made by a reload is another one.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// What an endpoint is made from.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// As shown in exchanges: `https://api.weixin.qq.com`, or `sandbox`.
    pub label: Arc<str>,
    /// Where its connections go.
    pub origin: Origin,
    /// How they are made.
    pub connector: Connector,
}

/// An origin. Its authority is a constant: nothing of a request can change where it goes.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) id: u64,
    label: Arc<str>,
    pub(super) target: Target,
    pub(super) connector: Connector,
    pub(super) gate: Gate,
    pub(super) health: Health,
    host: HeaderValue,
    authority: Authority,
    speaks_http1: AtomicBool,
}

impl Endpoint {
    pub(super) fn new(options: EndpointOptions, limits: FleetLimits) -> Result<Self, WireError> {
        let EndpointOptions { label, origin, connector } = options;
        let unusable = |error: http::Error| WireError::Invalid {
            to: origin.to_string(),
            source: error.into(),
        };
        let text = origin.authority();
        Ok(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            target: Target::from_origin(&origin)?,
            host: HeaderValue::from_str(&text).map_err(|error| unusable(error.into()))?,
            authority: text
                .parse()
                .map_err(|error: http::uri::InvalidUri| unusable(error.into()))?,
            gate: Gate::new(limits.max_connections, limits.max_waiting),
            health: Health::default(),
            speaks_http1: AtomicBool::new(!connector.offers_http2()),
            label,
            connector,
        })
    }

    /// As shown in exchanges: `https://api.weixin.qq.com`, or `sandbox`.
    #[must_use]
    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// Whether a connection may turn out to carry many requests, so that it pays to wait for
    /// it instead of opening one each.
    pub(super) fn may_speak_http2(&self) -> bool {
        !self.speaks_http1.load(Ordering::Relaxed)
    }

    pub(super) fn note_http1(&self) {
        self.speaks_http1.store(true, Ordering::Relaxed);
    }

    /// What stands in `Host`.
    pub(super) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// What stands in `:authority`.
    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }
}
