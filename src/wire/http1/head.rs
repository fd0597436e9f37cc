//! The head of an answer: status, fields, and how its body ends.

use std::mem::MaybeUninit;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use httparse::Status;
use memchr::memmem;

/// An answer without its body.
#[derive(Debug)]
pub(crate) struct Head {
    /// Status and fields.
    pub(crate) response: Response<()>,
    /// Names whose letter case is not the usual one (`Wechatmp-SN`), as they came.
    pub(crate) odd_names: Vec<String>,
    pub(super) length: Length,
    /// Whether the connection may carry another request.
    pub(super) may_keep: bool,
}

/// How long the body is (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunked,
    /// Until the connection ends.
    UntilClose,
}

impl Head {
    /// Takes a head out of `input`; none when more of it has to come. `of_head`: a HEAD was
    /// asked, so that no body follows whatever the fields say.
    ///
    /// # Errors
    /// What makes it no answer of HTTP/1.1.
    pub(super) fn parse(input: &mut BytesMut, of_head: bool) -> Result<Option<Self>, HeadError> {
        while let Some(end) = end(input)? {
            if end > HEAD_MOST_BYTES {
                return Err(HeadError::TooLong);
            }
            let head = input.split_to(end).freeze();
            let parsed = read(&head, |found, fields| {
                let is_old = found.version == Some(0);
                let version = if is_old { Version::HTTP_10 } else { Version::HTTP_11 };
                let status = StatusCode::from_u16(found.code.unwrap_or_default());
                let mut known = Fields::new(fields.len(), version);
                for field in fields {
                    let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value))?;
                    known.add(field.name.as_bytes(), value)?;
                }
                known.finish(status.map_err(|_| HeadError::Status)?, version, of_head)
            })?;
            // None: empty lines before the answer, which are skipped.
            if let Some((length, parsed)) = parsed {
                put_back(head.get(length..).unwrap_or_default(), input);
                return Ok(Some(parsed));
            }
        }
        Ok(None)
    }
}

/// Where a head may end. What is no head should be told before more of it comes, and a server
/// may end its lines with LF alone (RFC 9112 section 2.2).
fn end(input: &[u8]) -> Result<Option<usize>, HeadError> {
    if let Some(at) = memmem::find(input, b"\r\n\r\n") {
        return Ok(Some(at + 4));
    }
    match read(input, |_, _| Ok(()))? {
        Some((length, ())) => Ok(Some(length)),
        None if input.len() > HEAD_MOST_BYTES => Err(HeadError::TooLong),
        None => Ok(None),
    }
}

/// A head with bare line ends was over before the first empty line of the other kind.
fn put_back(rest: &[u8], input: &mut BytesMut) {
    if !rest.is_empty() {
        let behind = std::mem::replace(input, BytesMut::from(rest));
        input.extend_from_slice(&behind);
    }
}

/// Reads the grammar of a head, and lets `work` look at it. How long the head is, if it is whole.
fn read<T>(
    head: &[u8],
    work: impl FnOnce(&httparse::Response<'_, '_>, &[httparse::Header<'_>]) -> Result<T, HeadError>,
) -> Result<Option<(usize, T)>, HeadError> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MOST];
    let mut found = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut found,
        head,
        &mut fields,
    )?;
    match parsed {
        Status::Complete(length) => Ok(Some((length, work(&found, found.headers)?))),
        Status::Partial => Ok(None),
    }
}

/// The fields read so far, and what they say of the framing.
struct Fields {
    map: HeaderMap,
    odd_names: Vec<String>,
    content_length: Option<u64>,
    is_chunked: bool,
    closes: bool,
}

impl Fields {
    fn new(count: usize, version: Version) -> Self {
        Self {
            // With room for what the gateway adds.
            map: HeaderMap::with_capacity(count + FIELDS_ADDED),
            odd_names: Vec::new(),
            content_length: None,
            is_chunked: false,
            closes: version == Version::HTTP_10,
        }
    }

    fn add(&mut self, name: &[u8], value: HeaderValue) -> Result<(), HeadError> {
        if !is_title_case(name) {
            self.odd_names.push(String::from_utf8_lossy(name).into_owned());
        }
        let name = HeaderName::from_bytes(name)?;
        match name {
            header::CONTENT_LENGTH => self.note_length(&value)?,
            header::TRANSFER_ENCODING => {
                if self.is_chunked || !value.as_bytes().eq_ignore_ascii_case(b"chunked") {
                    return Err(HeadError::Coding);
                }
                self.is_chunked = true;
            }
            header::CONNECTION => self.note_connection(&value),
            _ => {}
        }
        self.map.append(name, value);
        Ok(())
    }

    /// Digits only, and the same number each time.
    fn note_length(&mut self, value: &HeaderValue) -> Result<(), HeadError> {
        for part in value.as_bytes().split(|byte| *byte == b',') {
            let digits = part.trim_ascii();
            let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(digits).ok().filter(|_| is_number);
            let length = length.and_then(|text| text.parse().ok()).ok_or(HeadError::Length)?;
            if self.content_length.is_some_and(|known| known != length) {
                return Err(HeadError::Length);
            }
            self.content_length = Some(length);
        }
        Ok(())
    }

    fn note_connection(&mut self, value: &HeaderValue) {
        for option in value.as_bytes().split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"close") {
                self.closes = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.closes = false;
            }
        }
    }

    fn finish(
        mut self,
        status: StatusCode,
        version: Version,
        of_head: bool,
    ) -> Result<Head, HeadError> {
        if self.is_chunked && version == Version::HTTP_10 {
            return Err(HeadError::Coding);
        }
        if self.is_chunked && self.content_length.is_some() {
            // Two lengths: the coding wins, and nobody behind us may see the other.
            self.map.remove(header::CONTENT_LENGTH);
            self.closes = true;
        }
        let has_no_body = of_head
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let length = match (has_no_body, self.is_chunked, self.content_length) {
            (true, _, _) => Length::Bytes(0),
            (false, true, _) => Length::Chunked,
            (false, false, Some(length)) => Length::Bytes(length),
            (false, false, None) => Length::UntilClose,
        };
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.version_mut() = version;
        *response.headers_mut() = self.map;
        let may_keep = !self.closes && length != Length::UntilClose;
        Ok(Head { response, odd_names: self.odd_names, length, may_keep })
    }
}

/// Whether the edge writes the name so without being told: `Content-Type`.
fn is_title_case(name: &[u8]) -> bool {
    let mut before = b'-';
    name.iter().all(|byte| {
        let is_usual =
            if before == b'-' { !byte.is_ascii_lowercase() } else { !byte.is_ascii_uppercase() };
        before = *byte;
        is_usual
    })
}

/// Why something is no head of an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeadError {
    /// Not the grammar, or more than [`FIELDS_MOST`] fields.
    #[error("its head cannot be read")]
    Grammar(#[from] httparse::Error),
    /// Over [`HEAD_MOST_BYTES`].
    #[error("its head is longer than {HEAD_MOST_BYTES} bytes")]
    TooLong,
    #[error("its status is none")]
    Status,
    #[error("a header name has an impossible character")]
    Name(#[from] header::InvalidHeaderName),
    #[error("a header value has an impossible character")]
    Value(#[from] header::InvalidHeaderValue),
    #[error("its Content-Length is no number, or two")]
    Length,
    #[error("its Transfer-Encoding is not `chunked`")]
    Coding,
}

/// The longest head.
pub(super) const HEAD_MOST_BYTES: usize = 64 << 10;

/// As many as a request may have.
const FIELDS_MOST: usize = 100;

/// Request id, number of tries, and what keeps a browser from running the answer.
const FIELDS_ADDED: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str, of_head: bool) -> Result<Head, HeadError> {
        Ok(Head::parse(&mut head.into(), of_head)?.expect("it is whole"))
    }

    fn framing(fields: &str) -> (Length, bool) {
        let head = parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), false).unwrap();
        (head.length, head.may_keep)
    }

    #[test]
    fn the_framing_is_that_of_the_rfc() {
        for (fields, expected) in [
            ("Content-Length: 5\r\n", (Length::Bytes(5), true)),
            ("Content-Length: 5, 5\r\nContent-Length: 5\r\n", (Length::Bytes(5), true)),
            ("Content-Length: 5\r\nConnection: close\r\n", (Length::Bytes(5), false)),
            ("Transfer-Encoding: Chunked\r\n", (Length::Chunked, true)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", (Length::Chunked, false)),
            ("", (Length::UntilClose, false)),
        ] {
            assert_eq!(framing(fields), expected, "{fields}");
        }
        let old = parse("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false).unwrap();
        assert!(!old.may_keep);
        let kept = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\n";
        assert!(parse(kept, false).unwrap().may_keep);
        for status in ["204 No Content", "304 Not Modified", "103 Early Hints"] {
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n");
            assert_eq!(parse(&head, false).unwrap().length, Length::Bytes(0));
        }
        let of_head = parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true).unwrap();
        assert_eq!(of_head.length, Length::Bytes(0));
    }

    #[test]
    fn a_length_that_can_be_read_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 6\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\n",
        ] {
            assert!(parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), false).is_err(), "{fields}");
        }
        let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(parse(old, false).is_err());
    }

    #[test]
    fn a_head_ends_where_the_grammar_says_so_whatever_stands_around_it() {
        for (input, left) in [
            ("\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", "body"),
            ("HTTP/1.1 200 OK\nA: b\n\nbody\r\n\r\nmore", "body\r\n\r\nmore"),
            ("HTTP/1.1 200 OK\nA: b\n\n", ""),
        ] {
            for cut in 0..input.len() {
                let mut bytes = BytesMut::from(&input[..cut]);
                let early = Head::parse(&mut bytes, false).unwrap();
                bytes.extend_from_slice(&input.as_bytes()[cut..]);
                let head = early.or_else(|| Head::parse(&mut bytes, false).unwrap()).unwrap();
                assert_eq!(head.response.headers()["a"], "b");
                assert_eq!(bytes, left, "{input:?} cut at {cut}");
            }
        }
        let endless = "\r\n".repeat(100_000);
        assert!(matches!(Head::parse(&mut endless.as_str().into(), false), Ok(None)));
        assert!(Head::parse(&mut "SSH-2.0-OpenSSH".into(), false).is_err());
    }

    #[test]
    fn only_names_in_an_odd_letter_case_are_remembered() {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWechatmp-SN: 1\r\nx-rid: 2\r\nX-2B: 3\r\n\r\n";
        assert_eq!(parse(head, false).unwrap().odd_names, ["Wechatmp-SN", "x-rid", "X-2B"]);
    }
}
