//! A set of bytes.

/// What spellings consist of: a bit for each byte.
#[derive(Clone, Copy, Default)]
pub(super) struct Alphabet([u64; 4]);

impl Alphabet {
    /// These bytes.
    pub(super) fn of(bytes: impl Iterator<Item = u8>) -> Self {
        let mut alphabet = Self::default();
        for byte in bytes {
            let (word, bit) = Self::place(byte);
            if let Some(bits) = alphabet.0.get_mut(word) {
                *bits |= bit;
            }
        }
        alphabet
    }

    /// Adds those of another.
    pub(super) fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(bits, others)| *bits |= others);
    }

    /// Whether it has this byte.
    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        let (word, bit) = Self::place(byte);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn place(byte: u8) -> (usize, u64) {
        (usize::from(byte >> 6), 1 << (byte & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_what_was_put_in_and_nothing_else() {
        let mut alphabet = Alphabet::of(b"a/\0".iter().copied());
        alphabet.join(&Alphabet::of([0xff].into_iter()));
        let has: Vec<u8> = (0..=u8::MAX).filter(|byte| alphabet.has(*byte)).collect();
        assert_eq!(has, b"\0/a\xff");
    }
}
