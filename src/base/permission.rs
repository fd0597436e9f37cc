//! What a key may do: role, lane, error style. The words of the product, with their spelling.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Makes an enum whose values have one spelling in config, database, JSON and on the command line.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value's one spelling.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| UnknownWord {
                    given: text.to_owned(),
                    choices: Self::ALL.iter().map(|value| value.as_str()).collect(),
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Who a key belongs to.
    Role {
        /// Calls the accounts of the key.
        Developer = "developer",
        /// Manages keys and may do everything but dangerous calls.
        Operator = "operator",
        /// Sees lists, forwards nothing.
        Viewer = "viewer",
    }
}

words! {
    /// How far a key's calls reach.
    Lane {
        /// The real platform, everything but dangerous calls.
        Live = "live",
        /// The real platform, only calls that the catalogue knows to read.
        ReadOnly = "read-only",
        /// The account's shadow in the sandbox; no real credential is ever resolved.
        Sandbox = "sandbox",
    }
}

words! {
    /// How the gateway's own refusals look to the caller.
    ErrorStyle {
        /// With the HTTP status of the error code.
        Http = "http",
        /// With HTTP 200, for SDKs that treat any other status as a transport failure.
        Wechat = "wechat",
    }
}

/// A word that stands nowhere in the list of choices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not one of: {}", choices.join(", "))]
pub struct UnknownWord {
    /// What was written.
    pub given: String,
    /// What could have been written.
    pub choices: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_is_written_and_a_wrong_one_names_the_choices() {
        for lane in Lane::ALL {
            assert_eq!(lane.as_str().parse(), Ok(*lane));
        }
        let error = "readonly".parse::<Lane>().unwrap_err();
        assert_eq!(error.to_string(), "`readonly` is not one of: live, read-only, sandbox");
    }
}
