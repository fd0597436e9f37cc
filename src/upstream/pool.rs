//! The connections of one worker, and sending over them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{
    AttemptResult, Endpoint, Fleet, SendFailure, SendLimits, Sent, Timing,
    answer::answer,
    exchange::{Broken, Deadlines, Failed},
    lease::Lease,
    shelf::Shelves,
    upload::Upload,
};
use crate::{
    base::{body::Request, tasks::Tasks},
    wire::{Link, unasked_upgrade},
};

/// How often idle connections are looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How long a request waits for a connection that it may share (HTTP/2) before it opens
/// its own.
const SHARE_WAIT: Duration = Duration::from_secs(1);

/// The connections of one worker. Cheap to clone; its tasks run on the runtime that uses it,
/// so each worker has its own. Nothing is connected before the first request.
///
/// This is a pool on hyper's connections, not hyper-util's legacy client: a request that was
/// handed back unsent, a slot that ends with the body, and the reset of a connection whose
/// request broke off need the connection itself.
#[derive(Clone)]
pub struct Pool(Arc<Home>);

/// Where idle connections live.
pub(super) struct Home {
    shelves: Shelves,
    tasks: Tasks,
    is_swept: AtomicBool,
}

impl Pool {
    /// An empty pool whose tasks belong to `tasks`: stop that group after the last request.
    #[must_use]
    pub fn new(tasks: Tasks) -> Self {
        let is_swept = AtomicBool::new(false);
        Self(Arc::new(Home { shelves: Shelves::default(), tasks, is_swept }))
    }

    /// How many connections are idle and alive.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.0.shelves.len()
    }

    /// Sends `request` to `endpoint` and waits for the head of the answer. Of its URI only
    /// path and query count; redirects are not followed, interim answers not passed on.
    ///
    /// A request that a kept connection hands back unsent is sent again on a new one, once.
    /// The answer's body holds a slot of `max_connections` and the connection until it ended
    /// or was dropped. Dropping this future, or the body before its end, resets the connection.
    ///
    /// # Errors
    /// What failed in which phase, and whether anything was sent.
    pub async fn send(
        &self,
        fleet: &Fleet,
        endpoint: &Endpoint,
        request: Request,
        limits: &SendLimits,
    ) -> Result<Sent, SendFailure> {
        let mut timing = Timing::default();
        let deadlines = Deadlines { began: Instant::now(), limits: *limits };
        match self.attempt(fleet, endpoint, request, deadlines, &mut timing).await {
            Ok((response, lease, reused)) => {
                fleet.metrics.count(AttemptResult::Answered);
                fleet.succeeded(endpoint, deadlines.began);
                let response = response.map(|body| answer(body, lease, limits.body_idle));
                Ok(Sent { response, timing, reused })
            }
            Err(Failed { error, nothing_was_sent }) => {
                fleet.metrics.count(AttemptResult::from(&error));
                fleet.failed(endpoint, deadlines.began, &error);
                Err(SendFailure { error, timing, nothing_was_sent })
            }
        }
    }

    async fn attempt(
        &self,
        fleet: &Fleet,
        endpoint: &Endpoint,
        request: Request,
        deadlines: Deadlines,
        timing: &mut Timing,
    ) -> Result<(http::Response<Incoming>, Lease, bool), Failed> {
        let to = endpoint.target.label();
        let entered = endpoint.gate.enter(to, deadlines.limits.queue, &fleet.metrics.waiting).await;
        timing.queue = deadlines.began.elapsed();
        let slot = entered?;
        let (parts, body) = request.into_parts();
        let (body, mut upload) = Upload::watch(body);
        let mut request = Request::from_parts(parts, body);
        let mut kept = self.0.shelves.take(endpoint.id);
        loop {
            let link = match kept.take() {
                Some(link) => link,
                None => self.connect(fleet, endpoint, timing).await?,
            };
            let reused = link.line.was_used();
            endpoint.direct(&mut request, link.is_http1());
            let mut lease = Lease::new(link, Arc::clone(&self.0), endpoint.id, upload.take());
            let sent = Instant::now();
            match lease.exchange(request, deadlines).await {
                Ok(response) => {
                    timing.first_byte = Some(sent.elapsed());
                    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                        return Err(unasked_upgrade(to).into());
                    }
                    if reused {
                        fleet.metrics.reused.inc();
                    }
                    lease.hold(slot);
                    return Ok((response, lease, reused));
                }
                // The peer closed the kept connection just then. The next one is new.
                Err(Broken::Unsent { request: unsent, .. }) if reused => {
                    request = *unsent;
                    upload = lease.give_up();
                }
                Err(broken) => return Err(lease.explain(to, broken)),
            }
        }
    }

    async fn connect(
        &self,
        fleet: &Fleet,
        endpoint: &Endpoint,
        timing: &mut Timing,
    ) -> Result<Link, Failed> {
        let mut turn = None;
        if endpoint.may_speak_http2() {
            let waiting = self.0.shelves.turn(endpoint.id).acquire_owned();
            turn = tokio::time::timeout(SHARE_WAIT, waiting).await.ok().and_then(Result::ok);
            if let Some(link) = self.0.shelves.take(endpoint.id) {
                return Ok(link);
            }
        }
        let opened = endpoint.connector.open(&endpoint.target, &self.0.tasks).await;
        let (link, connect) = opened.map_err(|failure| {
            timing.connected(failure.timing);
            Failed::from(failure.error)
        })?;
        timing.connected(connect);
        fleet.metrics.opened.inc();
        match link.share() {
            Some(shared) => self.0.share(endpoint.id, shared),
            None => endpoint.note_http1(),
        }
        drop(turn);
        Ok(link)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("idle", &self.idle()).finish_non_exhaustive()
    }
}

impl Home {
    /// Keeps a connection for the next request.
    pub(super) fn keep(self: &Arc<Self>, endpoint: u64, link: Link) {
        if !self.tasks.is_stopping() {
            self.shelves.put(endpoint, link);
            self.sweep();
        }
    }

    fn share(self: &Arc<Self>, endpoint: u64, link: Link) {
        if !self.tasks.is_stopping() {
            self.shelves.share(endpoint, link);
            self.sweep();
        }
    }

    /// Keeps a connection once it is ready, if that is soon.
    pub(super) fn settle(self: &Arc<Self>, endpoint: u64, mut link: Link, limit: Duration) {
        let home = Arc::clone(self);
        self.tasks.spawn(async move {
            if tokio::time::timeout(limit, link.ready()).await == Ok(true) {
                home.keep(endpoint, link);
            }
        });
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
