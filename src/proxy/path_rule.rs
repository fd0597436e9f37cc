//! Which paths may pass. Policy is decided on the very bytes that are sent on.

use crate::wechat::KnownPath;

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPath {
    /// A character outside of the alphabet.
    Character,
    /// `.` or `..` as a segment.
    DotSegment,
    /// Two slashes in a row.
    DoubleSlash,
    /// `%2F`, `%5C`, `%2E`, `%00`, or a broken percent sign.
    Escape,
    /// `-` or `@…` behind `/@name`: another machine's own doors.
    Door,
}

/// The rule for every kind of account: RFC 3986 path characters, and no escape that another
/// server could read as a separator, a dot or an end.
pub(super) fn check_any(path: &str) -> Result<(), BadPath> {
    let bytes = path.as_bytes();
    if !bytes.iter().all(|byte| is_pchar(*byte) || matches!(byte, b'/' | b'%')) {
        return Err(BadPath::Character);
    }
    check_escapes(bytes)?;
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(BadPath::DotSegment);
    }
    Ok(())
}

/// The rule for the platform's own paths: segments of letters, digits and `._~@-`, one
/// trailing slash at most. A path that the catalogue knows passes as it is.
pub(super) fn check_platform(path: &str, known: &KnownPath) -> Result<(), BadPath> {
    if path == "/" || known.any_call().is_some() {
        return Ok(());
    }
    let inner = path.strip_prefix('/').ok_or(BadPath::Character)?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    inner.split('/').try_for_each(|segment| match segment {
        "" => Err(BadPath::DoubleSlash),
        "." | ".." => Err(BadPath::DotSegment),
        _ if segment.bytes().all(is_platform_byte) => Ok(()),
        _ => Err(BadPath::Character),
    })
}

/// Splits `/@name/rest` into the name and `/rest`.
pub(super) fn split_account(path: &str) -> Result<(Option<&str>, &str), BadPath> {
    let Some(named) = path.strip_prefix("/@") else { return Ok((None, path)) };
    let (name, rest) = named.find('/').map_or((named, "/"), |slash| named.split_at(slash));
    // In whatever spelling another machine might read it: escaped, behind more slashes.
    let plain = percent_encoding::percent_decode_str(rest).decode_utf8_lossy();
    let first = plain.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    if first == "-" || first.starts_with('@') {
        return Err(BadPath::Door);
    }
    Ok((Some(name), rest))
}

/// The path of the API call, whether an account stands before it or not.
pub(super) fn without_account(path: &str) -> &str {
    split_account(path).map_or(path, |(_, rest)| rest)
}

fn check_escapes(bytes: &[u8]) -> Result<(), BadPath> {
    for at in memchr::memchr_iter(b'%', bytes) {
        let digits = bytes.get(at + 1..at + 3).ok_or(BadPath::Escape)?;
        let text = std::str::from_utf8(digits).map_err(|_| BadPath::Escape)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(BadPath::Escape);
        }
        match u8::from_str_radix(text, 16) {
            Ok(b'/' | b'\\' | b'.' | 0) | Err(_) => return Err(BadPath::Escape),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// RFC 3986 section 3.3, without the percent sign.
fn is_pchar(byte: u8) -> bool {
    is_platform_byte(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':'
        )
}

fn is_platform_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'@' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_platform(path: &str) -> Result<(), BadPath> {
        super::check_platform(path, &KnownPath::of(path))
    }

    #[test]
    fn paths_of_the_platform_pass_and_disguises_do_not() {
        for good in ["/", "/cgi-bin/token", "/shop/spu/add", "/a/b/", "/wxa/x.y~z", "/a@b"] {
            assert_eq!(check_platform(good), Ok(()), "{good}");
            assert_eq!(check_any(good), Ok(()), "{good}");
        }
        for bad in [
            "/cgi-bin/../cgi-bin/token",
            "/./a",
            "//evil.example/x",
            "/a//b",
            "/a%2fb",
            "/cgi-bin/token;x",
            "/a b",
            "/a\\b",
            "/é",
            "/a%00",
            "/a%20b",
            "/a//",
            "/a:b",
        ] {
            assert!(check_platform(bad).is_err(), "{bad}");
        }
        for bad in [
            "/a/../b",
            "/%2e%2e/a",
            "/a%2Fb",
            "/a%5cb",
            "/a%00",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a b",
            "/\u{e9}",
            "/a\\b",
        ] {
            assert!(check_any(bad).is_err(), "{bad}");
        }
        assert_eq!(check_any("/v1/items;x=1/%20a"), Ok(()));
    }

    #[test]
    fn an_account_in_the_path_is_split_off_and_cannot_name_a_door() {
        assert_eq!(split_account("/@shop/cgi-bin/x"), Ok((Some("shop"), "/cgi-bin/x")));
        assert_eq!(split_account("/@shop"), Ok((Some("shop"), "/")));
        assert_eq!(split_account("/shop/x"), Ok((None, "/shop/x")));
        assert_eq!(split_account("/@shop/-/console"), Err(BadPath::Door));
        assert_eq!(split_account("/@shop/@other/x"), Err(BadPath::Door));
        for disguised in ["/@shop//-/x", "/@shop/%2d/x", "/@shop/%40other/x", "/@shop///%2D"] {
            assert_eq!(split_account(disguised), Err(BadPath::Door), "{disguised}");
        }
    }
}
