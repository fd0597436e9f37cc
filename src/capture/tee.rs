//! A body that keeps a copy of its beginning while the bytes pass unchanged.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};

use super::exchange::Captured;
use crate::base::body::{Body, BodyError};

/// Keeps up to `cap` bytes of `body` for the handle.
#[must_use]
pub fn tee(body: Body, cap: usize) -> (Body, TeeHandle) {
    let kept = Arc::new(Mutex::new(Kept::new(cap)));
    let handle = TeeHandle(Arc::clone(&kept));
    (Body::wrap(TeeBody { inner: body, keeper: Shared(kept), is_over: false }), handle)
}

/// Keeps up to `cap` bytes of `body` and tells how it ended and what was kept: `on_end` is called
/// exactly once, when the end or an error was read or when the body is dropped, whichever comes
/// first.
#[must_use]
pub fn watch<E>(body: Body, cap: usize, on_end: E) -> Body
where
    E: FnOnce(TeeEnd, Captured) + Send + Unpin + 'static,
{
    let keeper = Told { kept: Kept::new(cap), on_end: Some(on_end) };
    Body::wrap(TeeBody { inner: body, keeper, is_over: false })
}

/// Reads what a tee has kept.
#[derive(Clone)]
pub struct TeeHandle(Arc<Mutex<Kept>>);

impl TeeHandle {
    /// What was kept so far. The next call gets only what came in between.
    #[must_use]
    pub fn take(&self) -> Captured {
        lock(&self.0).take()
    }

    /// Where the body stands.
    #[must_use]
    pub fn state(&self) -> TeeState {
        lock(&self.0).state
    }

    /// How many bytes have passed.
    #[must_use]
    pub fn size(&self) -> u64 {
        lock(&self.0).size
    }
}

/// Where a teed body stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeeState {
    /// More may come.
    Running,
    /// No more will come.
    Over(TeeEnd),
}

/// How a teed body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeeEnd {
    /// Its last byte passed.
    Ended,
    /// It broke off with an error.
    Failed,
    /// Whoever read it lost interest.
    Dropped,
}

/// Where a tee puts what it keeps.
trait Keeper: Send + Unpin + 'static {
    /// `is_last`: nothing comes behind it.
    fn keep(&mut self, data: &Bytes, is_last: bool);
    fn end(&mut self, end: TeeEnd);
}

/// For a handle; locked for a copy of some bytes, never across a poll.
struct Shared(Arc<Mutex<Kept>>);

impl Keeper for Shared {
    fn keep(&mut self, data: &Bytes, is_last: bool) {
        lock(&self.0).keep(data, is_last);
    }

    fn end(&mut self, end: TeeEnd) {
        lock(&self.0).state = TeeState::Over(end);
    }
}

/// For somebody who is told at the end.
struct Told<E> {
    kept: Kept,
    on_end: Option<E>,
}

impl<E: FnOnce(TeeEnd, Captured) + Send + Unpin + 'static> Keeper for Told<E> {
    fn keep(&mut self, data: &Bytes, is_last: bool) {
        self.kept.keep(data, is_last);
    }

    fn end(&mut self, end: TeeEnd) {
        if let Some(on_end) = self.on_end.take() {
            on_end(end, self.kept.take());
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

struct TeeBody<K: Keeper> {
    inner: Body,
    keeper: K,
    /// The end was told.
    is_over: bool,
}

impl<K: Keeper> TeeBody<K> {
    fn finish(&mut self, end: TeeEnd) {
        if !self.is_over {
            self.is_over = true;
            self.keeper.end(end);
        }
    }
}

impl<K: Keeper> http_body::Body for TeeBody<K> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    let is_last = self.inner.is_end_stream();
                    self.keeper.keep(data, is_last);
                }
            }
            Poll::Ready(Some(Err(_))) => self.finish(TeeEnd::Failed),
            Poll::Ready(None) => self.finish(TeeEnd::Ended),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<K: Keeper> Drop for TeeBody<K> {
    fn drop(&mut self) {
        // hyper does not poll again once it has sent as many bytes as it announced.
        let all_passed = self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0);
        self.finish(if all_passed { TeeEnd::Ended } else { TeeEnd::Dropped });
    }
}

/// The kept beginning. Small chunks are copied together, because a `Bytes` of a few hundred
/// bytes keeps a whole read buffer alive; large ones are shared.
struct Kept {
    chunks: Vec<Bytes>,
    /// Small chunks since the last shared one.
    small: BytesMut,
    /// How many more bytes are kept.
    room: usize,
    /// How many bytes have passed, kept or not.
    size: u64,
    truncated: bool,
    state: TeeState,
}

impl Kept {
    fn new(cap: usize) -> Self {
        Self {
            chunks: Vec::new(),
            small: BytesMut::new(),
            room: cap,
            size: 0,
            truncated: false,
            state: TeeState::Running,
        }
    }

    fn keep(&mut self, data: &Bytes, is_last: bool) {
        self.size += data.len() as u64;
        let length = data.len().min(self.room);
        self.truncated |= length < data.len();
        self.room -= length;
        if length == 0 {
            return;
        }
        // With its last part a body is over. Of an answer, what was kept is copied soon; of a
        // request, when the answer has ended: its buffer lives as long.
        let is_alone = is_last && self.size == data.len() as u64;
        let is_large = length >= SHARED_FROM_BYTES && length * 2 >= data.len();
        let is_shared = is_large || (is_alone && length < SHARED_FROM_BYTES);
        if is_shared {
            self.seal_small();
            self.chunks.push(data.slice(..length));
        } else {
            self.small.extend_from_slice(data.get(..length).unwrap_or_default());
        }
    }

    fn take(&mut self) -> Captured {
        self.seal_small();
        Captured {
            chunks: std::mem::take(&mut self.chunks),
            size: self.size,
            truncated: self.truncated,
        }
    }

    fn seal_small(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(std::mem::take(&mut self.small).freeze());
        }
    }
}

/// From this length on a chunk is shared instead of copied: copying takes longer than a
/// reference count, and the buffer behind it is mostly the chunk itself.
pub(super) const SHARED_FROM_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::mpsc};

    use http_body_util::BodyExt as _;
    use proptest::prelude::*;

    use super::*;

    /// Gives its frames one by one, then ends, fails, or stays pending.
    struct Script(VecDeque<Option<Result<Bytes, ()>>>);

    impl http_body::Body for Script {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            match self.0.pop_front() {
                Some(Some(Ok(bytes))) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Some(Err(()))) => Poll::Ready(Some(Err(BodyError::Stalled))),
                Some(None) => Poll::Pending,
                None => Poll::Ready(None),
            }
        }
    }

    fn script(frames: impl IntoIterator<Item = Option<Result<Bytes, ()>>>) -> Body {
        Body::wrap(Script(frames.into_iter().collect()))
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    proptest! {
        #[test]
        fn what_comes_out_equals_what_went_in_under_any_split(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9000), 0..6),
            cap in 0_usize..20_000,
        ) {
            let all: Vec<u8> = chunks.concat();
            let frames = chunks.iter().map(|c| Some(Ok(Bytes::from(c.clone()))));
            let (body, handle) = tee(script(frames), cap);
            let out = block_on(body.collect()).unwrap().to_bytes();
            prop_assert_eq!(&out[..], &all[..]);
            let captured = handle.take();
            let kept = captured.chunks.concat();
            prop_assert_eq!(&kept[..], &all[..all.len().min(cap)]);
            prop_assert_eq!(captured.size, all.len() as u64);
            prop_assert_eq!(captured.truncated, all.len() > cap);
            prop_assert_eq!(handle.state(), TeeState::Over(TeeEnd::Ended));
        }
    }

    fn watched(body: Body) -> (Body, mpsc::Receiver<(TeeEnd, Vec<u8>)>) {
        let (tell, told) = mpsc::channel();
        let on_end = move |end, kept: Captured| tell.send((end, kept.chunks.concat())).unwrap();
        (watch(body, 100, on_end), told)
    }

    #[test]
    fn the_end_is_told_once_even_when_the_body_is_dropped_afterwards() {
        let (body, told) = watched(script([Some(Ok(Bytes::from_static(b"ab")))]));
        block_on(body.collect()).unwrap();
        assert_eq!(told.iter().collect::<Vec<_>>(), [(TeeEnd::Ended, b"ab".to_vec())]);
    }

    #[test]
    fn a_body_that_fails_or_is_left_half_read_says_so() {
        let (body, told) = watched(script([Some(Ok("ab".into())), Some(Err(()))]));
        assert!(block_on(body.collect()).is_err());
        assert_eq!(told.iter().collect::<Vec<_>>(), [(TeeEnd::Failed, b"ab".to_vec())]);

        let (mut body, told) = watched(script([Some(Ok("ab".into())), None]));
        block_on(body.frame()).unwrap().unwrap();
        drop(body);
        assert_eq!(told.iter().collect::<Vec<_>>(), [(TeeEnd::Dropped, b"ab".to_vec())]);

        let (mut body, handle) = tee(script([Some(Ok("ab".into())), None]), 100);
        block_on(body.frame()).unwrap().unwrap();
        assert_eq!((handle.state(), handle.size()), (TeeState::Running, 2));
        drop(body);
        assert_eq!(handle.state(), TeeState::Over(TeeEnd::Dropped));
    }

    #[test]
    fn a_body_of_known_length_has_ended_when_its_last_byte_passed() {
        let (mut body, told) = watched(Body::from("abc"));
        assert_eq!(body.size_hint().exact(), Some(3));
        block_on(body.frame()).unwrap().unwrap();
        assert!(body.is_end_stream());
        drop(body);
        assert_eq!(told.iter().collect::<Vec<_>>(), [(TeeEnd::Ended, b"abc".to_vec())]);
        let (body, told) = watched(Body::empty());
        assert!(body.is_end_stream());
        drop(body);
        assert_eq!(told.iter().collect::<Vec<_>>(), [(TeeEnd::Ended, Vec::new())]);
    }

    #[test]
    fn a_small_part_of_a_large_buffer_does_not_keep_the_buffer() {
        let large = Bytes::from(vec![7; 100_000]);
        let (body, handle) = tee(Body::from(large.clone()), 10_000);
        block_on(body.collect()).unwrap();
        let kept = handle.take();
        assert_eq!((kept.chunks.concat().len(), kept.truncated), (10_000, true));
        assert!(large.is_unique(), "the kept part is a copy");
    }
}
