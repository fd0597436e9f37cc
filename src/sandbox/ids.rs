//! Streams of ids that a seed makes repeatable.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// A stream of numbers; splitmix64, so that a draw is one atomic addition and no lock.
/// Good enough for ids of a simulator, not for secrets that protect anything.
#[derive(Debug)]
pub(super) struct Ids(AtomicU64);

impl Ids {
    /// The stream called `name` of `seed`. Each thing that is numbered has a stream of its own,
    /// so that one more call of one kind does not move the ids of another.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self(AtomicU64::new(mix(seed ^ fingerprint(name.as_bytes()))))
    }

    /// Where the stream has come to.
    pub(super) fn position(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes on, or back, to a position.
    pub(super) fn turn_to(&self, position: u64) {
        self.0.store(position, Ordering::Relaxed);
    }

    /// The next number.
    pub(super) fn next(&self) -> u64 {
        mix(self.0.fetch_add(STEP, Ordering::Relaxed))
    }

    /// `length` characters of `[A-Za-z0-9_-]`.
    pub(super) fn text(&self, length: usize) -> String {
        let mut out = String::with_capacity(length);
        while out.len() < length {
            let until = length.min(out.len() + CHARACTERS_PER_DRAW);
            push_characters(&mut out, self.next(), until);
        }
        out
    }

    /// The tail of an errmsg: Unix seconds first, then two opaque groups.
    pub(super) fn rid(&self, now_ms: i64) -> String {
        let draw = self.next();
        format!("{:08x}-{:08x}-{:08x}", (now_ms / 1000) as u32, (draw >> 32) as u32, draw as u32)
    }
}

/// A draw from the stream that has come to `position`, and takes it one further.
pub(super) fn draw(position: &mut u64) -> u64 {
    let drawn = mix(*position);
    *position = position.wrapping_add(STEP);
    drawn
}

/// A seed that differs at each start.
pub(super) fn random_seed() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// `length` characters that always belong to the same `bytes`.
pub(super) fn derived_text(bytes: &[u8], length: usize) -> String {
    let ids = Ids(AtomicU64::new(fingerprint(bytes)));
    ids.text(length)
}

/// FNV-1a: the same in every run, which std's hashers do not promise.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn push_characters(out: &mut String, mut draw: u64, until: usize) {
    while out.len() < until {
        out.push(char::from(ALPHABET[(draw & 63) as usize]));
        draw >>= 6;
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The golden ratio in 64 bits, as splitmix64 has it.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// Six bits a character.
const CHARACTERS_PER_DRAW: usize = 10;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_and_name_give_the_same_stream_and_others_do_not() {
        let draw = |seed, name| Ids::new(seed, name).text(40);
        assert_eq!(draw(7, "token"), draw(7, "token"));
        assert_ne!(draw(7, "token"), draw(8, "token"));
        assert_ne!(draw(7, "token"), draw(7, "product"));
        assert_eq!(draw(7, "token").len(), 40);
    }

    #[test]
    fn a_rid_is_three_groups_and_the_first_is_the_second_of_the_call() {
        // The sample of the platform's own page: 617682e0 = 1635156704.
        let rid = Ids::new(1, "rid").rid(1_635_156_704_000);
        assert!(rid.starts_with("617682e0-"), "{rid}");
        assert_eq!(rid.split('-').map(str::len).collect::<Vec<_>>(), [8, 8, 8]);
    }
}
