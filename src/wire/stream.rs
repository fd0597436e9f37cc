//! The bytes of one outgoing connection, plain or in TLS.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::client::TlsStream;

/// A connection. Dropped without an orderly shutdown it is *reset*: the peer must never take
/// a request that broke off for a whole one.
#[derive(Debug)]
pub struct Stream {
    io: Io,
    /// Only where somebody watches: each write asks the clock for it.
    progress: Option<Arc<Progress>>,
    was_shut_down: bool,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// When bytes last went out, readable while the connection is in use elsewhere.
#[derive(Debug)]
pub(super) struct Progress {
    opened: Instant,
    /// Milliseconds from `opened` to the last write.
    written_ms: AtomicU64,
}

impl Progress {
    /// The moment of the last write; at first that of opening.
    pub(super) fn last_write(&self) -> Instant {
        self.opened + Duration::from_millis(self.written_ms.load(Ordering::Relaxed))
    }

    fn note(&self) {
        let ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.written_ms.store(ms, Ordering::Relaxed);
    }
}

impl Stream {
    pub(super) fn plain(tcp: TcpStream) -> Self {
        Self::new(Io::Plain(tcp))
    }

    pub(super) fn tls(tls: TlsStream<TcpStream>) -> Self {
        Self::new(Io::Tls(Box::new(tls)))
    }

    fn new(io: Io) -> Self {
        Self { io, progress: None, was_shut_down: false }
    }

    /// Whether both sides agreed on HTTP/2.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        match &self.io {
            Io::Plain(_) => false,
            Io::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// Tells from now on when bytes last went out.
    pub(super) fn watch(&mut self) -> Arc<Progress> {
        let progress = Progress { opened: Instant::now(), written_ms: AtomicU64::new(0) };
        Arc::clone(self.progress.insert(Arc::new(progress)))
    }

    fn tcp(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(tcp) => tcp,
            Io::Tls(tls) => tls.get_ref().0,
        }
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Some(progress) = &self.progress
            && matches!(written, Poll::Ready(Ok(count)) if count > 0)
        {
            progress.note();
        }
        written
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.was_shut_down {
            // With a linger time of zero, close sends RST. Failing here loses only that.
            drop(SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO)));
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Io::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Io::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        };
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, parts),
            Io::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, parts),
        };
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(tcp) => tcp.is_write_vectored(),
            Io::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Io::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.was_shut_down = true;
        match &mut self.io {
            Io::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Io::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::wire::testing::Scripted;

    async fn ended_with(shut_down: bool) -> io::Result<usize> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
        let peer = Scripted::start(move |_, mut tcp| {
            let tell = tell.lock().unwrap().take().unwrap();
            async move {
                let mut seen = Vec::new();
                let end = tcp.read_to_end(&mut seen).await;
                assert_eq!(seen, b"half a request");
                tell.send(end).unwrap();
            }
        })
        .await;
        let mut stream = Stream::plain(TcpStream::connect(peer.address).await.unwrap());
        stream.write_all(b"half a request").await.unwrap();
        peer.wait_received(b"half a request").await;
        if shut_down {
            stream.shutdown().await.unwrap();
        }
        drop(stream);
        told.await.unwrap()
    }

    #[tokio::test]
    async fn only_an_orderly_shutdown_looks_like_an_end_to_the_peer() {
        assert_eq!(ended_with(true).await.unwrap(), 14);
        assert_eq!(ended_with(false).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
