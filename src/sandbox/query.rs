//! A query string, decoded.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The parameters in their order.
#[derive(Debug, Default)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Never fails: what is not a pair is a name without a value, bytes that are not UTF-8 are
    /// replaced.
    pub(super) fn parse(text: &'a str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(MOST_PARAMETERS);
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect(),
        )
    }

    /// The first value of `name`; an empty one counts as missing.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty())
    }

    /// The token that a call is made with; third-party platforms write the second name.
    pub(super) fn token(&self) -> Option<&str> {
        self.value("access_token").or_else(|| self.value("component_access_token"))
    }
}

/// Copies only where something is encoded.
fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// No call has more than a dozen.
const MOST_PARAMETERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_an_empty_one_is_missing() {
        let query = Query::parse("a=1&b=%E5%BA%97+x&c=&d&&%61%62=2&a=3");
        assert_eq!(query.value("a"), Some("1"));
        assert_eq!(query.value("b"), Some("店 x"));
        assert_eq!(query.value("ab"), Some("2"));
        for missing in ["c", "d", "e", ""] {
            assert_eq!(query.value(missing), None, "{missing}");
        }
        assert_eq!(Query::parse("x=%ff%").value("x"), Some("\u{fffd}%"));
    }
}
