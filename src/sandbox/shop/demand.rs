//! What a call demands of its fields beyond their types.

use super::fields::{Fields, number, text};
use crate::sandbox::{refusal::Refusal, settings::Settings};

/// A wrong argument of a call whose documents name no code for it.
pub(in crate::sandbox) fn wrong(settings: &Settings, what: impl std::fmt::Display) -> Refusal {
    Refusal::with(settings.component.argument_errcode, what)
}

/// The simulator's own bounds, answered as the platform answers when it cannot cope.
pub(in crate::sandbox) fn full() -> Refusal {
    Refusal::with(-1, "the sandbox is full, reset it")
}

/// Text that names something, short enough to be kept.
pub(in crate::sandbox) fn name<'a>(
    fields: &'a Fields,
    place: &str,
    settings: &Settings,
) -> Result<&'a str, Refusal> {
    let given = text(fields, place).filter(|text| text.len() <= MOST_NAME_BYTES);
    let most = MOST_NAME_BYTES;
    given.ok_or_else(|| wrong(settings, format_args!("{place} is 1 to {most} bytes of text")))
}

/// Whether it looks like the openid of a user: `o` and 27 more characters.
pub(in crate::sandbox) fn is_openid(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == 28 && text.starts_with('o') && text.bytes().all(is_sign)
}

/// A window of a list: what to skip and how much to show at most. A missing `offset` is 0, a
/// missing size the largest.
pub(in crate::sandbox) fn window(
    fields: &Fields,
    size: &str,
    most: usize,
    settings: &Settings,
) -> Result<(usize, usize), Refusal> {
    let read = |place: &str| number(fields, place).and_then(|given| usize::try_from(given).ok());
    let shown = if fields.contains_key(size) { read(size) } else { Some(most) };
    let shown = shown.filter(|shown| (1..=most).contains(shown));
    let shown = shown.ok_or_else(|| wrong(settings, format_args!("{size} is from 1 to {most}")))?;
    Ok((read("offset").unwrap_or_default(), shown))
}

/// Longer than any id of the platform, and as long as the longest of a merchant.
const MOST_NAME_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fields(value: &Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn openids_are_told_from_other_text() {
        assert!(is_openid("oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw"));
        for other in ["", "o1", "xQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw", "oQx7V5N2dGk9RfJ6yHtU4vXcZ1L店"] {
            assert!(!is_openid(other), "{other}");
        }
    }

    #[test]
    fn a_window_has_a_size_between_one_and_the_largest() {
        let settings = Settings::default();
        let read = |value: Value| window(&fields(&value), "limit", 10, &settings);
        assert_eq!(read(json!({"limit": 3, "offset": 7})), Ok((7, 3)));
        assert_eq!(read(json!({})), Ok((0, 10)));
        for bad in [json!({"limit": 0}), json!({"limit": 11}), json!({"limit": "3"})] {
            assert_eq!(read(bad).unwrap_err().errcode, 40097);
        }
        let long = "x".repeat(MOST_NAME_BYTES + 1);
        assert!(name(&fields(&json!({"id": long})), "id", &settings).is_err());
        assert_eq!(name(&fields(&json!({"id": "A"})), "id", &settings), Ok("A"));
    }
}
