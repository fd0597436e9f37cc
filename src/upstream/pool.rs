//! The connections of one worker, and sending over them.

use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    AttemptResult, Endpoint, Fleet, SendFailure, SendLimits, Sent, Timing,
    deadlines::Deadlines,
    failed::Failed,
    http1::{self, Finished},
    http2::{self, NoAnswer, Sending},
    shelf::{SWEEP_EVERY, Shelves},
};
use crate::{
    base::{body::Response, tasks::Tasks},
    wire::{Http1, LetterCases, Link, Opened, Outgoing},
};

/// What a try came to.
struct Answered {
    response: Response,
    reused: bool,
    total: Duration,
    finished: Option<Finished>,
}

/// How long a request waits for a connection that it may share (HTTP/2) before it opens
/// its own.
const SHARE_WAIT: Duration = Duration::from_secs(1);

/// The connections of one worker. Cheap to clone; its tasks run on the runtime that uses it,
/// so each worker has its own. Nothing is connected before the first request.
///
/// This is a pool of our own, not hyper-util's legacy client: a slot that ends with the body, and
/// the reset of a connection whose request broke off, need the connection itself.
#[derive(Clone)]
pub struct Pool(Arc<Home>);

/// Where idle connections live.
pub(super) struct Home {
    shelves: Shelves,
    tasks: Tasks,
    is_swept: AtomicBool,
    pub(super) letter_cases: LetterCases,
}

impl Pool {
    /// An empty pool whose tasks belong to `tasks`: stop that group after the last request.
    #[must_use]
    pub fn new(tasks: Tasks) -> Self {
        let is_swept = AtomicBool::new(false);
        let (shelves, letter_cases) = (Shelves::default(), LetterCases::default());
        Self(Arc::new(Home { shelves, tasks, is_swept, letter_cases }))
    }

    /// How many connections are idle and alive.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.0.shelves.len()
    }

    /// Sends `request` to `endpoint` and waits for the head of the answer; redirects are not
    /// followed, interim answers not passed on.
    ///
    /// A kept connection that is found to be closed is replaced in silence. The answer holds a
    /// slot of `max_connections` and the connection until it ended or was dropped. Dropping this
    /// future, or the body before its end, resets the connection.
    ///
    /// # Errors
    /// What failed in which phase, and whether anything was sent.
    pub async fn send(
        &self,
        fleet: &Fleet,
        endpoint: &Endpoint,
        request: Outgoing<'_>,
        limits: &SendLimits,
    ) -> Result<Sent, SendFailure> {
        let mut timing = Timing::default();
        let deadlines = Deadlines { began: Instant::now(), limits };
        match self.attempt(fleet, endpoint, request, deadlines, &mut timing).await {
            Ok(Answered { response, reused, total, finished }) => {
                fleet.metrics.count(AttemptResult::Answered);
                fleet.succeeded(endpoint, deadlines.began);
                Ok(Sent { response, timing, reused, total, _finished: finished })
            }
            Err(Failed { error, nothing_was_sent }) => {
                fleet.metrics.count(AttemptResult::from(&error));
                fleet.failed(endpoint, deadlines.began, &error);
                let total = deadlines.began.elapsed();
                Err(SendFailure { error, timing, total, nothing_was_sent })
            }
        }
    }

    async fn attempt(
        &self,
        fleet: &Fleet,
        endpoint: &Endpoint,
        request: Outgoing<'_>,
        deadlines: Deadlines<'_>,
        timing: &mut Timing,
    ) -> Result<Answered, Failed> {
        let slot = match endpoint.gate.try_enter() {
            Some(slot) => slot,
            None => Box::pin(queue(fleet, endpoint, deadlines, timing)).await?,
        };
        let (opened, connected) = match self.0.shelves.take(endpoint.id) {
            Some(kept) => (kept, deadlines.began + timing.queue),
            // In a box: what a handshake needs is much, and it is rare.
            None => {
                let opened = Box::pin(self.connect(fleet, endpoint, timing)).await?;
                (opened, Instant::now())
            }
        };
        let idle_limit = deadlines.limits.body_idle;
        let (response, finished, reused, now) = match opened {
            Opened::Http1(conn) => {
                let reused = conn.was_used;
                let mut exchange = http1::begin(conn, endpoint, request);
                let head =
                    poll_fn(|cx| http1::poll_head(&mut exchange, deadlines, connected, cx)).await;
                let head = head.map_err(|none| none.explain(endpoint.target.label()))?;
                let mut response = head.response;
                if !head.odd_names.is_empty() {
                    let learnt = Box::pin(self.0.letter_cases.of(head.odd_names)).await;
                    response.extensions_mut().extend(learnt);
                }
                let (now, home) = (Instant::now(), &self.0);
                let (response, finished) =
                    http1::answer(response, exchange, home, endpoint, slot, idle_limit, now);
                (response, finished, reused, now)
            }
            Opened::Http2(link) => {
                let reused = timing.connect.is_none();
                let over = self.over_http2(link, fleet, endpoint, request, deadlines, timing);
                let answered = Box::pin(over).await?;
                (answered.holding(slot, idle_limit), None, reused, Instant::now())
            }
        };
        if reused {
            fleet.metrics.reused.inc();
        }
        timing.first_byte = Some(now - connected);
        let total = now - deadlines.began;
        Ok(Answered { response, reused, total, finished })
    }

    /// A kept connection may hand the request back unsent; then a new one gets it, once.
    async fn over_http2(
        &self,
        link: Link,
        fleet: &Fleet,
        endpoint: &Endpoint,
        request: Outgoing<'_>,
        deadlines: Deadlines<'_>,
        timing: &mut Timing,
    ) -> Result<http2::Answered, Failed> {
        let to = endpoint.target.label();
        let is_new = timing.connect.is_some();
        let mut sending = Sending::new(endpoint, request);
        let failed = match sending.over(link, to, deadlines).await {
            Ok(answered) => return Ok(answered),
            Err(NoAnswer::Failed(failed)) => return Err(failed),
            Err(NoAnswer::Unsent(failed)) => failed,
        };
        match self.connect(fleet, endpoint, timing).await? {
            Opened::Http2(link) if !is_new => match sending.over(link, to, deadlines).await {
                Ok(answered) => Ok(answered),
                Err(NoAnswer::Failed(failed) | NoAnswer::Unsent(failed)) => Err(failed),
            },
            _ => Err(failed),
        }
    }

    async fn connect(
        &self,
        fleet: &Fleet,
        endpoint: &Endpoint,
        timing: &mut Timing,
    ) -> Result<Opened, Failed> {
        let mut turn = None;
        if endpoint.may_speak_http2() {
            let waiting = self.0.shelves.turn(endpoint.id).acquire_owned();
            turn = tokio::time::timeout(SHARE_WAIT, waiting).await.ok().and_then(Result::ok);
            if let Some(kept) = self.0.shelves.take(endpoint.id) {
                return Ok(kept);
            }
        }
        let opened = endpoint.connector.open(&endpoint.target, &self.0.tasks).await;
        let (opened, connect) = opened.map_err(|failure| {
            timing.connected(failure.timing);
            Failed::from(failure.error)
        })?;
        timing.connected(connect);
        fleet.metrics.opened.inc();
        match &opened {
            Opened::Http2(link) => self.0.share(endpoint.id, link.clone()),
            Opened::Http1(_) => endpoint.note_http1(),
        }
        drop(turn);
        Ok(opened)
    }
}

/// Waits for a slot of `max_connections`.
async fn queue(
    fleet: &Fleet,
    endpoint: &Endpoint,
    deadlines: Deadlines<'_>,
    timing: &mut Timing,
) -> Result<OwnedSemaphorePermit, Failed> {
    let (to, limit) = (endpoint.target.label(), deadlines.limits.queue);
    let entered = endpoint.gate.enter(to, limit, &fleet.metrics.waiting).await;
    timing.queue = deadlines.began.elapsed();
    Ok(entered?)
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("idle", &self.idle()).finish_non_exhaustive()
    }
}

impl Home {
    /// Keeps a connection that is idle since then for the next request.
    pub(super) fn keep(self: &Arc<Self>, endpoint: u64, conn: Box<Http1>, since: Instant) {
        if self.tasks.is_stopping() {
            conn.say_goodbye();
        } else {
            self.shelves.put(endpoint, conn, since);
            self.sweep();
        }
    }

    fn share(self: &Arc<Self>, endpoint: u64, link: Link) {
        if !self.tasks.is_stopping() {
            self.shelves.share(endpoint, link);
            self.sweep();
        }
    }

    /// Starts the task that closes what is idle for too long; it ends when nothing is left.
    fn sweep(self: &Arc<Self>) {
        if self.is_swept.swap(true, Ordering::Relaxed) {
            return;
        }
        let home = Arc::clone(self);
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = home.tasks.stopping() => return home.shelves.clear(),
                    () = tokio::time::sleep(SWEEP_EVERY) => {}
                }
                if home.shelves.sweep(Instant::now()) {
                    return home.is_swept.store(false, Ordering::Relaxed);
                }
            }
        });
    }
}
