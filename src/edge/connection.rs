//! One connection, from accept to its end.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tower::Service;

use super::{
    Arrival, ConnInfo, Door,
    admission::Ticket,
    handshake::{self, Secured},
    metrics::Refusal,
    protocol::{Serving, serve_http1, serve_http2},
    proxy_protocol::{Opening, ProxyProtocolError, read_opening},
    pulse::Pulse,
    request::Conversation,
    shared::EdgeShared,
    socket::Socket,
    watchdog::Version,
};
use crate::{
    base::{body::Response, chain::Chain, cidr::plain},
    config::model::Scheme,
};

/// What accept knows.
pub(super) struct Accepted {
    pub(super) tcp: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) scheme: Scheme,
    pub(super) ticket: Ticket,
}

/// Serves one connection to its end. Its errors end here: each is logged once and counted.
///
/// In two boxes: what comes before HTTP needs kilobytes of state, and an idle connection
/// should not carry them along.
pub(super) async fn serve_connection<S>(accepted: Accepted, edge: Arc<EdgeShared>, service: S)
where
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let _live = edge.enter();
    if let Some(serving) = Box::pin(establish(accepted, edge, service)).await {
        serving.await;
    }
}

/// Everything before HTTP: PROXY header, TLS. None when it did not come so far.
async fn establish<S>(accepted: Accepted, edge: Arc<EdgeShared>, service: S) -> Option<Serving>
where
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let Accepted { mut tcp, peer, scheme, ticket } = accepted;
    // Fails only when the client has gone already.
    let local = tcp.local_addr().ok()?;
    let pulse = Pulse::new(Instant::now());
    let opening = opening(&mut tcp, peer, &edge).await?;
    let mut conn = ConnInfo {
        id: edge.next_id(),
        peer,
        client: opening.client.unwrap_or_else(|| plain(peer.ip())),
        peer_is_trusted: edge.trusts(peer.ip()),
        local,
        door: door(scheme, local.ip()),
        sni: None,
        certificate: None,
    };
    let socket = Socket::new(tcp, opening.early, Arc::clone(&pulse), &edge.limits, ticket);
    let begin = |conn, version, edge| {
        pulse.begin_http(Instant::now());
        Arc::new(Conversation { edge, conn: Arc::new(conn), pulse, version })
    };
    if scheme == Scheme::Http {
        return Some(serve_http1(socket, service, begin(conn, Version::Http1, edge)));
    }
    match handshake::secure(socket, &edge).await {
        Ok(Secured { stream, sni, certificate, version }) => {
            (conn.sni, conn.certificate) = (sni, certificate);
            let conversation = begin(conn, version, edge);
            Some(match version {
                Version::Http1 => serve_http1(stream, service, conversation),
                Version::Http2 => serve_http2(stream, service, conversation),
            })
        }
        Err(failure) => {
            edge.refused(conn.client, &failure);
            None
        }
    }
}

/// What a trusted peer says before anything else; nobody else is asked.
async fn opening(tcp: &mut TcpStream, peer: SocketAddr, edge: &EdgeShared) -> Option<Opening> {
    if !edge.trusts(peer.ip()) {
        return Some(Opening { client: None, early: Bytes::new() });
    }
    let read = tokio::select! {
        read = timeout(edge.limits.proxy_protocol, read_opening(tcp)) => read,
        reason = edge.must_go() => {
            edge.metrics.refuse(reason);
            return None;
        }
    };
    match read.unwrap_or(Err(ProxyProtocolError::Late)) {
        Ok(opening) => Some(opening),
        Err(error) => {
            edge.metrics.refuse(Refusal::ProxyHeader);
            // A health check that connects and leaves is no news.
            tracing::debug!(
                client.addr = %peer, error = %Chain(&error),
                "closed a connection from the trusted proxy {peer}"
            );
            None
        }
    }
}

fn door(scheme: Scheme, local: IpAddr) -> Door {
    match scheme {
        Scheme::Https => Door::Https,
        Scheme::Http if plain(local).is_loopback() => Door::HttpLoopback,
        Scheme::Http => Door::HttpPublic,
    }
}
