//! The accept loop of one worker.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, timeout},
};
use tower::Service;

use super::{
    Arrival,
    connection::{Accepted, serve_connection},
    metrics::Refusal,
    shared::EdgeShared,
};
use crate::{
    base::{body::Response, cidr::plain},
    config::model::Scheme,
};

/// Accepts connections until the drain begins and serves each in a task on the caller's
/// runtime. `service` is cloned for each request, so a clone should be an `Arc` or two.
///
/// Ends when the accept loop does; the connections go on until [`EdgeShared::ended`].
pub async fn serve<S>(listener: TcpListener, scheme: Scheme, shared: Arc<EdgeShared>, service: S)
where
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let tasks = shared.tasks.clone();
    // In a task, so that the drain also waits for what is taken from the backlog.
    let door = Doorkeeper { listener, scheme, shared, service, last_complaint: None };
    if let Err(error) = tasks.spawn(door.run()).await {
        tracing::error!(%error, "an accept loop died");
    }
}

/// What one accept loop needs.
struct Doorkeeper<S> {
    listener: TcpListener,
    scheme: Scheme,
    shared: Arc<EdgeShared>,
    service: S,
    last_complaint: Option<Instant>,
}

impl<S> Doorkeeper<S>
where
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut pause = SHORTEST_PAUSE;
        loop {
            let accepted = tokio::select! {
                biased;
                () = shared.tasks.stopping() => break,
                accepted = accept(&self.listener, &shared) => accepted,
            };
            match accepted {
                Ok((tcp, peer, permit)) => {
                    pause = SHORTEST_PAUSE;
                    welcome(tcp, peer, permit, self.scheme, &shared, &self.service);
                }
                Err(error) => {
                    self.complain(&error);
                    if is_exhaustion(&error) {
                        // Only closing something helps; trying again at once burns a core.
                        shared.shed_idle();
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        }
        self.empty_backlog();
    }

    /// Takes what the kernel has already accepted for us: closing the socket would reset it.
    /// Without tokio, which learns of a connection only after another turn of its loop.
    fn empty_backlog(self) {
        let Self { listener, scheme, shared, service, .. } = self;
        let Ok(listener) = listener.into_std() else { return };
        while let Some(permit) = shared.admission.try_permit() {
            let Ok((tcp, peer)) = listener.accept() else { return };
            let adopted = tcp.set_nonblocking(true).and_then(|()| TcpStream::from_std(tcp));
            if let Ok(tcp) = adopted {
                welcome(tcp, peer, permit, scheme, &shared, &service);
            }
        }
    }

    /// An accept loop in trouble must not fill the log as well.
    fn complain(&mut self, error: &io::Error) {
        let now = Instant::now();
        if self.last_complaint.is_none_or(|last| now - last >= COMPLAINT_EVERY) {
            self.last_complaint = Some(now);
            tracing::warn!(%error, "could not accept a connection; raise `ulimit -n` if files ran out");
        }
    }
}

/// The permit first: without one the connection waits in the kernel, at no cost for us.
async fn accept(
    listener: &TcpListener,
    shared: &EdgeShared,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = loop {
        if let Some(permit) = shared.admission.try_permit() {
            break permit;
        }
        shared.shed_idle();
        if let Ok(Some(permit)) = timeout(ROOM_EVERY, shared.admission.permit()).await {
            break permit;
        }
    };
    let (tcp, peer) = listener.accept().await?;
    Ok((tcp, peer, permit))
}

fn welcome<S>(
    tcp: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
    scheme: Scheme,
    shared: &Arc<EdgeShared>,
    service: &S,
) where
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    shared.metrics.accepted.inc();
    let client = plain(peer.ip());
    let unlimited = client.is_loopback() || shared.trusts(client);
    let Some(ticket) = shared.admission.admit(permit, client, unlimited) else {
        shared.metrics.refuse(Refusal::Crowd);
        return;
    };
    let accepted = Accepted { tcp, peer, scheme, ticket };
    shared.tasks.spawn(serve_connection(accepted, Arc::clone(shared), service.clone()));
}

/// The system is out of something, as opposed to one connection that broke before we took it.
fn is_exhaustion(error: &io::Error) -> bool {
    const ENOMEM: i32 = 12;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 105;
    matches!(error.raw_os_error(), Some(ENOMEM | ENFILE | EMFILE | ENOBUFS))
}

/// The first pause after the system ran out of something; each next one is twice as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often idle connections are asked to make room while there is none.
const ROOM_EVERY: Duration = Duration::from_millis(250);
const COMPLAINT_EVERY: Duration = Duration::from_secs(1);
