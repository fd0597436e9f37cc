//! A request body that can be sent again, as long as it is short enough.

use std::sync::Arc;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt as _;

use super::{capped::capped, replay_stream::ReplayStream, request_body::RequestBody};
use crate::{
    base::body::{Body, BodyError},
    capture::tee,
};

/// The caller's body, for as many attempts as it takes.
///
/// A short one is read before anything is sent: it is there for every attempt, and the upstream
/// can be told its length. Of one that streams, what an attempt has read is remembered up to a
/// cap, so that the next can begin anew.
#[derive(Clone)]
pub(super) enum Replay {
    Whole(Bytes),
    Stream(Arc<ReplayStream>),
}

/// How much of a body is taken, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    /// `body_max`: longer ones are refused.
    pub(super) most: u64,
    /// `replay_cap`: what is kept for another attempt.
    pub(super) replay: usize,
    /// What is kept for the exchange.
    pub(super) capture: usize,
}

impl Replay {
    /// Reads a body that tells a length within `replay_cap` as a whole, and one of unknown length
    /// as far as the cap goes: some of the platform's front ends refuse chunked requests with 412.
    /// `seen` tells what came, also when this is given up.
    ///
    /// # Errors
    /// [`BodyError`] when the caller's body failed or is longer than allowed.
    pub(super) async fn begin(
        body: Body,
        caps: Caps,
        seen: &mut RequestBody,
    ) -> Result<Self, BodyError> {
        let length = body.size_hint().exact();
        if let Some(whole) = whole(&body) {
            *seen = RequestBody::Whole(whole.clone());
            return Ok(Self::Whole(whole));
        }
        if length.is_some_and(|length| length <= caps.replay as u64) {
            return read(body, seen).await.map(Self::Whole);
        }
        let body = if length.is_none() { capped(body, caps.most) } else { body };
        let (body, handle) = tee::tee(body, caps.capture);
        *seen = RequestBody::Watched(handle);
        let stream = Arc::new(ReplayStream::new(body, caps.replay));
        // In a box: streams are long anyway, and short bodies should not carry this along.
        Box::pin(stream.settle()).await?;
        Ok(Self::Stream(stream))
    }

    /// The whole body from its beginning, for one attempt. None when that is not possible: too
    /// much was sent to be kept, the caller's body failed, or the attempt before does not let go.
    pub(super) async fn body(&self) -> Option<Body> {
        match self {
            Self::Whole(bytes) => Some(Body::from(bytes.clone())),
            Self::Stream(stream) => Box::pin(stream.attempt()).await,
        }
    }

    /// Whether the reason that no attempt can begin is the cap, not the caller.
    pub(super) fn is_too_long(&self) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Stream(stream) => stream.is_too_long(),
        }
    }
}

/// A body that is here already.
fn whole(body: &Body) -> Option<Bytes> {
    body.as_full().cloned().or_else(|| body.is_end_stream().then(Bytes::new))
}

/// Reads a short body. What has come so far is seen also if the caller leaves in the middle.
async fn read(mut body: Body, seen: &mut RequestBody) -> Result<Bytes, BodyError> {
    while let Some(frame) = body.frame().await {
        // Trailers of a request are dropped: no call of the platform has any.
        let Ok(data) = frame?.into_data() else { continue };
        match seen {
            RequestBody::Coming(chunks) => chunks.push(data),
            RequestBody::Unread | RequestBody::Whole(_) | RequestBody::Watched(_) => {
                *seen = RequestBody::Coming(vec![data]);
            }
        }
        if body.is_end_stream() {
            break;
        }
    }
    let whole = match std::mem::take(seen) {
        RequestBody::Coming(chunks) => match <[Bytes; 1]>::try_from(chunks) {
            Ok([only]) => only,
            Err(chunks) => chunks.concat().into(),
        },
        RequestBody::Unread | RequestBody::Whole(_) | RequestBody::Watched(_) => Bytes::new(),
    };
    *seen = RequestBody::Whole(whole.clone());
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use futures_util::FutureExt as _;
    use http_body::{Frame, SizeHint};
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    use super::*;

    fn body_of(chunks: &[Vec<u8>]) -> Body {
        let frames: Vec<_> =
            chunks.iter().map(|chunk| Ok(Frame::data(Bytes::from(chunk.clone())))).collect();
        Body::wrap(StreamBody::new(futures_util::stream::iter(frames)))
    }

    fn stream(chunks: &[Vec<u8>], cap: usize) -> Replay {
        Replay::Stream(Arc::new(ReplayStream::new(body_of(chunks), cap)))
    }

    /// The next attempt's body.
    fn attempt(replay: &Replay) -> Option<Body> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(replay.body())
    }

    fn sent(body: Body) -> Vec<u8> {
        body.collect().now_or_never().unwrap().unwrap().to_bytes().to_vec()
    }

    proptest! {
        #[test]
        fn each_attempt_sends_the_whole_body_however_far_the_one_before_came(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..10), read_first in 0_usize..12,
        ) {
            let whole = chunks.concat();
            let replay = stream(&chunks, 1 << 10);
            let mut first = attempt(&replay).unwrap();
            for _ in 0..read_first {
                let _ = first.frame().now_or_never().unwrap();
            }
            drop(first);
            prop_assert_eq!(&sent(attempt(&replay).unwrap()), &whole);
            prop_assert_eq!(&sent(attempt(&replay).unwrap()), &whole);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_attempt_waits_until_the_one_before_lets_go() {
        let replay = stream(&[vec![1; 10], vec![2; 10]], 1 << 10);
        let mut first = replay.body().await.unwrap();
        first.frame().await.unwrap().unwrap();
        let second = replay.body();
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none(), "nobody knows how much is left");
        drop(first);
        assert_eq!(second.await.unwrap().collect().await.unwrap().to_bytes().len(), 20);

        let replay = stream(&[vec![1; 10], vec![2; 10]], 1 << 10);
        let _kept = replay.body().await.unwrap();
        assert!(replay.body().await.is_none() && replay.is_too_long(), "it is never sent cut");
    }

    #[tokio::test]
    async fn a_short_body_is_whole_before_anything_is_sent_and_seen_as_it_comes() {
        /// Tells its length and comes in two parts, the second one late or never.
        struct Short(Vec<Bytes>, u64, bool);
        impl http_body::Body for Short {
            type Data = Bytes;
            type Error = BodyError;

            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
                match self.0.pop() {
                    Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
                    None if self.2 => Poll::Ready(None),
                    None => Poll::Pending,
                }
            }

            fn size_hint(&self) -> SizeHint {
                SizeHint::with_exact(self.1)
            }
        }
        let caps = |replay| Caps { most: 10, replay, capture: 3 };
        let parts = || vec![Bytes::from("cd"), Bytes::from("ab")];
        let mut seen = RequestBody::default();
        let body = Body::wrap(Short(parts(), 4, true));
        let replay = Replay::begin(body, caps(4), &mut seen).await.unwrap();
        for _ in 0..2 {
            assert_eq!(replay.body().await.unwrap().as_full().unwrap(), "abcd");
        }
        assert_eq!(seen.captured(10).chunks.concat(), b"abcd");

        let mut seen = RequestBody::default();
        let body = Body::wrap(Short(parts(), 9, false));
        assert!(Replay::begin(body, caps(9), &mut seen).now_or_never().is_none());
        assert_eq!((seen.size(), seen.captured(3).chunks.concat()), (4, b"abc".to_vec()));

        let mut seen = RequestBody::default();
        let body = Body::wrap(Short(parts(), 4, true));
        let replay = Replay::begin(body, caps(3), &mut seen).await.unwrap();
        assert!(matches!(replay, Replay::Stream(_)), "it is longer than the cap");
        assert_eq!(read_all(replay.body().await.unwrap()).await, b"abcd");
        assert_eq!((seen.size(), seen.captured(3).chunks.concat()), (4, b"abc".to_vec()));
    }

    async fn read_all(body: Body) -> Vec<u8> {
        body.collect().await.unwrap().to_bytes().to_vec()
    }

    #[test]
    fn a_body_over_the_cap_is_sent_once_whole_and_never_again() {
        let replay = stream(&[vec![1; 60], vec![2; 60]], 100);
        assert_eq!(sent(attempt(&replay).unwrap()).len(), 120);
        assert!(attempt(&replay).is_none() && replay.is_too_long());
    }
}
