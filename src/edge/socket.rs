//! The TCP socket of a connection, below TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::{Deadlines, admission::Ticket, pace::Pace, pulse::Pulse};

/// Gives back bytes that were read too early, and tells the [`Pulse`] when the client does not
/// take what we send. That is seen here and not above TLS, because rustls takes 64 KiB from
/// us before it says that the socket is full.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    early: Bytes,
    pulse: Arc<Pulse>,
    pace: Pace,
    /// Held as long as the socket lives, also by a WebSocket that left HTTP behind.
    _ticket: Ticket,
}

impl Socket {
    pub(super) fn new(
        tcp: TcpStream,
        early: Bytes,
        pulse: Arc<Pulse>,
        limits: &Deadlines,
        ticket: Ticket,
    ) -> Self {
        Self { tcp, early, pulse, pace: Pace::of_download(limits), _ticket: ticket }
    }

    /// The clock is asked only when the socket is full, or was.
    fn note(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending if !self.pace.is_waiting() => {
                let deadline = self.pace.wait(Instant::now());
                self.pulse.set_write_deadline(Some(deadline));
            }
            Poll::Ready(Ok(bytes)) if self.pace.is_waiting() => {
                self.pace.progress(Instant::now(), *bytes);
                self.pulse.set_write_deadline(None);
            }
            Poll::Ready(Ok(bytes)) => self.pace.credit(*bytes),
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.tcp).poll_read(cx, buf);
        }
        let count = self.early.len().min(buf.remaining());
        buf.put_slice(self.early.get(..count).unwrap_or_default());
        self.early.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.pulse.is_reset() {
            // Else the kernel keeps what the client does not take, for minutes.
            let _ = self.tcp.set_zero_linger();
        }
    }
}
