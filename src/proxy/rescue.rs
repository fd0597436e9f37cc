//! Turns a [`ProxyError`] into the answer that the caller reads.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};

use super::{
    error::ProxyError,
    error_text,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    access::AccessMetrics,
    base::{
        body::{Body, BodyError, Response},
        chain::Chain,
        code::ErrorCode,
        outcome::Outcome,
        permission::ErrorStyle,
        redact::Redactor,
    },
};

/// Nothing outside of this stage sees an `Err`.
pub(super) struct Rescue {
    metrics: AccessMetrics,
    redactor: Arc<Redactor>,
}

impl Rescue {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { metrics: parts.access_metrics.clone(), redactor: parts.redactor.clone() }
    }

    /// What it writes may hold the platform's words, so it is masked like any other answer.
    fn answer(&self, passage: &mut Passage, error: &ProxyError) -> Response {
        let code = error.code();
        log(passage, error);
        passage.error = Some(code);
        passage.reason = error.reason();
        if let Some(reason) = passage.reason.filter(|_| code == ErrorCode::SurrogateRefused) {
            passage.metrics.surrogate_refused(reason);
        }
        if let ProxyError::RequestBody { source } = error
            && !matches!(source, BodyError::TooLarge { .. })
        {
            passage.outcome = Some(Outcome::Abandoned);
        }
        passage.own_answer = Some(error.errcode());
        if passage.key.is_some() && !error.shows_code() {
            // The platform would have said the same: it is the caller's mistake, not our refusal.
            passage.error = None;
            passage.outcome = Some(Outcome::Request);
        }
        let style = passage.key.as_ref().map_or(ErrorStyle::Http, |key| key.errors);
        let mut response =
            Response::new(Body::from(self.redactor.text(&body(passage, error)).into_owned()));
        *response.status_mut() = match (style, error) {
            (ErrorStyle::Wechat, _) | (_, ProxyError::AsPlatform { .. }) => http::StatusCode::OK,
            (ErrorStyle::Http, _) => code.status(),
        };
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if error.shows_code() {
            headers.insert(ERROR_HEADER, HeaderValue::from_static(code.name()));
        }
        if let Some(after) = error.retry_after() {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(after.as_millis().div_ceil(1000) as u64),
            );
        }
        if let ProxyError::RateLimited { headers: Some((limit, policy)), .. } = error {
            headers.insert(HeaderName::from_static("ratelimit"), limit.clone());
            headers.insert(HeaderName::from_static("ratelimit-policy"), policy.clone());
        }
        response
    }
}

impl Stage for Rescue {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        Box::pin(async move {
            match next.run(passage, body).await {
                Ok(response) => Ok(response),
                Err(error) => {
                    if let ProxyError::Denied { code, .. } = &error {
                        self.metrics.refused(*code);
                    }
                    Ok(self.answer(passage, &error))
                }
            }
        })
    }
}

/// Header with the code's name.
pub(super) const ERROR_HEADER: HeaderName = HeaderName::from_static("x-wxgate-error");
/// Header with the exchange's id.
pub(super) const ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Header with the number of tries.
pub(super) const ATTEMPTS_HEADER: HeaderName = HeaderName::from_static("x-wxgate-attempts");

/// Readable by an SDK as one of the platform's errors; the rest stands under `wxgate`.
fn body(passage: &Passage, error: &ProxyError) -> String {
    let code = error.code();
    let text = error_text::text(error, passage.live.language);
    let id = passage.id.to_string();
    let shown = error.shows_code().then(|| code.name());
    let mut inner = serde_json::json!({ "code": shown, "hint": text.hint, "request_id": id });
    if let ProxyError::TokenRejected { body, .. } = error {
        let upstream = serde_json::from_slice(body).unwrap_or_else(|_| {
            serde_json::Value::String(String::from_utf8_lossy(body).into_owned())
        });
        inner["upstream"] = upstream;
    }
    if let ProxyError::Token { source, .. } = error
        && let Some(errcode) = source.errcode()
    {
        inner["upstream"] = serde_json::json!({ "errcode": errcode, "errmsg": source.errmsg() });
    }
    let errmsg = match error {
        ProxyError::AsPlatform { refusal, .. } => format!("{} rid: {id}", refusal.errmsg),
        _ => format!("wxgate: {} rid: {id}", text.message),
    };
    serde_json::json!({ "errcode": error.errcode(), "errmsg": errmsg, "wxgate": inner }).to_string()
}

/// The boundary: the error ends here, so its chain is logged here. What the caller did wrong
/// is no news for the operator; it stands in the request's own line.
fn log(passage: &Passage, error: &ProxyError) {
    match error.code().status().as_u16() {
        500.. => tracing::warn!(
            request.id = %passage.id,
            code = error.code().name(),
            error = %Chain(error),
            "request {} failed: {}", passage.id, Chain(error)
        ),
        _ => {
            tracing::debug!(request.id = %passage.id, error = %Chain(error), "request {} refused", passage.id)
        }
    }
}
