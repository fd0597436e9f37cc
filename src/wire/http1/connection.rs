//! An open connection between two requests.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use tokio::io::AsyncWrite as _;
use tokio_util::io::poll_read_buf;

use crate::{base::alarm::Alarm, wire::Stream};

/// One HTTP/1.1 connection. Dropped between two requests it says good-bye; dropped within one it
/// is reset, because the peer must never take half a request for a whole one.
#[derive(Debug)]
pub struct Http1 {
    pub(super) stream: Stream,
    /// Read, and not looked at.
    pub(super) input: BytesMut,
    /// Written down, and not sent. Empty between two requests.
    pub(super) output: BytesMut,
    /// Kept from one request to the next, so that not each has to make a timer.
    pub(crate) alarm: Alarm,
    /// Whether it has carried a request before.
    pub(crate) was_used: bool,
}

impl Http1 {
    /// Nothing is sent yet.
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            alarm: Alarm::default(),
            was_used: false,
        }
    }

    /// Whether the peer still holds it open, as far as is known here. Bytes that nobody asked
    /// for count as its end.
    pub(crate) fn is_alive(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.input.is_empty() && self.poll_fill(&mut cx).is_pending()
    }

    /// Reads what is there; 0 bytes at the end of the connection.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(READ_LEAST_BYTES);
        poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input)
    }

    /// Ends an idle connection in peace, as far as that is possible at once.
    pub(crate) fn say_goodbye(mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        // The few bytes of a good-bye fit into the socket; if not, the peer sees a plain end.
        let _ = Pin::new(&mut self.stream).poll_shutdown(&mut cx);
    }
}

/// Room for a read: a TLS record of an ordinary answer, or a good part of a long one.
const READ_LEAST_BYTES: usize = 8 << 10;
