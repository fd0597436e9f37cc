//! Hides real tokens and secrets that an answer echoes, with equal length, also across chunks.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::{BodyExt as _, Collected, Limited};

use super::{
    content_coding::Encoding,
    error::ProxyError,
    masked_body::{Content, masked},
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::{
        body::{Body, Response},
        kind::AccountKind,
        redact::{MASK, Redactor},
    },
    wechat::{Peeked, credential::CredentialCall, grant},
    wire::WireError,
};

/// `rid/get` answers with the URL of an earlier request, token included; a careless upstream
/// may echo anything. Outside of retry, so that it sees what the caller would get.
pub(super) struct Mask {
    redactor: Arc<Redactor>,
}

impl Mask {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { redactor: parts.redactor.clone() }
    }
}

impl Stage for Mask {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        Box::pin(async move {
            let mut response = next.run(passage, body).await?;
            self.mask_headers(response.headers_mut());
            if tells_of_merchants(passage) {
                return Ok(response);
            }
            if Encoding::of(response.headers()) != Encoding::Identity && is_platform(passage) {
                response = self.mask_encoded(passage, response).await?;
            }
            if is_ticket_call(passage) {
                return self.mask_ticket_answer(passage, response).await;
            }
            let content = content(passage, response.headers());
            Ok(response.map(|body| masked(&self.redactor, body, content)))
        })
    }
}

impl Mask {
    /// The ticket that was asked for passes; everything else is masked here, and the ticket
    /// wherever else it turns up.
    async fn mask_ticket_answer(
        &self,
        passage: &Passage,
        response: Response,
    ) -> Result<Response, ProxyError> {
        let (head, body) = response.into_parts();
        let whole = whole(passage, body).await?;
        let ticket = grant::parse_ticket(&whole).ok().map(|grant| grant.token);
        if let (Some(ticket), Some(account)) = (&ticket, &passage.account) {
            self.redactor.protect(&format!("{}/ticket", account.config.name), ticket);
        }
        let mut masked = whole.to_vec();
        let mut has_passed = false;
        for range in self.redactor.find(&whole) {
            let is_ticket =
                ticket.as_ref().is_some_and(|ticket| ticket.matches(&whole[range.clone()]));
            if is_ticket && !has_passed {
                has_passed = true;
            } else {
                masked[range].fill(MASK);
            }
        }
        Ok(Response::from_parts(head, Body::from(masked)))
    }

    /// The platform was asked for plain answers. One that is encoded all the same is opened, and
    /// passed on as it came if it holds nothing.
    async fn mask_encoded(
        &self,
        passage: &Passage,
        response: Response,
    ) -> Result<Response, ProxyError> {
        let (mut head, body) = response.into_parts();
        let whole = whole(passage, body).await?;
        if whole.is_empty() {
            // As after HEAD.
            return Ok(Response::from_parts(head, Body::empty()));
        }
        let Some(plain) = Encoding::of(&head.headers).decode_whole(&whole, PLAIN_CAP_BYTES) else {
            return Err(unreadable(passage, "an encoding that was not asked for"));
        };
        // The ticket's own answer goes on in plain: what is in it is looked at once more.
        if !is_ticket_call(passage) && self.redactor.find(&plain).is_empty() {
            return Ok(Response::from_parts(head, Body::from(whole)));
        }
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(head, Body::from(plain)))
    }

    /// Values keep their length. A name has no mask that is a name and means nothing, so such a
    /// header goes.
    fn mask_headers(&self, headers: &mut HeaderMap) {
        let secrets = self.redactor.snapshot();
        for value in headers.values_mut() {
            if let Cow::Owned(masked) = secrets.bytes(value.as_bytes())
                && let Ok(masked) = HeaderValue::from_bytes(&masked)
            {
                *value = masked;
            }
        }
        let named: Vec<HeaderName> =
            headers.keys().filter(|name| secrets.is_in_name(name.as_str())).cloned().collect();
        for name in &named {
            headers.remove(name);
        }
    }
}

fn is_ticket_call(passage: &Passage) -> bool {
    passage.known.credential_call == Some(CredentialCall::Ticket)
}

/// New tokens are replaced further out, by `answer_open`, which masks the rest.
fn tells_of_merchants(passage: &Passage) -> bool {
    passage.known.credential_call.is_some_and(CredentialCall::tells_of_merchants)
}

fn is_platform(passage: &Passage) -> bool {
    passage.account.as_ref().is_some_and(|account| account.config.kind != AccountKind::Generic)
}

/// An answer that is short by its nature, as a whole.
async fn whole(passage: &Passage, body: Body) -> Result<Bytes, ProxyError> {
    let collected = Limited::new(body, WHOLE_CAP_BYTES).collect().await;
    collected
        .map(Collected::to_bytes)
        .map_err(|_| unreadable(passage, "longer than such an answer is"))
}

pub(super) fn unreadable(passage: &Passage, why: &'static str) -> ProxyError {
    let upstream =
        passage.attempts.last().map_or_else(|| "upstream".into(), |a| a.upstream.clone());
    let source = WireError::Invalid { to: upstream.to_string(), source: why.into() };
    ProxyError::Upstream { upstream, source }
}

/// What began as JSON is text, whatever its type says.
fn content(passage: &Passage, headers: &HeaderMap) -> Content {
    let state = passage.envelope.as_ref().map(|envelope| envelope.state);
    let kind =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media =
        ["image/", "audio/", "video/", "voice/", "application/octet-stream", "application/zip"];
    let is_picture =
        state == Some(Peeked::Binary) && media.iter().any(|media| kind.starts_with(media));
    if is_picture { Content::Picture } else { Content::Text }
}

/// Longest answer that is held as a whole: tickets, and what came encoded.
const WHOLE_CAP_BYTES: usize = 1 << 20;

/// Longest that an encoded answer may become.
const PLAIN_CAP_BYTES: usize = 8 << 20;
