//! The inside of a JSON string as it came over the wire: escapes, and bytes of any kind.

/// One step of decoding: a byte as it stands, or what an escape means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    Char(char),
}

/// Decodes the bytes between two quotes. What is not UTF-8 becomes U+FFFD, an unknown escape
/// stays as it is: an old GBK message must not hide the errcode beside it.
pub(super) fn decode(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((piece, behind)) = next_piece(rest) {
        match piece {
            Piece::Byte(byte) => out.push(byte),
            Piece::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = behind;
    }
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Whether the bytes between two quotes mean the ASCII `word`. Allocates nothing.
pub(super) fn means(raw: &[u8], word: &str) -> bool {
    if !raw.contains(&b'\\') {
        return raw == word.as_bytes();
    }
    let mut rest = raw;
    for expected in word.bytes() {
        let Some((piece, behind)) = next_piece(rest) else { return false };
        let same = match piece {
            Piece::Byte(byte) => byte == expected,
            Piece::Char(c) => c == char::from(expected),
        };
        if !same {
            return false;
        }
        rest = behind;
    }
    rest.is_empty()
}

fn next_piece(raw: &[u8]) -> Option<(Piece, &[u8])> {
    let (first, rest) = raw.split_first()?;
    if *first != b'\\' {
        return Some((Piece::Byte(*first), rest));
    }
    let Some((letter, behind)) = rest.split_first() else {
        return Some((Piece::Byte(b'\\'), rest));
    };
    let byte = match letter {
        b'"' | b'\\' | b'/' => *letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return Some(unicode_escape(behind).unwrap_or((Piece::Byte(b'\\'), rest))),
        _ => return Some((Piece::Byte(b'\\'), rest)),
    };
    Some((Piece::Byte(byte), behind))
}

/// Reads `XXXX`, and the second half behind it where that belongs to it.
fn unicode_escape(digits: &[u8]) -> Option<(Piece, &[u8])> {
    let (first, behind) = hex4(digits)?;
    if let Some(c) = char::from_u32(first) {
        return Some((Piece::Char(c), behind));
    }
    let second = behind.strip_prefix(b"\\u").and_then(hex4);
    let pair = second.filter(|(low, _)| first < 0xDC00 && (0xDC00..0xE000).contains(low));
    match pair {
        Some((low, behind)) => {
            let code = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
            Some((Piece::Char(char::from_u32(code)?), behind))
        }
        None => Some((Piece::Char(char::REPLACEMENT_CHARACTER), behind)),
    }
}

fn hex4(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (four, behind) = digits.split_at_checked(4)?;
    let mut value = 0;
    for digit in four {
        value = value * 16 + char::from(*digit).to_digit(16)?;
    }
    Some((value, behind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_read_and_broken_ones_stay() {
        for (raw, text) in [
            (r"plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u4e2d\u6587", "中文"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83d!", "\u{FFFD}!"),
            (r"\ud83d\u0041", "\u{FFFD}A"),
            (r"\ude00", "\u{FFFD}"),
            (r"\u12", r"\u12"),
            (r"\q", r"\q"),
            ("\\", "\\"),
        ] {
            assert_eq!(decode(raw.as_bytes()), text, "{raw}");
        }
        assert_eq!(decode(b"\xd6\xd0 ok\x01"), "\u{FFFD}\u{FFFD} ok\u{1}");
    }

    #[test]
    fn a_disguised_name_is_the_name() {
        assert!(means(b"errcode", "errcode") && means(br"err\u0063ode", "errcode"));
        for other in [&b"errcod"[..], b"errcodes", br"err\u0063od", br"errcode\n", b"", b"\\"] {
            assert!(!means(other, "errcode"), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_back(text in ".{0,60}") {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(decode(&quoted.as_bytes()[1..quoted.len() - 1]), text);
        }

        #[test]
        fn any_bytes_are_decoded_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..80)) {
            let text = decode(&raw);
            prop_assert!(text.len() <= raw.len() * 3);
            let _ = means(&raw, "errcode");
        }
    }
}
