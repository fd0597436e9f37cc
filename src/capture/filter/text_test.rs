//! A test of a text: a substring, a whole name, or a path pattern.

use memchr::memchr2_iter;

use crate::base::id::{self, RequestId};

/// What a term asks of a text. Letter case does not matter.
#[derive(Clone, Debug)]
pub(in crate::capture) struct TextTest {
    /// Which text of the exchange.
    pub(in crate::capture) field: TextField,
    kind: Kind,
}

/// Which texts a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) enum TextField {
    /// Path, call name, rid, id.
    Word,
    Key,
    Account,
    Path,
    Method,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Lower case.
    Contains(String),
    Equals(String),
    /// Segments; `*` is any one, `**` any number.
    Pattern(Vec<String>),
}

impl TextTest {
    pub(super) fn new(field: TextField, value: &str) -> Self {
        let kind = match field {
            TextField::Word => Kind::Contains(value.to_ascii_lowercase()),
            TextField::Path if value.contains('*') => {
                Kind::Pattern(value.split('/').map(str::to_ascii_lowercase).collect())
            }
            TextField::Path => Kind::Contains(value.to_ascii_lowercase()),
            TextField::Key | TextField::Account | TextField::Method => {
                Kind::Equals(value.to_ascii_lowercase())
            }
        };
        Self { field, kind }
    }

    pub(in crate::capture) fn fits(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Contains(needle) => contains(text.as_bytes(), needle.as_bytes()),
            Kind::Equals(wanted) => text.eq_ignore_ascii_case(wanted),
            Kind::Pattern(pattern) => {
                let segments: Vec<&str> = text.split('/').collect();
                pattern_fits(pattern, &segments)
            }
        }
    }

    /// Whether the id's text contains the needle. Words with a letter that no id has are sorted
    /// out first, because writing a million ids as text takes a while.
    pub(in crate::capture) fn fits_id(&self, id: RequestId) -> bool {
        let Kind::Contains(needle) = &self.kind else { return false };
        if needle.len() > id::LENGTH || !needle.bytes().all(is_id_letter) {
            return false;
        }
        contains(id.text().as_bytes(), needle.as_bytes())
    }
}

/// Crockford's base32 has no i, l, o, u.
fn is_id_letter(byte: u8) -> bool {
    byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"ilou".contains(&byte))
}

/// Substring search that does not look at the case of ASCII letters; `needle` is lower case.
fn contains(text: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
    memchr2_iter(*first, first.to_ascii_uppercase(), &text[..=last_start])
        .any(|at| text[at..at + needle.len()].eq_ignore_ascii_case(needle))
}

/// Two pointers and the last `**` to fall back to: no pattern can make it slow.
fn pattern_fits(pattern: &[String], segments: &[&str]) -> bool {
    let (mut p, mut s) = (0, 0);
    let mut fall_back = None;
    while s < segments.len() {
        match pattern.get(p).map(String::as_str) {
            Some("**") => {
                fall_back = Some((p, s));
                p += 1;
            }
            Some(wanted) if wanted == "*" || wanted.eq_ignore_ascii_case(segments[s]) => {
                p += 1;
                s += 1;
            }
            Some(_) | None => {
                let Some((star, taken)) = fall_back else { return false };
                fall_back = Some((star, taken + 1));
                p = star + 1;
                s = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|rest| rest == "**")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_by_substring_or_by_pattern() {
        for (value, path, fits) in [
            ("/shop/spu", "/shop/spu/add", true),
            ("SPU", "/shop/spu/add", true),
            ("/shop/spu/add/", "/shop/spu/add", false),
            ("/shop/*/add", "/shop/spu/add", true),
            ("/shop/*", "/shop/spu/add", false),
            ("/shop/**", "/shop/spu/add", true),
            ("/**/add", "/shop/spu/add", true),
            ("/**/**/**/x", "/a/b/c/d/e/f", false),
            ("**", "/", true),
        ] {
            assert_eq!(TextTest::new(TextField::Path, value).fits(path), fits, "{value} {path}");
        }
    }

    #[test]
    fn names_are_compared_as_a_whole_and_ids_by_any_part() {
        assert!(TextTest::new(TextField::Key, "Alice").fits("alice"));
        assert!(!TextTest::new(TextField::Key, "alic").fits("alice"));
        let id: RequestId = "01KAN8MBSXE3TNYPDCVF6G2Q7H".parse().unwrap();
        assert!(TextTest::new(TextField::Word, "sxe3t").fits_id(id));
        assert!(!TextTest::new(TextField::Word, "sxe3u").fits_id(id));
        assert!(!TextTest::new(TextField::Word, "手").fits_id(id));
    }
}
