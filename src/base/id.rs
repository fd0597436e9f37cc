//! Request ids: a `UUIDv7` written as a ULID, so that text order is time order.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Names one request and its exchange. 26 characters of Crockford's base32 as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u128);

impl RequestId {
    /// A new id; ids made later in this process sort behind it.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7().as_u128())
    }

    /// The sixteen bytes, most significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The inverse of [`RequestId::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Milliseconds since 1970 at which the id was made.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        (self.0 >> 80) as u64
    }

    fn text(self) -> [u8; LENGTH] {
        let mut out = [0; LENGTH];
        let mut rest = self.0;
        for slot in out.iter_mut().rev() {
            *slot = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        out
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RequestId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bytes = text.as_bytes();
        // The first character carries three bits only: 25 * 5 + 3 = 128.
        if bytes.len() != LENGTH || bytes[0] > b'7' {
            return Err(NotAnId);
        }
        let digit = |byte: &u8| ALPHABET.iter().position(|a| *a == byte.to_ascii_uppercase());
        let mut value = 0_u128;
        for byte in bytes {
            value = (value << 5) | digit(byte).ok_or(NotAnId)? as u128;
        }
        Ok(Self(value))
    }
}

impl serde::Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RequestId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not a request id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request id has 26 letters and digits, as in 01KAN8MBSXE3TNYPDCVF6G2Q7H")]
pub struct NotAnId;

const LENGTH: usize = 26;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_survives_text_in_either_case_and_sorts_by_time() {
        let (first, second) = (RequestId::new(), RequestId::new());
        assert!(first.to_string() < second.to_string());
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(first.to_string().to_lowercase().parse(), Ok(first));
        assert_eq!(RequestId::from_bytes(first.to_bytes()), first);
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for bad in [
            "",
            "01KAN8MBSXE3TNYPDCVF6G2Q7",
            "01KAN8MBSXE3TNYPDCVF6G2Q7U",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ] {
            assert_eq!(bad.parse::<RequestId>(), Err(NotAnId), "{bad}");
        }
    }
}
