//! One request to a push URL: where it may go, and what comes back.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{trust::Trust, url::PushUrl};
use crate::wire::OwnListeners;

/// Sends pushes. A connection of its own for each, and never a redirect: both would lead past
/// the check of the address.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Sender {
    /// Hosts beside this one that may be pushed to; lower case.
    allowed: Vec<String>,
    /// Where no push goes, whoever asks: metrics and calls are for others.
    own: OwnListeners,
    trust: Trust,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Received {
    /// The HTTP status.
    pub(super) status: u16,
    /// At most [`MOST_ANSWER_BYTES`].
    pub(super) body: Bytes,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("no address for {host}")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error(
        "pushes go to this host only, not to {host} ({ip}); a sandbox that stands alone pushes \
         to others with --allow-push HOST"
    )]
    NotAllowed { host: String, ip: IpAddr },
    #[error("{address} is a door of this gateway")]
    Own { address: SocketAddr },
    #[error("no connection to {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("no TLS: {0}")]
    Tls(String),
    #[error("no answer")]
    Http(#[source] hyper::Error),
    #[error("the answer broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the answer is longer than {MOST_ANSWER_BYTES} bytes")]
    TooLarge,
    #[error("no answer within {0:?}")]
    Late(Duration),
}

impl Sender {
    /// Pushes to this host but `own`, and to `allowed_hosts`.
    pub(in crate::sandbox) fn new(allowed_hosts: &[String], own: OwnListeners) -> Self {
        let allowed = allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { allowed, own, trust: Trust::default() }
    }

    /// Sends `request` to where `url` leads and reads the answer, all within `limit`; then the
    /// connection is cut.
    pub(super) async fn send(
        &self,
        url: &PushUrl,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Received, SendError> {
        match timeout(limit, self.exchange(url, request)).await {
            Ok(done) => done,
            Err(_) => Err(SendError::Late(limit)),
        }
    }

    async fn exchange(
        &self,
        url: &PushUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<Received, SendError> {
        let (tcp, is_on_this_host) = self.connect(url).await?;
        if !url.is_tls() {
            return over(tcp, request).await;
        }
        let tls = self.trust.connector(is_on_this_host).map_err(SendError::Tls)?;
        let name = ServerName::try_from(url.host().to_owned());
        let name = name.map_err(|error| SendError::Tls(error.to_string()))?;
        let stream = tls.connect(name, tcp).await;
        over(stream.map_err(|error| SendError::Tls(error.to_string()))?, request).await
    }

    /// Connects to the first address that is allowed and answers. What was checked is what is
    /// connected to: the name is looked up once. Also tells whether it is on this host.
    async fn connect(&self, url: &PushUrl) -> Result<(TcpStream, bool), SendError> {
        let host = url.host();
        let failed = |source| SendError::Resolve { host: host.to_owned(), source };
        let found = lookup_host((host, url.port())).await.map_err(failed)?;
        let mut last = None;
        for address in found.take(MOST_ADDRESSES) {
            let ip = address.ip().to_canonical();
            if !self.allows(host, ip) {
                last = last.or(Some(SendError::NotAllowed { host: host.to_owned(), ip }));
                continue;
            }
            if self.own.contains(address) {
                last = Some(SendError::Own { address });
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(tcp) => return Ok((tcp, ip.is_loopback())),
                Err(source) => last = Some(SendError::Connect { address, source }),
            }
        }
        Err(last.unwrap_or_else(|| failed(io::ErrorKind::AddrNotAvailable.into())))
    }

    /// A host that was allowed by name may be in any network; the link's own addresses (a
    /// cloud's metadata) and those of nobody in particular must be allowed as addresses.
    fn allows(&self, host: &str, ip: IpAddr) -> bool {
        if ip.is_loopback() {
            return true;
        }
        let is_literal = host.parse::<IpAddr>().is_ok();
        self.allowed.iter().any(|allowed| allowed == host) && (is_literal || !is_of_link(ip))
    }
}

fn is_of_link(ip: IpAddr) -> bool {
    let of_link = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    of_link || ip.is_unspecified() || ip.is_multicast()
}

/// One exchange on a connection, which ends with it.
async fn over<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Received, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Little at a time: between two reads the deadline is looked at, also where a peer sends one
    // interim answer after the other.
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MOST_HEAD_BYTES);
    let made = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = made.map_err(SendError::Http)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(SendError::Http)?;
        let status = answer.status().as_u16();
        match Limited::new(answer.into_body(), MOST_ANSWER_BYTES).collect().await {
            Ok(body) => Ok(Received { status, body: body.to_bytes() }),
            Err(error) if error.is::<LengthLimitError>() => Err(SendError::TooLarge),
            Err(error) => Err(SendError::Body(error)),
        }
    };
    // What goes wrong with the connection is what goes wrong with the exchange.
    let driven = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        done = exchange => done,
        done = driven => done,
    }
}

/// `success` has seven.
const MOST_ANSWER_BYTES: usize = 64 << 10;
const MOST_HEAD_BYTES: usize = 16 << 10;
const MOST_ADDRESSES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_stay_on_this_host_unless_a_host_was_allowed() {
        let strict = Sender::new(&[], OwnListeners::default());
        let hosts = ["Receiver.test".to_owned(), "169.254.169.254".to_owned()];
        let open = Sender::new(&hosts, OwnListeners::default());
        for (sender, host, ip, is_allowed) in [
            (&strict, "localhost", "127.0.0.1", true),
            (&strict, "receiver.test", "127.0.0.9", true),
            (&strict, "::1", "::1", true),
            (&strict, "receiver.test", "192.168.1.2", false),
            (&strict, "10.0.0.1", "10.0.0.1", false),
            (&strict, "0.0.0.0", "0.0.0.0", false),
            (&strict, "localhost", "203.0.113.1", false),
            (&open, "receiver.test", "192.168.1.2", true),
            (&open, "receiver.test", "169.254.169.254", false),
            (&open, "receiver.test", "fe80::1", false),
            (&open, "169.254.169.254", "169.254.169.254", true),
            (&open, "other.test", "192.168.1.2", false),
        ] {
            assert_eq!(sender.allows(host, ip.parse().unwrap()), is_allowed, "{host} {ip}");
        }
    }

    #[tokio::test]
    async fn no_push_goes_to_a_door_of_the_gateway_itself() {
        let own = OwnListeners::default();
        let sender = Sender::new(&[], own.clone());
        let metrics = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = metrics.local_addr().unwrap();
        let url = PushUrl::parse(&format!("http://{address}/metrics")).unwrap();
        assert!(sender.connect(&url).await.is_ok());
        own.set(vec![address]);
        assert!(matches!(sender.connect(&url).await, Err(SendError::Own { .. })));
    }
}
