//! The origins of one account, in order of preference.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Endpoint, EndpointOptions, Metrics, metrics::AccountMetrics};
use crate::{
    base::chain::Chain,
    wire::{Phase, WireError},
};

/// How much an endpoint carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetLimits {
    /// Requests at once to each endpoint.
    pub max_connections: usize,
    /// Requests that may wait for one of them, at each endpoint.
    pub max_waiting: usize,
}

/// The origins of one account; shared by all workers.
#[derive(Debug)]
pub struct Fleet {
    account: String,
    endpoints: Vec<Arc<Endpoint>>,
    pub(super) metrics: AccountMetrics,
}

/// More origins than this make no sense; the rest is left out and said so.
const ENDPOINTS_MAX: usize = u64::BITS as usize;

impl Fleet {
    /// `endpoints` are in order of preference.
    ///
    /// # Errors
    /// [`WireError`] if an origin cannot be the authority of a URL.
    pub fn new(
        account: &str,
        endpoints: Vec<EndpointOptions>,
        limits: FleetLimits,
        metrics: &Metrics,
    ) -> Result<Arc<Self>, WireError> {
        if endpoints.len() > ENDPOINTS_MAX {
            tracing::warn!(account, "only the first {ENDPOINTS_MAX} upstreams are used");
        }
        let endpoints = endpoints.into_iter().take(ENDPOINTS_MAX);
        let endpoints = endpoints
            .map(|options| Endpoint::new(options, limits).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let metrics = metrics.of(account);
        Ok(Arc::new(Self { account: account.to_owned(), endpoints, metrics }))
    }

    /// All endpoints, in order of preference.
    #[must_use]
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    /// Which endpoints this request tries, one after the other while nothing was sent.
    ///
    /// Ejected ones are left out; when the pause of a preferred one is over, one request gets
    /// it first, as a probe. While all are ejected, one request a second probes.
    ///
    /// # Errors
    /// [`WireError::Ejected`] while all are ejected and no probe is due: answered at once,
    /// with the reason of the last failure.
    pub fn order(&self) -> Result<Order<'_>, WireError> {
        if self.endpoints.iter().all(|endpoint| !endpoint.health.is_ejected()) {
            let all = self.endpoints.iter().enumerate().fold(0, |bits, (at, _)| bits | 1 << at);
            return self.among(all, Instant::now);
        }
        let now = Instant::now();
        let (mut bits, mut has_healthy, mut has_probe) = (0u64, false, false);
        for (at, endpoint) in self.endpoints.iter().enumerate() {
            let health = &endpoint.health;
            let included = if !health.is_ejected() {
                has_healthy = true;
                true
            } else if has_healthy {
                health.is_due(now) // behind a healthy one it is rarely asked: no need to ration
            } else {
                let claimed = !has_probe && health.claim(now);
                has_probe |= claimed;
                claimed
            };
            bits |= u64::from(included) << at;
        }
        if bits == 0 {
            let probe = self.endpoints.iter().position(|e| e.health.claim_last_resort(now));
            bits = probe.map_or(0, |at| 1 << at);
        }
        self.among(bits, || now)
    }

    fn among(&self, bits: u64, now: impl FnOnce() -> Instant) -> Result<Order<'_>, WireError> {
        if bits == 0 {
            return Err(self.refusal(now()));
        }
        Ok(Order { endpoints: &self.endpoints, bits })
    }

    /// Why nobody is asked: what the preferred endpoint said last.
    fn refusal(&self, now: Instant) -> WireError {
        let Some(first) = self.endpoints.first() else {
            return WireError::Ejected {
                to: self.account.clone(),
                failures: 0,
                retry_after: Duration::ZERO,
                last: "it has no upstream".to_owned(),
            };
        };
        let refusal = first.health.refusal(now);
        WireError::Ejected {
            to: first.target.to_string(),
            failures: refusal.failures,
            retry_after: refusal.retry_after,
            last: refusal.last,
        }
    }

    /// Notes that a try which began at `began` got an answer.
    pub(super) fn succeeded(&self, endpoint: &Endpoint, began: Instant) {
        if endpoint.health.succeeded(began) {
            tracing::info!(
                account = %self.account,
                upstream = %endpoint.label(),
                "upstream {} of {} is reachable again",
                endpoint.label(),
                self.account,
            );
        }
    }

    /// Notes a failure; only those of reaching the endpoint count.
    pub(super) fn failed(&self, endpoint: &Endpoint, began: Instant, error: &WireError) {
        if !is_unreachable(error) {
            return;
        }
        let why = Chain(error).to_string();
        if endpoint.health.failed(began, Instant::now(), why) {
            self.metrics.ejections.inc();
            tracing::warn!(
                account = %self.account,
                upstream = %endpoint.label(),
                error = %Chain(error),
                "upstream {} of {} is set aside: it could not be reached again and again",
                endpoint.label(),
                self.account,
            );
        }
    }
}

/// Whether `error` says that the endpoint cannot be reached, rather than that it answers
/// slowly, badly, or not at all to this request.
fn is_unreachable(error: &WireError) -> bool {
    match error {
        WireError::Dns { .. }
        | WireError::Connect { .. }
        | WireError::Proxy { .. }
        | WireError::Tls { .. } => true,
        WireError::Timeout { phase, .. } => match phase {
            Phase::Resolve | Phase::Connect | Phase::Handshake => true,
            Phase::Queue | Phase::Upload | Phase::Answer | Phase::Body => false,
        },
        WireError::Reset { .. }
        | WireError::Invalid { .. }
        | WireError::TooLarge { .. }
        | WireError::Loop { .. }
        | WireError::Busy { .. }
        | WireError::Ejected { .. }
        | WireError::Request { .. }
        | WireError::Roots { .. } => false,
    }
}

/// The endpoints that one request tries, best first.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    endpoints: &'a [Arc<Endpoint>],
    /// Bit n stands for the endpoint of preference n.
    bits: u64,
}

impl<'a> Iterator for Order<'a> {
    type Item = &'a Arc<Endpoint>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.bits.trailing_zeros();
        self.bits &= self.bits.checked_sub(1)?;
        self.endpoints.get(usize::try_from(at).ok()?)
    }
}
