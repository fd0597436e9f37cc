//! One try over HTTP/2, where one connection carries many: hyper moves the bytes.

mod answer;
mod exchange;
mod lease;
mod upload;

use std::{sync::Arc, time::Duration};

use http::Response;
use tokio::sync::OwnedSemaphorePermit;

use self::{answer::answer, exchange::Broken, lease::Lease, upload::Upload};
use super::{Endpoint, deadlines::Deadlines, failed::Failed};
use crate::{
    base::body::{Body, Request},
    wire::{Link, Outgoing},
};

/// A request that is on its way, or waits for another connection.
pub(super) struct Sending {
    /// None while it is on a connection.
    request: Option<Request>,
    upload: Option<Arc<Upload>>,
}

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The connection was over before a byte was sent; another one may be tried.
    Unsent(Failed),
    Failed(Failed),
}

impl Sending {
    pub(super) fn new(endpoint: &Endpoint, request: Outgoing<'_>) -> Self {
        let (parts, body) = directed(endpoint, request).into_parts();
        let (body, upload) = Upload::watch(body);
        Self { request: Some(Request::from_parts(parts, body)), upload }
    }

    /// Sends over `link` and waits for the head of the answer, whose body will hold a slot.
    pub(super) async fn over(
        &mut self,
        link: Link,
        to: &str,
        deadlines: Deadlines<'_>,
    ) -> Result<Answered, NoAnswer> {
        let request = self.request.take().unwrap_or_default();
        let mut lease = Lease::new(link, self.upload.clone());
        match lease.exchange(request, deadlines).await {
            Ok(response) => Ok(Answered { response, lease }),
            Err(Broken::Unsent { request, error }) => {
                lease.give_up();
                self.request = Some(*request);
                let error = crate::wire::WireError::from_hyper(to, error);
                Err(NoAnswer::Unsent(Failed { error, nothing_was_sent: true }))
            }
            Err(broken) => Err(NoAnswer::Failed(lease.explain(to, broken))),
        }
    }
}

/// The head of an answer, and the stream on which its body comes.
pub(super) struct Answered {
    response: Response<hyper::body::Incoming>,
    lease: Lease,
}

impl Answered {
    /// The answer, whose body holds `slot` to its end.
    pub(super) fn holding(
        mut self,
        slot: OwnedSemaphorePermit,
        idle_limit: Duration,
    ) -> Response<Body> {
        self.lease.hold(slot);
        self.response.map(|body| answer(body, self.lease, idle_limit))
    }
}

/// The request with this origin as its authority. Of what it said only path and query remain;
/// framing is hyper's, and nothing can ask for a tunnel.
fn directed(endpoint: &Endpoint, request: Outgoing<'_>) -> Request {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(http::uri::Scheme::HTTPS); // HTTP/2 comes from ALPN only
    parts.authority = Some(endpoint.authority().clone());
    // hyper takes what the front door and our own encoding let through.
    parts.path_and_query = request.target.as_str().parse().ok();
    let mut directed = http::Request::new(Body::empty());
    *directed.method_mut() = request.method.clone();
    *directed.version_mut() = http::Version::HTTP_2;
    *directed.uri_mut() = http::Uri::from_parts(parts).unwrap_or_default();
    for (name, value) in request.fields() {
        directed.headers_mut().append(name, value.clone());
    }
    directed.map(|_| request.body)
}
