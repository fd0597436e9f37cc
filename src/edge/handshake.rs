//! The TLS handshake.

use std::io;

use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    ClientCertificate, metrics::Refusal, shared::EdgeShared, socket::Socket, watchdog::Version,
};

/// A connection after its handshake.
pub(super) struct Secured {
    pub(super) stream: TlsStream<Socket>,
    /// Lower case.
    pub(super) sni: Option<String>,
    pub(super) certificate: Option<Box<ClientCertificate>>,
    pub(super) version: Version,
}

/// Why there is no TLS with a client.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("the client took too long")]
    Late,
    #[error("the connection had to make way ({})", .0.as_str())]
    MadeWay(Refusal),
    #[error("the handshake failed")]
    Failed(#[source] io::Error),
    #[error("the client's certificate cannot be read")]
    UnreadableCertificate,
    #[error("there is no certificate")]
    NoCertificate,
}

impl HandshakeError {
    pub(super) fn reason(&self) -> Refusal {
        match self {
            Self::Late => Refusal::HandshakeTimeout,
            Self::MadeWay(reason) => *reason,
            Self::Failed(error) if is_about_certificate(error) => Refusal::ClientCertificate,
            Self::UnreadableCertificate => Refusal::ClientCertificate,
            Self::Failed(_) | Self::NoCertificate => Refusal::Handshake,
        }
    }
}

/// Whether we refused what the client showed. What a client thinks of ours comes as an alert.
fn is_about_certificate(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

/// Shakes hands within [`super::Deadlines::handshake`], the wait for a turn included.
/// While the gateway shuts down only handshakes that are nearly done are waited for.
pub(super) async fn secure(socket: Socket, edge: &EdgeShared) -> Result<Secured, HandshakeError> {
    let certificates = edge.certificates.as_ref().ok_or(HandshakeError::NoCertificate)?;
    let acceptor = TlsAcceptor::from(certificates.server_config());
    let shake = async {
        let _turn = edge.handshakes.acquire().await;
        acceptor.accept(socket).await.map_err(HandshakeError::Failed)
    };
    let stream = tokio::select! {
        shaken = timeout(edge.limits.handshake, shake) => {
            shaken.map_err(|_| HandshakeError::Late)??
        }
        reason = edge.must_go() => return Err(HandshakeError::MadeWay(reason)),
    };
    let (_, session) = stream.get_ref();
    let sni = session.server_name().map(str::to_ascii_lowercase);
    let certificate = match session.peer_certificates().and_then(<[_]>::first) {
        Some(leaf) => {
            let read = ClientCertificate::read(leaf).map(Box::new);
            Some(read.ok_or(HandshakeError::UnreadableCertificate)?)
        }
        None => None,
    };
    let version = match session.alpn_protocol() {
        Some(b"h2") => Version::Http2,
        _ => Version::Http1,
    };
    Ok(Secured { stream, sni, certificate, version })
}
