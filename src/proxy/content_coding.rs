//! Encoded answers, as far as they must be read.

use std::io::Read as _;

use http::{HeaderMap, header};

/// How an answer is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Deflate,
    /// RFC 8878.
    Zstd,
    /// Nothing that is read here; the status alone decides.
    Other,
}

impl Encoding {
    /// What the header says.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match headers.get(header::CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
            None | Some(b"identity") => Self::Identity,
            Some(b"gzip" | b"x-gzip") => Self::Gzip,
            Some(b"deflate") => Self::Deflate,
            Some(b"zstd") => Self::Zstd,
            Some(_) => Self::Other,
        }
    }

    /// The first bytes in plain, as many as are there and no more than the cap: a bomb is cut.
    pub(super) fn decode(self, encoded: &[u8], cap_bytes: usize) -> Option<Vec<u8>> {
        let cap = cap_bytes as u64;
        let mut plain = Vec::new();
        // A cut stream ends in an error; what came before it is good.
        let _ = match self {
            Self::Gzip => flate2::read::GzDecoder::new(encoded).take(cap).read_to_end(&mut plain),
            Self::Deflate => {
                flate2::read::ZlibDecoder::new(encoded).take(cap).read_to_end(&mut plain)
            }
            Self::Zstd => zstd::Decoder::new(encoded).ok()?.take(cap).read_to_end(&mut plain),
            Self::Identity | Self::Other => return None,
        };
        Some(plain)
    }
}
