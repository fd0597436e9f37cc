//! The strict front door: what hyper lets through and no honest client sends.
//!
//! hyper accepts a request without Host, with two, with another authority in the target, with
//! odd methods and transfer encodings (measured, 1.12); nothing below this stage sees those.

use std::borrow::Cow;

use http::{HeaderMap, Method, Version, header, uri::Authority};

use super::{
    doors,
    error::ProxyError,
    passage::Passage,
    path_rule,
    seen_headers::SeenHeaders,
    stage::{Answering, Next, Stage},
};
use crate::base::body::Body;

/// See the module.
pub(super) struct FrontDoor;

impl Stage for FrontDoor {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        match check(passage) {
            Ok(()) => next.run(passage, body),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

fn check(passage: &mut Passage) -> Result<(), ProxyError> {
    let seen = SeenHeaders::of(&passage.headers);
    passage.seen = seen;
    let passage = &*passage;
    let host = host_of(passage)?;
    check_host(passage, &host)?;
    check_target(passage, &host)?;
    check_method(&passage.method)?;
    let path = passage.uri.path();
    path_rule::check_any(path).map_err(|why| ProxyError::PathRefused { why })?;
    check_headers(&passage.headers, seen, passage.version)?;
    if seen.content_length {
        check_length(&passage.headers, passage.live.body_max)?;
    }
    if doors::is_own(path) && !path.starts_with("/-/sandbox/") {
        return Err(ProxyError::NotFound { path: path.to_owned() });
    }
    Ok(())
}

/// Exactly one Host (RFC 9112 section 3.2), or an `:authority` that no Host contradicts
/// (RFC 9113 section 8.3.1). Lower case, without port.
fn host_of(passage: &Passage) -> Result<Cow<'_, str>, ProxyError> {
    let refused = |why| ProxyError::HeaderRefused { name: "Host", why };
    if passage.seen.hosts > 1 {
        return Err(refused("more than one"));
    }
    let from_header = passage
        .headers
        .get(header::HOST)
        .map(|value| {
            value.to_str().ok().and_then(host_name).ok_or_else(|| refused("not a host name"))
        })
        .transpose()?;
    let is_h2 = passage.version == Version::HTTP_2;
    let from_authority = match passage.uri.authority() {
        Some(authority) if is_h2 => {
            Some(host_name(authority.as_str()).ok_or_else(|| refused("not a host name"))?)
        }
        _ => None,
    };
    match (from_header, from_authority) {
        (Some(header), Some(authority)) if header != authority => {
            Err(refused("differs from :authority"))
        }
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(refused("missing")),
    }
}

/// `Example.COM:8443` -> `example.com`; nothing with userinfo, a path, or no name.
fn host_name(text: &str) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_port = !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    if is_port && !host.is_empty() && host.bytes().all(is_plain) {
        return Some(Cow::Borrowed(host));
    }
    let authority: Authority = text.parse().ok()?;
    if text.contains('@') || authority.host().is_empty() {
        return None;
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    Some(Cow::Owned(host.to_ascii_lowercase()))
}

fn check_host(passage: &Passage, host: &str) -> Result<(), ProxyError> {
    if !passage.live.hosts.iter().any(|known| known == host) {
        return Err(ProxyError::HostUnknown { host: host.to_owned(), sni: None });
    }
    match &passage.conn.sni {
        Some(sni) if sni != host => {
            Err(ProxyError::HostUnknown { host: host.to_owned(), sni: Some(sni.clone()) })
        }
        _ => Ok(()),
    }
}

/// Origin-form, or absolute-form with our own authority (RFC 9112 section 3.2).
fn check_target(passage: &Passage, host: &str) -> Result<(), ProxyError> {
    let uri = &passage.uri;
    if !uri.path().starts_with('/') || passage.method == Method::CONNECT {
        return Err(ProxyError::TargetRefused);
    }
    let Some(authority) = uri.authority() else { return Ok(()) };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if is_web && host_name(authority.as_str()).as_deref() == Some(host) {
        Ok(())
    } else {
        Err(ProxyError::TargetRefused)
    }
}

/// PATCH is for accounts of kind `generic` only; that is checked once the account is known.
fn check_method(method: &Method) -> Result<(), ProxyError> {
    match *method {
        Method::GET
        | Method::POST
        | Method::HEAD
        | Method::OPTIONS
        | Method::PUT
        | Method::DELETE
        | Method::PATCH => Ok(()),
        _ => Err(ProxyError::MethodRefused { method: method.to_string() }),
    }
}

fn check_headers(
    headers: &HeaderMap,
    seen: SeenHeaders,
    version: Version,
) -> Result<(), ProxyError> {
    if headers.len() > MOST_FIELDS || seen.bytes > MOST_BYTES {
        return Err(ProxyError::HeadersTooLarge { most: MOST_FIELDS });
    }
    if seen.transfer_encodings > 0 {
        let refused = |why| ProxyError::HeaderRefused { name: "Transfer-Encoding", why };
        let encoding = headers.get(header::TRANSFER_ENCODING);
        if seen.transfer_encodings > 1 || encoding.is_none_or(|value| value != "chunked") {
            return Err(refused("only `chunked`"));
        }
        if version == Version::HTTP_2 {
            return Err(refused("not in HTTP/2"));
        }
    }
    if !seen.expect {
        return Ok(());
    }
    match headers.get(header::EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(ProxyError::ExpectationRefused)
        }
        _ => Ok(()),
    }
}

/// Decided before the body is asked for, so that `Expect: 100-continue` saves the upload.
fn check_length(headers: &HeaderMap, body_max: u64) -> Result<(), ProxyError> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > body_max => Err(ProxyError::BodyTooLarge { cap_bytes: body_max }),
        _ => Ok(()),
    }
}

/// The same on both protocols; hyper answers what is far beyond with its own 431.
const MOST_FIELDS: usize = 100;
const MOST_BYTES: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_name_without_userinfo() {
        for (text, host) in
            [("LocalHost:8443", "localhost"), ("127.0.0.1", "127.0.0.1"), ("[::1]:8443", "::1")]
        {
            assert_eq!(host_name(text).as_deref(), Some(host));
        }
        for bad in ["", "a/b", "user@localhost", "a/b@c", " ", "local host"] {
            assert_eq!(host_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_chunked_is_a_transfer_encoding() {
        let with = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::TRANSFER_ENCODING, http::HeaderValue::from_static(value));
            }
            check_headers(&headers, SeenHeaders::of(&headers), Version::HTTP_11)
        };
        assert!(with(&[]).is_ok() && with(&["chunked"]).is_ok());
        for bad in [
            &["gzip, chunked"][..],
            &["chunked, chunked"],
            &[",chunked"],
            &["chunked", "chunked"],
            &["identity"],
        ] {
            assert!(with(bad).is_err(), "{bad:?}");
        }
    }
}
