//! An upstream of our own making: TLS, raw HTTP/1.1, says exactly what the test wants.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// `/path?query`.
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> HashMap<String, String> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect()
    }
}

/// What goes out.
pub(crate) enum Say {
    /// HTTP 200 with JSON.
    Json(String),
    /// These bytes, then the connection is kept.
    Raw(Vec<u8>),
    /// These bytes, then the connection is closed.
    RawThenClose(Vec<u8>),
    /// Nothing, ever.
    Nothing,
}

/// A listening origin.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    received: Vec<Received>,
    /// Those that were no token fetches.
    calls: usize,
}

type Script = Arc<dyn Fn(&Received, usize) -> Say + Send + Sync>;

impl Origin {
    /// Answers what `script` says to each request and its number, counted from 0; tokens are
    /// handed out without asking it.
    pub(crate) async fn start(
        script: impl Fn(&Received, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        Self::with_names(&["127.0.0.1", "localhost"], script).await
    }

    /// With a certificate for these names.
    pub(crate) async fn with_names(
        names: &[&str],
        script: impl Fn(&Received, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        let (acceptor, ca_pem) = certificate(names);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Seen::default()));
        let (seen, script): (_, Script) = (kept.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, seen, script) = (acceptor.clone(), seen.clone(), script.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(tcp).await {
                        serve(stream, &seen, &script).await;
                    }
                });
            }
        });
        Self { address, ca_pem, seen: kept }
    }

    /// Everything but token fetches, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.seen
            .lock()
            .unwrap()
            .received
            .iter()
            .filter(|r| !r.target().starts_with("/cgi-bin/stable_token"))
            .cloned()
            .collect()
    }

    pub(crate) fn token_fetches(&self) -> usize {
        self.seen
            .lock()
            .unwrap()
            .received
            .iter()
            .filter(|r| r.target().starts_with("/cgi-bin/stable_token"))
            .count()
    }

    /// An account of this name with this origin, its files put into the builder.
    pub(crate) fn account(&self, name: &str) -> String {
        format!(
            "[[account]]\nname = \"{name}\"\nkind = \"mini-program\"\napp_id = \"wx0123456789abcdef\"\napp_secret = \"file:secrets/{name}\"\nupstream = [\"https://{}\"]\nca = \"origin-ca.pem\"\n",
            self.address
        )
    }
}

async fn serve<S>(mut stream: S, seen: &Mutex<Seen>, script: &Script)
where
    S: AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let is_fetch = request.target().starts_with("/cgi-bin/stable_token");
        let number = {
            let mut seen = seen.lock().unwrap();
            let number = seen.calls;
            seen.calls += usize::from(!is_fetch);
            seen.received.push(request.clone());
            number
        };
        let say = if is_fetch {
            Say::Json(format!(r#"{{"access_token":"{}","expires_in":7200}}"#, token(number)))
        } else {
            script(&request, number)
        };
        let (bytes, close) = match say {
            Say::Json(body) => (json_answer(&body), false),
            Say::Raw(bytes) => (bytes, false),
            Say::RawThenClose(bytes) => (bytes, true),
            Say::Nothing => return std::future::pending().await,
        };
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() || close {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// The token that is handed out when so many calls have come: 63 characters, as the platform's
/// are made of.
pub(crate) fn token(calls: usize) -> String {
    let digest = Sha256::digest(calls.to_be_bytes());
    let text = BASE64_URL_SAFE_NO_PAD.encode(digest);
    format!("90_{text}-_{}", &text[..15])
}

pub(crate) fn json_answer(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json; encoding=utf-8\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Option<Received> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let headers = Received { head: head.clone(), body: Vec::new() }.headers();
    let body = if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        read_chunks(stream, buffer).await?
    } else {
        let length = headers.get("content-length").map_or(0, |value| value.parse().unwrap());
        take(stream, buffer, length).await?
    };
    Some(Received { head, body })
}

async fn read_chunks(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            more(stream, buffer).await?;
        };
        let size = usize::from_str_radix(std::str::from_utf8(&buffer[..end]).unwrap(), 16).unwrap();
        buffer.drain(..end + 2);
        let chunk = take(stream, buffer, size + 2).await?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

async fn take(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    length: usize,
) -> Option<Vec<u8>> {
    while buffer.len() < length {
        more(stream, buffer).await?;
    }
    Some(buffer.drain(..length).collect())
}

async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = vec![0; 64 << 10];
    let count = stream.read(&mut chunk).await.ok()?;
    buffer.extend_from_slice(&chunk[..count]);
    (count > 0).then_some(())
}

fn certificate(names: &[&str]) -> (TlsAcceptor, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params =
        rcgen::CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
            .unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}
