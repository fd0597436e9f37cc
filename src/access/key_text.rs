//! The text of a key: what a person or machine holds, and nobody else.
//!
//! `wxgk_` + 10 digits id + `_` + 43 digits secret + 6 digits checksum; digits are base62
//! (`0-9A-Za-z`). 43 random digits carry 256 bits. The checksum is the CRC-32 (IEEE) of all
//! 59 characters before it, as a number in base62, most significant digit first, padded with
//! `0`. It tells a typing error from a wrong key, and secret scanners a key from noise.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{base62, key_id::KeyId};
use crate::base::secret::Secret;

/// A well-formed key. Whether it opens anything is known by the [`KeyRing`](super::KeyRing).
#[derive(Clone)]
pub struct KeyText {
    text: Secret,
    id: KeyId,
}

impl KeyText {
    /// A new key from the system's random source.
    ///
    /// # Panics
    /// Never in practice: aws-lc waits for the system's entropy, and aborts the process where
    /// there is none.
    #[must_use]
    pub fn generate() -> Self {
        // The right size from the start: a string that grows leaves copies of the secret behind.
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        push_random_digits(&mut text, KeyId::LENGTH);
        text.push('_');
        push_random_digits(&mut text, SECRET_DIGITS);
        let checksum = checksum(text.as_bytes());
        text.extend(checksum.map(char::from));
        let id = read(&text).expect("a key that was just made is well-formed");
        Self { text: Secret::new(text), id }
    }

    /// Reads a key, and finds typing errors by its checksum.
    ///
    /// # Errors
    /// [`Malformed`] when the text cannot be a key of any installation.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let id = read(text)?;
        Ok(Self { text: Secret::new(text.to_owned()), id })
    }

    /// The part that may be shown.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// SHA-256 of the whole text: what is stored in its place.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.text.expose())
    }

    /// The whole key: for its holder, this one time. Nothing else may print it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose()
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({}, ..)", self.id)
    }
}

/// Whether `text` claims to be a key, so that an error may speak of a damaged key.
#[must_use]
pub fn looks_like_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Why a text is not a key. Says nothing of the text itself, which may be a real secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Something else altogether.
    #[error("a key begins with wxgk_")]
    Prefix,
    /// Cut off, or pasted with something around it.
    #[error("a key has 65 characters, this one has {given}: was it copied as a whole?")]
    Length {
        /// How many it has.
        given: usize,
    },
    /// A character that no key has, or the second `_` in the wrong place.
    #[error("a key consists of letters, digits and two underscores")]
    Alphabet,
    /// The checksum does not fit: at least one character is wrong.
    #[error("the key has a typing error: its checksum does not fit")]
    Checksum,
}

/// Checks the form of `text` without a copy of it, and finds its id.
pub(super) fn read(text: &str) -> Result<KeyId, Malformed> {
    let rest = text.strip_prefix(PREFIX).ok_or(Malformed::Prefix)?;
    if text.len() != LENGTH {
        return Err(Malformed::Length { given: text.chars().count() });
    }
    let (id, digits) = rest.split_once('_').ok_or(Malformed::Alphabet)?;
    let id = id.parse().map_err(|_| Malformed::Alphabet)?;
    if !digits.bytes().all(base62::is_digit) {
        return Err(Malformed::Alphabet);
    }
    // Everything is ASCII by now and of the right length, so this split always succeeds.
    let (body, check) =
        text.as_bytes().split_last_chunk::<CHECKSUM_DIGITS>().ok_or(Malformed::Checksum)?;
    if *check == checksum(body) { Ok(id) } else { Err(Malformed::Checksum) }
}

/// SHA-256 of a key's text.
pub(super) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    base62::encode(u64::from(crc32fast::hash(body)))
}

fn push_random_digits(text: &mut String, count: usize) {
    let random = SystemRandom::new();
    let mut missing = count;
    while missing > 0 {
        let mut bytes = Zeroizing::new([0_u8; SECRET_DIGITS]);
        random.fill(bytes.as_mut()).expect("aws-lc has random bytes or aborts");
        for digit in bytes.iter().copied().filter_map(base62::unbiased_digit).take(missing) {
            text.push(digit);
            missing -= 1;
        }
    }
}

const PREFIX: &str = "wxgk_";
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
const LENGTH: usize = PREFIX.len() + KeyId::LENGTH + 1 + SECRET_DIGITS + CHECKSUM_DIGITS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_key_is_read_back_and_no_two_are_alike() {
        let (one, two) = (KeyText::generate(), KeyText::generate());
        let text = one.reveal();
        assert_eq!(text.len(), 65);
        let again = KeyText::parse(text).unwrap();
        assert_eq!((again.id(), again.sha256()), (one.id(), one.sha256()));
        assert_ne!(one.id(), two.id());
        assert_ne!(one.sha256(), two.sha256());
    }

    /// A worked example, so that another implementation can be checked against this one.
    #[test]
    fn the_checksum_is_crc32_in_padded_base62() {
        let body = format!("wxgk_0123456789_{}", "A".repeat(43));
        let crc = crc32fast::hash(body.as_bytes());
        let mut digits = String::new();
        let mut rest = crc;
        for _ in 0..6 {
            let digit = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                [(rest % 62) as usize];
            digits.insert(0, char::from(digit));
            rest /= 62;
        }
        assert_eq!(KeyText::parse(&(body + &digits)).unwrap().id().as_str(), "0123456789");
    }

    #[test]
    fn debug_output_never_holds_the_secret() {
        let key = KeyText::generate();
        let secret = &key.reveal()[16..];
        assert!(!format!("{key:?}").contains(secret));
        assert!(format!("{key:?}").contains(key.id().as_str()));
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said() {
        let key = KeyText::generate();
        let text = key.reveal();
        assert_eq!(KeyText::parse("").unwrap_err(), Malformed::Prefix);
        assert_eq!(KeyText::parse("wxgt_x").unwrap_err(), Malformed::Prefix);
        assert_eq!(KeyText::parse(&text[..64]).unwrap_err(), Malformed::Length { given: 64 });
        assert_eq!(
            KeyText::parse(&format!("{text}\n")).unwrap_err(),
            Malformed::Length { given: 66 }
        );
        let moved = format!("wxgk_{}_{}", &text[5..14], &text[15..]).replace('_', "-");
        assert_eq!(KeyText::parse(&moved).unwrap_err(), Malformed::Prefix);
        let no_separator = format!("{}0{}", &text[..15], &text[16..]);
        assert_eq!(KeyText::parse(&no_separator).unwrap_err(), Malformed::Alphabet);
        assert!(looks_like_key(&no_separator) && !looks_like_key("wxgt_"));
    }

    proptest! {
        #[test]
        fn no_single_changed_character_is_ever_accepted(at in 0_usize..65, to in any::<char>()) {
            let key = KeyText::generate();
            let text = key.reveal();
            let changed: String =
                text.chars().enumerate().map(|(i, c)| if i == at { to } else { c }).collect();
            prop_assume!(changed != text);
            prop_assert!(KeyText::parse(&changed).is_err());
        }

        #[test]
        fn swapped_neighbours_are_noticed(at in 16_usize..64) {
            let key = KeyText::generate();
            let mut bytes = key.reveal().as_bytes().to_vec();
            prop_assume!(bytes[at] != bytes[at + 1]);
            bytes.swap(at, at + 1);
            prop_assert!(KeyText::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(wxgk_)?\\PC{0,80}") {
            let _ = KeyText::parse(&text);
        }
    }
}
