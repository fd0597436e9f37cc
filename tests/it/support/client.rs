//! A client of the gateway: HTTP/1.1 or HTTP/2 over TLS, and raw bytes.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Which protocol is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speak {
    Http1,
    Http2,
}

/// Sends requests with a key, one connection each unless a [`Session`] is opened.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) key: Option<String>,
    tls: TlsConnector,
    tls_h2: TlsConnector,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `errcode`, 0 when there is none.
    pub(crate) fn errcode(&self) -> i64 {
        self.json()["errcode"].as_i64().unwrap_or(0)
    }

    /// The gateway's own code.
    pub(crate) fn code(&self) -> &str {
        self.headers.get("x-wxgate-error").map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, ca_pem: &[u8], key: Option<String>) -> Self {
        Self {
            address,
            key,
            tls: connector(ca_pem, &[b"http/1.1"], None),
            tls_h2: connector(ca_pem, &[b"h2"], None),
        }
    }

    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    pub(crate) fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Speak::Http1, self.request(Method::GET, path, "")).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(Speak::Http1, self.request(Method::POST, path, body)).await
    }

    /// Without a key, and with a certificate that is shown to a gateway of this CA.
    pub(crate) fn with_certificate(&self, ca_pem: &[u8], identity: &Identity) -> Self {
        Self {
            address: self.address,
            key: None,
            tls: connector(ca_pem, &[b"http/1.1"], Some(identity)),
            tls_h2: connector(ca_pem, &[b"h2"], Some(identity)),
        }
    }

    /// A request with our key, to be changed before it is sent.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
        let body: Bytes = body.into();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://localhost:{}{path}", self.address.port()));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        request.body(Full::new(body)).unwrap()
    }

    pub(crate) async fn send(&self, speak: Speak, request: Request<Full<Bytes>>) -> Reply {
        self.session(speak).await.send(request).await.unwrap()
    }

    /// A connection for several requests.
    pub(crate) async fn session(&self, speak: Speak) -> Session {
        self.try_session(speak).await.unwrap()
    }

    /// [`Client::session`] where the gateway may be gone.
    pub(crate) async fn try_session(
        &self,
        speak: Speak,
    ) -> Result<Session, Box<dyn std::error::Error + Send + Sync>> {
        let io = TokioIo::new(self.tls(speak, "localhost").await?);
        Ok(match speak {
            Speak::Http1 => {
                let (sender, connection) = hyper::client::conn::http1::Builder::new()
                    .preserve_header_case(true)
                    .handshake(io)
                    .await?;
                tokio::spawn(connection);
                Session::Http1(sender)
            }
            Speak::Http2 => {
                let (sender, connection) =
                    hyper::client::conn::http2::Builder::new(TokioExecutor::new())
                        .handshake(io)
                        .await?;
                tokio::spawn(connection);
                Session::Http2(sender)
            }
        })
    }

    pub(crate) async fn tls(
        &self,
        speak: Speak,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connector = if speak == Speak::Http1 { &self.tls } else { &self.tls_h2 };
        connector.connect(name, tcp).await
    }

    /// Sends `bytes` as they are and reads until the gateway closes.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.tls(Speak::Http1, "localhost").await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        // A reset behind the answer is the gateway's way to end a bad connection.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// An open connection.
pub(crate) enum Session {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Session {
    /// The same HTTP/2 connection, for another stream at the same time.
    pub(crate) fn second(&self) -> Self {
        match self {
            Self::Http1(_) => panic!("HTTP/1.1 has one request at a time"),
            Self::Http2(sender) => Self::Http2(sender.clone()),
        }
    }

    pub(crate) async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Reply, hyper::Error> {
        let response = match self {
            Self::Http1(sender) => {
                let host = request.uri().authority().unwrap().to_string();
                request.headers_mut().entry("host").or_insert(host.parse().unwrap());
                *request.uri_mut() = request.uri().path_and_query().unwrap().clone().into();
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, body })
    }
}

/// A certificate and its key, both PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

fn connector(ca_pem: &[u8], alpn: &[&[u8]], identity: Option<&Identity>) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}
