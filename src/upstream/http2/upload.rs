//! The request's body on its way out, watched.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use crate::base::body::{Body, BodyError};

/// Where a request's body stands; shared between the body and who waits for the answer.
#[derive(Debug)]
pub(super) struct Upload(Mutex<State>);

#[derive(Debug)]
struct State {
    stage: Stage,
    waker: Option<Waker>,
    error: Option<BodyError>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The client has to send more.
    Client,
    /// The upstream has to read, since then.
    Upstream(Instant),
    /// All of it was handed over, at that moment.
    Ended(Instant),
    /// The client broke off; nobody wants the rest.
    Over,
}

impl Upload {
    /// Watches `body`, unless all of it is at hand anyway.
    pub(super) fn watch(body: Body) -> (Body, Option<Arc<Self>>) {
        if body.as_full().is_some() || body.is_end_stream() {
            return (body, None);
        }
        let stage = Stage::Upstream(Instant::now());
        let upload = Arc::new(Self(Mutex::new(State { stage, waker: None, error: None })));
        (Body::wrap(Watched { body, upload: Arc::clone(&upload) }), Some(upload))
    }

    pub(super) fn stage(&self) -> Stage {
        self.state().stage
    }

    /// Why the body broke off, told once.
    pub(super) fn take_error(&self) -> Option<BodyError> {
        self.state().error.take()
    }

    /// Nobody wants the rest of the body: it ends with an error, never as if it were whole.
    pub(super) fn cancel(&self) {
        let waker = {
            let mut state = self.state();
            if matches!(state.stage, Stage::Ended(_)) {
                return;
            }
            state.stage = Stage::Over;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, stage: Stage) {
        self.state().stage = stage;
    }
}

/// Passes data on and tells [`Upload`]. Trailers are dropped: upstreams get none.
struct Watched {
    body: Body,
    upload: Arc<Upload>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.upload.stage() == Stage::Over {
            return Poll::Ready(Some(Err(BodyError::Aborted)));
        }
        loop {
            let frame = match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let mut state = self.upload.state();
                    state.stage = Stage::Client;
                    state.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            };
            match frame {
                None => {
                    self.upload.enter(Stage::Ended(Instant::now()));
                    return Poll::Ready(None);
                }
                Some(Ok(frame)) if frame.is_data() => {
                    let now = Instant::now();
                    let is_last = self.body.is_end_stream();
                    let stage = if is_last { Stage::Ended(now) } else { Stage::Upstream(now) };
                    self.upload.enter(stage);
                    return Poll::Ready(Some(Ok(frame)));
                }
                Some(Ok(_trailers)) => {}
                Some(Err(error)) => {
                    let mut state = self.upload.state();
                    state.stage = Stage::Over;
                    state.error = Some(error);
                    return Poll::Ready(Some(Err(BodyError::Aborted)));
                }
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

impl Drop for Watched {
    /// hyper does not ask for the end of a body whose announced length was reached.
    fn drop(&mut self) {
        let mut state = self.upload.state();
        if matches!(state.stage, Stage::Client | Stage::Upstream(_)) {
            state.stage = Stage::Ended(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, channel::Channel};

    use super::*;

    #[tokio::test]
    async fn each_turn_is_told_and_trailers_go_nowhere() {
        let (mut sender, channel) = Channel::<Bytes, BodyError>::new(4);
        let (mut body, upload) = Upload::watch(Body::wrap(channel));
        let upload = upload.unwrap();
        assert!(matches!(upload.stage(), Stage::Upstream(_)));
        assert!(futures_util::poll!(Box::pin(body.frame())).is_pending());
        assert_eq!(upload.stage(), Stage::Client);
        sender.send_data("one".into()).await.unwrap();
        body.frame().await.unwrap().unwrap();
        assert!(matches!(upload.stage(), Stage::Upstream(_)));
        sender.send_trailers(http::HeaderMap::new()).await.unwrap();
        drop(sender);
        assert!(body.frame().await.is_none());
        assert!(matches!(upload.stage(), Stage::Ended(_)));
    }

    #[tokio::test]
    async fn a_cancelled_upload_ends_with_an_error_and_a_finished_one_stays_finished() {
        let (_sender, channel) = Channel::<Bytes, BodyError>::new(4);
        let (mut body, upload) = Upload::watch(Body::wrap(channel));
        let upload = upload.unwrap();
        let mut next = Box::pin(body.frame());
        assert!(futures_util::poll!(&mut next).is_pending());
        upload.cancel();
        assert!(matches!(next.await, Some(Err(BodyError::Aborted))));

        let done = Upload(Mutex::new(State {
            stage: Stage::Ended(Instant::now()),
            waker: None,
            error: None,
        }));
        done.cancel();
        assert!(matches!(done.stage(), Stage::Ended(_)));
    }

    #[test]
    fn a_body_that_is_here_needs_no_watch() {
        assert!(Upload::watch(Body::from("whole")).1.is_none());
        assert!(Upload::watch(Body::empty()).1.is_none());
    }
}
