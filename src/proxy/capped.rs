//! A request body that must not become longer than `body_max`.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::base::body::{Body, BodyError};

/// Ends with [`BodyError::TooLarge`] beyond `cap` bytes. For a body of unknown length: one that
/// tells it was judged at the front door.
pub(super) fn capped(body: Body, cap: u64) -> Body {
    Body::wrap(Capped { inner: body, left: cap, cap })
}

/// Counts what really arrives.
struct Capped {
    inner: Body,
    left: u64,
    cap: u64,
}

impl http_body::Body for Capped {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let Some(left) = self.left.checked_sub(data.len() as u64) else {
                let cap_bytes = self.cap;
                return Poll::Ready(Some(Err(BodyError::TooLarge { cap_bytes })));
            };
            self.left = left;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
