//! A request body on its way in.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{metrics::Cut, pace::Pace, pulse::Busy, request::Conversation};
use crate::base::{alarm::Alarm, body::BodyError};

/// Ends with [`BodyError::Stalled`] when the client leaves us waiting, and drops trailers: none
/// of the APIs behind us has a use for them.
///
/// A body that is already here costs no timer; the first wait makes one.
pub(super) struct Upload {
    body: Incoming,
    pace: Pace,
    alarm: Alarm,
    conversation: Arc<Conversation>,
    _busy: Busy,
}

impl Upload {
    pub(super) fn new(body: Incoming, conversation: Arc<Conversation>, busy: Busy) -> Self {
        let pace = Pace::of_upload(&conversation.edge.limits);
        Self { body, pace, alarm: Alarm::default(), conversation, _busy: busy }
    }

    fn note(&mut self, bytes: usize) {
        if self.pace.is_waiting() {
            self.pace.progress(Instant::now(), bytes);
        } else {
            self.pace.credit(bytes);
        }
    }

    /// Ready when patience has ended.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = self.pace.wait(Instant::now());
        self.alarm.poll(end, cx)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.data_ref() {
                Some(data) => {
                    let bytes = data.len();
                    self.note(bytes);
                    Poll::Ready(Some(Ok(frame)))
                }
                None => Poll::Ready(None),
            },
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Hyper(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self.poll_alarm(cx).map(|()| {
                self.conversation.cut(Cut::SlowBody);
                Some(Err(BodyError::Stalled))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
