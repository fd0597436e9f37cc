//! One direction of a stored exchange: header lines, then the body, in one run of bytes.
//!
//! One run, because that is how it is redacted, packed and stored: one search, one copy.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers and body as far as they were kept.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// `name: value\n` for each header, then the body; `None` once `keep` is over.
    bytes: Option<Bytes>,
    header_bytes: usize,
    /// How many bytes of body went over the wire.
    pub size: u64,
    /// Whether less than all of the body is here.
    pub truncated: bool,
}

impl StoredMessage {
    /// The first `header_bytes` of `bytes` are header lines.
    pub(super) fn new(bytes: Bytes, header_bytes: usize, size: u64, truncated: bool) -> Self {
        Self { bytes: Some(bytes), header_bytes, size, truncated }
    }

    /// A message that is no longer kept, or was not loaded.
    pub(super) fn without_parts(size: u64, truncated: bool) -> Self {
        Self { bytes: None, header_bytes: 0, size, truncated }
    }

    /// Header lines and body; empty once `keep` is over.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        let bytes = self.bytes.as_deref().unwrap_or_default();
        bytes.split_at_checked(self.header_bytes).unwrap_or((bytes, &[]))
    }

    /// Name (lower case) and value of each header, in the order in which the map had them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parts().0.split(|byte| *byte == b'\n').filter_map(|line| {
            let colon = memchr::memmem::find(line, b": ")?;
            Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 2..]))
        })
    }

    /// The first header of this (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The headers as a map, for a replay.
    #[must_use]
    pub fn header_map(&self) -> HeaderMap {
        let pair = |(name, value): (&str, &[u8])| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        };
        let mut map = HeaderMap::new();
        self.headers().filter_map(pair).for_each(|(name, value)| {
            map.append(name, value);
        });
        map
    }

    /// The beginning of the body; `None` once `keep` is over, or where it was not loaded.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.bytes.as_ref().map(|_| self.parts().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_back_with_repeats_and_bytes_that_are_no_text() {
        let lines = b"x-a: 1: 2\nx-a: \xe5\xff\nx-b: \n";
        let bytes = [&lines[..], b"body\nx-c: 1\n"].concat();
        let message = StoredMessage::new(bytes.into(), lines.len(), 12, false);
        let headers: Vec<_> = message.headers().collect();
        assert_eq!(headers, [("x-a", &b"1: 2"[..]), ("x-a", b"\xe5\xff"), ("x-b", b"")]);
        assert_eq!(message.header_map().len(), 3);
        assert_eq!((message.header("x-b"), message.header("x-c")), (Some(&b""[..]), None));
        assert_eq!(message.body(), Some(&b"body\nx-c: 1\n"[..]));
        let gone = StoredMessage::without_parts(12, false);
        assert_eq!((gone.headers().count(), gone.body()), (0, None));
    }
}
