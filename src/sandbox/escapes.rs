//! `\u` escapes in JSON text, which some calls refuse.

use super::{dispatch::Cx, refusal::Refusal};

/// 40033 for a body with a `\u` escape, where the account's switch asks for it.
pub(super) fn check(cx: &Cx<'_>) -> Result<(), Refusal> {
    let is_refusing = cx.state().settings.refuse_unicode_escapes;
    if is_refusing && has_unicode_escape(&cx.call.body) {
        return Err(Refusal::new(40033));
    }
    Ok(())
}

/// Whether JSON text holds `\uXXXX`; a backslash that is itself escaped begins nothing.
fn has_unicode_escape(body: &[u8]) -> bool {
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && bytes.next() == Some(&b'u') {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_escape_that_is_not_itself_escaped_counts() {
        for (body, has) in
            [(r#""\u4f60""#, true), (r#""c:\\users""#, false), (r#""\\\u4f60""#, true), ("", false)]
        {
            assert_eq!(has_unicode_escape(body.as_bytes()), has, "{body}");
        }
    }
}
