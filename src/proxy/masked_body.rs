//! An answer's body with its secrets masked, in whatever chunks it comes.

use std::{
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};

use crate::base::{
    body::{Body, BodyError},
    redact::{MASK, Redactor, Snapshot},
};

/// Every byte of the body passes the search, whatever its type says; in a picture no escapes
/// are looked for, which is what takes time there.
pub(super) fn masked(redactor: &Arc<Redactor>, body: Body, content: Content) -> Body {
    match body.as_full() {
        Some(whole) => {
            let found = content.find(&redactor.snapshot(), whole);
            if found.is_empty() { body } else { Body::from(covered(whole.clone(), found)) }
        }
        None if body.is_end_stream() => body,
        None => Body::wrap(Masked {
            inner: body,
            redactor: redactor.clone(),
            content,
            held: Bytes::new(),
            ended: false,
        }),
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// JSON, or anything that people read.
    Text,
    /// Pictures, sound, archives.
    Picture,
}

impl Content {
    fn find(self, known: &Snapshot, bytes: &[u8]) -> Vec<Range<usize>> {
        match self {
            Self::Text => known.find(bytes),
            Self::Picture => known.find_in_picture(bytes),
        }
    }
}

/// Without a secret it is the same, and no copy.
fn covered(bytes: Bytes, found: Vec<Range<usize>>) -> Bytes {
    if found.is_empty() {
        return bytes;
    }
    let mut masked = BytesMut::from(bytes);
    for range in found {
        masked[range].fill(MASK);
    }
    masked.freeze()
}

/// Holds back the few bytes that may be the beginning of a secret until more has come.
struct Masked {
    inner: Body,
    redactor: Arc<Redactor>,
    content: Content,
    held: Bytes,
    ended: bool,
}

impl Masked {
    /// What can be let go of, masked; the rest is held. At the end that is nothing. A chunk
    /// without a secret passes as it is, without a copy.
    fn release(&mut self, data: Bytes) -> Bytes {
        let mut whole = if self.held.is_empty() {
            data
        } else {
            let mut joined = BytesMut::with_capacity(self.held.len() + data.len());
            joined.extend_from_slice(&self.held);
            joined.extend_from_slice(&data);
            joined.freeze()
        };
        let known = self.redactor.snapshot();
        let undecided = if self.ended { 0 } else { known.undecided(&whole) };
        let mut found = self.content.find(&known, &whole);
        found.sort_unstable_by_key(|range| std::cmp::Reverse(range.end));
        // What runs into the undecided end may be longer than it looks, so it waits as a whole.
        let mut decided = whole.len() - undecided;
        for range in &found {
            if range.end > decided {
                decided = decided.min(range.start);
            }
        }
        self.held = whole.split_off(decided);
        found.retain(|range| range.end <= decided);
        covered(whole, found)
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
            let data = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                // Trailers are dropped on the way back as on the way in.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_) => continue,
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.ended = true;
                    Bytes::new()
                }
            };
            let released = self.release(data);
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
#[path = "masked_body_test.rs"]
mod tests;
