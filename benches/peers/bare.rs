//! What hyper and rustls cost by themselves: a pass-through without a key, a limit or a record.
//!
//! It does the same with TLS and connections as wxgate (tickets, one kept pool, HTTP/1.1
//! upstream), and leaves out everything else.

#![expect(clippy::disallowed_methods, reason = "tasks end with the process")]

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Outcome, options};

/// Serves until it is killed.
pub(crate) fn serve(options: &options::Bare) -> Outcome<()> {
    // As the program does.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let acceptor = acceptor(&options.folder)?;
        let pool = Pool::new(options.origin, connector(&options.folder)?)?;
        let listener = TcpListener::bind(options.listen).await?;
        loop {
            let (tcp, _) = listener.accept().await?;
            tokio::spawn(connection(tcp, acceptor.clone(), pool.clone()));
        }
    })
}

async fn connection(tcp: TcpStream, acceptor: TlsAcceptor, pool: Pool) {
    let _ = tcp.set_nodelay(true);
    let Ok(tls) = acceptor.accept(tcp).await else { return };
    let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(tls);
    let service = service_fn(move |request| pool.clone().forward(request));
    // A client that leaves is no news to a bench.
    if is_http2 {
        let builder = server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = builder.serve_connection(io, service).await;
    } else {
        let mut builder = server::conn::http1::Builder::new();
        let _ = builder.header_read_timeout(None).serve_connection(io, service).await;
    }
}

/// Connections to the origin.
#[derive(Clone)]
struct Pool(Arc<Shared>);

struct Shared {
    origin: SocketAddr,
    host: header::HeaderValue,
    tls: TlsConnector,
    idle: Mutex<Vec<Sender>>,
}

type Sender = client::conn::http1::SendRequest<Incoming>;

impl Pool {
    fn new(origin: SocketAddr, tls: TlsConnector) -> Outcome<Self> {
        let host = header::HeaderValue::from_str(&origin.to_string())?;
        Ok(Self(Arc::new(Shared { origin, host, tls, idle: Mutex::default() })))
    }

    async fn forward(
        self,
        mut request: Request<Incoming>,
    ) -> Result<Response<Passing>, Infallible> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(http::Uri::default, Into::into);
        *request.version_mut() = http::Version::HTTP_11;
        request.headers_mut().insert(header::HOST, self.0.host.clone());
        let answer = async {
            let mut sender = self.sender().await?;
            let response = sender.send_request(request).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((response, sender))
        };
        Ok(match answer.await {
            Ok((response, sender)) => {
                response.map(|body| Passing { body: Some(body), home: Some((self, sender)) })
            }
            Err(_) => {
                let mut response = Response::new(Passing { body: None, home: None });
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        })
    }

    /// One that is ready; the one used last first.
    async fn sender(&self) -> Outcome<Sender> {
        loop {
            let kept = self.idle().pop();
            let Some(mut sender) = kept else { break };
            if sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        let tcp = TcpStream::connect(self.0.origin).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let tls = self.0.tls.connect(name, tcp).await?;
        let (sender, connection) = client::conn::http1::handshake(TokioIo::new(tls)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Sender>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer's body, whose end gives the connection back.
struct Passing {
    body: Option<Incoming>,
    home: Option<(Pool, Sender)>,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if self.is_end_stream()
            && let Some((pool, sender)) = self.home.take()
        {
            pool.idle().push(sender);
        }
    }
}

fn acceptor(folder: &Path) -> Outcome<TlsAcceptor> {
    let chain =
        CertificateDer::pem_file_iter(folder.join("cert.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn connector(folder: &Path) -> Outcome<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(folder.join("ca.pem"))? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
