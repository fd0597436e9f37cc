//! The query string with its credentials found, taken out, and their places remembered.

use std::fmt;

use super::{authenticate::holds_key, error::ProxyError};

/// A query in raw pieces. Order and spelling of everything but credentials stay as they came.
#[derive(Debug, Default)]
pub(super) struct CredentialQuery {
    pieces: Vec<Piece>,
}

struct Piece {
    /// `name=value` as sent.
    raw: String,
    /// Which credential parameter it is.
    reserved: Option<&'static str>,
}

/// Never the text: a key or a token may be in it.
impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Piece(..)")
    }
}

impl CredentialQuery {
    /// Splits `query` and finds the parameters named in [`RESERVED`].
    ///
    /// # Errors
    /// [`ProxyError::AmbiguousToken`] when one of the token names stands twice or in a spelling
    /// that another server might read as that name: percent-encoded, in another case, behind `;`.
    pub(super) fn parse(query: &str) -> Result<Self, ProxyError> {
        if query.is_empty() {
            return Ok(Self::default());
        }
        let mut pieces = Vec::new();
        for raw in query.split('&') {
            let reserved = reserved_name(raw)?;
            pieces.push(Piece { raw: raw.to_owned(), reserved });
        }
        for name in TOKEN_NAMES {
            if pieces.iter().filter(|piece| piece.reserved == Some(name)).count() > 1 {
                return Err(ProxyError::AmbiguousToken { name });
            }
        }
        Ok(Self { pieces })
    }

    /// The decoded value of a credential parameter.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let piece = self.pieces.iter().find(|piece| piece.reserved == Some(name))?;
        Some(decoded(value_of(&piece.raw)))
    }

    /// Whether a key stands in a parameter that is no place for one: it would go upstream.
    pub(super) fn has_stray_key(&self) -> bool {
        self.pieces
            .iter()
            .filter(|piece| piece.reserved.is_none())
            .any(|piece| holds_key(fully_decoded(&piece.raw).as_bytes()))
    }

    /// Every credential parameter with its decoded value.
    pub(super) fn credentials(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.pieces
            .iter()
            .filter_map(|piece| Some((piece.reserved?, decoded(value_of(&piece.raw)))))
    }

    /// The decoded value of any other parameter.
    pub(super) fn plain_value(&self, name: &str) -> Option<String> {
        self.pieces
            .iter()
            .find(|piece| piece.raw.split('=').next().map(decoded).as_deref() == Some(name))
            .map(|piece| decoded(value_of(&piece.raw)))
    }

    /// The query to send: credential parameters in `fill` get their value, which is
    /// percent-encoded already, where they stood, or at the end; those in `drop` go away; everything else stays as it came.
    pub(super) fn with(&self, fill: &[(&'static str, &str)], drop: &[&str]) -> String {
        let mut out = String::new();
        let mut push = |text: &str, value: Option<&str>| {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(text);
            let Some(value) = value else { return };
            out.push('=');
            out.push_str(value);
        };
        for piece in &self.pieces {
            let filled =
                piece.reserved.and_then(|name| fill.iter().find(|(fill, _)| *fill == name));
            match filled {
                Some((name, value)) => push(name, Some(value)),
                None if piece.reserved.is_some_and(|name| drop.contains(&name)) => {}
                None => push(&piece.raw, None),
            }
        }
        for (name, value) in fill {
            if !self.pieces.iter().any(|piece| piece.reserved == Some(name)) {
                push(name, Some(value));
            }
        }
        out
    }

    /// The query without any credential, for the record.
    pub(super) fn for_record(&self) -> String {
        self.with(&[], &RESERVED)
    }
}

/// Parameters that hold an access token.
pub(super) const TOKEN_NAMES: [&str; 2] = ["access_token", "component_access_token"];

/// Parameters that hold a secret.
pub(super) const SECRET_NAMES: [&str; 3] = ["secret", "appsecret", "corpsecret"];

const RESERVED: [&str; 5] =
    ["access_token", "component_access_token", "secret", "appsecret", "corpsecret"];

/// The credential parameter that `raw` is, if it is one; an error if it only looks like one.
fn reserved_name(raw: &str) -> Result<Option<&'static str>, ProxyError> {
    let name = raw.split('=').next().unwrap_or_default();
    if let Some(exact) = RESERVED.iter().find(|reserved| **reserved == name) {
        return Ok(Some(exact));
    }
    let disguised =
        raw.split(';').map(|part| part.split('=').next().unwrap_or_default()).find_map(|part| {
            let plain = fully_decoded(part);
            RESERVED.into_iter().find(|reserved| plain.eq_ignore_ascii_case(reserved))
        });
    match disguised {
        Some(name) => Err(ProxyError::AmbiguousToken { name }),
        None => Ok(None),
    }
}

fn value_of(raw: &str) -> &str {
    raw.split_once('=').map_or("", |(_, value)| value)
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Decodes until nothing changes, as careless servers behind each other would, and drops
/// what PHP and others ignore around a name.
fn fully_decoded(text: &str) -> String {
    let mut plain = decoded(text);
    for _ in 0..4 {
        let again = decoded(&plain);
        if again == plain {
            break;
        }
        plain = again;
    }
    plain.trim_matches(|c: char| c.is_whitespace() || c.is_control()).replace(['.', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_put_where_the_caller_had_one_or_at_the_end() {
        for (query, expected) in [
            ("", "access_token=T"),
            ("a=1", "a=1&access_token=T"),
            ("access_token=wxgk_x&b=%20+2", "access_token=T&b=%20+2"),
            ("a=1&access_token=&b", "a=1&access_token=T&b"),
            ("a=1&access_token=%7B%7Baccess_token%7D%7D", "a=1&access_token=T"),
        ] {
            let query = CredentialQuery::parse(query).unwrap();
            assert_eq!(query.with(&[("access_token", "T")], &[]), expected);
        }
        let query = CredentialQuery::parse("a=1&access_token=k&b=2&secret=s").unwrap();
        assert_eq!(query.for_record(), "a=1&b=2");
        assert_eq!(query.value("access_token").as_deref(), Some("k"));
    }

    #[test]
    fn a_second_or_disguised_token_is_refused() {
        for bad in [
            "access_token=a&access_token=b",
            "Access_Token=a",
            "access%5Ftoken=a",
            "access%255ftoken=a",
            "x=1;access_token=b",
            "%61ccess_token=a",
            "a=1&ACCESS_TOKEN=b",
            "access.token=a",
            "+access_token=a",
            "component%5faccess_token=1",
            "SECRET=x",
            "%73ecret=x",
            "x=1;appsecret=b",
        ] {
            assert!(
                matches!(CredentialQuery::parse(bad), Err(ProxyError::AmbiguousToken { .. })),
                "{bad}"
            );
        }
        assert!(CredentialQuery::parse("token=1&access_tokens=2&my_access_token=3").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn everything_but_the_credential_keeps_its_bytes(before in "[a-z]=[ -%'-~]{0,12}", behind in "[b-z]{2}=[ -%'-~]{0,12}") {
            let before = before.replace(';', "");
            let behind = behind.replace(';', "");
            let text = format!("{before}&access_token=K&{behind}");
            let query = CredentialQuery::parse(&text).unwrap();
            proptest::prop_assert_eq!(query.with(&[("access_token", "T")], &[]), format!("{before}&access_token=T&{behind}"));
            proptest::prop_assert_eq!(query.for_record(), format!("{before}&{behind}"));
        }
    }
}
