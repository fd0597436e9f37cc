//! The gateway's own doors that need no key: liveness, readiness, the CA.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::{HeaderValue, Method, StatusCode, header};

use super::{
    error::ProxyError,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::body::{Body, Response},
    edge::Door,
};

/// Stands before everything that can refuse, so that a health check needs no Host and no key.
pub(super) struct Doors {
    is_ready: Arc<AtomicBool>,
}

impl Doors {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { is_ready: parts.is_ready.clone() }
    }

    fn open(&self, passage: &Passage) -> Option<Response> {
        let path = passage.uri.path();
        if !is_own(path) || !matches!(passage.method, Method::GET | Method::HEAD) {
            return None;
        }
        match path {
            "/-/healthz" => Some(text(StatusCode::OK, "ok\n")),
            "/-/readyz" if self.is_ready.load(Ordering::Relaxed) => {
                Some(text(StatusCode::OK, "ready\n"))
            }
            "/-/readyz" => Some(text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")),
            "/-/ca.pem" => passage.live.ca_pem.clone().map(ca),
            _ => None,
        }
    }
}

impl Stage for Doors {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        if let Some(response) = self.open(passage) {
            passage.own_answer = Some(0);
            return Box::pin(async { Ok(response) });
        }
        if passage.conn.door == Door::HttpPublic {
            return Box::pin(async { Err(ProxyError::HttpsOnly) });
        }
        next.run(passage, body)
    }
}

/// Whether a path belongs to the gateway itself and is never forwarded.
pub(super) fn is_own(path: &str) -> bool {
    path == "/-" || path.starts_with("/-/")
}

fn text(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn ca(pem: bytes::Bytes) -> Response {
    let mut response = Response::new(Body::from(pem));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"wxgate-ca.pem\""),
    );
    response
}
