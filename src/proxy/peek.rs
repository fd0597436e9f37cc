//! Reads the errcode from the beginning of an answer and puts the answer together again.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::content_coding::Encoding;
use crate::{
    base::body::{Body, BodyError, Response},
    wechat::envelope::{self, Envelope, Peeked},
};

/// What an answer says that is here as a whole, in plain text; none for any other.
pub(super) fn at_once(response: &Response) -> Option<Envelope> {
    let body = response.body();
    let whole = match body.as_full() {
        Some(whole) => whole,
        None if body.is_end_stream() => &Bytes::new(),
        None => return None,
    };
    let is_short = whole.len() <= PLAIN_CAP_BYTES;
    let is_plain = Encoding::of(response.headers()) == Encoding::Identity;
    (is_short && is_plain).then(|| envelope::peek(whole, true))
}

/// The answer, unchanged, and what its beginning says.
///
/// # Errors
/// [`BodyError`] when the answer broke off before anything could be passed on.
pub(super) async fn peek(response: Response) -> Result<(Response, Envelope), BodyError> {
    let (head, mut body) = response.into_parts();
    let encoding = Encoding::of(&head.headers);
    let cap = if encoding == Encoding::Identity { PLAIN_CAP_BYTES } else { ENCODED_CAP_BYTES };
    let mut prefix = Prefix::default();
    let mut found = envelope::peek(b"", body.is_end_stream());
    let mut is_complete = body.is_end_stream();
    let mut look_at = 1;
    while !is_complete && prefix.as_slice().len() < cap {
        match body.frame().await {
            None => is_complete = true,
            Some(Err(error)) => return Err(error),
            Some(Ok(frame)) => {
                // Trailers are dropped.
                let Ok(data) = frame.into_data() else { continue };
                prefix.push(data);
                is_complete = body.is_end_stream();
            }
        }
        // Looked at again when it has doubled: a peer that sends byte by byte costs no more.
        let length = prefix.as_slice().len();
        if encoding == Encoding::Identity && (is_complete || length >= look_at) {
            look_at = length * 2;
            found = envelope::peek(prefix.as_slice(), is_complete);
            if found.state != Peeked::Incomplete {
                break;
            }
        }
    }
    if encoding != Encoding::Identity
        && let Some(plain) = encoding.decode(prefix.as_slice(), PLAIN_CAP_BYTES)
    {
        found = envelope::peek(&plain, is_complete && plain.len() < PLAIN_CAP_BYTES);
    }
    let whole = prefix.freeze();
    let body = if is_complete {
        Body::from(whole)
    } else {
        Body::wrap(Prefixed { prefix: Some(whole), rest: body })
    };
    Ok((Response::from_parts(head, body), found))
}

/// One chunk is kept as it is; only a second one makes a copy.
#[derive(Default)]
struct Prefix {
    bytes: BytesMut,
    only: Option<Bytes>,
}

impl Prefix {
    fn push(&mut self, data: Bytes) {
        if self.bytes.is_empty() && self.only.is_none() {
            self.only = Some(data);
            return;
        }
        if let Some(first) = self.only.take() {
            self.bytes.extend_from_slice(&first);
        }
        self.bytes.extend_from_slice(&data);
    }

    fn as_slice(&self) -> &[u8] {
        self.only.as_ref().map_or(&self.bytes, |only| only)
    }

    fn freeze(self) -> Bytes {
        self.only.unwrap_or_else(|| self.bytes.freeze())
    }
}

/// What was read already, then the rest.
struct Prefixed {
    prefix: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Prefixed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.prefix.take() {
            Some(prefix) => Poll::Ready(Some(Ok(Frame::data(prefix)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.prefix.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.prefix.as_ref().map_or(0, |prefix| prefix.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + read);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + read);
        }
        hint
    }
}

/// The errcode stands at the beginning of an answer.
const PLAIN_CAP_BYTES: usize = 64 << 10;

/// An encoded answer is shorter than what it says.
const ENCODED_CAP_BYTES: usize = 1 << 20;
