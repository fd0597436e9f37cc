//! Percent-encoding of what stands in a query.

use std::borrow::Cow;

/// `text` as the value of a parameter: everything but RFC 3986's unreserved characters (section
/// 2.3) is encoded. Tokens and secrets are made of those, so they are mostly borrowed.
#[must_use]
pub fn query_value(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_unreserved) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(percent_encoding::utf8_percent_encode(text, RESERVED).to_string())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Everything but [`is_unreserved`].
const RESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_unreserved_is_encoded() {
        assert!(matches!(query_value("aZ0-._~"), Cow::Borrowed(_)));
        assert_eq!(query_value("a+b/c=中"), "a%2Bb%2Fc%3D%E4%B8%AD");
    }
}
