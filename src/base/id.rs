//! Request ids: a `UUIDv7` written as a ULID, so that text order is time order.

use std::{
    cell::RefCell,
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    clock::{Clock as _, SystemClock},
    short_text::ShortText,
};

/// Names one request and its exchange. 26 characters of Crockford's base32 as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u128);

impl RequestId {
    /// A new id; ids made later in this process sort behind it.
    ///
    /// RFC 9562 section 5.7, with the time to 1/4096 ms (section 6.2, method 3) and 62 random
    /// bits. Who knows one id cannot guess another.
    #[must_use]
    pub fn new() -> Self {
        Self::at(SystemClock.now())
    }

    /// The same for whoever has looked at the clock already.
    #[must_use]
    pub fn at(now: SystemTime) -> Self {
        let ticks = next_ticks(now);
        let (ms, fraction) = (u128::from(ticks >> 12), u128::from(ticks & 0xfff));
        let random = u128::from(random() >> 2);
        Self(ms << 80 | VERSION << 76 | fraction << 64 | VARIANT << 62 | random)
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

    /// The 26 characters, without an allocation.
    #[must_use]
    pub fn text(self) -> ShortText<LENGTH> {
        let mut text = ShortText::new();
        // In two halves of 63 and 65 bits: arithmetic on 128 bits is slow.
        let (front, back) = ((self.0 >> 65) as u64, (self.0 >> 5) as u64 & (u64::MAX >> 4));
        (0..13).rev().for_each(|place| text.push(digit(front >> (5 * place))));
        (0..12).rev().for_each(|place| text.push(digit(back >> (5 * place))));
        text.push(digit(self.0 as u64));
        text
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
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

/// The character of the lowest five bits.
fn digit(bits: u64) -> u8 {
    ALPHABET[(bits & 31) as usize]
}

/// `now` in 1/4096 ms, or one more than it was last time: no two ids share it.
fn next_ticks(now: SystemTime) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let fraction = u64::from(since.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
    let now = (ms << 12 | fraction) & TICKS_MOST;
    let next = |last: u64| Some(now.max(last + 1) & TICKS_MOST);
    // The closure always says yes.
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(now);
    next(last).unwrap_or(now)
}

/// 64 bits from the system's random source, which is asked once for many ids.
fn random() -> u64 {
    thread_local! {
        static STOCK: RefCell<Vec<u64>> = RefCell::default();
    }
    STOCK.with_borrow_mut(|stock| {
        if stock.is_empty() {
            let mut bytes = [0; STOCKED * 8];
            // It fails only where the system has no entropy at all; ids still differ then.
            let _ = aws_lc_rs::rand::fill(&mut bytes);
            let words = bytes.chunks_exact(8).filter_map(|bytes| bytes.first_chunk());
            stock.extend(words.map(|bytes| u64::from_le_bytes(*bytes)));
        }
        stock.pop().unwrap_or(0)
    })
}

/// Bits that tell a `UUIDv7` (RFC 9562 section 4).
const VERSION: u128 = 7;
const VARIANT: u128 = 2;

/// 48 bits of milliseconds and 12 of their fraction.
const TICKS_MOST: u64 = (1 << 60) - 1;

const STOCKED: usize = 32;

/// Characters of an id.
pub const LENGTH: usize = 26;
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
    fn ids_of_many_threads_all_differ_and_are_uuids_of_version_7() {
        let make = || (0..1000).map(|_| RequestId::new()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let mut all: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        assert!(all.chunks(1000).all(|ids| ids.is_sorted()));
        for id in &all {
            let uuid = uuid::Uuid::from_u128(id.0);
            assert_eq!(uuid.get_version_num(), 7);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
            assert!(id.unix_ms().abs_diff(SystemClock.unix_ms().unsigned_abs()) < 60_000);
        }
        all.sort_unstable();
        all.dedup_by_key(|id| id.0 >> 64);
        assert_eq!(all.len(), 4000, "each has a moment of its own");
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
