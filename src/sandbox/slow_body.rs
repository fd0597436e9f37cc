//! A body that trickles.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::base::body::BodyError;

/// Sends its bytes in equal pieces with equal pauses, the first of them at once.
pub(super) struct SlowBody {
    rest: Bytes,
    piece_bytes: usize,
    pause: Duration,
    until: Pin<Box<Sleep>>,
}

impl SlowBody {
    /// Sends all of `body` in about that time.
    pub(super) fn new(body: Bytes, time: Duration) -> Self {
        let pieces = body.len().clamp(1, MOST_PIECES);
        let pauses = u32::try_from(pieces - 1).unwrap_or(u32::MAX).max(1);
        Self {
            piece_bytes: body.len().div_ceil(pieces).max(1),
            pause: time / pauses,
            rest: body,
            until: Box::pin(sleep(Duration::ZERO)),
        }
    }
}

impl http_body::Body for SlowBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.until.as_mut().poll(cx));
        let bytes = self.piece_bytes.min(self.rest.len());
        let piece = self.rest.split_to(bytes);
        let pause = self.pause;
        self.until.set(sleep(pause));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// Enough to look steady.
const MOST_PIECES: usize = 20;

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_bytes_come_and_they_take_their_time() {
        for (length, least_ms) in [(0, 0), (1, 0), (2, 1000), (1000, 1000)] {
            let begin = Instant::now();
            let sent = Bytes::from(vec![7; length]);
            let came = SlowBody::new(sent.clone(), Duration::from_secs(1)).collect().await.unwrap();
            assert_eq!(came.to_bytes(), sent);
            let took_ms = begin.elapsed().as_millis();
            assert!((least_ms..1100).contains(&took_ms), "{length}: {took_ms}");
        }
    }
}
