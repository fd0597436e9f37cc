//! The JSON body of a control call.

use serde::Deserialize;
use serde_json::error::Category;

/// Reads it. An error says what the body is instead, or which field does not fit.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err("the body is empty; this call wants JSON".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Eof => format!("the body ends too early, its JSON is not whole: {error}"),
        Category::Syntax | Category::Io => format!("the body is no JSON: {error}"),
        Category::Data => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_body_is_told_in_words() {
        let wrong = |body: &str| read::<Value>(body.as_bytes()).unwrap_err();
        assert_eq!(wrong(" "), "the body is empty; this call wants JSON");
        assert!(wrong(r#"{"a":"#).starts_with("the body ends too early, its JSON is not whole: "));
        assert!(wrong("{a}").starts_with("the body is no JSON: "));
        assert!(read::<u8>(b"\"x\"").unwrap_err().contains("expected u8"));
        assert_eq!(read::<u8>(b"7"), Ok(7));
    }
}
