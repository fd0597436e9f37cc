//! The plain form of a compressed body: a secret inside of one could not be found.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header::CONTENT_ENCODING};

/// A decoded body.
pub(super) struct Plain {
    pub(super) bytes: Vec<u8>,
    /// Whether the end is missing: the input was cut or broken, or the cap was reached.
    pub(super) is_cut: bool,
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Coding {
    /// Not at all.
    #[default]
    Plain,
    Gzip,
    /// Named deflate, meant zlib; some servers send the bare stream all the same.
    Deflate,
    Zstd,
    /// In a way that nobody here can read, or in several.
    Unreadable,
}

impl Coding {
    /// What `Content-Encoding` names.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let codings: Vec<String> = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(|coding| String::from_utf8_lossy(coding.trim_ascii()).to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity")
            .collect();
        match codings.as_slice() {
            [] => Self::Plain,
            [one] => match one.as_str() {
                "gzip" | "x-gzip" => Self::Gzip,
                "deflate" => Self::Deflate,
                "zstd" => Self::Zstd,
                _ => Self::Unreadable,
            },
            _ => Self::Unreadable,
        }
    }

    /// The plain body, up to `cap` bytes; `None` for one that is plain already. What cannot be
    /// read gives no bytes at all: better none than a credential that went unseen.
    pub(super) fn decode(self, body: &[u8], cap: usize) -> Option<Plain> {
        let first = body.first()?;
        Some(match self {
            Self::Plain => return None,
            Self::Gzip => read(MultiGzDecoder::new(body), cap),
            Self::Deflate if first & 0x0f == 8 => read(ZlibDecoder::new(body), cap),
            Self::Deflate => read(DeflateDecoder::new(body), cap),
            Self::Zstd => match zstd::stream::read::Decoder::with_buffer(body) {
                Ok(decoder) => read(decoder, cap),
                Err(_) => UNREADABLE,
            },
            Self::Unreadable => UNREADABLE,
        })
    }
}

fn read(mut decoder: impl Read, cap: usize) -> Plain {
    let mut bytes = Vec::new();
    let mut part = [0; 8192];
    let is_cut = loop {
        match decoder.read(&mut part) {
            Ok(0) => break false,
            Ok(count) => bytes.extend_from_slice(part.get(..count).unwrap_or_default()),
            Err(_) => break true,
        }
        if bytes.len() > cap {
            break true;
        }
    };
    bytes.truncate(cap);
    Plain { bytes, is_cut }
}

const UNREADABLE: Plain = Plain { bytes: Vec::new(), is_cut: true };

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use http::HeaderValue;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// `text` in each coding that is read, with its name.
    pub(in crate::capture) fn coded(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let deflated = |mut encoder: Box<dyn Read + '_>| {
            let mut bytes = Vec::new();
            encoder.read_to_end(&mut bytes).unwrap();
            bytes
        };
        let level = Compression::fast();
        vec![
            ("identity", text.to_vec()),
            ("gzip", gzip(text)),
            ("deflate", deflated(Box::new(flate2::bufread::ZlibEncoder::new(text, level)))),
            ("deflate", deflated(Box::new(flate2::bufread::DeflateEncoder::new(text, level)))),
            ("zstd", zstd::bulk::compress(text, 1).unwrap()),
        ]
    }

    fn decoded(coding: &'static str, body: &[u8], cap: usize) -> Option<(Vec<u8>, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        Coding::of(&headers).decode(body, cap).map(|plain| (plain.bytes, plain.is_cut))
    }

    #[test]
    fn known_codings_are_read_and_unknown_ones_are_not_kept() {
        let mut zlib = Vec::new();
        let mut encoder = flate2::bufread::ZlibEncoder::new(&b"hello"[..], Compression::fast());
        encoder.read_to_end(&mut zlib).unwrap();
        assert_eq!(decoded("gzip", &gzip(b"hello"), 99), Some((b"hello".to_vec(), false)));
        assert_eq!(decoded("X-GZIP", &gzip(b"hello"), 99), Some((b"hello".to_vec(), false)));
        assert_eq!(decoded("deflate", &zlib, 99), Some((b"hello".to_vec(), false)));
        let zstd = zstd::bulk::compress(b"hello", 1).unwrap();
        assert_eq!(decoded("zstd", &zstd, 99), Some((b"hello".to_vec(), false)));
        assert_eq!(decoded("identity", b"hello", 99), None);
        assert_eq!(decoded("br", b"hello", 99), Some((vec![], true)));
        assert_eq!(decoded("gzip, br", b"hello", 99), Some((vec![], true)));
        assert_eq!(decoded("gzip", b"", 99), None);
    }

    #[test]
    fn a_bomb_stops_at_the_cap_and_a_cut_stream_gives_its_beginning() {
        let bomb = gzip(&vec![b'a'; 1 << 20]);
        assert_eq!(decoded("gzip", &bomb, 1000), Some((vec![b'a'; 1000], true)));
        let text: Vec<u8> = (0..20_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let whole = gzip(&text);
        let (bytes, is_cut) = decoded("gzip", &whole[..whole.len() / 2], 1 << 20).unwrap();
        assert!(is_cut && !bytes.is_empty() && text.starts_with(&bytes));
    }
}
