//! Memory of connections on which nothing happens.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Outcome, configs, load, peer::Running, workshop::Workshop};

/// The protocol of idle connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speak {
    /// Idle after one request.
    Http1,
    /// Idle after the SETTINGS of both sides.
    Http2,
}

/// What each of `count` idle connections adds to the resident memory of `peer`, in KiB.
pub(crate) fn kib_a_connection(
    workshop: &Workshop,
    peer: &Running,
    speak: Speak,
    count: usize,
) -> Outcome<f64> {
    while_open(workshop, peer, speak, count, |before| {
        let after = peer.program.resident_kib();
        after.saturating_sub(before) as f64 / count as f64
    })
}

/// Looks while `count` connections are idle; `look` is given the resident memory before they
/// were opened.
pub(crate) fn while_open<T>(
    workshop: &Workshop,
    peer: &Running,
    speak: Speak,
    count: usize,
    look: impl FnOnce(u64) -> T,
) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let tls = connector(&workshop.file("ca.pem"), speak)?;
        // What the first ones make a peer allocate is no connection's own.
        let warm = open(workshop, &tls, peer.address, speak, WARM).await?;
        let before = peer.program.resident_kib();
        let idle = open(workshop, &tls, peer.address, speak, count).await?;
        let seen = look(before);
        drop((warm, idle));
        Ok(seen)
    })
}

async fn open(
    workshop: &Workshop,
    tls: &TlsConnector,
    address: SocketAddr,
    speak: Speak,
    count: usize,
) -> Outcome<Vec<TlsStream<TcpStream>>> {
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let tcp = TcpStream::connect(address).await?;
        let mut stream = tls.connect(ServerName::try_from("localhost")?, tcp).await?;
        let settled = async {
            match speak {
                Speak::Http1 => ask(workshop, &mut stream).await,
                Speak::Http2 => greet(&mut stream).await,
            }
        };
        timeout(ANSWER_LIMIT, settled).await??;
        open.push(stream);
    }
    Ok(open)
}

/// One request with its answer.
async fn ask(workshop: &Workshop, stream: &mut TlsStream<TcpStream>) -> Outcome<()> {
    let [key, ..] = load::headers(workshop);
    let request = format!("GET {} HTTP/1.1\r\nHost: localhost\r\n{key}\r\n\r\n", configs::UP);
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"}}") {
        if stream.read_buf(&mut answer).await? == 0 {
            break;
        }
    }
    if answer.starts_with(b"HTTP/1.1 200") {
        return Ok(());
    }
    Err(format!("an answer was {}", String::from_utf8_lossy(&answer)).into())
}

/// Preface and SETTINGS, then the peer's SETTINGS and its acknowledgement of ours.
async fn greet(stream: &mut TlsStream<TcpStream>) -> Outcome<()> {
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
    stream.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).await?;
    let (mut has_settings, mut has_ack) = (false, false);
    while !(has_settings && has_ack) {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, flags, ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
        if kind == SETTINGS {
            has_ack |= flags & ACK != 0;
            if flags & ACK == 0 {
                has_settings = true;
                stream.write_all(&[0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0]).await?;
            }
        }
    }
    Ok(())
}

/// Trusts the bench's CA, and speaks one protocol.
pub(crate) fn connector(ca: &Path, speak: Speak) -> Outcome<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let protocol: &[u8] = if speak == Speak::Http1 { b"http/1.1" } else { b"h2" };
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

const SETTINGS: u8 = 4;
const ACK: u8 = 1;
/// Enough for pools and caches to have their usual size.
const WARM: usize = 50;
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
