//! The spellings in which a secret can turn up.

use std::fmt::Write as _;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

/// Raw, hex in both cases, base64 at three offsets in two alphabets, percent and JSON form
/// where they differ. Each stands alone: a longer text that holds the secret holds one of them.
pub(super) fn forms(secret: &str) -> Vec<Vec<u8>> {
    let raw = secret.as_bytes();
    let mut all = vec![raw.to_vec(), hex(raw, false), hex(raw, true)];
    for offset in 0..3 {
        all.push(base64_inside(&BASE64_STANDARD_NO_PAD, raw, offset));
        all.push(base64_inside(&BASE64_URL_SAFE_NO_PAD, raw, offset));
    }
    all.push(percent(secret));
    all.push(json(secret, false));
    all.push(json(secret, true));
    all.sort_unstable();
    all.dedup();
    all
}

fn hex(raw: &[u8], upper: bool) -> Vec<u8> {
    let mut out = String::with_capacity(raw.len() * 2);
    for byte in raw {
        let _ = if upper { write!(out, "{byte:02X}") } else { write!(out, "{byte:02x}") };
    }
    out.into_bytes()
}

/// The characters of a base64 text that depend on nothing but the secret, when the secret
/// begins `offset` bytes into a group of three.
fn base64_inside(engine: &impl Engine, raw: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(raw);
    let encoded = engine.encode(&padded).into_bytes();
    // A character carries six bits: those that touch bytes before or behind the secret go.
    let begin = (offset * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    encoded[begin..end].to_vec()
}

fn percent(raw: &str) -> Vec<u8> {
    super::percent::query_value(raw).into_owned().into_bytes()
}

fn json(secret: &str, escape_slash: bool) -> Vec<u8> {
    let quoted = serde_json::to_string(secret).unwrap_or_default();
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let inner = if escape_slash { inner.replace('/', "\\/") } else { inner.to_owned() };
    inner.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::{redact::Redactor, secret::Secret};

    proptest! {
        #[test]
        fn no_spelling_of_a_secret_survives(
            secret in "[A-Za-z0-9_/+=-]{16,160}", before in ".{0,40}", behind in ".{0,40}",
        ) {
            let redactor = Redactor::new();
            redactor.protect("test", &Secret::new(secret.clone()));
            for form in forms(&secret) {
                let form = String::from_utf8(form).unwrap();
                let text = format!("{before}{form}{behind}");
                let masked = redactor.text(&text);
                prop_assert!(!masked.contains(&form), "{form} in {masked}");
                prop_assert_eq!(masked.len(), text.len());
            }
            let text = format!("{before}{secret}{behind}");
            let encoded = BASE64_STANDARD_NO_PAD.encode(&text);
            let masked = redactor.text(&encoded).into_owned();
            prop_assert!(!masked.contains(&secret));
            prop_assert!(masked.matches('*').count() + 3 >= secret.len() * 8 / 6, "{masked}");
        }

        #[test]
        fn the_beginning_of_a_secret_at_the_end_is_undecided(secret in "[A-Za-z0-9_-]{16,160}", cut in 1_usize..160) {
            let redactor = Redactor::new();
            redactor.protect("test", &Secret::new(secret.clone()));
            let cut = cut.min(secret.len() - 1);
            let text = format!("{{\"a\":\"{}", &secret[..cut]);
            prop_assert!(redactor.undecided(text.as_bytes()) >= cut);
        }
    }

    #[test]
    fn a_run_of_prefixes_is_one_shape_and_each_byte_is_looked_at_once() {
        let redactor = Redactor::new();
        let text = "wxgk_".repeat(200_000);
        let found = redactor.find(text.as_bytes());
        // Ranges follow each other and never overlap, so the work is linear.
        assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start), "{}", found.len());
        assert!(redactor.text(&text).matches("wxgk_wxgk_").next().is_none());
    }

    #[test]
    fn shapes_are_masked_without_being_known_and_words_are_not() {
        let redactor = Redactor::new();
        assert_eq!(redactor.text("a wxgk_0123456789_abc b"), "a wxgk_************** b");
        assert_eq!(
            redactor.text("keys begin with wxgk_ and wxgt_…"),
            "keys begin with wxgk_ and wxgt_…"
        );
    }
}
