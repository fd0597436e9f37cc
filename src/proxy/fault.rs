//! `X-Wxgate-Fault`: lets a caller test its own error handling.

use std::{pin::Pin, sync::Arc, task, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body::Frame;

use super::{
    error::ProxyError,
    passage::Passage,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::{
        body::{Body, BodyError, Response},
        outcome::Outcome,
        units,
    },
    wechat::{
        envelope::{Envelope, Peeked},
        errcode,
        rid::Rid,
    },
};

/// `errcode=45009`, `delay=3s`, `reset`, `status=502`. `delay` waits, then forwards; the
/// others are answered here and never sent on. All are marked in the exchange.
pub(super) struct Fault;

impl Stage for Fault {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        let header = passage.seen.fault.then(|| passage.headers.get(FAULT_HEADER)).flatten();
        let Some(text) = header else {
            return next.run(passage, body);
        };
        let text: Arc<str> = text.to_str().unwrap_or_default().into();
        Box::pin(async move {
            let kind = Kind::parse(&text).ok_or_else(|| ProxyError::HeaderRefused {
                name: "X-Wxgate-Fault",
                why: "one of errcode=45009, delay=3s (60s at most), reset, status=502",
            })?;
            passage.fault = Some(text);
            match kind {
                Kind::Delay(pause) => {
                    tokio::time::sleep(pause).await;
                    next.run(passage, body).await
                }
                Kind::Errcode(code) => Ok(errcode_answer(passage, code)),
                Kind::Status(status) => {
                    passage.own_answer = Some(0);
                    passage.outcome = Some(Outcome::Upstream);
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = status;
                    Ok(response)
                }
                Kind::Reset => {
                    passage.own_answer = Some(0);
                    passage.outcome = Some(Outcome::Network);
                    Ok(Response::new(Body::wrap(Broken)))
                }
            }
        })
    }
}

enum Kind {
    Errcode(i64),
    Delay(Duration),
    Reset,
    Status(StatusCode),
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('=') {
            None => (text == "reset").then_some(Self::Reset),
            Some(("errcode", code)) => code.parse().ok().map(Self::Errcode),
            Some(("delay", pause)) => units::parse_duration(pause)
                .ok()
                .filter(|pause| *pause <= LONGEST_DELAY)
                .map(Self::Delay),
            // hyper cannot end a request with a 1xx.
            Some(("status", status)) => status
                .parse()
                .ok()
                .filter(|status: &StatusCode| status.as_u16() >= 200)
                .map(Self::Status),
            Some(_) => None,
        }
    }
}

fn errcode_answer(passage: &mut Passage, code: i64) -> Response {
    let kind = passage.account.as_ref().map(|account| account.config.kind);
    let path = passage.shown_path();
    let scope = kind.map_or(errcode::Scope::Wechat, |kind| errcode::scope_of(kind, path));
    let known = errcode::lookup(scope, code).map_or("fault on request", |known| known.en);
    let rid = Rid::new(passage.time, passage.id.unix_ms());
    let errmsg = format!("{known} rid: {rid}");
    let body = serde_json::json!({ "errcode": code, "errmsg": errmsg }).to_string();
    passage.own_answer = Some(code);
    passage.outcome = Some(errcode::classify(scope, code));
    passage.envelope = Some(Envelope {
        errcode: Some(code),
        errmsg: Some(errmsg),
        rid: Some(rid.to_string()),
        state: Peeked::Json,
    });
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; encoding=utf-8"));
    response
}

/// Promises a byte and breaks off, which resets the connection or the stream.
struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        task::Poll::Ready(Some(Err(BodyError::Aborted)))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(1)
    }
}

const FAULT_HEADER: HeaderName = HeaderName::from_static("x-wxgate-fault");

/// A slot is held all the while.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
