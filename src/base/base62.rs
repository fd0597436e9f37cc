//! Base62 as keys use it: digits, then upper case, then lower case.

/// In order of value, 0 to 61; also the order of ASCII, so that text order is number order.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `byte` is one of the 62 digits.
#[must_use]
pub fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// The last `N` digits of `value`, most significant first, padded with `0`.
#[must_use]
pub fn encode<const N: usize>(mut value: u64) -> [u8; N] {
    let mut out = [b'0'; N];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(value % 62) as usize];
        value /= 62;
    }
    out
}

/// The digit that a random byte stands for. A byte from 248 up stands for none: 248 is the
/// largest multiple of 62, and a plain remainder would make the first eight digits likelier.
#[must_use]
pub fn unbiased_digit(random: u8) -> Option<char> {
    (random < 248).then(|| char::from(ALPHABET[usize::from(random % 62)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_most_significant_digit_first_and_padded() {
        assert_eq!(&encode::<6>(0), b"000000");
        assert_eq!(&encode::<6>(61), b"00000z");
        assert_eq!(&encode::<6>(62), b"000010");
        assert_eq!(&encode::<6>(u64::from(u32::MAX)), b"4gfFC3", "a CRC-32 always fits");
    }

    #[test]
    fn every_digit_stands_for_exactly_four_random_bytes() {
        let digits: Vec<char> = (0..=u8::MAX).filter_map(unbiased_digit).collect();
        assert_eq!(digits.len(), 248);
        for digit in ALPHABET {
            let count = digits.iter().filter(|d| **d == char::from(*digit)).count();
            assert_eq!(count, 4, "{}", char::from(*digit));
        }
    }
}
