//! One attempt at one upstream: the end of the list of stages.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use http::{HeaderName, HeaderValue, header};

use super::{
    error::ProxyError,
    forward_headers,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::{
        body::{Body, Response},
        chain::Chain,
        kind::AccountKind,
    },
    capture::{Attempt, Phases},
    upstream::{Endpoint, Fleet, Pool, SendFailure, SendLimits, Sent, Timing},
    wire::{Outgoing, WireError},
};

/// Sends with this worker's own connections.
pub(super) struct Forward {
    pool: Arc<Pool>,
}

impl Forward {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { pool: parts.pool.clone() }
    }

    async fn send(&self, passage: &mut Passage, body: Body) -> Result<Response, ProxyError> {
        let account = passage.account()?.clone();
        let fleet = passage.lanes()?.fleet.clone();
        let endpoint = choose(&fleet, &passage.avoid)?;
        let upstream = endpoint.label().clone();
        let target = passage
            .upstream_target
            .take()
            .ok_or_else(|| ProxyError::Internal { what: "no target behind injection" })?;
        note(passage, upstream.clone());
        // The passage is changed below, and the try needs its headers: they are lent to it.
        let (headers, method) = (std::mem::take(&mut passage.headers), passage.method.clone());
        let is_generic = account.config.kind == AccountKind::Generic;
        let keeps = match (is_generic, account.config.pass_authorization) {
            (false, _) => forward_headers::goes_to_platform,
            (true, false) => forward_headers::goes_to_generic,
            (true, true) => forward_headers::goes_to_generic_authorized,
        };
        let outgoing = Outgoing {
            method: &method,
            target: &target,
            headers: &forward_headers::without_named(&headers),
            keeps,
            adds: if is_generic { &[] } else { &PLAIN },
            body,
        };
        let sent = self.pool.send(&fleet, &endpoint, outgoing, &LIMITS).await;
        passage.headers = headers;
        match sent {
            Ok(sent) => Ok(received(passage, sent)),
            Err(failure) => {
                if failure.nothing_was_sent {
                    passage.avoid.push(endpoint);
                }
                Err(failed(passage, upstream, failure))
            }
        }
    }
}

impl Stage for Forward {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, _: Next<'a>) -> Answering<'a> {
        Box::pin(self.send(passage, body))
    }
}

/// The best endpoint that this request has not failed on.
fn choose(fleet: &Fleet, avoid: &[Arc<Endpoint>]) -> Result<Arc<Endpoint>, ProxyError> {
    let is_avoided =
        |endpoint: &Arc<Endpoint>| avoid.iter().any(|known| Arc::ptr_eq(known, endpoint));
    let mut order = fleet.order().map_err(|source| no_endpoint(fleet, source))?;
    // A request that failed on all of them does not come here again; see `retry`.
    let best = order.clone().find(|endpoint| !is_avoided(endpoint)).or_else(|| order.next());
    best.cloned().ok_or_else(|| ProxyError::Internal { what: "an account without upstream" })
}

/// Every endpoint is set aside for a moment: answered at once instead of after another time limit.
fn no_endpoint(fleet: &Fleet, source: WireError) -> ProxyError {
    let upstream =
        fleet.endpoints().first().map_or_else(|| "upstream".into(), |first| first.label().clone());
    ProxyError::Upstream { upstream, source }
}

/// Written before anything is sent: a caller that leaves meanwhile leaves a trace of the try.
fn note(passage: &mut Passage, upstream: Arc<str>) {
    // Almost every request has one; a vector would begin with room for four.
    passage.attempts.reserve_exact(1);
    passage.attempts.push(Attempt {
        upstream,
        token: passage.issued.as_ref().map(|issued| issued.fingerprint),
        status: None,
        errcode: None,
        reused: false,
        ms: Phases { token: passage.token_wait, ..Phases::default() },
        error: None,
    });
}

fn timed(attempt: &mut Attempt, timing: &Timing, total: Duration) {
    attempt.ms = Phases {
        queue: timing.queue,
        token: attempt.ms.token,
        dns: timing.dns,
        connect: timing.connect,
        tls: timing.tls,
        first_byte: timing.first_byte,
        total,
    };
}

fn received(passage: &mut Passage, sent: Sent) -> Response {
    let mut response = sent.response;
    forward_headers::clean_response(response.headers_mut());
    // Free text of the upstream that no scan sees.
    response.extensions_mut().remove::<hyper::ext::ReasonPhrase>();
    if let Some(attempt) = passage.attempts.last_mut() {
        timed(attempt, &sent.timing, sent.total);
        attempt.status = Some(response.status().as_u16());
        attempt.reused = sent.reused;
    }
    response
}

fn failed(passage: &mut Passage, upstream: Arc<str>, failure: SendFailure) -> ProxyError {
    if let Some(attempt) = passage.attempts.last_mut() {
        timed(attempt, &failure.timing, failure.total);
        attempt.error = Some(Chain(&failure.error).to_string());
    }
    match failure.error {
        // The caller's body failed, not the upstream.
        WireError::Request { source, .. } => ProxyError::RequestBody { source },
        source => ProxyError::Upstream { upstream, source },
    }
}

/// An errcode has to be read; the platform's answers are short.
const PLAIN: [(HeaderName, HeaderValue); 1] =
    [(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];

/// Time limits of one try.
static LIMITS: LazyLock<SendLimits> = LazyLock::new(SendLimits::default);

/// How long an answer's body may stand still.
pub(super) fn body_idle() -> Duration {
    LIMITS.body_idle
}
