//! One caller: a connection, or a stream of one, that sends a request after the other.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, Version, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use super::{
    super::configs::{DOWN, LARGE_UP, UP},
    connect::{Body, Dialer, Http1, Http2, broken},
    pace::{Pace, turn},
    tally::{Board, End, Kind},
};

/// What all callers share.
pub(super) struct Shared {
    pub(super) dialer: Dialer,
    pub(super) board: Board,
    pub(super) key: String,
    pub(super) small: Vec<Bytes>,
    pub(super) mebibyte: Bytes,
}

/// Where requests go out.
pub(super) enum Line {
    Http1(Option<Http1>),
    /// Shared by the callers of one connection.
    Http2(Arc<Mutex<Option<Http2>>>),
}

/// How a try ended.
enum Tried {
    Ended(End),
    /// The other side had said good-bye before it took the request.
    Again,
}

/// Sends until the process ends.
pub(super) async fn call(
    shared: Arc<Shared>,
    kind: Kind,
    mut line: Line,
    mut paces: watch::Receiver<Arc<Pace>>,
) {
    let mut number = 0;
    loop {
        let turn = turn(kind, &mut paces).await;
        if turn.is_late {
            shared.board.count_late(kind);
        }
        let end = shared.send(kind, &mut line, number, turn.since).await;
        shared.board.count(kind, end);
        number += 1;
    }
}

impl Shared {
    /// Opens a line and sends one request that does not count: a connection on which nothing
    /// comes is cut soon.
    pub(super) async fn begin(&self, kind: Kind, line: &mut Line) -> Result<(), String> {
        match self.send(kind, line, 0, Instant::now()).await {
            End::Done(_) => Ok(()),
            End::Refused(words) | End::Broken(words) | End::Own(words) => Err(words),
        }
    }

    async fn send(&self, kind: Kind, line: &mut Line, number: usize, since: Instant) -> End {
        for _ in 0..TRIES {
            match self.attempt(kind, line, number).await {
                Ok(Tried::Ended(End::Done(_))) => return End::Done(since.elapsed()),
                Ok(Tried::Ended(end)) | Err(end) => return end,
                Ok(Tried::Again) => self.board.count_again(kind),
            }
        }
        End::Broken(format!("{TRIES} connections said good-bye, one after the other"))
    }

    async fn attempt(&self, kind: Kind, line: &mut Line, number: usize) -> Result<Tried, End> {
        let request = self.request(kind, number);
        let answered = match line {
            Line::Http1(kept) => {
                // One that the other side has closed in the meantime is not ready.
                let ready = match kept.take() {
                    Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
                    None => None,
                };
                let sender = match ready {
                    Some(sender) => sender,
                    None => self.dialer.http1().await?,
                };
                kept.insert(sender).send_request(request).await
            }
            Line::Http2(kept) => {
                let mut sender = self.stream(kept).await?;
                sender.send_request(request).await
            }
        };
        Ok(match answered {
            Ok(response) => Tried::Ended(read(kind, response).await),
            Err(error) if was_not_taken(&error) => {
                if let Line::Http2(kept) = line {
                    kept.lock().await.take();
                }
                Tried::Again
            }
            Err(error) => Tried::Ended(broken(&error)),
        })
    }

    /// Another stream of the connection, which is opened again when it is over.
    async fn stream(&self, kept: &Mutex<Option<Http2>>) -> Result<Http2, End> {
        let mut kept = kept.lock().await;
        if let Some(sender) = kept.as_mut()
            && sender.ready().await.is_ok()
        {
            return Ok(sender.clone());
        }
        Ok(kept.insert(self.dialer.http2().await?).clone())
    }

    fn request(&self, kind: Kind, number: usize) -> Request<Body> {
        let small = || self.small.get(number % self.small.len()).cloned().unwrap_or_default();
        let (method, path, body) = match kind {
            Kind::Http1 if number.is_multiple_of(2) => (Method::GET, UP, Bytes::new()),
            Kind::Large if number.is_multiple_of(2) => (Method::GET, DOWN, Bytes::new()),
            Kind::Http1 | Kind::Http2 => (Method::POST, UP, small()),
            Kind::Large => (Method::POST, LARGE_UP, self.mebibyte.clone()),
        };
        let builder = Request::builder().method(method);
        let builder = match kind {
            Kind::Http2 => {
                let port = self.dialer.address.port();
                builder.version(Version::HTTP_2).uri(format!("https://localhost:{port}{path}"))
            }
            Kind::Http1 | Kind::Large => builder.uri(path).header(header::HOST, "localhost"),
        };
        let builder = builder
            .header("x-api-key", &self.key)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "PostmanRuntime/7.43.0");
        // Everything above is constant but for the key, which is ASCII.
        builder.body(Body::new(body)).unwrap_or_default()
    }
}

/// Reads an answer to its end.
async fn read(kind: Kind, response: Response<Incoming>) -> End {
    let status = response.status();
    let mut body = response.into_body();
    let mut length = 0;
    let mut begins = Bytes::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    length += data.len();
                    if begins.is_empty() {
                        begins = data;
                    }
                }
            }
            Err(error) => return broken(&error),
        }
    }
    if !status.is_success() {
        let begins = begins.get(..begins.len().min(WORDS_MOST)).unwrap_or_default();
        return End::Refused(format!("{status} {}", String::from_utf8_lossy(begins)));
    }
    if length == 0 {
        return End::Broken(format!("an answer to {kind:?} without a body"));
    }
    End::Done(std::time::Duration::ZERO)
}

/// Whether the request never reached a handler, so that sending it again repeats nothing.
fn was_not_taken(error: &hyper::Error) -> bool {
    if error.is_canceled() {
        return true;
    }
    let source = std::error::Error::source(error);
    let h2 = source.and_then(|source| source.downcast_ref::<h2::Error>());
    h2.is_some_and(|error| {
        error.reason() == Some(h2::Reason::REFUSED_STREAM)
            || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
    })
}

const TRIES: u32 = 3;
const WORDS_MOST: usize = 200;
