//! HTTP on top of a connection.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http2},
    rt::Executor,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{task::AbortHandle, time::Instant};

use super::{
    ConnectFailure, ConnectTiming, Connector, Http1, Stream, Target, WireError, stream::Progress,
};
use crate::base::{
    body::{Body, Request},
    chain::Chain,
    tasks::Tasks,
};

/// The longest answer head.
const HEAD_CAP_BYTES: u32 = 64 * 1024;
/// A dead HTTP/2 connection is noticed by a ping.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_LIMIT: Duration = Duration::from_secs(10);

/// A connection that speaks the protocol which ALPN chose.
#[derive(Debug)]
pub enum Opened {
    /// One request at a time.
    Http1(Box<Http1>),
    /// Many at a time.
    Http2(Link),
}

/// An HTTP/2 connection; a task of its own moves its bytes.
#[derive(Clone)]
pub struct Link {
    sender: http2::SendRequest<Body>,
    driver: Arc<OnceLock<AbortHandle>>,
    progress: Arc<Progress>,
}

impl Connector {
    /// Connects to `target` and begins HTTP; a connection's task, where it has one, belongs to
    /// `tasks`.
    ///
    /// # Errors
    /// As for [`Connector::connect`].
    pub async fn open(
        &self,
        target: &Target,
        tasks: &Tasks,
    ) -> Result<(Opened, ConnectTiming), ConnectFailure> {
        let connected = self.connect(target).await?;
        let timing = connected.timing;
        if !connected.stream.is_http2() {
            return Ok((Opened::Http1(Box::new(Http1::new(connected.stream))), timing));
        }
        let link = Link::begin(connected.stream, tasks).await.map_err(|error| {
            let error =
                WireError::Connect { to: target.to_string(), source: std::io::Error::other(error) };
            ConnectFailure { error, timing }
        })?;
        Ok((Opened::Http2(link), timing))
    }
}

impl Link {
    async fn begin(mut stream: Stream, tasks: &Tasks) -> hyper::Result<Self> {
        let progress = stream.watch();
        let mut builder = http2::Builder::new(OnTasks(tasks.clone()));
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_LIMIT)
            .max_header_list_size(HEAD_CAP_BYTES);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let driver = Arc::new(OnceLock::new());
        // The cell is new, so setting it cannot fail.
        drop(driver.set(tasks.spawn(drive(connection)).abort_handle()));
        Ok(Self { sender, driver, progress })
    }

    /// Sends `request`, whose URI and version must be those of HTTP/2.
    ///
    /// # Errors
    /// With the request in it if not a byte of it was sent.
    pub async fn send(
        &mut self,
        request: Request,
    ) -> Result<http::Response<Incoming>, TrySendError<Request>> {
        self.sender.try_send_request(request).await
    }

    /// Whether a request can be sent now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// When bytes last went out.
    #[must_use]
    pub fn last_write(&self) -> Instant {
        self.progress.last_write()
    }

    /// Resets the connection, with all that is on it.
    pub fn abort(&self) {
        if let Some(driver) = self.driver.get() {
            driver.abort();
        }
    }
}

/// Moves the connection's bytes until it ends. Whoever waits for an answer gets the error;
/// an idle connection has nobody to tell.
async fn drive(connection: impl Future<Output = hyper::Result<()>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = %Chain(&error), "an upstream connection ended");
    }
}

/// Runs hyper's own helper tasks in our group, so that a shutdown waits for them too.
#[derive(Clone)]
struct OnTasks(Tasks);

impl<F> Executor<F> for OnTasks
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("is_ready", &self.is_ready()).finish_non_exhaustive()
    }
}
