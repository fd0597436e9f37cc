//! The scanner that walks over the top level of an answer.
//!
//! Not a JSON parser: bodies carry raw control characters, bytes of other encodings and
//! numbers of 64 bits, and are cut at a cap. It visits each byte once, counts depth instead of
//! recursing, and allocates nothing.

use super::json_text;

/// What was found on the way. The first of two equal names counts, so that a longer prefix of
/// the same body never says something else.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// `errcode` of the top level.
    pub(super) errcode: Option<i64>,
    /// `errmsg` of the top level, as the bytes between its quotes.
    pub(super) errmsg: Option<&'a [u8]>,
    /// `ret` or `errcode` within `base_resp`.
    pub(super) base_errcode: Option<i64>,
    /// `errmsg` within `base_resp`.
    pub(super) base_errmsg: Option<&'a [u8]>,
}

/// Why the scanner stopped before the end of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes ended.
    Cut,
    /// This is no JSON.
    Broken,
    /// Code and text were both read; the rest does not matter.
    Enough,
}

/// Walks over one object that begins at the first byte.
pub(super) fn scan<'a>(bytes: &'a [u8], found: &mut Found<'a>) -> Result<(), Stop> {
    let mut scanner = Scanner { bytes, at: 0 };
    scanner.object(Level::Top, found)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Base,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Reads an object from its brace to its closing one. Calls itself once at most, for
    /// `base_resp`, which is looked for at the top only.
    fn object(&mut self, level: Level, found: &mut Found<'a>) -> Result<(), Stop> {
        self.expect(b'{')?;
        loop {
            match self.next_token()? {
                b'}' => return Ok(()),
                b',' => {}
                b'"' => {
                    let name = self.string()?;
                    self.expect(b':')?;
                    self.member(level, name, found)?;
                }
                _ => return Err(Stop::Broken),
            }
        }
    }

    /// Reads the value of one member, keeping what is asked for.
    fn member(&mut self, level: Level, name: &[u8], found: &mut Found<'a>) -> Result<(), Stop> {
        let is = |word| json_text::means(name, word);
        match level {
            Level::Top if is("errcode") => {
                let code = self.code()?;
                found.errcode = found.errcode.or(code);
            }
            Level::Top if is("errmsg") => {
                let text = self.text()?;
                found.errmsg = found.errmsg.or(text);
            }
            Level::Top if is("base_resp") && self.peek_token()? == b'{' => {
                return self.object(Level::Base, found);
            }
            Level::Base if is("ret") || is("errcode") => {
                let code = self.code()?;
                found.base_errcode = found.base_errcode.or(code);
            }
            Level::Base if is("errmsg") => {
                let text = self.text()?;
                found.base_errmsg = found.base_errmsg.or(text);
            }
            Level::Top | Level::Base => self.skip_value()?,
        }
        // Within `base_resp` it is too early: the top level, which counts more, is not read yet.
        let is_enough = level == Level::Top && found.errcode.is_some() && found.errmsg.is_some();
        if is_enough { Err(Stop::Enough) } else { Ok(()) }
    }

    /// A code: a number, or a number in quotes as some pages of the platform show it.
    fn code(&mut self) -> Result<Option<i64>, Stop> {
        match self.peek_token()? {
            b'"' => Ok(self.text()?.and_then(quoted_integer)),
            b'-' | b'0'..=b'9' => Ok(integer(self.scalar()?)),
            _ => self.skip_value().map(|()| None),
        }
    }

    fn text(&mut self) -> Result<Option<&'a [u8]>, Stop> {
        if self.peek_token()? == b'"' {
            self.at += 1;
            return self.string().map(Some);
        }
        self.skip_value().map(|()| None)
    }

    /// The bytes up to the closing quote; the opening one was read.
    fn string(&mut self) -> Result<&'a [u8], Stop> {
        let begin = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let next = memchr::memchr2(b'"', b'\\', rest).ok_or(Stop::Cut)?;
            let is_quote = rest.get(next) == Some(&b'"');
            let end = self.at + next;
            if is_quote {
                self.at = end + 1;
                return self.bytes.get(begin..end).ok_or(Stop::Cut);
            }
            // Over the backslash and whatever it escapes.
            self.at = end + 2;
        }
    }

    fn skip_value(&mut self) -> Result<(), Stop> {
        match self.peek_token()? {
            b'"' => {
                self.at += 1;
                self.string().map(|_| ())
            }
            b'{' | b'[' => self.skip_nested(),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.scalar().map(|_| ()),
            _ => Err(Stop::Broken),
        }
    }

    /// Over an object or array, whatever is in it. Braces and brackets are not told apart:
    /// nothing within is read, and a mismatch does not change where the value ends by much.
    fn skip_nested(&mut self) -> Result<(), Stop> {
        let mut depth = 0_usize;
        loop {
            let byte = self.next_token()?;
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => return Ok(()),
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
    }

    /// A number or word up to what ends it. At the end of the bytes it may go on: `Cut`.
    fn scalar(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || is_space(*byte);
        let length = rest.iter().position(ends).ok_or(Stop::Cut)?;
        self.at += length;
        rest.get(..length).ok_or(Stop::Cut)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.next_token()? == byte { Ok(()) } else { Err(Stop::Broken) }
    }

    fn next_token(&mut self) -> Result<u8, Stop> {
        let byte = self.peek_token()?;
        self.at += 1;
        Ok(byte)
    }

    fn peek_token(&mut self) -> Result<u8, Stop> {
        loop {
            let byte = *self.bytes.get(self.at).ok_or(Stop::Cut)?;
            if !is_space(byte) {
                return Ok(byte);
            }
            self.at += 1;
        }
    }
}

/// White space, and the raw control characters that some answers are strewn with.
fn is_space(byte: u8) -> bool {
    byte <= b' '
}

/// An integer in quotes. What is longer than any integer is not even decoded.
fn quoted_integer(raw: &[u8]) -> Option<i64> {
    if raw.contains(&b'\\') && raw.len() <= 64 {
        return json_text::decode(raw).trim().parse().ok();
    }
    std::str::from_utf8(raw).ok()?.trim().parse().ok()
}

/// An integer, also as `0.0` or `4e4`; none for what no errcode can be.
fn integer(raw: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(raw).ok()?.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    let is_exact = number.fract() == 0.0 && number.abs() <= MOST_EXACT;
    is_exact.then_some(number as i64)
}

/// Up to here every integer is a float of its own: 2^53.
pub(super) const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
