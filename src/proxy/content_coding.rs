//! Encoded answers, as far as they must be read.

use std::io::{BufRead, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950; some servers send RFC 1951 all the same, and clients read both.
    Deflate,
    /// RFC 8878.
    Zstd,
    /// Nothing that is read here, or several; the status alone decides.
    Other,
}

impl Encoding {
    /// What all headers of that name say together.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut encoding = Self::Identity;
        let values = headers.get_all(header::CONTENT_ENCODING);
        let names = values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        for name in names.map(<[u8]>::trim_ascii) {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            if name.is_empty() || is("identity") {
                continue;
            }
            encoding = match encoding {
                Self::Identity if is("gzip") || is("x-gzip") => Self::Gzip,
                Self::Identity if is("deflate") => Self::Deflate,
                Self::Identity if is("zstd") => Self::Zstd,
                _ => Self::Other,
            };
        }
        encoding
    }

    /// The first bytes in plain, as many as are there and no more than the cap: a bomb is cut.
    pub(super) fn decode(self, encoded: &[u8], cap_bytes: usize) -> Option<Vec<u8>> {
        self.read(encoded, cap_bytes).map(|read| read.plain)
    }

    /// All of it in plain; none if it is not what it says to be, has something behind its end,
    /// or is longer than the cap: then nobody knows what a client would read in it.
    pub(super) fn decode_whole(self, encoded: &[u8], cap_bytes: usize) -> Option<Vec<u8>> {
        let read = self.read(encoded, cap_bytes)?;
        (read.is_clean && read.plain.len() < cap_bytes).then_some(read.plain)
    }

    fn read(self, encoded: &[u8], cap_bytes: usize) -> Option<Plain> {
        Some(match self {
            Self::Gzip => read(MultiGzDecoder::new(encoded), cap_bytes, MultiGzDecoder::into_inner),
            Self::Deflate if is_zlib(encoded) => {
                read(ZlibDecoder::new(encoded), cap_bytes, ZlibDecoder::into_inner)
            }
            Self::Deflate => {
                read(DeflateDecoder::new(encoded), cap_bytes, DeflateDecoder::into_inner)
            }
            Self::Zstd => {
                let decoder = zstd::Decoder::with_buffer(encoded).ok()?;
                read(decoder, cap_bytes, zstd::Decoder::finish)
            }
            Self::Identity | Self::Other => return None,
        })
    }
}

/// What came out of a decoder.
struct Plain {
    plain: Vec<u8>,
    /// Whether it read everything without a complaint.
    is_clean: bool,
}

/// A cut stream ends in an error; what came before it is good.
fn read<D: Read, R: BufRead>(mut decoder: D, cap_bytes: usize, rest: impl Fn(D) -> R) -> Plain {
    let mut plain = Vec::new();
    let is_good = decoder.by_ref().take(cap_bytes as u64).read_to_end(&mut plain).is_ok();
    let nothing_left = rest(decoder).fill_buf().is_ok_and(<[u8]>::is_empty);
    Plain { plain, is_clean: is_good && nothing_left }
}

/// Whether the bytes begin as RFC 1950 section 2.2 wants: the method, and a sum that divides.
fn is_zlib(encoded: &[u8]) -> bool {
    encoded.first_chunk().is_some_and(|head: &[u8; 2]| {
        head[0] & 0x0f == 8 && u16::from_be_bytes(*head).is_multiple_of(31)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write};

    use super::*;

    /// `text` in this encoding, and how it is named.
    pub(in crate::proxy) fn encoded(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let level = Compression::fast();
        let mut gzip = write::GzEncoder::new(Vec::new(), level);
        gzip.write_all(text).unwrap();
        let mut zlib = write::ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(text).unwrap();
        let mut bare = write::DeflateEncoder::new(Vec::new(), level);
        bare.write_all(text).unwrap();
        let gzip = gzip.finish().unwrap();
        vec![
            ("x-gzip", [gzip.clone(), gzip.clone()].concat()),
            ("GZIP", gzip),
            ("deflate", zlib.finish().unwrap()),
            ("Deflate", bare.finish().unwrap()),
            ("zstd", zstd::bulk::compress(text, 1).unwrap()),
        ]
    }

    fn named(values: &[&'static str]) -> Encoding {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, http::HeaderValue::from_static(value));
        }
        Encoding::of(&headers)
    }

    #[test]
    fn all_headers_together_name_the_encoding() {
        for (values, encoding) in [
            (&[][..], Encoding::Identity),
            (&["identity", ""], Encoding::Identity),
            (&["Identity, GZip"], Encoding::Gzip),
            (&["identity", "zstd"], Encoding::Zstd),
            (&["gzip", "gzip"], Encoding::Other),
            (&["gzip, deflate"], Encoding::Other),
            (&["br"], Encoding::Other),
        ] {
            assert_eq!(named(values), encoding, "{values:?}");
        }
    }

    #[test]
    fn a_whole_answer_is_read_to_its_last_byte_or_not_at_all() {
        let text = b"hello, hello, hello";
        for (name, bytes) in encoded(text) {
            let encoding = named(&[name]);
            let plain = encoding.decode_whole(&bytes, 99).unwrap();
            assert_eq!(plain, text.repeat(plain.len() / text.len()), "{name}");
            assert_eq!(encoding.decode(&bytes, 5).unwrap(), b"hello", "{name}");
            assert_eq!(encoding.decode_whole(&bytes, 5), None, "longer than the cap: {name}");
            let more = [&bytes[..], b"{\"token\":1}"].concat();
            assert_eq!(encoding.decode_whole(&more, 99), None, "something behind {name}");
            assert_eq!(encoding.decode_whole(b"{\"token\":1}", 99), None, "plain as {name}");
        }
    }
}
