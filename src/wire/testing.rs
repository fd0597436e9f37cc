//! Scripted servers on loopback, for the tests of `wire` and `upstream`.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use super::{ConnectLimits, Connector, ConnectorOptions, OwnListeners, Resolver, RootsSource};
use crate::base::{
    egress::{Egress, Family},
    origin::{Origin, Scheme},
    roots::Roots,
    tasks::Tasks,
};

/// A server whose every connection runs a script; it records each byte that it got.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    received: watch::Receiver<Vec<u8>>,
    _tasks: Tasks,
}

impl Scripted {
    /// Listens on a free port; `script` gets the connection's number, from 0.
    pub(crate) async fn start<F, Fut>(script: F) -> Self
    where
        F: Fn(usize, Recorded) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, tasks) = (Arc::new(AtomicUsize::new(0)), Tasks::default());
        let (record, received) = watch::channel(Vec::new());
        let (count, group) = (Arc::clone(&accepted), tasks.clone());
        tasks.spawn(async move {
            let record = Arc::new(record);
            while let Ok((tcp, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                group.spawn(script(number, Recorded { tcp, record: Arc::clone(&record) }));
            }
        });
        Self { address, accepted, received, _tasks: tasks }
    }

    /// How many connections came.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// All bytes so far, of all connections.
    pub(crate) fn received(&self) -> Vec<u8> {
        self.received.borrow().clone()
    }

    /// Changes with every byte that comes.
    pub(crate) fn received_changes(&self) -> watch::Receiver<Vec<u8>> {
        self.received.clone()
    }

    /// Until these bytes have come.
    pub(crate) async fn wait_received(&self, bytes: &[u8]) {
        let mut received = self.received.clone();
        let found = |all: &Vec<u8>| memchr::memmem::find(all, bytes).is_some();
        received.wait_for(found).await.unwrap();
    }

    pub(crate) fn origin(&self, scheme: Scheme) -> Origin {
        Origin { scheme, host: self.address.ip().to_string(), port: self.address.port() }
    }
}

/// A server's side of a connection; what is read is recorded.
pub(crate) struct Recorded {
    tcp: TcpStream,
    record: Arc<watch::Sender<Vec<u8>>>,
}

impl Recorded {
    /// Reads up to the end of a request's head.
    pub(crate) async fn head(&mut self) -> String {
        head(self).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads to the end, and tells how it came: `Ok` for a clean one.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        self.read_to_end(&mut Vec::new()).await.map(drop)
    }

    /// Ends the connection with a RST.
    pub(crate) fn reset(self) {
        self.tcp.set_zero_linger().unwrap();
    }
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        let new = &buf.filled()[before..];
        if !new.is_empty() {
            self.record.send_modify(|all| all.extend_from_slice(new));
        }
        read
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Reads up to the end of a request's head, byte by byte; empty if there is none.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(head).unwrap()
}

/// An address whose handshakes get no answer, while the second value is held: a listener
/// that accepts nothing and whose queue is full.
pub(crate) async fn black_hole() -> (SocketAddr, Box<dyn Send>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    let moment = std::time::Duration::from_millis(100);
    while let Ok(connected) = tokio::time::timeout(moment, TcpStream::connect(address)).await {
        held.push(connected.unwrap());
    }
    (address, Box::new((listener, held)))
}

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn roots(&self) -> RootsSource {
        let mut store = RootCertStore::empty();
        store.add(self.0.der().clone()).unwrap();
        RootsSource::Store(Arc::new(store))
    }

    /// A server certificate for `name`, until `last_year`, offering `alpn`.
    pub(crate) fn acceptor(&self, name: &str, last_year: i32, alpn: &[&str]) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let leaf: CertificateDer<'static> = params.signed_by(&key, &self.0).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// IPv4, no proxy.
pub(crate) fn direct() -> Egress {
    Egress { family: Family::Ipv4, bind: None, proxy: None }
}

/// Options that trust nobody in particular and have the usual limits.
pub(crate) fn options() -> ConnectorOptions {
    ConnectorOptions {
        egress: direct(),
        roots: RootsSource::Config(Roots::Bundled),
        offer_http2: false,
        limits: ConnectLimits::default(),
        own: OwnListeners::default(),
        resolver: Resolver::system(Tasks::default()),
    }
}

/// A connector from [`options`] with some of them changed.
pub(crate) fn connector(change: impl FnOnce(&mut ConnectorOptions)) -> Connector {
    let mut options = options();
    change(&mut options);
    Connector::new(options).unwrap()
}
