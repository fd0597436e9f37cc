//! Reads percent and JSON escapes, and remembers where what they say stood.

use std::ops::Range;

/// What a text says once its escapes are resolved, one time: `%2D` and `\u002d` are a hyphen,
/// `%252D` is `%2D`.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where in the text each of the bytes begins.
    starts: Vec<u32>,
    /// Where the text was read to: its end, or what was not to be read.
    pub(super) end: usize,
    /// Whether the text ends in the middle of an escape, which begins at `end` then.
    pub(super) is_cut: bool,
}

impl View {
    /// Reads from `begin` on, as long as bytes come that `goes_on` takes.
    pub(super) fn read(text: &[u8], begin: usize, goes_on: impl Fn(u8) -> bool) -> Self {
        let mut view = Self { bytes: Vec::new(), starts: Vec::new(), end: begin, is_cut: false };
        while let Some(byte) = text.get(view.end).copied() {
            let (says, length) = match Escape::at(text, view.end) {
                Escape::None => (byte, 1),
                Escape::Of { says, length } => (says, length),
                Escape::Cut => {
                    view.is_cut = true;
                    break;
                }
            };
            if !goes_on(says) {
                break;
            }
            view.bytes.push(says);
            // No text that is searched has 4 GiB.
            view.starts.push(view.end as u32);
            view.end += length;
        }
        view
    }

    /// Where in the text these bytes stood.
    pub(super) fn in_text(&self, range: &Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end)
    }

    /// Where in the text this byte stood.
    pub(super) fn place(&self, at: usize) -> usize {
        self.starts.get(at).map_or(self.end, |start| *start as usize)
    }
}

/// What stands at a place of a text.
pub(super) enum Escape {
    /// No escape.
    None,
    /// One that says a byte; [`NO_ASCII`] for any character beyond ASCII.
    Of {
        /// The byte.
        says: u8,
        /// Of the escape, in bytes.
        length: usize,
    },
    /// One that may go on behind the end of the text.
    Cut,
}

impl Escape {
    #[inline]
    pub(super) fn at(text: &[u8], at: usize) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        match rest {
            [b'%', digits @ ..] => Self::hex(digits, 2, 1),
            [b'\\'] => Self::Cut,
            [b'\\', b'u', digits @ ..] => Self::hex(digits, 4, 2),
            // Not JSON, but what many programs print.
            [b'\\', b'x', digits @ ..] => Self::hex(digits, 2, 2),
            [b'\\', same @ (b'/' | b'\\' | b'"' | b'\''), ..] => {
                Self::Of { says: *same, length: 2 }
            }
            [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => Self::Of { says: b'\n', length: 2 },
            _ => Self::None,
        }
    }

    /// `begin` bytes of an escape, then so many digits.
    fn hex(digits: &[u8], count: usize, begin: usize) -> Self {
        let there = digits.get(..count).unwrap_or(digits);
        let mut code = 0_u32;
        for digit in there {
            let Some(value) = char::from(*digit).to_digit(16) else { return Self::None };
            code = code << 4 | value;
        }
        if there.len() < count {
            return Self::Cut;
        }
        let says = u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(NO_ASCII);
        Self::Of { says, length: begin + count }
    }
}

/// A byte that stands for whatever is no ASCII: no secret holds it.
const NO_ASCII: u8 = 0xff;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, bool) {
        let view = View::read(text.as_bytes(), 0, |_| true);
        (String::from_utf8_lossy(&view.bytes).into_owned(), view.is_cut)
    }

    #[test]
    fn each_escape_says_its_byte_and_anything_else_stays() {
        for (text, says) in [
            ("a%2Db%2dc", "a-b-c"),
            (r"a\u002db\x2dc\/d\\e\'", r"a-b-c/d\e'"),
            ("%252D", "%2D"),
            (r"\\u002d", r"\u002d"),
            ("100%, %zz %4", "100%, %zz "),
            (r"\q\uD83Dx", "\\q\u{fffd}x"),
        ] {
            assert_eq!(read(text).0, says, "{text}");
        }
    }

    #[test]
    fn an_escape_at_the_end_may_go_on() {
        for (text, is_cut) in [
            ("a%", true),
            ("a%4", true),
            ("a%41", false),
            (r"a\", true),
            (r"a\u00", true),
            (r"a\\", false),
            ("a%4z", false),
        ] {
            assert_eq!(read(text).1, is_cut, "{text}");
        }
    }

    #[test]
    fn every_byte_knows_where_it_stood() {
        let view = View::read(br"ab%2Dc\u002dd", 1, |byte| byte != b'd');
        assert_eq!(view.bytes, b"b-c-");
        assert_eq!((view.in_text(&(1..3)), view.in_text(&(3..4)), view.end), (2..6, 6..12, 12));
    }
}
