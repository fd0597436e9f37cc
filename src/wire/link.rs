//! HTTP on top of a connection.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
    rt::Executor,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{task::AbortHandle, time::Instant};

use super::{
    ConnectFailure, ConnectTiming, Connector, Stream, Target, WireError, stream::Progress,
};
use crate::base::{
    body::{Body, Request},
    chain::Chain,
    tasks::Tasks,
};

/// The longest answer head, and the most of an answer that hyper holds at once.
const HEAD_CAP_BYTES: usize = 64 * 1024;
/// More 1xx answers than this before the real one are an attack or a fault.
const INFORMATIONAL_MAX: u8 = 8;
/// A dead HTTP/2 connection is noticed by a ping.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_LIMIT: Duration = Duration::from_secs(10);

/// A connection that speaks HTTP; a task of its own moves its bytes.
#[derive(Debug)]
pub struct Link {
    /// Takes requests.
    pub sender: Sender,
    /// The connection behind it.
    pub line: Arc<Line>,
}

/// The end that takes requests, by version.
#[derive(Debug)]
pub enum Sender {
    /// One request at a time.
    Http1(http1::SendRequest<Body>),
    /// Many at a time: may be cloned.
    Http2(http2::SendRequest<Body>),
}

/// The connection behind a [`Link`], for those who watch or end it.
pub struct Line {
    progress: Arc<Progress>,
    driver: OnceLock<AbortHandle>,
    informational: AtomicU8,
    was_used: AtomicBool,
}

impl Connector {
    /// Connects to `target` and begins HTTP; the connection's task belongs to `tasks`.
    ///
    /// # Errors
    /// As for [`Connector::connect`].
    pub async fn open(
        &self,
        target: &Target,
        tasks: &Tasks,
    ) -> Result<(Link, ConnectTiming), ConnectFailure> {
        let connected = self.connect(target).await?;
        let timing = connected.timing;
        let link = begin(connected.stream, tasks).await.map_err(|error| {
            let error =
                WireError::Connect { to: target.to_string(), source: std::io::Error::other(error) };
            ConnectFailure { error, timing }
        })?;
        Ok((link, timing))
    }
}

async fn begin(stream: Stream, tasks: &Tasks) -> hyper::Result<Link> {
    let line = Arc::new(Line {
        progress: stream.progress(),
        driver: OnceLock::new(),
        informational: AtomicU8::new(0),
        was_used: AtomicBool::new(false),
    });
    let is_http2 = stream.is_http2();
    let io = TokioIo::new(stream);
    let (sender, driver) = if is_http2 {
        let (sender, connection) = http2(tasks).handshake(io).await?;
        (Sender::Http2(sender), tasks.spawn(drive(connection)))
    } else {
        let (sender, connection) = http1().handshake(io).await?;
        (Sender::Http1(sender), tasks.spawn(drive(connection)))
    };
    // The cell is new, so setting it cannot fail.
    drop(line.driver.set(driver.abort_handle()));
    Ok(Link { sender, line })
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The number of fields has a limit of 100 as it is; setting it would move them to the heap.
    builder.preserve_header_case(true).max_header_size(HEAD_CAP_BYTES).max_buf_size(HEAD_CAP_BYTES);
    builder
}

fn http2(tasks: &Tasks) -> http2::Builder<OnTasks> {
    let mut builder = http2::Builder::new(OnTasks(tasks.clone()));
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_LIMIT)
        .max_header_list_size(u32::try_from(HEAD_CAP_BYTES).unwrap_or(u32::MAX));
    builder
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

impl Link {
    /// Sends `request`, whose URI and version must fit the link's.
    ///
    /// # Errors
    /// With the request in it if not a byte of it was sent.
    pub async fn send(
        &mut self,
        mut request: Request,
    ) -> Result<http::Response<Incoming>, TrySendError<Request>> {
        self.line.was_used.store(true, Ordering::Relaxed);
        self.line.informational.store(0, Ordering::Relaxed);
        match &mut self.sender {
            Sender::Http1(sender) => {
                self.line.count_informational(&mut request);
                sender.try_send_request(request).await
            }
            Sender::Http2(sender) => sender.try_send_request(request).await,
        }
    }

    /// Another handle on the same connection, if it can carry more than one request.
    #[must_use]
    pub fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(_) => None,
            Sender::Http2(sender) => {
                let sender = Sender::Http2(sender.clone());
                Some(Self { sender, line: Arc::clone(&self.line) })
            }
        }
    }

    /// Whether a request can be sent now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => sender.is_ready(),
            Sender::Http2(sender) => sender.is_ready(),
        }
    }

    /// Waits until a request can be sent; false if the connection is over.
    pub async fn ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Whether it carries one request at a time.
    #[must_use]
    pub fn is_http1(&self) -> bool {
        matches!(self.sender, Sender::Http1(_))
    }
}

impl Line {
    /// Whether it has carried a request before.
    #[must_use]
    pub fn was_used(&self) -> bool {
        self.was_used.load(Ordering::Relaxed)
    }

    /// When bytes last went out.
    #[must_use]
    pub fn last_write(&self) -> Instant {
        self.progress.last_write()
    }

    /// Resets the connection.
    pub fn abort(&self) {
        if let Some(driver) = self.driver.get() {
            driver.abort();
        }
    }

    /// Whether it was aborted because interim answers would not end.
    pub(crate) fn babbled(&self) -> bool {
        self.informational.load(Ordering::Relaxed) > INFORMATIONAL_MAX
    }

    fn count_informational(self: &Arc<Self>, request: &mut Request) {
        let line = Arc::clone(self);
        hyper::ext::on_informational(request, move |_| {
            if line.informational.fetch_add(1, Ordering::Relaxed) >= INFORMATIONAL_MAX {
                line.abort();
            }
        });
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("was_used", &self.was_used()).finish_non_exhaustive()
    }
}
