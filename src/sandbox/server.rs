//! The sandbox's own small HTTP server: accept, TLS, HTTP/1.1 and HTTP/2.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use hyper::{body::Incoming, server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    service::{Service, Wire},
    severable::{Severable, Shears},
};
use crate::base::{chain::Chain, tasks::Tasks};

/// What accepts connections.
pub(super) struct Server {
    /// Where.
    pub(super) listener: TcpListener,
    /// None for plain HTTP.
    pub(super) tls: Option<TlsAcceptor>,
    /// What answers.
    pub(super) service: Arc<Service>,
    /// The group that its tasks belong to.
    pub(super) tasks: Tasks,
}

impl Server {
    /// Accepts until the group is told to stop. At the bound on connections the kernel's
    /// backlog is the queue.
    pub(super) async fn run(self) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = self.tasks.stopping() => return,
                accepted = self.listener.accept() => accepted,
            };
            let (tcp, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: trying again at once would spin.
                    tracing::warn!(%error, "the sandbox could not accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let permit = tokio::select! {
                () = self.tasks.stopping() => return,
                permit = room.clone().acquire_owned() => permit,
            };
            let Ok(permit) = permit else { return };
            let (tls, service, tasks) =
                (self.tls.clone(), self.service.clone(), self.tasks.clone());
            self.tasks.spawn(async move {
                let _permit = permit;
                let connection = Connection { service, tasks, peer: peer.ip() };
                if let Err(error) = connection.serve(tcp, tls).await {
                    let cause = Chain(&*error).to_string();
                    tracing::debug!(client.addr = %peer, cause, "a sandbox connection broke off");
                }
            });
        }
    }
}

/// A connection with what it needs to end in time.
struct Connection {
    service: Arc<Service>,
    tasks: Tasks,
    peer: IpAddr,
}

/// Whatever ended a connection; it is logged and forgotten.
type Broken = Box<dyn std::error::Error + Send + Sync>;

impl Connection {
    /// ALPN decides between the protocols. hyper-util's automatic choice reads the first bytes
    /// without a time limit, so a silent client would stay for ever.
    async fn serve(self, tcp: TcpStream, tls: Option<TlsAcceptor>) -> Result<(), Broken> {
        tcp.set_nodelay(true)?;
        let shears = Shears::default();
        let stream = Severable::new(tcp, shears.clone());
        let Some(tls) = tls else { return self.serve_http1(stream, shears).await };
        let stream = match timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await {
            Ok(stream) => stream?,
            Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.serve_http2(stream).await
        } else {
            self.serve_http1(stream, shears).await
        }
    }

    /// Also for plain HTTP, where nobody negotiates.
    async fn serve_http1<S>(self, stream: S, shears: Shears) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let wire = Wire { peer: self.peer, shears: Some(shears) };
        let service = self.service.clone();
        let served = conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_LIMIT)
            .max_buf_size(MOST_HEAD_BYTES)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request: http::Request<Incoming>| {
                    service.clone().serve(request, wire.clone())
                }),
            );
        let mut served = std::pin::pin!(served);
        tokio::select! {
            ended = served.as_mut() => return Ok(ended?),
            () = self.tasks.stopping() => served.as_mut().graceful_shutdown(),
        }
        Ok(timeout(DRAIN_LIMIT, served).await.unwrap_or(Ok(()))?)
    }

    /// Idle connections are found by pings; hyper has no other limit for them.
    async fn serve_http2<S>(self, stream: S) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let wire = Wire { peer: self.peer, shears: None };
        let service = self.service.clone();
        let served = conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MOST_STREAMS)
            .max_header_list_size(MOST_HEAD_BYTES as u32)
            .max_send_buf_size(MOST_HEAD_BYTES)
            .keep_alive_interval(IDLE_LIMIT)
            .keep_alive_timeout(HANDSHAKE_LIMIT)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request: http::Request<Incoming>| {
                    service.clone().serve(request, wire.clone())
                }),
            );
        let mut served = std::pin::pin!(served);
        tokio::select! {
            ended = served.as_mut() => return Ok(ended?),
            () = self.tasks.stopping() => served.as_mut().graceful_shutdown(),
        }
        Ok(timeout(DRAIN_LIMIT, served).await.unwrap_or(Ok(()))?)
    }
}

/// Bounds memory together with [`MOST_STREAMS`] and the intake's shares.
const MOST_CONNECTIONS: usize = 10_000;
const MOST_STREAMS: u32 = 256;
const MOST_HEAD_BYTES: usize = 64 << 10;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// For the head of a request, which is also how long hyper keeps an idle connection. Above the
/// idle time of the gateway's pool, so that the gateway closes first.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// How long a shutdown waits for answers under way; delays of faults may be longer.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
