//! Hides real tokens and secrets that an answer echoes, with equal length, also across chunks.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, Collected, Limited};

use super::{
    content_coding::Encoding,
    error::ProxyError,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::{
        body::{Body, BodyError, Response},
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
            if is_ticket_call(passage) {
                return self.mask_ticket_answer(passage, response).await;
            }
            if Encoding::of(response.headers()) != Encoding::Identity && is_platform(passage) {
                return self.mask_encoded(passage, response).await;
            }
            let is_text = is_text(passage, response.headers());
            Ok(if is_text { response.map(|body| self.mask_body(body)) } else { response })
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
        let plain = Encoding::of(&head.headers).decode(&whole, PLAIN_CAP_BYTES);
        let Some(plain) = plain.filter(|plain| plain.len() < PLAIN_CAP_BYTES) else {
            return Err(unreadable(passage, "an encoding that was not asked for"));
        };
        if self.redactor.find(&plain).is_empty() {
            return Ok(Response::from_parts(head, Body::from(whole)));
        }
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(head, Body::from(self.redactor.bytes(&plain).into_owned())))
    }

    fn mask_headers(&self, headers: &mut HeaderMap) {
        let secrets = self.redactor.snapshot();
        for value in headers.values_mut() {
            if let std::borrow::Cow::Owned(masked) = secrets.bytes(value.as_bytes())
                && let Ok(masked) = HeaderValue::from_bytes(&masked)
            {
                *value = masked;
            }
        }
    }

    fn mask_body(&self, body: Body) -> Body {
        match body.as_full() {
            Some(whole) => match self.redactor.bytes(whole) {
                std::borrow::Cow::Borrowed(_) => body,
                std::borrow::Cow::Owned(masked) => Body::from(masked),
            },
            None if body.is_end_stream() => body,
            None => Body::wrap(Masked {
                inner: body,
                redactor: self.redactor.clone(),
                held: BytesMut::new(),
                ended: false,
            }),
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

/// Pictures and sound are passed on unread: a token in them would be no echo. What began as
/// JSON is text, whatever its type says.
fn is_text(passage: &Passage, headers: &HeaderMap) -> bool {
    let state = passage.envelope.as_ref().map(|envelope| envelope.state);
    let kind =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media =
        ["image/", "audio/", "video/", "voice/", "application/octet-stream", "application/zip"];
    state != Some(Peeked::Binary) || !media.iter().any(|media| kind.starts_with(media))
}

/// Longest answer that is held as a whole: tickets, and what came encoded.
const WHOLE_CAP_BYTES: usize = 1 << 20;

/// Longest that an encoded answer may become.
const PLAIN_CAP_BYTES: usize = 8 << 20;

/// Holds back the few bytes that may be the beginning of a secret until more has come.
struct Masked {
    inner: Body,
    redactor: Arc<Redactor>,
    held: BytesMut,
    ended: bool,
}

impl Masked {
    /// What can be let go of, masked. At the end that is everything.
    fn release(&mut self) -> Bytes {
        let undecided = if self.ended { 0 } else { self.redactor.undecided(&self.held) };
        let mut found = self.redactor.find(&self.held);
        found.sort_unstable_by_key(|range| std::cmp::Reverse(range.end));
        // What runs into the undecided end may be longer than it looks, so it waits as a whole.
        let mut decided = self.held.len() - undecided;
        for range in &found {
            if range.end > decided {
                decided = decided.min(range.start);
            }
        }
        let mut released = self.held.split_to(decided);
        for range in found.into_iter().filter(|range| range.end <= decided) {
            released[range].fill(MASK);
        }
        released.freeze()
    }
}

impl http_body::Body for Masked {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        while !self.ended {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers are dropped on the way back as on the way in.
                    let Ok(data) = frame.into_data() else { continue };
                    self.held.extend_from_slice(&data);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.ended = true,
            }
            let released = self.release();
            if !released.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(released))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || (self.held.is_empty() && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        let held = self.held.len() as u64;
        let inner = self.inner.size_hint();
        hint.set_lower(inner.lower() + held);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};
    use proptest::prelude::*;

    use super::*;
    use crate::base::secret::Secret;

    fn masked(redactor: Redactor, text: &str, size: usize) -> String {
        let chunks: Vec<_> = text
            .as_bytes()
            .chunks(size)
            .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
            .collect();
        let body = Body::wrap(StreamBody::new(futures_util::stream::iter(chunks)));
        let masked = Mask { redactor: Arc::new(redactor) }.mask_body(body);
        let whole = futures_util::FutureExt::now_or_never(masked.collect()).unwrap().unwrap();
        String::from_utf8(whole.to_bytes().to_vec()).unwrap()
    }

    proptest! {
        #[test]
        fn a_key_never_passes_however_the_answer_is_cut(
            body in "[A-Za-z0-9]{10}_[A-Za-z0-9]{49}", before in "[ -~]{0,60}", size in 1_usize..40,
        ) {
            let text = format!("{before}wxgk_{body} behind");
            let shown = masked(Redactor::new(), &text, size);
            let stars = "*".repeat(60);
            prop_assert!(shown.ends_with(&format!("wxgk_{stars} behind")), "{shown}");
        }

        #[test]
        fn a_secret_never_passes_however_the_answer_is_cut(
            secret in "[A-Za-z0-9_-]{20,80}", before in "[ -~]{0,60}", behind in "[ -~]{0,60}", size in 1_usize..40,
        ) {
            let redactor = Redactor::new();
            redactor.protect("t", &Secret::new(secret.clone()));
            let text = format!("{before}{secret}{behind}");
            let whole = masked(redactor, &text, size);
            prop_assert_eq!(whole.len(), text.len());
            prop_assert!(!whole.contains(&secret));
            prop_assert!(whole.starts_with(&before) && whole.ends_with(&behind));
        }
    }
}
