//! Headers as lines of text, without the values that are credentials as a whole.

use http::{HeaderMap, HeaderName, header};

use super::content_coding::Coding;
use crate::base::redact::MASK;

/// What the headers say of the body behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BodyForm {
    /// How it is compressed.
    pub(super) coding: Coding,
    /// Whether it is a form, which is masked like a query.
    pub(super) is_form: bool,
}

/// Appends `name: value\n` for each header; values of credential headers are masked at once, so
/// that they are not even queued.
pub(super) fn write(headers: &HeaderMap, out: &mut Vec<u8>) -> BodyForm {
    let mut has_coding = false;
    for (name, value) in headers {
        has_coding |= *name == header::CONTENT_ENCODING;
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        let begin = out.len();
        out.extend_from_slice(value.as_bytes());
        if is_credential(name) {
            mask_credential(&mut out[begin..]);
        }
        out.push(b'\n');
    }
    let coding = if has_coding { Coding::of(headers) } else { Coding::Plain };
    BodyForm { coding, is_form: has_type(headers, b"application/x-www-form-urlencoded") }
}

fn is_credential(name: &HeaderName) -> bool {
    CREDENTIAL_HEADERS.contains(&name.as_str())
}

/// The scheme of `Authorization: Bearer …` tells what was wrong with it, so it stays.
fn mask_credential(value: &mut [u8]) {
    let schemes = [&b"Bearer "[..], b"Basic "];
    let kept = schemes.iter().find(|scheme| value.starts_with(scheme)).map_or(0, |s| s.len());
    value[kept..].fill(MASK);
}

/// Whether the content type is `wanted`, with or without parameters.
fn has_type(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let given = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    given
        .and_then(|given| given.get(..wanted.len()))
        .is_some_and(|given| given.eq_ignore_ascii_case(wanted))
}

/// Headers whose whole value is a credential.
const CREDENTIAL_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pairs: &[(&'static str, &str)]) -> (String, BodyForm) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        let mut out = Vec::new();
        let form = write(&headers, &mut out);
        (String::from_utf8(out).unwrap(), form)
    }

    #[test]
    fn a_credential_does_not_get_into_the_lines_and_its_scheme_does() {
        let (text, form) = lines(&[
            ("authorization", "Bearer abc"),
            ("cookie", "a=b"),
            ("x-note", "plain"),
            ("x-note", "twice"),
        ]);
        assert_eq!(text, "authorization: Bearer ***\ncookie: ***\nx-note: plain\nx-note: twice\n");
        assert_eq!(form, BodyForm::default());
    }

    #[test]
    fn form_and_coding_of_the_body_are_read_on_the_way() {
        let (_, form) = lines(&[
            ("content-type", "Application/x-www-form-urlencoded; charset=utf-8"),
            ("content-encoding", "gzip"),
        ]);
        assert_eq!(form, BodyForm { coding: Coding::Gzip, is_form: true });
    }
}
