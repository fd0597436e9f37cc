//! The way from a target to a connection, each phase timed.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::TlsConnector;

use super::{
    OwnListeners, Phase, Resolver, RootsSource, Stream, Target, WireError,
    address::usable,
    dial::dial,
    tls,
    tunnel::{self, TunnelError},
};
use crate::base::{
    egress::Egress,
    origin::{Origin, Scheme},
};

/// How connections are made.
#[derive(Clone, Debug)]
pub struct ConnectorOptions {
    /// Family, source address, proxy.
    pub egress: Egress,
    /// Who may sign the peer's certificate.
    pub roots: RootsSource,
    /// Whether HTTP/2 is offered; else only HTTP/1.1.
    pub offer_http2: bool,
    /// Time limits.
    pub limits: ConnectLimits,
    /// What must not be connected to.
    pub own: OwnListeners,
    /// Where names are looked up.
    pub resolver: Arc<Resolver>,
}

/// How long each phase of connecting may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectLimits {
    /// Looking up the name; 3 s by default.
    pub dns: Duration,
    /// The TCP handshake, and again the proxy's answer where there is one; 3 s by default.
    pub connect: Duration,
    /// The TLS handshake; 5 s by default.
    pub tls: Duration,
}

impl Default for ConnectLimits {
    fn default() -> Self {
        let three = Duration::from_secs(3);
        Self { dns: three, connect: three, tls: Duration::from_secs(5) }
    }
}

/// How long each phase took; none where it was not needed or not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTiming {
    /// Looking up the name; almost nothing if it was remembered, none for an address.
    pub dns: Option<Duration>,
    /// TCP, and the tunnel through a proxy.
    pub connect: Option<Duration>,
    /// TLS.
    pub tls: Option<Duration>,
}

/// A connection, and what it took to make it.
#[derive(Debug)]
pub struct Connected {
    /// The connection; TLS is verified.
    pub stream: Stream,
    /// Its phases.
    pub timing: ConnectTiming,
}

/// No connection, and what was spent on it.
#[derive(Debug, thiserror::Error)]
#[error("connecting failed")]
pub struct ConnectFailure {
    /// Why; [`WireError::nothing_was_sent`] is true of it.
    #[source]
    pub error: WireError,
    /// The phases up to and including the one that failed.
    pub timing: ConnectTiming,
}

/// Makes connections for one account. Cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<Inner>);

struct Inner {
    options: ConnectorOptions,
    tls: TlsConnector,
}

impl Connector {
    /// Reads the trusted roots and is ready; no connection is made yet.
    ///
    /// # Errors
    /// [`WireError::Roots`] if the roots cannot be read.
    pub fn new(options: ConnectorOptions) -> Result<Self, WireError> {
        let tls = match options.roots {
            RootsSource::AnyOnLoopback => tls::unverified(options.offer_http2)?,
            RootsSource::Config(_) | RootsSource::Store(_) => {
                tls::connector(options.roots.load()?, options.offer_http2)?
            }
        };
        Ok(Self(Arc::new(Inner { options, tls })))
    }

    /// Whether HTTP/2 is offered.
    #[must_use]
    pub fn offers_http2(&self) -> bool {
        self.0.options.offer_http2
    }

    /// Connects to `target`, within the limits of each phase.
    ///
    /// # Errors
    /// The phase that failed, and how long it took.
    pub async fn connect(&self, target: &Target) -> Result<Connected, ConnectFailure> {
        let mut timing = ConnectTiming::default();
        match self.0.connect(target, &mut timing).await {
            Ok(stream) => Ok(Connected { stream, timing }),
            Err(error) => Err(ConnectFailure { error, timing }),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connector").field(&self.0.options).finish()
    }
}

impl Inner {
    async fn connect(
        &self,
        target: &Target,
        timing: &mut ConnectTiming,
    ) -> Result<Stream, WireError> {
        let tcp = match &self.options.egress.proxy {
            None => self.tcp(target, false, timing).await?,
            Some(proxy) => self.through(proxy, target, timing).await?,
        };
        self.check_place(&tcp, target)?;
        match target.scheme() {
            Scheme::Http => Ok(Stream::plain(tcp)),
            Scheme::Https => self.handshake(tcp, target, timing).await,
        }
    }

    /// Without verified certificates the other end must be on this host.
    fn check_place(&self, tcp: &TcpStream, target: &Target) -> Result<(), WireError> {
        let is_verified = !matches!(self.options.roots, RootsSource::AnyOnLoopback);
        if is_verified || tcp.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback()) {
            return Ok(());
        }
        let source = io::Error::other("its certificate would not be verified: loopback only");
        Err(WireError::Connect { to: target.to_string(), source })
    }

    /// `trusted`: the operator named this place himself, so it may be on this host.
    async fn tcp(
        &self,
        target: &Target,
        trusted: bool,
        timing: &mut ConnectTiming,
    ) -> Result<TcpStream, WireError> {
        let found = match target.literal() {
            Some(ip) => Arc::from([ip]),
            None => self.resolve(target, timing).await?,
        };
        let egress = &self.options.egress;
        let addresses = usable(target, &found, egress, &self.options.own, trusted)?;
        let limit = self.options.limits.connect;
        let began = Instant::now();
        let dialled = tokio::time::timeout(limit, dial(&addresses, egress.bind)).await;
        timing.connect = Some(began.elapsed());
        match dialled {
            Ok(Ok(tcp)) => Ok(tcp),
            Ok(Err(source)) => Err(WireError::Connect { to: target.to_string(), source }),
            Err(_) => Err(timeout(target, Phase::Connect, limit)),
        }
    }

    async fn resolve(
        &self,
        target: &Target,
        timing: &mut ConnectTiming,
    ) -> Result<Arc<[IpAddr]>, WireError> {
        let limit = self.options.limits.dns;
        let began = Instant::now();
        let found = self.options.resolver.resolve(target.host(), limit).await;
        timing.dns = Some(began.elapsed());
        found.map_err(|source| match source.kind() {
            io::ErrorKind::TimedOut => timeout(target, Phase::Resolve, limit),
            _ => WireError::Dns { host: target.host().to_owned(), source },
        })
    }

    /// TCP to the proxy, then a tunnel to the target. Names are looked up by the proxy.
    async fn through(
        &self,
        proxy: &Origin,
        target: &Target,
        timing: &mut ConnectTiming,
    ) -> Result<TcpStream, WireError> {
        let refused = |reason: String| WireError::Proxy {
            proxy: proxy.to_string(),
            to: target.to_string(),
            reason,
        };
        if proxy.scheme == Scheme::Https {
            return Err(refused("only proxies with http:// are supported".to_owned()));
        }
        let mut tcp = self.tcp(&Target::from_origin(proxy)?, true, timing).await?;
        let limit = self.options.limits.connect;
        let began = Instant::now();
        let opened = tokio::time::timeout(limit, tunnel::connect(&mut tcp, target.label())).await;
        timing.connect = timing.connect.map(|dialled| dialled + began.elapsed());
        match opened {
            Ok(Ok(())) => Ok(tcp),
            Ok(Err(TunnelError::Refused(reason))) => Err(refused(reason)),
            Ok(Err(TunnelError::Io(error))) => Err(refused(error.to_string())),
            Err(_) => Err(timeout(target, Phase::Connect, limit)),
        }
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        target: &Target,
        timing: &mut ConnectTiming,
    ) -> Result<Stream, WireError> {
        let limit = self.options.limits.tls;
        let began = Instant::now();
        let handshake = self.tls.connect(target.server_name().clone(), tcp);
        let shaken = tokio::time::timeout(limit, handshake).await;
        timing.tls = Some(began.elapsed());
        match shaken {
            Ok(Ok(tls)) => Ok(Stream::tls(tls)),
            Ok(Err(source)) => Err(WireError::Tls { to: target.to_string(), source }),
            Err(_) => Err(timeout(target, Phase::Handshake, limit)),
        }
    }
}

fn timeout(target: &Target, phase: Phase, limit: Duration) -> WireError {
    WireError::Timeout { to: target.to_string(), phase, limit }
}
