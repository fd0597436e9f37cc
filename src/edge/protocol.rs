//! hyper, set up for a public port.

use std::{convert::Infallible, pin::Pin, sync::Arc};

use hyper::{
    body::Incoming,
    rt::{Read, Write},
    server::conn,
    service::HttpService,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

use super::{
    Arrival,
    answer::Answer,
    head_watch::HeadWatch,
    request::{self, Conversation},
    stream_task::{Handover, StreamTasks},
    supervisor::{Ended, Graceful, supervise},
    watchdog::Watchdog,
};
use crate::base::{body::Response, chain::Chain};

/// The rest of a connection's life.
pub(super) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

// We know the protocol from ALPN, so hyper-util's `auto` builder is not used: it reads the
// first bytes to guess the version and has no time limit while it does (hyper#3756).

/// Serves HTTP/1.1.
pub(super) fn serve_http1<IO, S>(io: IO, service: S, conversation: Arc<Conversation>) -> Serving
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let io = TokioIo::new(HeadWatch::http1(io, Arc::clone(&conversation.pulse)));
    let conn = conn::http1::Builder::new()
        // A client that has sent its request may close its side and still gets the answer.
        .half_close(true)
        // hyper would use one limit for slow heads and for idle connections; ours are two.
        .header_read_timeout(None)
        // Names that came from an upstream keep its letter case, our own look like theirs.
        .title_case_headers(true)
        .max_header_size(HEAD_BYTES)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(io, request::http1(service, Arc::clone(&conversation)))
        .with_upgrades();
    let conn = Box::pin(conn);
    Box::pin(async move { watched(conn, conversation).await })
}

/// Serves HTTP/2.
pub(super) fn serve_http2<IO, S>(io: IO, service: S, conversation: Arc<Conversation>) -> Serving
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Arrival, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let io = TokioIo::new(HeadWatch::http2(io, Arc::clone(&conversation.pulse)));
    let handover = Arc::new(Handover::default());
    let service = request::http2(service, Arc::clone(&conversation), Arc::clone(&handover));
    let streams = StreamTasks { handover, conversation: Arc::clone(&conversation) };
    let conn = conn::http2::Builder::new(streams)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADER_LIST_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAMS_WAITING)
        .max_local_error_reset_streams(RESET_STREAMS_OURS)
        .serve_connection(io, service);
    let conn = Box::pin(conn);
    Box::pin(async move { watched(conn, conversation).await })
}

/// The boundary: how the connection ended is counted and logged here.
async fn watched<C: Graceful>(conn: Pin<Box<C>>, it: Arc<Conversation>) {
    let watchdog = Watchdog::new(Arc::clone(&it.edge.limits), Arc::clone(&it.pulse), it.version);
    let ended = supervise(conn, watchdog, it.edge.orders(), |cut| it.edge.metrics.cut(cut)).await;
    // Looked up only now: whatever is kept until then is a part of each idle connection.
    let (id, client) = (it.conn.id, it.conn.client);
    match ended {
        Ended::Done(Ok(())) => {}
        Ended::Done(Err(error)) => tracing::debug!(
            conn.id = id, client.addr = %client, error = %Chain(&error),
            "connection {id} from {client} broke off"
        ),
        Ended::Cut(cut) => {
            it.edge.metrics.cut(cut);
            tracing::debug!(
                conn.id = id, client.addr = %client, reason = cut.as_str(),
                "cut connection {id} from {client}: {}", cut.as_str()
            );
        }
    }
}

impl<I, S> Graceful for conn::http1::UpgradeableConnection<I, S>
where
    S: HttpService<Incoming, ResBody = Answer>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: Read + Write + Unpin + Send + 'static,
{
    fn say_goodbye(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S> Graceful for conn::http2::Connection<I, S, StreamTasks>
where
    S: HttpService<Incoming, ResBody = Answer>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send + 'static,
    I: Read + Write + Unpin,
{
    fn say_goodbye(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Longest request head; 431 above it.
const HEAD_BYTES: usize = 32 * 1024;
/// hyper's buffers grow to this when needed; a head and a good piece of body fit.
const BUFFER_BYTES: usize = 64 * 1024;
const STREAMS: u32 = 100;
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const HEADER_LIST_BYTES: u32 = 32 * 1024;
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Streams that the client reset before we took them (Rapid Reset, CVE-2023-44487).
const RESET_STREAMS_WAITING: usize = 20;
/// Streams that the client made us reset (MadeYouReset, CVE-2025-8671).
const RESET_STREAMS_OURS: usize = 200;
