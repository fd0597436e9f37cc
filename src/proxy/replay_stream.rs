//! A request body that streams, for as many attempts as can be made of it.

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

/// What was read of a body is remembered up to a cap, so that the next attempt can begin anew.
pub(super) struct ReplayStream {
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

impl ReplayStream {
    /// `cap`: how much is kept, in bytes.
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
        Self { state: Mutex::new(state), returned: Notify::new() }
    }

    /// Reads a stream of unknown length as far as all of it can be kept.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<(), BodyError> {
        if self.lock().length.is_some() || self.is_nearly_full() {
            return Ok(());
        }
        let Some(mut probe) = self.attempt().await else { return Ok(()) };
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

    /// Whether more came than the cap allows.
    pub(super) fn is_too_long(&self) -> bool {
        self.lock().overflowed
    }

    /// Whether another chunk might not fit, so that reading ahead must end while all is kept.
    fn is_nearly_full(&self) -> bool {
        let state = self.lock();
        state.kept_bytes + LARGEST_CHUNK_BYTES > state.cap
    }

    /// The whole body from its beginning; none when that is not possible.
    pub(super) async fn attempt(self: &Arc<Self>) -> Option<Body> {
        if tokio::time::timeout(RETURN_LIMIT, self.is_returned()).await.is_err() {
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
        Some(Body::wrap(Attempt { shared: Arc::clone(self), number, kept, rest, length }))
    }

    /// Ends when no attempt holds the rest.
    async fn is_returned(&self) {
        loop {
            let told = self.returned.notified();
            if !matches!(self.lock().rest, Rest::Lent) {
                return;
            }
            told.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of one attempt: first what is kept, then the rest, which is kept on the way.
struct Attempt {
    shared: Arc<ReplayStream>,
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
