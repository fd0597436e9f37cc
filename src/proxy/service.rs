//! The request path as a `tower::Service`: opens the passage, runs the stages, watches the end.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, atomic::AtomicBool},
    task::{Context, Poll},
};

use http::{HeaderValue, Method, StatusCode, header::CONTENT_LENGTH};
use http_body::Body as _;
use tokio::time::Instant;

use super::{
    live::SharedLive,
    metrics::ProxyMetrics,
    passage::Passage,
    request_body::RequestBody,
    rescue::{ATTEMPTS_HEADER, ID_HEADER},
    seen_headers::SeenHeaders,
    stage::{Next, Stage},
};
use crate::{
    access::{AccessMetrics, InFlight, KeyRing, Limiter, QuotaGate},
    base::{
        body::{Body, Response},
        clock::SharedClock,
        id::RequestId,
        redact::Redactor,
    },
    capture::{Recorder, tee},
    edge::{self, Arrival, ConnInfo},
    sandbox::Sandbox,
    token::Surrogates,
    upstream::Pool,
    wechat::KnownPath,
};

/// Everything that the stages need. All is shared but the pool, which is a worker's own.
#[derive(Clone)]
pub struct Parts {
    /// The configuration of the request path.
    pub live: SharedLive,
    /// Access keys.
    pub keys: Arc<KeyRing>,
    /// Seals and opens surrogates.
    pub surrogates: Arc<Surrogates>,
    /// Rate limits.
    pub limiter: Arc<Limiter>,
    /// What is known of the platform's quotas.
    pub quota: Arc<QuotaGate>,
    /// Requests at once.
    pub in_flight: Arc<InFlight>,
    /// Where exchanges go.
    pub recorder: Recorder,
    /// Knows every live secret.
    pub redactor: Arc<Redactor>,
    /// The simulator in this process.
    pub sandbox: Arc<Sandbox>,
    /// Wall time.
    pub clock: SharedClock,
    /// Counters.
    pub metrics: Arc<ProxyMetrics>,
    /// Refusals by code.
    pub access_metrics: AccessMetrics,
    /// Off while draining.
    pub is_ready: Arc<AtomicBool>,
    /// This worker's upstream connections.
    pub pool: Arc<Pool>,
}

/// One for each worker. A clone is a pointer: the stages are never copied.
#[derive(Clone)]
pub struct ProxyService {
    shared: Arc<Shared>,
}

struct Shared {
    stages: Vec<Box<dyn Stage>>,
    parts: Parts,
}

impl ProxyService {
    /// Builds the stages.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { shared: Arc::new(Shared { stages: super::stages(&parts), parts }) }
    }
}

impl tower::Service<Arrival> for ProxyService {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Arrival { conn, request }: Arrival) -> Self::Future {
        let shared = self.shared.clone();
        let (head, body) = request.into_parts();
        let mut passage = open(&shared.parts, conn, head);
        Box::pin(async move {
            let answer = Next::new(&shared.stages).run(&mut passage, body).await;
            Ok(answer.map_or_else(|_| bare_failure(), |response| watch(passage, response)))
        })
    }
}

/// The head of the request moves into the passage.
fn open(parts: &Parts, conn: Arc<ConnInfo>, head: http::request::Parts) -> Box<Passage> {
    let (live, time) = (parts.live.load_full(), parts.clock.now());
    let client = edge::client_of(&conn, &head.headers, &live.trusted_proxies);
    Box::new(Passage {
        id: RequestId::at(time),
        time,
        started: Instant::now(),
        conn,
        client,
        live,
        metrics: parts.metrics.clone(),
        method: head.method,
        uri: head.uri,
        version: head.version,
        headers: head.headers,
        seen: SeenHeaders::default(),
        known: KnownPath::default(),
        path_begins: None,
        upstream_target: None,
        slot: None,
        key: None,
        surrogate: None,
        token_form: None,
        has_foreign_secret: false,
        query: None,
        account: None,
        merchant: None,
        call: None,
        wants_sandbox: false,
        fault: None,
        quota_pass: None,
        issued: None,
        token_wait: std::time::Duration::ZERO,
        attempts: Vec::new(),
        avoid: Vec::new(),
        envelope: None,
        error: None,
        reason: None,
        own_answer: None,
        status: None,
        outcome: None,
        recorder: None,
        answer_headers: None,
        answer_end: None,
        request_body: RequestBody::default(),
    })
}

/// Keeps the passage, and with it the slot, until the answer's body has ended or was dropped.
fn watch(mut passage: Box<Passage>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&passage.id.text()) {
        headers.entry(ID_HEADER).or_insert(id);
    }
    match passage.attempts.len() {
        0 => {}
        1 => drop(headers.insert(ATTEMPTS_HEADER, HeaderValue::from_static("1"))),
        more => drop(headers.insert(ATTEMPTS_HEADER, HeaderValue::from(more))),
    }
    passage.status = Some(response.status().as_u16());
    if passage.method == Method::HEAD {
        response = without_body(response);
    }
    let captures = passage.recorder.is_some();
    if captures {
        passage.answer_headers = Some(response.headers().clone());
    }
    let cap = if captures { passage.live.capture_cap } else { 0 };
    response.map(|body| {
        tee::watch(body, cap, move |end, captured| passage.answer_end = Some((end, captured)))
    })
}

/// HTTP/1.1 drops the body of an answer to HEAD by itself, HTTP/2 takes it for an error (RFC 9113
/// section 8.1). Its length stays (RFC 9110 section 9.3.2).
fn without_body(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        head.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(head, Body::empty())
}

/// Only a bug leads here: every error has become an answer before.
fn bare_failure() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
