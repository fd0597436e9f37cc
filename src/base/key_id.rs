//! The id of a key: the part that may be shown, logged and stored.

use std::{fmt, str::FromStr};

use super::base62;

/// Ten base62 digits. Random for a key of the database, taken from the hash for a fixed key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; LENGTH]);

impl KeyId {
    /// How many digits an id has.
    pub const LENGTH: usize = LENGTH;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A fixed key's id. The config has only the hash of the key, not its text, so the id is
    /// made from the first eight bytes of the hash and is the same after every start.
    #[must_use]
    pub fn of_hash(sha256: &[u8; 32]) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&sha256[..8]);
        Self(base62::encode(u64::from_be_bytes(first)))
    }

    /// Picks one of `shards`. The digits of an id are random, so no shard gets more than half
    /// as much again as its share.
    #[must_use]
    pub fn shard(self, shards: usize) -> usize {
        (usize::from(self.0[8]) * 62 + usize::from(self.0[9])) % shards
    }
}

impl FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        let digits: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| NotAKeyId)?;
        if digits.iter().copied().all(base62::is_digit) { Ok(Self(digits)) } else { Err(NotAKeyId) }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The text is not the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key has 10 letters and digits, as in 4fZ0aQ81bC")]
pub struct NotAKeyId;

const LENGTH: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_ten_letters_and_digits() {
        assert_eq!("4fZ0aQ81bC".parse::<KeyId>().unwrap().to_string(), "4fZ0aQ81bC");
        for bad in ["", "4fZ0aQ81b", "4fZ0aQ81bCC", "4fZ0aQ81b-", "4fZ0aQ81é"] {
            assert_eq!(bad.parse::<KeyId>(), Err(NotAKeyId), "{bad}");
        }
    }

    #[test]
    fn the_id_of_a_hash_is_an_id_and_tells_hashes_apart() {
        let (a, b) = (KeyId::of_hash(&[1; 32]), KeyId::of_hash(&[2; 32]));
        assert_ne!(a, b);
        assert_eq!(a.as_str().parse(), Ok(a));
    }

    #[test]
    fn ids_spread_over_all_shards_about_evenly() {
        let mut seen = [0_u32; 256];
        for n in 0..62_u64 * 62 {
            seen[KeyId(base62::encode(n)).shard(256)] += 1;
        }
        assert!(seen.iter().all(|n| (8..=22).contains(n)), "{seen:?}");
    }
}
