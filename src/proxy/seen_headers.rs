//! Which of the headers that matter to the gateway a request has.

use http::{HeaderMap, header};

use super::authenticate::holds_key;

/// Made in one pass at the front door, so that the stages behind it look for a header only where
/// there is one: looking in vain is a hash of its name each time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SeenHeaders {
    /// How long all fields are, as HTTP/1.1 would write them, in bytes.
    pub(super) bytes: usize,
    pub(super) hosts: usize,
    pub(super) transfer_encodings: usize,
    pub(super) expect: bool,
    pub(super) content_length: bool,
    pub(super) authorization: bool,
    pub(super) api_key: bool,
    pub(super) cookie: bool,
    pub(super) referer: bool,
    /// `X-Wxgate-Account`.
    pub(super) account: bool,
    /// `X-Wxgate-Upstream`.
    pub(super) upstream: bool,
    /// `X-Wxgate-Fault`.
    pub(super) fault: bool,
    /// Something of the shape of a key, in a header that is no place for one.
    pub(super) stray_key: bool,
}

impl SeenHeaders {
    /// Looks at every field once.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut seen = Self::default();
        for (name, value) in headers {
            seen.bytes += name.as_str().len() + value.len() + ": \r\n".len();
            match name.as_str() {
                "host" => seen.hosts += 1,
                "transfer-encoding" => seen.transfer_encodings += 1,
                "expect" => seen.expect = true,
                "content-length" => seen.content_length = true,
                "authorization" => seen.authorization = true,
                "x-api-key" => seen.api_key = true,
                "cookie" => seen.cookie = true,
                "referer" => seen.referer = true,
                "x-wxgate-account" => seen.account = true,
                "x-wxgate-upstream" => seen.upstream = true,
                "x-wxgate-fault" => seen.fault = true,
                _ => {}
            }
            if !matches!(*name, header::AUTHORIZATION) && name.as_str() != "x-api-key" {
                seen.stray_key |= holds_key(value.as_bytes());
            }
        }
        seen
    }
}
