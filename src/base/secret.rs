//! A credential as a type, so that it cannot be printed by accident.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::short_text::ShortText;

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

impl Fingerprint {
    /// `fp:9c1e`, without an allocation.
    #[must_use]
    pub fn text(self) -> ShortText<7> {
        let mut text = ShortText::new();
        b"fp:".iter().for_each(|byte| text.push(*byte));
        for byte in self.0 {
            [byte >> 4, byte & 15].iter().for_each(|digit| text.push(HEX[usize::from(*digit)]));
        }
        text
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_the_credential() {
        let secret = Secret::new("very-secret".into());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        let shown = secret.fingerprint().to_string();
        assert!(
            shown.starts_with("fp:") && u16::from_str_radix(&shown[3..], 16).is_ok(),
            "{shown}"
        );
        assert!(secret.matches(b"very-secret") && !secret.matches(b"very-secre"));
    }
}
