//! Whole tries against scripted servers on loopback.

mod answers;
mod connecting;
mod reuse;
mod uploads;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, channel::Channel};

use super::*;
use crate::{
    base::{
        body::{Body, BodyError, Request},
        origin::{Origin, Scheme},
        tasks::Tasks,
    },
    wire::{
        ConnectorOptions, Outgoing, Phase, RequestTarget, WireError,
        testing::{Scripted, connector},
    },
};

/// The usual limits cut down to what a test can wait for.
const SHORT: Duration = Duration::from_millis(80);

/// One worker and one account.
struct Rig {
    pool: Pool,
    fleet: Arc<Fleet>,
    metrics: Metrics,
    limits: SendLimits,
}

impl Rig {
    fn new(origins: Vec<Origin>) -> Self {
        Self::with(origins, 64, |_| {})
    }

    fn plain(server: &Scripted) -> Self {
        Self::new(vec![server.origin(Scheme::Http)])
    }

    fn with(
        origins: Vec<Origin>,
        max_connections: usize,
        change: impl FnOnce(&mut ConnectorOptions),
    ) -> Self {
        let (metrics, connector) = (Metrics::default(), connector(change));
        let endpoints = origins.into_iter().map(|origin| EndpointOptions {
            label: origin.to_string().into(),
            origin,
            connector: connector.clone(),
        });
        let limits = FleetLimits { max_connections, max_waiting: 8 };
        let fleet = Fleet::new("shop", endpoints.collect(), limits, &metrics).unwrap();
        let pool = Pool::new(Tasks::default());
        Self { pool, fleet, metrics, limits: SendLimits::default() }
    }

    /// Sends to the first endpoint.
    async fn send(&self, request: Request) -> Result<Sent, SendFailure> {
        self.send_to(&self.fleet.endpoints()[0], request).await
    }

    async fn send_to(&self, endpoint: &Endpoint, request: Request) -> Result<Sent, SendFailure> {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        let outgoing = Outgoing {
            method: &head.method,
            target: &RequestTarget::new(head.uri.path(), query).unwrap(),
            headers: &head.headers,
            keeps: |_| true,
            adds: &[],
            body,
        };
        self.pool.send(&self.fleet, endpoint, outgoing, &self.limits).await
    }

    async fn get(&self, path: &str) -> Result<Sent, SendFailure> {
        self.send(get(path)).await
    }

    /// Sends along the order until something was sent, as `proxy` does.
    async fn fail_over(&self) -> Result<(Arc<str>, Sent), WireError> {
        let mut last = None;
        for endpoint in self.fleet.order()? {
            match self.send_to(endpoint, get("/x")).await {
                Ok(sent) => return Ok((Arc::clone(endpoint.label()), sent)),
                Err(failure) if failure.nothing_was_sent => last = Some(failure.error),
                Err(failure) => return Err(failure.error),
            }
        }
        Err(last.unwrap())
    }

    /// One line of what Prometheus would read, without the names of labels that do not vary.
    fn metric(&self, name: &str) -> u64 {
        let mut registry = prometheus_client::registry::Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or("0 0");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

fn get(path: &str) -> Request {
    http::Request::get(path).body(Body::empty()).unwrap()
}

fn post(body: impl Into<Body>) -> Request {
    http::Request::post("/x").body(body.into()).unwrap()
}

/// A body that the test feeds.
fn fed() -> (http_body_util::channel::Sender<Bytes, BodyError>, Body) {
    let (sender, body) = Channel::new(4);
    (sender, Body::wrap(body))
}

async fn whole(sent: Sent) -> Result<Bytes, BodyError> {
    sent.response.into_body().collect().await.map(http_body_util::Collected::to_bytes)
}

/// Until `condition` holds; bounded, because what it waits for happens in other tasks.
async fn eventually(condition: impl Fn() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(5);
    while !condition() {
        assert!(tokio::time::Instant::now() < limit, "the condition never came true");
        tokio::task::yield_now().await;
    }
}

fn is_timeout(failure: &SendFailure, wanted: Phase) -> bool {
    matches!(&failure.error, WireError::Timeout { phase, .. } if *phase == wanted)
}
