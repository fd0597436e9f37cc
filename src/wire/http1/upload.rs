//! The request's way into the socket.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http_body::Body as _;
use tokio::{io::AsyncWrite as _, time::Instant};

use super::{connection::Http1, exchange::Http1Error};
use crate::base::body::{Body, BodyError};

/// What is still to be sent of a request.
pub(super) struct Upload {
    /// None once all of it was handed over.
    body: Option<Body>,
    framing: Framing,
    /// A part of the body that is too long to be copied behind what stands in the output.
    part: Bytes,
    /// What follows `part`.
    behind: &'static [u8],
    /// Whether the socket may hold something back.
    is_flushed: bool,
    turn: Turn,
}

/// Whose turn it is while a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The caller has to send more.
    Caller,
    /// The peer has to read, since then.
    Peer(Instant),
    /// All of it is with the peer, since then; none where the whole body was at hand.
    Over(Option<Instant>),
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    /// So many bytes are to come.
    Length(u64),
    Chunked,
}

impl Upload {
    /// `body` goes out behind a head that tells `length`, or in chunks. One that is here as a
    /// whole, and short, is appended to the head at once.
    pub(super) fn new(body: Body, length: Option<u64>, out: &mut BytesMut) -> Self {
        let framing = length.map_or(Framing::Chunked, Framing::Length);
        let mut upload = Self {
            body: None,
            framing,
            part: Bytes::new(),
            behind: b"",
            is_flushed: false,
            turn: Turn::Over(None),
        };
        match body.as_full() {
            Some(bytes) if bytes.len() <= COPIED_MOST_BYTES => out.put_slice(bytes),
            Some(bytes) => upload.part = bytes.clone(),
            None if length == Some(0) => {}
            None => (upload.body, upload.turn) = (Some(body), Turn::Peer(Instant::now())),
        }
        upload
    }

    pub(super) fn turn(&self) -> Turn {
        self.turn
    }

    /// Whether nothing is left to be sent.
    pub(super) fn is_over(&self) -> bool {
        self.body.is_none() && self.is_flushed
    }

    /// Sends on; ready when everything is with the socket.
    pub(super) fn poll(
        &mut self,
        conn: &mut Http1,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Http1Error>> {
        if self.is_over() {
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(self.poll_write(conn, cx)).map_err(Http1Error::Broken)?;
            if self.body.is_none() {
                break;
            }
            if self.poll_body(conn, cx)?.is_pending() {
                self.turn = Turn::Caller;
                // What waits in the TLS session must not wait for the caller.
                ready!(self.poll_flush(conn, cx)).map_err(Http1Error::Broken)?;
                return Poll::Pending;
            }
        }
        ready!(self.poll_flush(conn, cx)).map_err(Http1Error::Broken)?;
        if matches!(self.turn, Turn::Caller | Turn::Peer(_)) {
            self.turn = Turn::Over(Some(Instant::now()));
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is at hand.
    fn poll_write(&mut self, conn: &mut Http1, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !(conn.output.is_empty() && self.part.is_empty() && self.behind.is_empty()) {
            let stream = Pin::new(&mut conn.stream);
            let written = if self.part.is_empty() && self.behind.is_empty() {
                stream.poll_write(cx, &conn.output)
            } else {
                let parts = [&conn.output[..], &self.part, self.behind].map(IoSlice::new);
                stream.poll_write_vectored(cx, &parts)
            };
            let written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Turn::Peer(since) = &mut self.turn {
                *since = Instant::now();
            }
            self.is_flushed = false;
            let of_output = written.min(conn.output.len());
            let of_part = (written - of_output).min(self.part.len());
            conn.output.advance(of_output);
            self.part.advance(of_part);
            self.behind = self.behind.get(written - of_output - of_part..).unwrap_or_default();
        }
        Poll::Ready(Ok(()))
    }

    /// Takes the next part of the body, or notes its end.
    fn poll_body(
        &mut self,
        conn: &mut Http1,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Http1Error> {
        let Some(body) = &mut self.body else { return Ok(Poll::Ready(())) };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else { return Ok(Poll::Pending) };
        self.turn = Turn::Peer(Instant::now());
        let is_last = frame.is_none();
        let data = match frame {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(), // trailers go nowhere
            Some(Err(source)) => return Err(Http1Error::Body(source)),
            None => Bytes::new(),
        };
        match &mut self.framing {
            Framing::Length(left) => {
                let rest = left.checked_sub(data.len() as u64);
                // More than was announced would be read as the next request, and with less the
                // peer would wait for ever.
                let is_wrong = rest.is_none() || (is_last && *left > 0);
                if is_wrong {
                    return Err(Http1Error::Body(BodyError::Aborted));
                }
                *left = rest.unwrap_or(0);
                if *left == 0 {
                    self.body = None;
                }
            }
            Framing::Chunked if is_last => {
                conn.output.put_slice(b"0\r\n\r\n");
                self.body = None;
            }
            // An empty chunk would be the last.
            Framing::Chunked if data.is_empty() => {}
            Framing::Chunked => {
                conn.output.put_slice(format!("{:x}\r\n", data.len()).as_bytes());
                self.behind = b"\r\n";
            }
        }
        self.part = data;
        Ok(Poll::Ready(()))
    }

    fn poll_flush(&mut self, conn: &mut Http1, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_flushed {
            ready!(Pin::new(&mut conn.stream).poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// A body up to this length goes into one write, and one TLS record, with its head.
const COPIED_MOST_BYTES: usize = 4 << 10;
