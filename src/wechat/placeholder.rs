//! What stands where a credential should be.

/// Whether a decoded parameter holds no credential at all: nothing, a template that was not
/// filled in, or the word of the documentation.
///
/// Documentation, SDKs and Postman collections write these; none can be a token of the
/// platform, whose tokens are longer than any of the words and hold no brace.
#[must_use]
pub fn is_placeholder(decoded: &str) -> bool {
    let text = decoded.trim();
    text.is_empty()
        || (text.len() >= 4 && text.starts_with("{{") && text.ends_with("}}"))
        || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `ACCESS_TOKEN` and `TOKEN` stand in the documentation's URLs; `undefined` and `null` are what
/// a script writes that has no token.
const WORDS: [&str; 4] = ["ACCESS_TOKEN", "TOKEN", "undefined", "null"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_the_words_of_the_documentation_are_placeholders() {
        for text in [
            "",
            " ",
            "{{}}",
            "{{access_token}}",
            "{{ token }}",
            "{{a}}_{{b}}",
            "ACCESS_TOKEN",
            "access_token",
            "TOKEN",
            "undefined",
            "null",
            "Null",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn anything_that_may_be_a_credential_is_none() {
        for text in [
            "0",
            "{",
            "{}",
            "{{",
            "{{}",
            "{token}",
            "ACCESS_TOKEN1",
            "MY_TOKEN",
            "none",
            "75_Abc-def_0123456789",
            "wxgk_0123456789_x",
            "{{a}}b",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
