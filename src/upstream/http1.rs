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

/// A slot of `max_connections` and, once the exchange on it is whole, a connection. When it is
/// dropped, the connection goes back to the pool.
pub(super) struct Finished {
    /// And since when it is idle.
    conn: Option<(Box<Http1>, Instant)>,
    home: Arc<Home>,
    endpoint: u64,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Finished {
    fn drop(&mut self) {
        if let Some((conn, since)) = self.conn.take() {
            self.home.keep(self.endpoint, conn, since);
        }
    }
}

/// A connection in use for one exchange. When it is dropped before the exchange is whole, the
/// connection is reset.
struct Holding {
    exchange: Option<Exchange>,
    slot: Finished,
}

impl Drop for Holding {
    fn drop(&mut self) {
        let conn = self.exchange.take().and_then(Exchange::finish);
        self.slot.conn = conn.map(|conn| (conn, Instant::now()));
    }
}

/// Begins to send `request` over `conn`.
pub(super) fn begin(mut conn: Box<Http1>, endpoint: &Endpoint, request: Outgoing<'_>) -> Exchange {
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
    now: Instant,
) -> (Response<Body>, Option<Finished>) {
    let whole = if exchange.is_sent() { exchange.whole_body() } else { None };
    let mut slot =
        Finished { conn: None, home: Arc::clone(home), endpoint: endpoint.id, _slot: slot };
    match whole {
        Some(whole) => {
            slot.conn = exchange.finish().map(|conn| (conn, now));
            (head.map(|()| Body::from(whole)), Some(slot))
        }
        None => {
            let holding = Some(Holding { exchange: Some(exchange), slot });
            let body = Answer { holding, idle_limit, waiting_since: None };
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
    deadlines: Deadlines<'_>,
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
