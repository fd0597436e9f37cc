//! A connection while a request uses it.

use std::{sync::Arc, time::Duration};

use http::Response;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    exchange::{Broken, Deadlines, Failed, exchange},
    pool::Home,
    upload::{Stage, Upload},
};
use crate::{
    base::body::Request,
    wire::{Line, Link},
};

/// How long a connection may take to be ready again after its answer ended; it has only to
/// notice that it is idle.
const SETTLE: Duration = Duration::from_secs(5);

/// From the choice of the connection to the end of the answer's body. [`Lease::finish`]
/// gives it back; dropped before that, the exchange is incomplete and the connection is reset.
pub(super) struct Lease {
    link: Link,
    guard: Guard,
    home: Arc<Home>,
    endpoint: u64,
    /// The slot of `max_connections`, once there is an answer.
    slot: Option<OwnedSemaphorePermit>,
}

impl Lease {
    pub(super) fn new(
        link: Link,
        home: Arc<Home>,
        endpoint: u64,
        upload: Option<Arc<Upload>>,
    ) -> Self {
        let line = link.is_http1().then(|| Arc::clone(&link.line));
        Self { link, guard: Guard { line, upload }, home, endpoint, slot: None }
    }

    /// Sends `request` and waits for the head of the answer.
    pub(super) async fn exchange(
        &mut self,
        request: Request,
        deadlines: Deadlines,
    ) -> Result<Response<Incoming>, Broken> {
        exchange(&mut self.link, request, self.guard.upload.as_deref(), deadlines).await
    }

    pub(super) fn hold(&mut self, slot: OwnedSemaphorePermit) {
        self.slot = Some(slot);
    }

    /// The answer is whole. If the request is too, the connection is kept; else the upstream
    /// has made up its mind without reading on: the rest of the upload is cut off.
    pub(super) fn finish(mut self) {
        if self.guard.upload.as_ref().is_some_and(|u| !matches!(u.stage(), Stage::Ended(_))) {
            return; // dropped, so reset
        }
        self.guard.disarm();
        let Self { link, home, endpoint, .. } = self;
        if !link.is_http1() {
            return; // its other handle stays on the shelf
        }
        if link.is_ready() {
            home.keep(endpoint, link);
        } else {
            home.settle(endpoint, link, SETTLE);
        }
    }

    /// The request was handed back unsent: the connection is dead, the upload is not.
    pub(super) fn give_up(mut self) -> Option<Arc<Upload>> {
        self.guard.upload.take()
    }

    /// Says why there is no answer.
    pub(super) fn explain(&self, to: &str, broken: Broken) -> Failed {
        broken.explain(to, &self.link.line, self.guard.upload.as_deref())
    }
}

/// Ends what is incomplete when it is dropped.
struct Guard {
    /// Of HTTP/1.1. An HTTP/2 connection carries others: there, dropping the answer and
    /// cancelling the upload resets the stream alone.
    line: Option<Arc<Line>>,
    upload: Option<Arc<Upload>>,
}

impl Guard {
    fn disarm(&mut self) {
        (self.line, self.upload) = (None, None);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload {
            upload.cancel();
        }
        if let Some(line) = &self.line {
            line.abort();
        }
    }
}
