//! From hyper's request to ours, and back.

use std::{convert::Infallible, sync::Arc};

use http::{HeaderValue, Request, Response, StatusCode, header::CONNECTION};
use http_body::Body as _;
use hyper::body::Incoming;
use tower::{Service, ServiceExt as _};

use super::{
    Arrival, ConnInfo,
    answer::{Answer, Handed},
    metrics::Cut,
    pulse::{Busy, Pulse},
    shared::EdgeShared,
    stream_task::Handover,
    upload::Upload,
    watchdog::Version,
};
use crate::base::body::Body;

/// What the requests of one connection share.
pub(super) struct Conversation {
    pub(super) edge: Arc<EdgeShared>,
    pub(super) conn: Arc<ConnInfo>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) version: Version,
}

impl Conversation {
    /// A body or a stream was ended by us. The rest of an HTTP/1.1 connection is lost with it;
    /// the other streams of an HTTP/2 connection go on.
    pub(super) fn cut(&self, reason: Cut) {
        self.edge.metrics.cut(reason);
        if self.version == Version::Http1 {
            self.pulse.close_after_answer();
        }
        tracing::debug!(
            conn.id = self.conn.id, client.addr = %self.conn.client, reason = reason.as_str(),
            "the gateway ended a body of connection {}", self.conn.id
        );
    }

    /// Takes a request over from hyper: its body gets deadlines.
    fn take(self: &Arc<Self>, request: Request<Incoming>) -> Arrival {
        self.edge.metrics.requests.inc();
        if self.pulse.request() >= self.edge.limits.max_requests {
            self.pulse.close_after_answer();
        }
        let (parts, incoming) = request.into_parts();
        let body = if incoming.is_end_stream() {
            Body::empty()
        } else {
            let busy = Busy::new(&self.pulse);
            Body::wrap(Upload::new(incoming, Arc::clone(self), busy))
        };
        Arrival { conn: Arc::clone(&self.conn), request: Request::from_parts(parts, body) }
    }
}

/// The service of an HTTP/1.1 connection. An answer that is the last says so.
pub(super) fn http1<S>(
    service: S,
    conversation: Arc<Conversation>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response<Answer>,
    Error = Infallible,
    Future: Send,
> + Send
where
    S: Service<Arrival, Response = Response<Body>, Error = Infallible> + Clone + Send,
    S::Future: Send,
{
    hyper::service::service_fn(move |request| {
        conversation.pulse.head_ends();
        // From here until the answer's last byte is handed over, also while the handler works.
        let busy = Busy::new(&conversation.pulse);
        let answering = service.clone().oneshot(conversation.take(request));
        let pulse = Arc::clone(&conversation.pulse);
        async move {
            let mut response = answering.await?;
            if pulse.is_closing() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Answer::new(body, None, busy)))
        }
    })
}

/// The service of an HTTP/2 connection.
pub(super) fn http2<S>(
    service: S,
    conversation: Arc<Conversation>,
    handover: Arc<Handover>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response<Answer>,
    Error = Infallible,
    Future: Send,
> + Send
where
    S: Service<Arrival, Response = Response<Body>, Error = Infallible> + Clone + Send,
    S::Future: Send,
{
    hyper::service::service_fn(move |request| {
        let handed: Arc<Handed> = handover.leave();
        let busy = Busy::new(&conversation.pulse);
        let answering = service.clone().oneshot(conversation.take(request));
        async move {
            let response = answering.await?;
            Ok(response.map(|body| Answer::new(body, Some(handed), busy)))
        }
    })
}
