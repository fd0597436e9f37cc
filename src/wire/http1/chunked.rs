//! The chunked coding of an answer (RFC 9112 section 7.1), decoded where it lies.

use bytes::{Buf as _, Bytes, BytesMut};

/// Where in the coding the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    place: Place,
    /// How long the trailers are so far, in bytes.
    trailers: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In the line that tells a chunk's size.
    #[default]
    Size,
    /// In a chunk, with so many bytes of it to come.
    Data(u64),
    /// In the line end behind a chunk.
    DataEnd,
    /// Behind the last chunk.
    Trailers,
    /// Behind everything.
    End,
}

impl Chunked {
    /// The next bytes of the body that are here; none when more has to come, or nothing will.
    ///
    /// # Errors
    /// What is wrong with the coding: nothing behind it can be understood.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, &'static str> {
        self.skip_structure(input)?;
        let Place::Data(left) = self.place else { return Ok(None) };
        if input.is_empty() {
            return Ok(None);
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let data = input.split_to(count).freeze();
        let left = left - count as u64;
        self.place = if left == 0 { Place::DataEnd } else { Place::Data(left) };
        // The end may be here already, and then it should be known with the last bytes.
        self.skip_structure(input)?;
        Ok(Some(data))
    }

    pub(super) fn is_over(&self) -> bool {
        self.place == Place::End
    }

    /// Goes on to the next byte of data, or as far as there is anything.
    fn skip_structure(&mut self, input: &mut BytesMut) -> Result<(), &'static str> {
        loop {
            self.place = match self.place {
                Place::Data(_) | Place::End => return Ok(()),
                Place::Size => match line(input)? {
                    Some(line) => match size(&line)? {
                        0 => Place::Trailers,
                        size => Place::Data(size),
                    },
                    None => return Ok(()),
                },
                Place::DataEnd => match input.first_chunk() {
                    Some(b"\r\n") => {
                        input.advance(2);
                        Place::Size
                    }
                    Some(_) => return Err("a chunk is longer than it says"),
                    None if matches!(input.first(), None | Some(b'\r')) => return Ok(()),
                    None => return Err("a chunk is longer than it says"),
                },
                Place::Trailers => match line(input)? {
                    Some(line) if line.is_empty() => Place::End,
                    Some(line) => {
                        self.trailers += line.len();
                        if self.trailers > LINES_MOST_BYTES {
                            return Err("the trailers are too long");
                        }
                        Place::Trailers
                    }
                    None => return Ok(()),
                },
            };
        }
    }
}

/// Takes a whole line, without its end.
fn line(input: &mut BytesMut) -> Result<Option<BytesMut>, &'static str> {
    let Some(end) = memchr::memchr(b'\n', input) else {
        return if input.len() > LINES_MOST_BYTES {
            Err("a chunk line is too long")
        } else {
            Ok(None)
        };
    };
    let mut line = input.split_to(end + 1);
    line.truncate(end);
    match line.split_last() {
        Some((b'\r', rest)) if !rest.contains(&b'\r') => line.truncate(end - 1),
        // A bare LF, or a CR inside, is read differently by different servers.
        _ => return Err("a chunk line does not end in CR LF"),
    }
    if line.len() > LINES_MOST_BYTES { Err("a chunk line is too long") } else { Ok(Some(line)) }
}

/// The size before the extensions, which are skipped.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    let end =
        line.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t')).unwrap_or(line.len());
    let (digits, rest) = line.split_at(end);
    if !matches!(rest.trim_ascii_start().first(), None | Some(b';')) || digits.is_empty() {
        return Err("a chunk has no size");
    }
    digits.iter().try_fold(0_u64, |size, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or("a chunk has no size")?;
        size.checked_mul(16)
            .and_then(|size| size.checked_add(u64::from(digit)))
            .ok_or("a chunk is too large")
    })
}

/// Longest line of a chunk, and all trailers together. Both are dropped.
const LINES_MOST_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(coded: &[u8], step: usize) -> Result<(Vec<u8>, bool), &'static str> {
        let (mut chunked, mut input, mut body) = (Chunked::default(), BytesMut::new(), Vec::new());
        for part in coded.chunks(step) {
            input.extend_from_slice(part);
            while let Some(data) = chunked.next(&mut input)? {
                body.extend_from_slice(&data);
            }
        }
        Ok((body, chunked.is_over() && input.is_empty()))
    }

    #[test]
    fn a_body_is_whole_however_it_is_cut() {
        let coded =
            b"4\r\nWiki\r\n6;x=\"y\"\r\npedia \r\nE \r\nin \r\n\r\nchunks.\r\n0\r\nX: y\r\n\r\n";
        for step in 1..coded.len() {
            let whole = (b"Wikipedia in \r\n\r\nchunks.".to_vec(), true);
            assert_eq!(decoded(coded, step), Ok(whole), "{step}");
        }
        for cut in 0..coded.len() {
            assert!(!decoded(&coded[..cut], 7).unwrap().1, "{cut}");
        }
    }

    #[test]
    fn what_another_server_could_read_differently_is_refused() {
        for coded in [
            &b"zz\r\n"[..],
            b"\r\n",
            b"-1\r\n",
            b"+1\r\na\r\n",
            b"0x1\r\na\r\n",
            b"1\na\r\n",
            b"1\r\r\na\r\n",
            b"1 2\r\na\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\nX",
            b"10000000000000000\r\n",
            b"0\r\nX: y\n\r\n",
        ] {
            assert!(decoded(coded, 3).is_err(), "{:?}", String::from_utf8_lossy(coded));
        }
        let endless = [&b"0\r\n"[..], &b"X: y\r\n".repeat(5000)].concat();
        assert!(decoded(&endless, 1000).is_err());
        assert!(decoded(&vec![b'1'; 20_000], 1000).is_err());
    }
}
