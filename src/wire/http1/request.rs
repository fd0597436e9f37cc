//! A request on its way out, written as HTTP/1.1 has it.

use std::fmt;

use bytes::{BufMut as _, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body::Body as _;

use crate::base::body::Body;

/// Path and query as they stand in a request line.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestTarget(String);

impl RequestTarget {
    /// None where something in it could end the line, or the target within it.
    #[must_use]
    pub fn new(path: &str, query: &str) -> Option<Self> {
        let mut text = String::with_capacity(path.len() + 1 + query.len());
        text.push_str(path);
        if !query.is_empty() {
            text.push('?');
            text.push_str(query);
        }
        let is_plain = |byte: u8| (byte > b' ') & (byte != 0x7f) & (byte != b'#');
        // Without a way out the loop takes many bytes at once.
        let are_plain = text.bytes().fold(true, |all, byte| all & is_plain(byte));
        (text.starts_with('/') && are_plain).then_some(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Only the path: a query holds tokens.
impl fmt::Debug for RequestTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split('?').next().unwrap_or_default())
    }
}

/// Everything of a request but where it goes. The fields are lent: a second try needs them too.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query.
    pub target: &'a RequestTarget,
    /// The fields, of which only those in `keeps` are sent.
    pub headers: &'a HeaderMap,
    /// Which fields are sent. Host, framing and what belongs to a connection never are: those
    /// are ours to write.
    pub keeps: fn(&HeaderName) -> bool,
    /// Fields that are sent besides.
    pub adds: &'a [(HeaderName, HeaderValue)],
    /// The body.
    pub body: Body,
}

impl Outgoing<'_> {
    /// The fields to be sent, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let kept = self.headers.iter().filter(|(name, _)| !is_ours(name) && (self.keeps)(name));
        kept.chain(self.adds.iter().map(|(name, value)| (name, value)))
    }

    /// How long the body is, if it or the caller says so.
    pub(super) fn length(&self) -> Option<u64> {
        let told = || self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        self.body.size_hint().exact().or_else(told)
    }

    /// Appends the head, with `host` and the length of the body; `None` for a body in chunks.
    pub(super) fn write_head(&self, host: &HeaderValue, length: Option<u64>, out: &mut BytesMut) {
        let target = self.target.as_str();
        out.reserve(target.len() + HEAD_USUAL_BYTES);
        out.put_slice(self.method.as_str().as_bytes());
        out.put_u8(b' ');
        out.put_slice(target.as_bytes());
        out.put_slice(b" HTTP/1.1\r\nhost: ");
        out.put_slice(host.as_bytes());
        for (name, value) in self.fields() {
            out.put_slice(b"\r\n");
            out.put_slice(name.as_str().as_bytes());
            out.put_slice(b": ");
            out.put_slice(value.as_bytes());
        }
        match length {
            None => out.put_slice(b"\r\ntransfer-encoding: chunked"),
            // RFC 9110 section 8.6: none where no body is expected.
            Some(0) if !expects_body(self.method) => {}
            Some(length) => {
                out.put_slice(b"\r\ncontent-length: ");
                put_number(length, out);
            }
        }
        out.put_slice(b"\r\n\r\n");
    }
}

fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// What the connection decides.
fn is_ours(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::HOST
            | header::CONTENT_LENGTH
            | header::TRANSFER_ENCODING
            | header::CONNECTION
            | header::UPGRADE
            | header::EXPECT
            | header::TE
            | header::TRAILER
    )
}

/// In decimal.
fn put_number(number: u64, out: &mut BytesMut) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
}

/// Most heads fit, so most are written without moving.
const HEAD_USUAL_BYTES: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_cannot_end_its_line_and_shows_no_query() {
        assert_eq!(RequestTarget::new("/a", "").unwrap().as_str(), "/a");
        let target = RequestTarget::new("/a", "access_token=secret&名=值").unwrap();
        assert_eq!(target.as_str(), "/a?access_token=secret&名=值");
        assert_eq!(format!("{target:?}"), "/a");
        for (path, query) in [("a", ""), ("", "b"), ("/a b", ""), ("/a", "b\r\nX: y"), ("/a#", "")]
        {
            assert!(RequestTarget::new(path, query).is_none(), "{path} {query}");
        }
    }

    #[test]
    fn a_head_has_one_host_one_framing_and_nothing_of_the_connection() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "evil.example"),
            ("content-length", "9"),
            ("transfer-encoding", "chunked"),
            ("connection", "upgrade"),
            ("upgrade", "x"),
            ("x-kept", "1"),
            ("x-dropped", "2"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        let adds = [(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
        let target = RequestTarget::new("/a", "b=c").unwrap();
        let outgoing = |method| Outgoing {
            method,
            target: &target,
            headers: &headers,
            keeps: |name| name != "x-dropped",
            adds: &adds,
            body: Body::empty(),
        };
        let written = |method, length| {
            let mut out = BytesMut::new();
            outgoing(method).write_head(&HeaderValue::from_static("h:1"), length, &mut out);
            String::from_utf8(out.to_vec()).unwrap()
        };
        let common = "/a?b=c HTTP/1.1\r\nhost: h:1\r\nx-kept: 1\r\naccept-encoding: identity\r\n";
        assert_eq!(written(&Method::GET, Some(0)), format!("GET {common}\r\n"));
        let empty = written(&Method::POST, Some(0));
        assert_eq!(empty, format!("POST {common}content-length: 0\r\n\r\n"));
        let long = written(&Method::POST, Some(18_446_744_073_709_551_615));
        assert!(long.ends_with("content-length: 18446744073709551615\r\n\r\n"), "{long}");
        let chunked = written(&Method::PUT, None);
        assert_eq!(chunked, format!("PUT {common}transfer-encoding: chunked\r\n\r\n"));
    }
}
