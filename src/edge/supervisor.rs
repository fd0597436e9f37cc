//! hyper's connection and its watchdog, run together.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    metrics::Cut,
    shared::Orders,
    watchdog::{Verdict, Watchdog},
};
use crate::base::alarm::poll_until;

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself, or after our good-bye.
    Done(hyper::Result<()>),
    /// We cut it.
    Cut(Cut),
}

/// A connection that can be asked to finish what was begun, and no more.
pub(super) trait Graceful: Future<Output = hyper::Result<()>> {
    fn say_goodbye(self: Pin<&mut Self>);
}

/// Runs `conn` to its end. One timer serves all deadlines: it is moved only when the next one
/// is earlier than it stands, and looked at again when it goes off.
pub(super) async fn supervise<C: Graceful>(
    mut conn: Pin<Box<C>>,
    mut watchdog: Watchdog,
    mut orders: watch::Receiver<Orders>,
    on_goodbye: impl Fn(Cut),
) -> Ended {
    let mut timer = pin!(sleep_until(Instant::now()));
    // A connection may have been accepted before an order and come here after it.
    let now = *orders.borrow_and_update();
    if now != Orders::default() {
        watchdog.obey(now);
    }
    loop {
        let step =
            poll_fn(|cx| poll_step(conn.as_mut(), &mut watchdog, timer.as_mut(), &on_goodbye, cx));
        tokio::select! {
            biased;
            ended = step => return ended,
            changed = orders.changed() => {
                let order = *orders.borrow_and_update();
                if changed.is_err() || order.is_aborting {
                    return Ended::Cut(Cut::Abort);
                }
                watchdog.obey(order);
            }
        }
    }
}

/// hyper first: what it has just done may have moved a deadline.
fn poll_step<C: Graceful>(
    mut conn: Pin<&mut C>,
    watchdog: &mut Watchdog,
    mut timer: Pin<&mut Sleep>,
    on_goodbye: &impl Fn(Cut),
    cx: &mut Context<'_>,
) -> Poll<Ended> {
    loop {
        if let Poll::Ready(done) = conn.as_mut().poll(cx) {
            return Poll::Ready(Ended::Done(done));
        }
        let now = Instant::now();
        match watchdog.judge(now) {
            Verdict::Wait(until) => {
                if poll_until(timer.as_mut(), until, cx).is_pending() {
                    return Poll::Pending;
                }
            }
            // hyper is polled again at once, because the good-bye is its to write.
            Verdict::Close(cut) => {
                on_goodbye(cut);
                conn.as_mut().say_goodbye();
                watchdog.said_goodbye(now);
            }
            Verdict::Kill(cut) => {
                watchdog.gives_up(cut);
                return Poll::Ready(Ended::Cut(cut));
            }
        }
    }
}
