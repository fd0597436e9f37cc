//! One HTTP request: read, given to the platform or to control, answered in the manner asked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::{
    Answer, Cut, Platform, Reply,
    control_door::ControlDoor,
    envelope,
    intake::{Intake, Untaken},
    moment,
    push::Sender,
    refusal::Refusal,
    severable::Shears,
    slow_body::SlowBody,
};
use crate::{
    base::{
        body::{Body, BodyError},
        kind::AccountKind,
    },
    wire::LetterCases,
};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Service {
    /// Answers calls.
    pub(super) platform: Arc<Platform>,
    /// Asks push URLs.
    pub(super) sender: Arc<Sender>,
    /// Answers control calls, where they are allowed over HTTP.
    pub(super) door: Option<ControlDoor>,
    /// Reads bodies.
    pub(super) intake: Intake,
    /// Writes header names.
    pub(super) letter_cases: LetterCases,
}

/// The connection that a request came over.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// Its other end.
    pub(super) peer: IpAddr,
    /// Cuts it; none on HTTP/2, where a reset concerns one stream.
    pub(super) shears: Option<Shears>,
}

impl Service {
    /// Answers `request`. An error makes hyper break off the connection or the stream.
    pub(super) async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        wire: Wire,
    ) -> io::Result<Response<Body>> {
        let taken = match self.intake.take(request, wire.peer).await {
            Ok(taken) => taken,
            Err(untaken) => return refuse_untaken(untaken),
        };
        if let Some(door) = &self.door
            && let Some(answer) = door.answer(&self.platform, &self.sender, &taken.call).await
        {
            return Ok(answer.map(Body::from));
        }
        let reply = self.platform.handle(&taken.call);
        // The body's memory is free while the answer is held back.
        drop(taken);
        if !reply.delay.is_zero() {
            sleep(reply.delay).await;
        }
        self.give(reply, &wire).await
    }

    async fn give(&self, reply: Reply, wire: &Wire) -> io::Result<Response<Body>> {
        let Reply { answer, cut, headers, body_time, date_ms, .. } = reply;
        let mut response = match cut {
            None if body_time.is_zero() => response(answer, Body::from),
            None => response(answer, |body| Body::wrap(SlowBody::new(body, body_time))),
            Some(Cut::BeforeHead) => return Err(cut_off(wire)),
            Some(Cut::InBody(bytes)) => {
                let shears = wire.shears.clone();
                response(answer, |body| Body::wrap(CutBody::new(&body, bytes, shears)))
            }
        };
        if let Some(date) = date_ms.and_then(|ms| HeaderValue::try_from(moment::http_date(ms)).ok())
        {
            response.headers_mut().insert(header::DATE, date);
        }
        if !headers.is_empty() {
            add_headers(&mut response, &headers);
            let names = headers.into_iter().map(|(name, _)| name).collect();
            response.extensions_mut().extend(self.letter_cases.of(names).await);
        }
        Ok(response)
    }
}

/// The head and, through `body`, the body.
fn response(answer: Answer, body: impl FnOnce(Bytes) -> Body) -> Response<Body> {
    let mut response = Response::new(body(answer.body));
    *response.status_mut() = answer.status;
    let content_type = HeaderValue::from_static(answer.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    let disposition = answer.disposition.and_then(|text| HeaderValue::try_from(text).ok());
    if let Some(disposition) = disposition {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Names and values were checked when the switch was set.
fn add_headers(response: &mut Response<Body>, headers: &[(String, String)]) {
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
}

/// The platform's envelope for a body that was not read, and the end of the connection, which
/// still carries the rest of that body.
fn refuse_untaken(untaken: Untaken) -> io::Result<Response<Body>> {
    let errcode = match untaken {
        Untaken::TooLarge => 45001,
        Untaken::Busy => -1,
        Untaken::Gone => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    // The call was not read, so there is no account and no time to make a rid from.
    let mark = envelope::Mark {
        kind: AccountKind::MiniProgram,
        rid: "00000000-00000000-00000000".to_owned(),
        peer: Ipv4Addr::UNSPECIFIED.into(),
    };
    let answer = envelope::refused(&Refusal::new(errcode), &mark);
    let mut response = response(answer, Body::from);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// Ends a connection with a TCP reset, or one stream of HTTP/2 with RST_STREAM.
fn cut_off(wire: &Wire) -> io::Error {
    if let Some(shears) = &wire.shears {
        shears.cut();
    }
    io::ErrorKind::ConnectionReset.into()
}

/// A body that announces its whole length and ends early, by a reset.
struct CutBody {
    start: Option<Bytes>,
    whole_bytes: u64,
    shears: Option<Shears>,
    /// What was sent must be out of every buffer before the reset, which throws buffers away.
    pause: Pin<Box<Sleep>>,
}

impl CutBody {
    fn new(body: &Bytes, bytes: usize, shears: Option<Shears>) -> Self {
        let start = body.slice(..bytes.min(body.len()));
        let start = Some(start).filter(|start| !start.is_empty());
        let pause = Box::pin(sleep(PAUSE));
        Self { start, whole_bytes: body.len() as u64, shears, pause }
    }
}

impl http_body::Body for CutBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        std::task::ready!(self.pause.as_mut().poll(cx));
        if let Some(shears) = &self.shears {
            shears.cut();
        }
        Poll::Ready(Some(Err(BodyError::Aborted)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.whole_bytes)
    }
}

/// Loopback takes a fraction of it.
const PAUSE: Duration = Duration::from_millis(100);
