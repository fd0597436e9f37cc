//! A timer that is made when it is first needed.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::{Instant, Sleep};

/// Most bodies never wait, so they never pay for a timer; deadlines move with every byte, so
/// the timer is moved only when it has gone off or is too late.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready when `end` has come; otherwise the task is woken then, or earlier.
    pub(crate) fn poll(&mut self, end: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        poll_until(sleep.as_mut(), end, cx)
    }
}

/// The same for a timer that lives elsewhere.
pub(crate) fn poll_until(
    mut sleep: Pin<&mut Sleep>,
    end: Instant,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if sleep.deadline() > end {
        sleep.as_mut().reset(end);
    }
    while sleep.as_mut().poll(cx).is_ready() {
        if sleep.deadline() >= end {
            return Poll::Ready(());
        }
        sleep.as_mut().reset(end);
    }
    Poll::Pending
}
