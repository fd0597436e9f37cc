//! An edge with a small service behind it, and clients that write raw bytes.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    base::{
        body::{Body, BodyError},
        tasks::Tasks,
    },
    config::model::{Listen, Scheme, Tls},
    edge::{Arrival, BoundListener, Certificates, Deadlines, EdgeMetrics, EdgeShared, bind, serve},
};

pub(super) struct TestEdge {
    pub(super) shared: Arc<EdgeShared>,
    pub(super) address: SocketAddr,
    pub(super) gate: Arc<Notify>,
    pub(super) entered: Arc<Notify>,
    pub(super) tasks: Tasks,
    ca: Option<CertificateDer<'static>>,
    dir: TempDir,
}

impl TestEdge {
    pub(super) async fn http() -> Self {
        Self::start(Scheme::Http, Deadlines::default(), &[]).await
    }

    pub(super) async fn https() -> Self {
        Self::start(Scheme::Https, Deadlines::default(), &[]).await
    }

    pub(super) async fn start(scheme: Scheme, limits: Deadlines, trusted: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (certificates, ca) = match scheme {
            Scheme::Http => (None, None),
            Scheme::Https => {
                let tls = Tls::SelfSigned { dir: dir.path().to_owned() };
                let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
                let (certificates, _) = Certificates::open(&tls, &hosts, now()).unwrap();
                let pem = certificates.ca_pem().unwrap();
                let ca = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
                (Some(certificates), Some(ca))
            }
        };
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let shared = EdgeShared::new(limits, trusted, certificates, EdgeMetrics::default());
        let listen = Listen { scheme, address: "127.0.0.1".parse().unwrap(), port: 0 };
        let bound = bind(&[listen], 1).unwrap();
        let address = bound[0].address;
        let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let tasks = Tasks::default();
        for BoundListener { scheme, sockets, .. } in bound {
            for socket in sockets {
                let listener = tokio::net::TcpListener::from_std(socket).unwrap();
                let (gate, entered) = (Arc::clone(&gate), Arc::clone(&entered));
                let service = tower::service_fn(move |request| {
                    answer(request, Arc::clone(&gate), Arc::clone(&entered))
                });
                tasks.spawn(serve(listener, scheme, Arc::clone(&shared), service));
            }
        }
        Self { shared, address, gate, entered, tasks, ca, dir }
    }

    pub(super) fn ca(&self) -> CertificateDer<'static> {
        self.ca.clone().unwrap()
    }

    pub(super) fn ca_file(&self) -> std::path::PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub(super) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A TLS client that offers `alpn`.
    pub(super) async fn tls(&self, alpn: &[&str]) -> TlsStream<TcpStream> {
        let mut config = client_config(self.ca());
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await.unwrap()
    }

    /// An HTTP/2 client, running.
    pub(super) async fn h2(&self) -> h2::client::SendRequest<Bytes> {
        let (client, connection) = h2::client::Builder::new()
            // Else one stream that is not read leaves no window for the others.
            .initial_connection_window_size(1 << 20)
            .handshake(self.tls(&["h2"]).await)
            .await
            .unwrap();
        self.tasks.spawn(async move {
            let _ = connection.await;
        });
        client
    }
}

pub(super) fn client_config(ca: CertificateDer<'static>) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(in crate::edge) fn now() -> std::time::SystemTime {
    use crate::base::clock::{Clock as _, SystemClock};
    SystemClock.now()
}

/// `/` says hello, `/who` tells the client, `/certificate` whom it showed, `/wait` answers once the gate opens, `/upload`
/// counts the body, `/endless` never ends, `/dribble` opens the gate for each piece.
async fn answer(
    Arrival { conn, request }: Arrival,
    gate: Arc<Notify>,
    entered: Arc<Notify>,
) -> Result<Response<Body>, Infallible> {
    Ok(match request.uri().path() {
        "/who" => text(format!("{} {:?} {:?}", conn.client, conn.door, conn.sni)),
        "/certificate" => text(format!("{:?}", conn.certificate.as_ref().map(|it| &it.subject))),
        "/wait" => {
            entered.notify_one();
            gate.notified().await;
            text("waited")
        }
        "/cased" => cased().await,
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(request);
            Tasks::default().spawn(async move {
                let mut io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
                let mut piece = [0; 64];
                while let Ok(count @ 1..) = io.read(&mut piece).await {
                    io.write_all(&piece[..count]).await.unwrap();
                }
            });
            let mut response = status(StatusCode::SWITCHING_PROTOCOLS);
            let headers = response.headers_mut();
            headers.insert("connection", "upgrade".parse().unwrap());
            headers.insert("upgrade", "echo".parse().unwrap());
            response
        }
        "/upload" => match request.into_body().collect().await {
            Ok(body) => text(format!("{} {}", body.to_bytes().len(), "bytes")),
            Err(BodyError::Stalled) => status(StatusCode::REQUEST_TIMEOUT),
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        "/endless" => {
            let pieces = futures_util::stream::repeat_with(|| {
                Ok::<_, BodyError>(http_body::Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))
            });
            Response::new(Body::wrap(http_body_util::StreamBody::new(pieces)))
        }
        "/late-end" => {
            let pieces = futures_util::stream::unfold(0, move |n| {
                let gate = Arc::clone(&gate);
                async move {
                    if n == 1 {
                        gate.notified().await;
                    }
                    let frame = http_body::Frame::data(Bytes::from_static(b"piece"));
                    (n < 2).then_some((Ok::<_, BodyError>(frame), n + 1))
                }
            });
            entered.notify_one();
            Response::new(Body::wrap(http_body_util::StreamBody::new(Box::pin(pieces))))
        }
        _ => text("hello"),
    })
}

/// What a real upstream's answer carries: hyper keeps the case in an extension of its own.
async fn cased() -> Response<Body> {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let upstream = async {
        let mut request = [0; 512];
        let _ = theirs.read(&mut request).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nWechatmp-KEY: 1\r\nContent-Length: 0\r\n\r\n";
        theirs.write_all(answer).await.unwrap();
    };
    let call = async {
        let io = hyper_util::rt::TokioIo::new(ours);
        let (mut sender, conn) = hyper::client::conn::http1::Builder::new()
            .preserve_header_case(true)
            .handshake(io)
            .await
            .unwrap();
        let request = http::Request::get("/").body(Body::empty()).unwrap();
        tokio::select! {
            response = sender.send_request(request) => response.unwrap(),
            _ = conn => unreachable!("the answer comes first"),
        }
    };
    let ((), response) = tokio::join!(upstream, call);
    response.map(|_| Body::empty())
}

fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Body::from(text))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Everything until the other side closes (or resets), and how long that took.
pub(super) async fn until_closed(io: &mut (impl AsyncRead + Unpin)) -> (String, Duration) {
    let (begun, mut bytes) = (Instant::now(), Vec::new());
    let _ = io.read_to_end(&mut bytes).await;
    (String::from_utf8_lossy(&bytes).into_owned(), begun.elapsed())
}

/// One answer with a `Content-Length`, head and body.
pub(super) async fn one_answer(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        assert_ne!(io.read_buf(&mut bytes).await.unwrap(), 0, "closed after {text:?}");
    }
}

/// Sends one request and reads the answer.
pub(super) async fn ask(
    io: &mut (impl AsyncRead + tokio::io::AsyncWrite + Unpin),
    request: &[u8],
) -> String {
    io.write_all(request).await.unwrap();
    io.flush().await.unwrap();
    one_answer(io).await
}

/// Lets (paused) time pass, timer by timer: whoever waits less gets its turn before.
pub(in crate::edge) async fn after(time: Duration) {
    tokio::time::sleep_until(Instant::now() + time).await;
}

/// Whether `took` is `expected`, give or take timer ticks.
#[track_caller]
pub(super) fn assert_took(took: Duration, expected: Duration) {
    let slack = Duration::from_millis(50);
    assert!(took + slack >= expected && took <= expected + slack, "{took:?}, not {expected:?}");
}
