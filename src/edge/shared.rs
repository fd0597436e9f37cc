//! What all listeners and connections share.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use super::{
    Certificates, Deadlines, EdgeMetrics,
    admission::{Admission, MOST_OF_ONE, most_connections},
    handshake::HandshakeError,
    metrics::Refusal,
};
use crate::base::{chain::Chain, cidr::Cidr, stranger_log::StrangerLog, tasks::Tasks};

/// One for the process; every worker's [`super::serve`] holds it.
#[derive(Debug)]
pub struct EdgeShared {
    pub(super) limits: Arc<Deadlines>,
    trusted: ArcSwap<Vec<Cidr>>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) admission: Admission,
    pub(super) handshakes: Semaphore,
    pub(super) tasks: Tasks,
    orders: watch::Sender<Orders>,
    pub(super) metrics: EdgeMetrics,
    strangers: StrangerLog,
    last_id: AtomicU64,
    live: AtomicUsize,
}

/// What every connection is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    /// Finish what was begun, and go.
    pub(super) is_draining: bool,
    /// Go.
    pub(super) is_aborting: bool,
    /// Counts the calls to make room: who is idle goes.
    pub(super) shed_calls: u64,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that were still busy when time was up, and were cut.
    pub left: usize,
}

impl EdgeShared {
    /// `certificates` may be missing only where no https listener is served.
    #[must_use]
    pub fn new(
        limits: Deadlines,
        trusted_proxies: Vec<Cidr>,
        certificates: Option<Arc<Certificates>>,
        metrics: EdgeMetrics,
    ) -> Arc<Self> {
        let admission = Admission::new(most_connections(), MOST_OF_ONE, metrics.open.clone());
        Arc::new(Self {
            limits: Arc::new(limits),
            trusted: ArcSwap::from_pointee(trusted_proxies),
            certificates,
            admission,
            handshakes: Semaphore::new(HANDSHAKES_AT_ONCE),
            tasks: Tasks::default(),
            orders: watch::Sender::new(Orders::default()),
            metrics,
            strangers: StrangerLog::default(),
            last_id: AtomicU64::new(0),
            live: AtomicUsize::new(0),
        })
    }

    /// Counts a handshake that failed. Why a certificate was refused the client mostly does not
    /// learn, so the log tells it; anything else that comes by is no news.
    pub(super) fn refused(&self, client: IpAddr, failure: &HandshakeError) {
        let (reason, error) = (failure.reason(), Chain(failure));
        self.metrics.refuse(reason);
        if reason == Refusal::ClientCertificate && self.strangers.may_write() {
            tracing::info!(
                client.addr = %client, %error,
                "refused a client certificate from {client}: {error}; it must be of version 3 and \
                 signed by a CA of [tls] client_ca"
            );
        } else {
            tracing::debug!(client.addr = %client, %error, "no TLS with {client}");
        }
    }

    /// Replaces the networks whose word is believed; for connections that come from now on.
    pub fn set_trusted_proxies(&self, networks: Vec<Cidr>) {
        self.trusted.store(Arc::new(networks));
    }

    /// The networks whose PROXY protocol and `X-Forwarded-For` are believed.
    #[must_use]
    pub fn trusted_proxies(&self) -> Arc<Vec<Cidr>> {
        self.trusted.load_full()
    }

    /// The certificates in service.
    #[must_use]
    pub fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.certificates.as_ref()
    }

    /// Connections that are served now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// Stops accepting, after what waits in the kernel is taken in, and tells every connection
    /// to end after what was begun. Returns at once.
    pub fn begin_drain(&self) {
        self.orders.send_modify(|orders| orders.is_draining = true);
        self.tasks.stop();
    }

    /// Begins to drain, waits at most `limit` until every connection has ended, then cuts the
    /// rest.
    pub async fn drained(&self, limit: Duration) -> DrainReport {
        self.begin_drain();
        if tokio::time::timeout(limit, self.tasks.shutdown()).await.is_ok() {
            return DrainReport { left: 0 };
        }
        let left = self.connections();
        self.orders.send_modify(|orders| orders.is_aborting = true);
        // Dropping them takes no longer than a turn of each worker's loop.
        if tokio::time::timeout(ABORT_LIMIT, self.tasks.shutdown()).await.is_err() {
            tracing::warn!("{} tasks of the edge did not end", self.tasks.len());
        }
        DrainReport { left }
    }

    /// Ends when a drain was begun and every connection has ended. A worker's runtime must live
    /// that long: connections are tasks on it.
    pub async fn ended(&self) {
        self.tasks.stopping().await;
        self.tasks.shutdown().await;
    }

    pub(super) fn orders(&self) -> watch::Receiver<Orders> {
        self.orders.subscribe()
    }

    /// Asks idle connections to make room.
    pub(super) fn shed_idle(&self) {
        self.orders.send_modify(|orders| orders.shed_calls += 1);
    }

    /// For a connection that has not come as far as HTTP: ends when it has to make way, because
    /// the gateway shuts down or needs the room.
    pub(super) async fn must_go(&self) -> Refusal {
        let (begun, mut orders) = (Instant::now(), self.orders());
        loop {
            let order = *orders.borrow_and_update();
            if order.is_aborting {
                return Refusal::Drain;
            }
            if order.is_draining {
                tokio::time::sleep(self.limits.last_call).await;
                return Refusal::Drain;
            }
            if order.shed_calls > 0 && begun.elapsed() >= SHED_AFTER {
                return Refusal::Shed;
            }
            if orders.changed().await.is_err() {
                return Refusal::Drain;
            }
        }
    }

    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.load().iter().any(|network| network.contains(peer))
    }

    pub(super) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn enter(self: &Arc<Self>) -> Live {
        self.live.fetch_add(1, Relaxed);
        Live(Arc::clone(self))
    }
}

/// Counts one connection while it is served.
pub(super) struct Live(Arc<EdgeShared>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Relaxed);
    }
}

/// How long a connection must have been quiet to make room for others.
pub(super) const SHED_AFTER: Duration = Duration::from_millis(750);
/// A handshake costs a signature: a flood of them must not starve those who are through.
const HANDSHAKES_AT_ONCE: usize = 512;
/// How long connections may take to notice that they are cut.
const ABORT_LIMIT: Duration = Duration::from_secs(1);
