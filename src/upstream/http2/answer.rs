//! The answer's body on its way in, with its idle limit.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::lease::Lease;
use crate::base::{
    alarm::Alarm,
    body::{self, Body, BodyError},
};

/// An answer's body that holds its connection until it ended.
struct Answer {
    body: Incoming,
    lease: Option<Lease>,
    idle_limit: Duration,
    alarm: Alarm,
    /// Since when the upstream keeps us waiting.
    waiting_since: Option<Instant>,
}

/// Gives `lease` back when `incoming` has ended. Silence of `idle_limit` while we wait for
/// more ends it with [`BodyError::Stalled`]; a slow reader on our side is not silence.
pub(super) fn answer(incoming: Incoming, lease: Lease, idle_limit: Duration) -> Body {
    if incoming.is_end_stream() {
        lease.finish();
        return body::incoming(incoming);
    }
    let lease = Some(lease);
    let alarm = Alarm::default();
    Body::wrap(Answer { body: incoming, lease, idle_limit, alarm, waiting_since: None })
}

impl Answer {
    fn finish(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.finish();
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        self.alarm.poll(since + self.idle_limit, cx)
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if self.lease.is_some() && self.poll_alarm(cx).is_ready() {
                    self.lease = None; // with the body, the stream is reset
                    return Poll::Ready(Some(Err(BodyError::Stalled)));
                }
                return Poll::Pending;
            }
        };
        self.waiting_since = None;
        match frame {
            Some(Ok(frame)) => {
                if self.body.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.lease = None;
                Poll::Ready(Some(Err(BodyError::Hyper(error))))
            }
            None => {
                self.finish();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
