//! The generator's connections.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wxgate::base::tasks::Tasks;

use super::tally::End;

/// Opens connections, a few at a time.
pub(super) struct Dialer {
    pub(super) address: SocketAddr,
    pub(super) http1: TlsConnector,
    pub(super) http2: TlsConnector,
    tasks: Tasks,
    at_once: Semaphore,
}

pub(super) type Body = Full<Bytes>;
pub(super) type Http1 = http1::SendRequest<Body>;
pub(super) type Http2 = http2::SendRequest<Body>;

impl Dialer {
    pub(super) fn new(address: SocketAddr, http1: TlsConnector, http2: TlsConnector) -> Self {
        let at_once = Semaphore::new(AT_ONCE);
        Self { address, http1, http2, tasks: Tasks::default(), at_once }
    }

    pub(super) async fn http1(&self) -> Result<Http1, End> {
        let tls = self.tls(&self.http1).await?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(tls)).await.map_err(|error| broken(&error))?;
        // How a connection ends is seen by the request that it ends.
        self.tasks.spawn(async { drop(connection.await) });
        Ok(sender)
    }

    pub(super) async fn http2(&self) -> Result<Http2, End> {
        let tls = self.tls(&self.http2).await?;
        let opened = http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await;
        let (sender, connection) = opened.map_err(|error| broken(&error))?;
        self.tasks.spawn(async { drop(connection.await) });
        Ok(sender)
    }

    async fn tls(&self, connector: &TlsConnector) -> Result<TlsStream<TcpStream>, End> {
        // Never closed.
        let _permit = self.at_once.acquire().await;
        let opened = async {
            let tcp = TcpStream::connect(self.address).await?;
            tcp.set_nodelay(true)?;
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            connector.connect(name, tcp).await
        };
        opened.await.map_err(|error| match error.kind() {
            // Ports and descriptors are ours.
            io::ErrorKind::AddrNotAvailable => End::Own(error.to_string()),
            _ if error.raw_os_error() == Some(EMFILE) => End::Own(error.to_string()),
            _ => End::Broken(format!("not connected: {error}")),
        })
    }
}

/// What went wrong, with what was behind it.
pub(super) fn broken(error: &dyn std::error::Error) -> End {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    End::Broken(words)
}

/// So that no handshake waits long for another.
const AT_ONCE: usize = 16;
const EMFILE: i32 = 24;
