//! A stream while a request uses it.

use std::sync::Arc;

use http::Response;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    super::{deadlines::Deadlines, failed::Failed},
    exchange::{Broken, exchange},
    upload::Upload,
};
use crate::{base::body::Request, wire::Link};

/// From the request to the end of the answer's body. Dropped before [`Lease::finish`], the
/// exchange is incomplete: what is left of the upload is cut off, and the stream reset.
pub(super) struct Lease {
    link: Link,
    upload: Option<Arc<Upload>>,
    /// The slot of `max_connections`, once there is an answer.
    slot: Option<OwnedSemaphorePermit>,
}

impl Lease {
    pub(super) fn new(link: Link, upload: Option<Arc<Upload>>) -> Self {
        Self { link, upload, slot: None }
    }

    /// Sends `request` and waits for the head of the answer.
    pub(super) async fn exchange(
        &mut self,
        request: Request,
        deadlines: Deadlines<'_>,
    ) -> Result<Response<Incoming>, Broken> {
        exchange(&mut self.link, request, self.upload.as_deref(), deadlines).await
    }

    pub(super) fn hold(&mut self, slot: OwnedSemaphorePermit) {
        self.slot = Some(slot);
    }

    /// The answer is whole: an upload that has not ended was not wanted to its end.
    pub(super) fn finish(self) {
        drop(self);
    }

    /// The request was handed back unsent: the connection is dead, the upload is not.
    pub(super) fn give_up(mut self) {
        self.upload = None;
    }

    /// Says why there is no answer.
    pub(super) fn explain(&self, to: &str, broken: Broken) -> Failed {
        broken.explain(to, self.upload.as_deref())
    }
}

/// Dropping the answer resets the stream; nothing that ended is touched by this.
impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload {
            upload.cancel();
        }
    }
}
