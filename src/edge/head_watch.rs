//! The stream that hyper reads, above TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{frames::Frames, pulse::Pulse};

/// Looks at what arrives and tells the [`Pulse`] when a request head begins. Passes every byte
/// on as it is.
#[derive(Debug)]
pub(super) struct HeadWatch<IO> {
    io: IO,
    pulse: Arc<Pulse>,
    /// HTTP/2 only. Boxed: most connections are quiet, and each byte of them counts.
    frames: Option<Box<Frames>>,
}

impl<IO> HeadWatch<IO> {
    pub(super) fn http1(io: IO, pulse: Arc<Pulse>) -> Self {
        Self { io, pulse, frames: None }
    }

    pub(super) fn http2(io: IO, pulse: Arc<Pulse>) -> Self {
        Self { io, pulse, frames: Some(Box::new(Frames::new())) }
    }

    /// Once a connection is in a request this costs two loads, and no clock is asked.
    fn note(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let open = match &mut self.frames {
            // Between requests any byte begins a head; hyper tells us when it is whole.
            None => self.pulse.is_idle(),
            Some(frames) => {
                frames.feed(bytes);
                if frames.is_greeted() {
                    self.pulse.greet();
                }
                let idle_frames = frames.take_idle_frames();
                if idle_frames > 0 {
                    self.pulse.add_idle_frames(idle_frames, Instant::now());
                }
                if !frames.is_open() {
                    self.pulse.head_ends();
                }
                frames.is_open()
            }
        };
        if open && self.pulse.head_since().is_none() {
            self.pulse.head_begins(Instant::now());
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for HeadWatch<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        self.note(buf.filled().get(before..).unwrap_or_default());
        read
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for HeadWatch<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
