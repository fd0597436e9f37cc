//! Names of accounts and keys: short, lower case, safe in a path, a label and a file name.

use std::{fmt, str::FromStr, sync::Arc};

/// A name of the form `[a-z0-9][a-z0-9-]{0,31}`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared text, for whoever keeps it in a record.
    #[must_use]
    pub fn to_arc(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let good = match text.as_bytes() {
            [first, rest @ ..] => {
                is_plain(*first)
                    && rest.len() < 32
                    && rest.iter().all(|b| is_plain(*b) || *b == b'-')
            }
            [] => false,
        };
        if good { Ok(Self(text.into())) } else { Err(BadName(text.to_owned())) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: 1 to 32 of a-z, 0-9 and -, the first no -")]
pub struct BadName(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_and_do_not_begin_with_a_dash() {
        for good in ["a", "shop", "0-9", &"a".repeat(32)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", "-", "-a", "Shop", "a_b", "a.b", "店", &"a".repeat(33)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
