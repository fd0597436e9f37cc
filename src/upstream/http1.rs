//! One try over HTTP/1.1: the answer's head within its limits, then its body.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{Endpoint, deadlines::Deadlines, failed::Failed, pool::Home};
use crate::{
    base::body::{Body, BodyError},
    wire::{Exchange, Head, Http1, Http1Error, Outgoing, Phase, Turn, WireError},
};

/// A connection and a slot of `max_connections`, in use for one exchange. When it is dropped, a
/// connection whose exchange is whole goes back to the pool, and another one is reset.
pub(super) struct Holding {
    exchange: Option<Exchange>,
    home: Arc<Home>,
    endpoint: u64,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Holding {
    fn drop(&mut self) {
        if let Some(conn) = self.exchange.take().and_then(Exchange::finish) {
            self.home.keep(self.endpoint, conn);
        }
    }
}

/// Begins to send `request` over `conn`.
pub(super) fn begin(mut conn: Http1, endpoint: &Endpoint, request: Outgoing<'_>) -> Exchange {
    conn.was_used = true;
    Exchange::begin(conn, endpoint.host(), request)
}

/// The answer behind `head`, which holds the connection and the slot until it ended: in its body,
/// or beside it where all of the body is here.
pub(super) fn answer(
    head: Response<()>,
    mut exchange: Exchange,
    home: &Arc<Home>,
    endpoint: &Endpoint,
    slot: OwnedSemaphorePermit,
    idle_limit: Duration,
) -> (Response<Body>, Option<Holding>) {
    let whole = if exchange.is_sent() { exchange.whole_body() } else { None };
    let (home, endpoint) = (Arc::clone(home), endpoint.id);
    let holding = Holding { exchange: Some(exchange), home, endpoint, _slot: slot };
    match whole {
        Some(whole) => (head.map(|()| Body::from(whole)), Some(holding)),
        None => {
            let body = Answer { holding: Some(holding), idle_limit, waiting_since: None };
            (head.map(|()| Body::wrap(body)), None)
        }
    }
}

/// Why there is no head.
pub(super) enum NoHead {
    Failed(Http1Error),
    Late(Phase, Duration),
}

impl NoHead {
    pub(super) fn explain(self, to: &str) -> Failed {
        let to = to.to_owned();
        let error = match self {
            Self::Late(phase, limit) => WireError::Timeout { to, phase, limit },
            Self::Failed(error) => WireError::from_http1(to, error),
        };
        error.into()
    }
}

/// Waits for the head of the answer within its limits. `connected` is when the connection was
/// there.
pub(super) fn poll_head(
    exchange: &mut Exchange,
    deadlines: Deadlines,
    connected: Instant,
    cx: &mut Context<'_>,
) -> Poll<Result<Head, NoHead>> {
    if let Poll::Ready(head) = exchange.poll_head(cx) {
        return Poll::Ready(head.map_err(NoHead::Failed));
    }
    let limits = deadlines.limits;
    let (deadline, phase, limit) = match exchange.turn() {
        // A slow client is a matter of the edge, which has limits of its own.
        Turn::Caller => return Poll::Pending,
        Turn::Peer(since) => {
            (since.max(connected) + limits.upload_stall, Phase::Upload, limits.upload_stall)
        }
        Turn::Over(ended) => {
            let (deadline, limit) = deadlines.answer(ended.unwrap_or(deadlines.began), connected);
            (deadline, Phase::Answer, limit)
        }
    };
    exchange.conn().alarm.poll(deadline, cx).map(|()| Err(NoHead::Late(phase, limit)))
}

/// An answer's body that holds its connection until it ended or was dropped.
struct Answer {
    /// None at the end.
    holding: Option<Holding>,
    idle_limit: Duration,
    /// Since when the upstream keeps us waiting; a slow reader on our side is not silence.
    waiting_since: Option<Instant>,
}

impl Answer {
    fn exchange(&self) -> Option<&Exchange> {
        self.holding.as_ref()?.exchange.as_ref()
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(exchange) = this.holding.as_mut().and_then(|held| held.exchange.as_mut()) else {
            return Poll::Ready(None);
        };
        let Poll::Ready(polled) = exchange.poll_body(cx) else {
            let since = *this.waiting_since.get_or_insert_with(Instant::now);
            let end = since + this.idle_limit;
            return exchange.conn().alarm.poll(end, cx).map(|()| {
                this.holding = None;
                Some(Err(BodyError::Stalled))
            });
        };
        this.waiting_since = None;
        let is_over = exchange.is_over() || !matches!(polled, Some(Ok(_)));
        if is_over {
            this.holding = None;
        }
        Poll::Ready(polled.map(|data| match data {
            Ok(data) => Ok(Frame::data(data)),
            Err(error) => Err(BodyError::Answer(error.into())),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.exchange().is_none_or(Exchange::is_over)
    }

    fn size_hint(&self) -> SizeHint {
        match self.exchange() {
            None => SizeHint::with_exact(0),
            Some(exchange) => {
                exchange.bytes_left().map_or_else(SizeHint::new, SizeHint::with_exact)
            }
        }
    }
}
