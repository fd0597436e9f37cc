//! A credential as a type, so that it cannot be printed by accident.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A credential. It is wiped from memory when dropped, and no formatter prints it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `text`, so that no second copy of it stays behind.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The credential itself. `tests/secrets.rs` lists the files that may write this word.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same text, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }

    /// The first four hex digits of the SHA-256, as `fp:9c1e`: enough to tell two tokens
    /// apart in a log, useless to anybody who wants to know one.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Sha256::digest(self.0.as_bytes());
        Fingerprint([digest[0], digest[1]])
    }
}

/// Derived `Debug` of a parent struct ends here, so a stray `?config` cannot leak.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Stands for a token wherever people look: `fp:` and four hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 2]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fp:{:02x}{:02x}", self.0[0], self.0[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_the_credential() {
        let secret = Secret::new("very-secret".into());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(secret.fingerprint().to_string().starts_with("fp:"));
        assert!(secret.matches(b"very-secret") && !secret.matches(b"very-secre"));
    }
}
