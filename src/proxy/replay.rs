//! A request body that can be sent again, as long as it is short enough.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use crate::base::body::{Body, BodyError};

/// Remembers what one attempt read of the body, up to a cap, so that the next can begin anew.
#[derive(Clone)]
pub(super) struct Replay {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when an attempt has given the rest back.
    returned: Notify,
}

/// What is still to come from the caller.
enum Rest {
    /// Nobody reads it.
    Here(Body),
    /// An attempt reads it. The connection that sends may hold it a moment longer than the
    /// answer took, and until then nobody knows how much of it is left.
    Lent,
    /// It was read to its end.
    Done,
}

struct State {
    rest: Rest,
    /// Counts attempts: one that ends late gives nothing back.
    attempt: u64,
    kept: Vec<Bytes>,
    kept_bytes: usize,
    cap: usize,
    /// More came than the cap allows: the beginning is gone.
    overflowed: bool,
    /// The caller's body failed: nobody can send it again.
    failed: bool,
    length: Option<u64>,
}

impl Replay {
    pub(super) fn new(body: Body, cap: usize) -> Self {
        let length = body.size_hint().exact();
        let state = State {
            rest: Rest::Here(body),
            attempt: 0,
            kept: Vec::new(),
            kept_bytes: 0,
            cap,
            overflowed: false,
            failed: false,
            length,
        };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), returned: Notify::new() }) }
    }

    /// Reads a body of unknown length up to the cap, so that the upstream can be told its length:
    /// some of the platform's front ends refuse chunked requests with 412.
    ///
    /// # Errors
    /// [`BodyError`] when the caller's body failed.
    pub(super) async fn settle(&self) -> Result<(), BodyError> {
        if self.lock().length.is_some() || self.is_nearly_full() {
            return Ok(());
        }
        let Some(mut probe) = self.body().await else { return Ok(()) };
        loop {
            match probe.frame().await {
                None => {
                    drop(probe);
                    let mut state = self.lock();
                    state.length = Some(state.kept_bytes as u64);
                    return Ok(());
                }
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) if self.is_nearly_full() => return Ok(()),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Whether another chunk might not fit, so that reading ahead must end while all is kept.
    fn is_nearly_full(&self) -> bool {
        let state = self.lock();
        state.kept_bytes + LARGEST_CHUNK_BYTES > state.cap
    }

    /// The whole body from its beginning, for one attempt. None when that is not possible: too
    /// much was sent to be kept, the caller's body failed, or the attempt before does not let go.
    pub(super) async fn body(&self) -> Option<Body> {
        if tokio::time::timeout(RETURN_LIMIT, self.returned()).await.is_err() {
            self.lock().overflowed = true;
            return None;
        }
        let mut state = self.lock();
        if state.overflowed || state.failed {
            return None;
        }
        let rest = match std::mem::replace(&mut state.rest, Rest::Lent) {
            Rest::Here(body) if !body.is_end_stream() => Some(body),
            Rest::Here(_) | Rest::Done | Rest::Lent => {
                state.rest = Rest::Done;
                None
            }
        };
        if state.kept.is_empty() && rest.is_none() {
            return Some(Body::empty());
        }
        state.attempt += 1;
        let (number, kept, length) = (state.attempt, state.kept.clone().into_iter(), state.length);
        Some(Body::wrap(Attempt { shared: self.shared.clone(), number, kept, rest, length }))
    }

    /// Ends when no attempt holds the rest.
    async fn returned(&self) {
        loop {
            let told = self.shared.returned.notified();
            if !matches!(self.lock().rest, Rest::Lent) {
                return;
            }
            told.await;
        }
    }

    /// Whether the reason that no attempt can begin is the cap, not the caller.
    pub(super) fn is_too_long(&self) -> bool {
        self.lock().overflowed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of one attempt: first what is kept, then the rest, which is kept on the way.
struct Attempt {
    shared: Arc<Shared>,
    number: u64,
    kept: std::vec::IntoIter<Bytes>,
    rest: Option<Body>,
    length: Option<u64>,
}

impl Attempt {
    /// Once, and only by the attempt that has it.
    fn give_back(&mut self) {
        let mut state = self.shared.lock();
        if state.attempt == self.number && matches!(state.rest, Rest::Lent) {
            state.rest = self.rest.take().map_or(Rest::Done, Rest::Here);
            drop(state);
            self.shared.returned.notify_one();
        }
    }

    fn remember(&self, data: &Bytes) {
        let mut state = self.shared.lock();
        if state.overflowed {
            return;
        }
        state.kept_bytes += data.len();
        if state.kept_bytes > state.cap {
            state.overflowed = true;
            state.kept = Vec::new();
        } else {
            state.kept.push(data.clone());
        }
    }
}

impl http_body::Body for Attempt {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(data) = self.kept.next() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        loop {
            let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
            match std::task::ready!(Pin::new(rest).poll_frame(cx)) {
                None => {
                    self.give_back();
                    return Poll::Ready(None);
                }
                Some(Err(error)) => {
                    self.shared.lock().failed = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(frame)) => {
                    // Trailers of a request are dropped: no call of the platform has any.
                    let Ok(data) = frame.into_data() else { continue };
                    self.remember(&data);
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.kept.len() == 0 && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// An attempt that ends early gives the unread rest back to the next one.
impl Drop for Attempt {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// How long the connection of the attempt before may hold on to the body after its answer.
const RETURN_LIMIT: Duration = Duration::from_secs(5);

/// hyper's read buffers and HTTP/2 frames are no longer than this on our listeners.
const LARGEST_CHUNK_BYTES: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    use super::*;

    fn body_of(chunks: &[Vec<u8>]) -> Body {
        let frames: Vec<_> =
            chunks.iter().map(|chunk| Ok(Frame::data(Bytes::from(chunk.clone())))).collect();
        Body::wrap(StreamBody::new(futures_util::stream::iter(frames)))
    }

    /// The next attempt's body.
    fn attempt(replay: &Replay) -> Option<Body> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(replay.body())
    }

    fn read(body: Body) -> Vec<u8> {
        body.collect().now_or_never().unwrap().unwrap().to_bytes().to_vec()
    }

    proptest! {
        #[test]
        fn each_attempt_sends_the_whole_body_however_far_the_one_before_came(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..10), read_first in 0_usize..12,
        ) {
            let whole = chunks.concat();
            let replay = Replay::new(body_of(&chunks), 1 << 10);
            let mut first = attempt(&replay).unwrap();
            for _ in 0..read_first {
                let _ = first.frame().now_or_never().unwrap();
            }
            drop(first);
            prop_assert_eq!(&read(attempt(&replay).unwrap()), &whole);
            prop_assert_eq!(&read(attempt(&replay).unwrap()), &whole);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_attempt_waits_until_the_one_before_lets_go() {
        let replay = Replay::new(body_of(&[vec![1; 10], vec![2; 10]]), 1 << 10);
        let mut first = replay.body().await.unwrap();
        first.frame().await.unwrap().unwrap();
        let second = replay.body();
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none(), "nobody knows how much is left");
        drop(first);
        assert_eq!(second.await.unwrap().collect().await.unwrap().to_bytes().len(), 20);

        let replay = Replay::new(body_of(&[vec![1; 10], vec![2; 10]]), 1 << 10);
        let _kept = replay.body().await.unwrap();
        assert!(replay.body().await.is_none() && replay.is_too_long(), "it is never sent cut");
    }

    #[test]
    fn a_body_over_the_cap_is_sent_once_whole_and_never_again() {
        let replay = Replay::new(body_of(&[vec![1; 60], vec![2; 60]]), 100);
        assert_eq!(read(attempt(&replay).unwrap()).len(), 120);
        assert!(attempt(&replay).is_none() && replay.is_too_long());
    }
}
