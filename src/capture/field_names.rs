//! A set of field names whose values are to be hidden, compared without regard to letter case.

/// Names of JSON fields, form fields and query parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldNames {
    /// A look-up compares two or three names at most.
    by_length: Vec<SameLength>,
}

/// Names of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SameLength {
    /// A bit for each first letter: every field of every body is looked up, and hardly one gets
    /// beyond this.
    beginnings: u64,
    names: Vec<Box<[u8]>>,
}

impl FieldNames {
    /// A set of these names; empty ones are left out.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::default();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            if set.by_length.len() <= name.len() {
                set.by_length.resize(name.len() + 1, SameLength::default());
            }
            let same_length = &mut set.by_length[name.len()];
            if !same_length.contains(name.as_bytes()) {
                same_length.beginnings |= beginning(name.as_bytes());
                same_length.names.push(name.as_bytes().into());
            }
        }
        set
    }

    /// Whether `name` is one of them.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.by_length.get(name.len()).is_some_and(|names| names.contains(name))
    }

    /// Whether there is no name at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_length.is_empty()
    }
}

impl SameLength {
    fn contains(&self, name: &[u8]) -> bool {
        self.beginnings & beginning(name) != 0
            && self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// One of 64 bits, the same for both cases of a letter.
fn beginning(name: &[u8]) -> u64 {
    name.first().map_or(0, |first| 1 << (first.to_ascii_lowercase() % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_letter_case_and_only_as_a_whole() {
        let names = FieldNames::new(["session_key", "Token", "手机", "", "token"]);
        for name in ["session_key", "SESSION_KEY", "token", "手机"] {
            assert!(names.contains(name.as_bytes()), "{name}");
        }
        for name in ["", "session", "session_keys", "toke"] {
            assert!(!names.contains(name.as_bytes()), "{name}");
        }
        assert!(FieldNames::new([""]).is_empty());
    }
}
