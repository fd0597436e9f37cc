//! The PROXY protocol, versions 1 and 2, of trusted proxies.
//!
//! Source: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, 2.1 and 2.2.

use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use proxy_header::{Error, ParseConfig, Protocol, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::base::cidr::plain;

/// What a connection began with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// The client as the proxy tells it; none when it speaks for itself.
    pub(super) client: Option<IpAddr>,
    /// What came after the header, or instead of it.
    pub(super) early: Bytes,
}

/// Why the header was not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyProtocolError {
    #[error("the connection ended before the PROXY header did")]
    Ended,
    #[error("the PROXY header is broken")]
    Broken,
    #[error("the PROXY header is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the PROXY header did not come in time")]
    Late,
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
}

/// Reads a PROXY header if there is one. A trusted peer may also speak directly; whoever is
/// not trusted must never get here. The caller sets the time limit.
pub(super) async fn read_opening<IO: AsyncRead + Unpin>(
    io: &mut IO,
) -> Result<Opening, ProxyProtocolError> {
    let mut bytes = BytesMut::with_capacity(FIRST_BYTES);
    loop {
        match judge(&bytes)? {
            Judgement::Direct => return Ok(Opening { client: None, early: bytes.freeze() }),
            Judgement::Header { client, length } => {
                let early = bytes.split_off(length.min(bytes.len())).freeze();
                return Ok(Opening { client, early });
            }
            Judgement::Unclear if bytes.len() >= MOST_BYTES => {
                return Err(ProxyProtocolError::TooLong);
            }
            Judgement::Unclear => {}
        }
        if io.read_buf(&mut bytes).await? == 0 {
            return Err(ProxyProtocolError::Ended);
        }
    }
}

#[derive(Debug)]
enum Judgement {
    Direct,
    Header { client: Option<IpAddr>, length: usize },
    Unclear,
}

fn judge(bytes: &[u8]) -> Result<Judgement, ProxyProtocolError> {
    let begins = |signature: &[u8]| {
        let common = bytes.len().min(signature.len());
        bytes.get(..common) == signature.get(..common)
    };
    let (v1, v2) = (begins(V1), begins(V2));
    if !v1 && !v2 {
        return Ok(Judgement::Direct);
    }
    if bytes.len() < if v1 { V1.len() } else { V2.len() } {
        return Ok(Judgement::Unclear);
    }
    match ProxyHeader::parse(bytes, ParseConfig::default()) {
        Ok((header, length)) => {
            let client = match header.proxied_address() {
                Some(told) if told.protocol == Protocol::Stream => Some(plain(told.source.ip())),
                Some(_) => return Err(ProxyProtocolError::Broken),
                // LOCAL or UNKNOWN: the proxy itself, such as its health check.
                None => None,
            };
            Ok(Judgement::Header { client, length })
        }
        // The parser waits for more even when the one line of version 1 is complete.
        Err(Error::BufferTooShort) if v1 && bytes.contains(&b'\n') => {
            Err(ProxyProtocolError::Broken)
        }
        Err(Error::BufferTooShort) => Ok(Judgement::Unclear),
        Err(_) => Err(ProxyProtocolError::Broken),
    }
}

const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Room for a header with the usual extensions and the start of a ClientHello.
const FIRST_BYTES: usize = 1024;
/// The protocol allows 64 KiB of extensions; nobody sends a tenth of this.
const MOST_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(bytes: &[u8]) -> Result<Opening, ProxyProtocolError> {
        let whole = read_opening(&mut &*bytes).await;
        // The same in pieces of one byte, followed by the end of the stream.
        let mut pieces = tokio_test_stream(bytes);
        let piecewise = read_opening(&mut pieces).await;
        match (&whole, &piecewise) {
            (Ok(a), Ok(b)) => assert_eq!(a.client, b.client),
            (a, b) => assert_eq!(a.is_ok(), b.is_ok(), "{a:?} {b:?}"),
        }
        whole
    }

    fn tokio_test_stream(bytes: &[u8]) -> impl AsyncRead + Unpin + use<> {
        let bytes: Vec<_> = bytes.iter().map(|b| Ok::<_, std::io::Error>(vec![*b])).collect();
        let stream = futures_util::stream::iter(bytes);
        tokio_util::io::StreamReader::new(futures_util::StreamExt::map(stream, |piece| {
            piece.map(std::io::Cursor::new)
        }))
    }

    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [V2, &[command, family], &length, addresses].concat()
    }

    #[tokio::test]
    async fn version_1_tells_the_client_and_leaves_the_rest() {
        let told = open(b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\nGET / ").await.unwrap();
        assert_eq!(told.client, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(told.early, "GET / ");
        let unknown = open(b"PROXY UNKNOWN\r\n").await.unwrap();
        assert_eq!(unknown, Opening { client: None, early: Bytes::new() });
    }

    #[tokio::test]
    async fn version_2_tells_the_client_and_local_does_not() {
        let addresses = [203, 0, 113, 7, 10, 0, 0, 1, 0, 1, 0, 2];
        let told = open(&[&v2(0x21, 0x11, &addresses)[..], b"\x16\x03"].concat()).await.unwrap();
        assert_eq!(told.client, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(told.early, &b"\x16\x03"[..]);
        let local = open(&v2(0x20, 0x00, b"")).await.unwrap();
        assert_eq!(local.client, None);
    }

    #[tokio::test]
    async fn a_proxy_that_speaks_directly_loses_no_byte() {
        for direct in [&b"POST / HTTP/1.1"[..], b"PRO", b"PROPFIND /", b"\x16\x03\x01", b"\r\nGET"]
        {
            match read_opening(&mut &*direct).await {
                Ok(opening) => assert_eq!(
                    opening,
                    Opening { client: None, early: Bytes::copy_from_slice(direct) }
                ),
                Err(error) => {
                    assert!(matches!(error, ProxyProtocolError::Ended), "{error}");
                    assert_eq!(direct, b"PRO", "only this one could still become a header");
                }
            }
        }
    }

    #[tokio::test]
    async fn nonsense_and_endless_headers_are_refused() {
        for bad in [
            &b"PROXY TCP4 nonsense\r\n"[..],
            b"PROXY TCP4 1.2.3.4 1.2.3.4 99999 1\r\n",
            b"PROXY TCP9 1.2.3.4 1.2.3.4 1 1\r\n",
            b"PROXY TCP4 203.0.113.7",
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x21, 0x12, &[0; 12]),
            &v2(0x21, 0x11, &[0; 3]),
            &[V2, &[0x21, 0x11, 0xff, 0xff][..], &[0; 5000]].concat(),
        ] {
            assert!(open(bad).await.is_err(), "{bad:?}");
        }
    }
}
