//! The spellings of a secret that no escape explains: raw, hex, base64.

use std::cmp::Ordering;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

/// One spelling. Wiped when dropped, like the secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// In lower case, if `is_hex`.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Digits of base 16, which mean the same in either letter case.
    pub(super) is_hex: bool,
}

impl Form {
    fn exact(bytes: Vec<u8>) -> Self {
        Self { bytes: Zeroizing::new(bytes), is_hex: false }
    }

    fn hex(mut bytes: Vec<u8>) -> Self {
        bytes.make_ascii_lowercase();
        Self { bytes: Zeroizing::new(bytes), is_hex: true }
    }

    /// Whether `text` begins with this spelling; in any letter case, if so wished.
    pub(super) fn begins(&self, text: &[u8], any_case: bool) -> bool {
        let Some(begin) = text.get(..self.bytes.len()) else { return false };
        if self.is_hex || any_case {
            begin.eq_ignore_ascii_case(&self.bytes)
        } else {
            begin == &**self.bytes
        }
    }
}

/// By their bytes, so that those with the same beginning stand together.
impl Ord for Form {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_bytes = self.bytes.as_slice().cmp(other.bytes.as_slice());
        by_bytes.then(self.is_hex.cmp(&other.is_hex))
    }
}

impl PartialOrd for Form {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Raw, hex, base64 at three offsets in two alphabets. Each stands alone: a longer text that
/// holds the secret holds one of them. Percent and JSON escapes are no forms: they may stand for
/// any of the characters, so they are resolved in the text (`redact_escapes`).
pub(super) fn forms(secret: &str) -> Vec<Form> {
    let raw = secret.as_bytes();
    // An AppSecret is a number in base 16.
    let is_hex = raw.iter().all(u8::is_ascii_hexdigit);
    let mut all = vec![
        if is_hex { Form::hex(raw.to_vec()) } else { Form::exact(raw.to_vec()) },
        Form::hex(hex_digits(raw)),
    ];
    for offset in 0..3 {
        all.push(Form::exact(base64_inside(&BASE64_STANDARD_NO_PAD, raw, offset)));
        all.push(Form::exact(base64_inside(&BASE64_URL_SAFE_NO_PAD, raw, offset)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn hex_digits(raw: &[u8]) -> Vec<u8> {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |c| c as u8);
    raw.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The characters of a base64 text that depend on nothing but the secret, when the secret
/// begins `offset` bytes into a group of three.
fn base64_inside(engine: &impl Engine, raw: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = Zeroizing::new(vec![0; offset]);
    padded.extend_from_slice(raw);
    let mut encoded = Zeroizing::new(engine.encode(&padded)).as_bytes().to_vec();
    // A character carries six bits: those that touch bytes before or behind the secret go.
    encoded.truncate(padded.len() * 8 / 6);
    encoded.drain(..(offset * 8).div_ceil(6));
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_stands_in_whatever_holds_the_secret() {
        let secret = "81_a-secret.of/some+kind~0123456";
        let all = forms(secret);
        let holds = |text: &[u8]| {
            (0..text.len()).any(|at| all.iter().any(|form| form.begins(&text[at..], false)))
        };
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{secret}?");
            assert!(holds(text.as_bytes()));
            assert!(holds(BASE64_STANDARD_NO_PAD.encode(&text).as_bytes()), "{before}");
            assert!(holds(BASE64_URL_SAFE_NO_PAD.encode(&text).as_bytes()), "{before}");
        }
        let mixed: String = secret.bytes().map(|byte| format!("{byte:X}")).collect();
        assert!(holds(mixed.as_bytes()) && holds(mixed.replace('F', "f").as_bytes()));
        assert!(!holds(secret.to_uppercase().as_bytes()), "letter case means something");
    }

    #[test]
    fn a_secret_of_hex_digits_is_the_same_in_either_letter_case() {
        let all = forms("0123456789abcdef0123456789abcdef");
        assert!(all.iter().any(|form| form.begins(b"0123456789ABCDEF0123456789abcdEF!", false)));
    }
}
