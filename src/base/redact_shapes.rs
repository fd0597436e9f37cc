//! Finds keys, surrogates and handles by what they look like: they need not be known.

use std::ops::Range;

/// Where the shape stands, without its prefix, whose second letter is at `at`.
#[inline]
pub(super) fn around(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(1)?;
    let rest = bytes.get(start..)?;
    if !SHAPES.iter().any(|shape| rest.starts_with(*shape)) {
        return None;
    }
    let body = rest.get(SHAPE_START_BYTES..)?.iter().take(SHAPE_MOST_BYTES);
    let length = body.take_while(|byte| is_shape_byte(**byte)).count();
    let begin = start + SHAPE_START_BYTES;
    (length >= SHAPE_LEAST_BYTES).then_some(begin..begin + length)
}

/// Where the earliest shape begins that may run beyond the end of `bytes`.
pub(super) fn begun_at_end(bytes: &[u8]) -> Option<usize> {
    let earliest = bytes.len().saturating_sub(MOST_BYTES);
    let end = bytes.get(earliest..)?;
    let begins = |at: &usize| end.get(*at..).is_some_and(begins_shape);
    memchr::memchr_iter(b'w', end).find(begins).map(|at| earliest + at)
}

/// Whether a key, surrogate or handle begins with `rest` and may go on.
fn begins_shape(rest: &[u8]) -> bool {
    SHAPES.iter().any(|shape| match rest.strip_prefix(*shape) {
        Some(body) => body.iter().all(|byte| is_shape_byte(*byte)),
        None => shape.starts_with(rest),
    })
}

/// Whether a key, surrogate or handle can hold it.
pub(super) fn is_shape_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What keys, surrogates and handles begin with. The prefix itself stays readable.
const SHAPES: [&[u8; SHAPE_START_BYTES]; 3] = [b"wxgk_", b"wxgt_", b"wxgr_"];
const SHAPE_START_BYTES: usize = 5;

/// Shorter than this behind a prefix is a word in a text, not a credential.
const SHAPE_LEAST_BYTES: usize = 8;

/// The longest surrogate.
const SHAPE_MOST_BYTES: usize = 520;

/// The shortest shape, with its prefix.
pub(super) const LEAST_BYTES: usize = SHAPE_START_BYTES + SHAPE_LEAST_BYTES;

/// The longest, with its prefix.
pub(super) const MOST_BYTES: usize = SHAPE_START_BYTES + SHAPE_MOST_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_shape_may_go_on() {
        for (text, begun) in [
            ("abc wx", Some(4)),
            ("abc wxgt_0123", Some(4)),
            ("abc wxgt_0123 ", None),
            ("w", Some(0)),
            ("wxyz", None),
            ("", None),
        ] {
            assert_eq!(begun_at_end(text.as_bytes()), begun, "{text}");
        }
        let endless = format!("wxgt_{}", "a".repeat(2 * MOST_BYTES));
        assert_eq!(begun_at_end(endless.as_bytes()), None, "none is as long as that");
    }

    #[test]
    fn a_shape_stands_around_its_second_letter() {
        assert_eq!(around(b"wxgk_0123456789 x", 1), Some(5..15));
        assert_eq!(around(b"wxgk_0123456789 x", 16), None);
        assert_eq!((around(b"xgk_0123456789", 0), around(b"wxgk_0123456", 1)), (None, None));
    }
}
