//! The tasks of HTTP/2 streams.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use hyper::rt::Executor;
use tokio::time::Instant;

use super::{answer::Handed, metrics::Cut, pace::Pace, request::Conversation};
use crate::base::alarm::Alarm;

/// Runs each stream of one connection in a task and ends those whose client gives no window:
/// dropping hyper's future resets the stream, and the others go on.
#[derive(Clone)]
pub(super) struct StreamTasks {
    pub(super) handover: Arc<Handover>,
    pub(super) conversation: Arc<Conversation>,
}

/// Where a stream's answer and its task meet: hyper calls the service and hands the stream to
/// the executor in one breath, so what the one leaves here is what the other finds.
#[derive(Debug, Default)]
pub(super) struct Handover(Mutex<Option<Arc<Handed>>>);

impl Handover {
    /// Called by the service, before it answers.
    pub(super) fn leave(&self) -> Arc<Handed> {
        let handed = Arc::new(Handed::default());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&handed));
        handed
    }

    /// Called by the executor; none for a task that is no stream.
    fn take(&self) -> Option<Arc<Handed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<F> Executor<F> for StreamTasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Some(handed) = self.handover.take() else {
            self.conversation.edge.tasks.spawn(stream);
            return;
        };
        let mut watch = Watch {
            handed,
            pace: Pace::of_download(&self.conversation.edge.limits),
            alarm: Alarm::default(),
        };
        let conversation = Arc::clone(&self.conversation);
        self.conversation.edge.tasks.spawn(async move {
            let mut stream = pin!(stream);
            poll_fn(|cx| match stream.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => watch.poll(cx).map(|()| conversation.cut(Cut::SlowReader)),
            })
            .await;
        });
    }
}

/// The deadline of one stream's answer. As long as its handler has nothing to send, no clock
/// runs and no timer exists.
struct Watch {
    handed: Arc<Handed>,
    pace: Pace,
    alarm: Alarm,
}

impl Watch {
    /// Ready when the client has left the stream without window for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let bytes = self.handed.take_bytes();
        if !self.handed.waits_for_window() {
            if self.pace.is_waiting() {
                self.pace.progress(Instant::now(), bytes);
            } else {
                self.pace.credit(bytes);
            }
            return Poll::Pending;
        }
        let now = Instant::now();
        if bytes > 0 {
            self.pace.progress(now, bytes);
        }
        let end = self.pace.wait(now);
        self.alarm.poll(end, cx)
    }
}
