//! A response body on its way out.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::pulse::Busy;
use crate::base::body::{Body, BodyError};

/// Keeps its connection busy until it ends, and on HTTP/2 tells the stream's task what was
/// handed over.
pub(super) struct Answer {
    body: Body,
    handed: Option<Arc<Handed>>,
    _busy: Busy,
}

/// What hyper took from the body of one HTTP/2 stream.
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// hyper holds a frame and has not asked for the next: the client gives no window for it.
    waits_for_window: AtomicBool,
    bytes: AtomicUsize,
}

impl Handed {
    pub(super) fn waits_for_window(&self) -> bool {
        self.waits_for_window.load(Relaxed)
    }

    /// Bytes since the last call.
    pub(super) fn take_bytes(&self) -> usize {
        self.bytes.swap(0, Relaxed)
    }
}

impl Answer {
    pub(super) fn new(body: Body, handed: Option<Arc<Handed>>, busy: Busy) -> Self {
        Self { body, handed, _busy: busy }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(handed) = &self.handed {
            let bytes = match &polled {
                Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => 0,
            };
            handed.waits_for_window.store(bytes > 0, Relaxed);
            handed.bytes.fetch_add(bytes, Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
