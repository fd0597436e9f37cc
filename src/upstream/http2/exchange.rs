//! One request on one connection, with its time limits.

use std::{error::Error, pin::pin, time::Duration};

use hyper::{body::Incoming, client::conn::TrySendError};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    super::{SendLimits, deadlines::Deadlines, failed::Failed},
    upload::{Stage, Upload},
};
use crate::{
    base::body::Request,
    wire::{Link, Phase, WireError},
};

/// Why a connection gave no answer.
pub(super) enum Broken {
    /// Not a byte of the request was sent; here it is again.
    Unsent { request: Box<Request>, error: hyper::Error },
    /// It broke, or was not HTTP.
    Http(hyper::Error),
    /// We waited long enough.
    Late(Phase, Duration),
}

impl From<TrySendError<Request>> for Broken {
    fn from(mut failed: TrySendError<Request>) -> Self {
        match failed.take_message() {
            Some(request) => {
                Self::Unsent { request: Box::new(request), error: failed.into_error() }
            }
            None => Self::Http(failed.into_error()),
        }
    }
}

impl Broken {
    /// Says it in the words of the wire, for the upstream `to`.
    pub(super) fn explain(self, to: &str, upload: Option<&Upload>) -> Failed {
        let error = match self {
            Self::Late(phase, limit) => {
                return WireError::Timeout { to: to.to_owned(), phase, limit }.into();
            }
            Self::Unsent { error, .. } => {
                let error = WireError::from_hyper(to, error);
                return Failed { error, nothing_was_sent: true };
            }
            Self::Http(error) => error,
        };
        if let Some(source) = upload.and_then(Upload::take_error) {
            return WireError::Request { to: to.to_owned(), source }.into();
        }
        let nothing_was_sent = is_refused_stream(&error);
        Failed { error: WireError::from_hyper(to, error), nothing_was_sent }
    }
}

/// By HTTP/2's own promise (RFC 9113, 8.7) such a request was not looked at.
fn is_refused_stream(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(<dyn Error>::downcast_ref::<h2::Error>);
    cause.and_then(h2::Error::reason) == Some(h2::Reason::REFUSED_STREAM)
}

/// Sends `request` and waits for the head of the answer.
pub(super) async fn exchange(
    link: &mut Link,
    request: Request,
    upload: Option<&Upload>,
    deadlines: Deadlines<'_>,
) -> Result<http::Response<Incoming>, Broken> {
    let connected = Instant::now();
    let Some(upload) = upload else {
        let (deadline, limit) = deadlines.answer(deadlines.began, connected);
        return match timeout_at(deadline, link.send(request)).await {
            Ok(answer) => answer.map_err(Broken::from),
            Err(_) => Err(Broken::Late(Phase::Answer, limit)),
        };
    };
    let watched = link.clone();
    let mut sending = pin!(link.send(request));
    let mut alarm = pin!(sleep_until(next_look(connected, deadlines.limits)));
    loop {
        tokio::select! {
            biased;
            answer = &mut sending => return answer.map_err(Broken::from),
            () = &mut alarm => {
                let next = look(upload, &watched, connected, deadlines)?;
                alarm.as_mut().reset(next);
            }
        }
    }
}

/// Looks at how the upload stands: too late is an error, else the time of the next look.
fn look(
    upload: &Upload,
    link: &Link,
    connected: Instant,
    deadlines: Deadlines<'_>,
) -> Result<Instant, Broken> {
    let (now, limits) = (Instant::now(), deadlines.limits);
    let (deadline, phase, limit) = match upload.stage() {
        // A slow client is a matter of the edge, which has limits of its own.
        Stage::Client | Stage::Over => return Ok(next_look(now, limits)),
        Stage::Upstream(since) => {
            // The body was asked for more, or the socket took some of it.
            let progress = since.max(link.last_write()).max(connected);
            (progress + limits.upload_stall, Phase::Upload, limits.upload_stall)
        }
        Stage::Ended(at) => {
            let (deadline, limit) = deadlines.answer(at, connected);
            (deadline, Phase::Answer, limit)
        }
    };
    if now >= deadline { Err(Broken::Late(phase, limit)) } else { Ok(deadline) }
}

/// Never later than the shortest limit, so that no deadline passes unseen.
fn next_look(now: Instant, limits: &SendLimits) -> Instant {
    now + limits.upload_stall.min(limits.header).min(limits.total)
}
