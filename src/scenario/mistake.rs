//! One mistake of a scenario file, with its place.

use std::fmt;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub text: String,
}

impl Mistake {
    /// A mistake at a byte of the file.
    pub(super) fn at(file: &str, offset: usize, text: impl Into<String>) -> Self {
        let before = file.get(..offset).unwrap_or(file);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Self { line, column, text: text.into() }
    }

    /// What serde says of a part of the file that begins at `offset`.
    pub(super) fn of_json(file: &str, offset: usize, error: &serde_json::Error) -> Self {
        let begin = Self::at(file, offset, "");
        let told = error.to_string();
        // serde ends its message with the place inside of the part, which is not that of the file.
        let text = told.rsplit_once(" at line ").map_or(&*told, |(text, _)| text).to_owned();
        let column = match error.line() {
            0 | 1 => begin.column + error.column().saturating_sub(1),
            _ => error.column().max(1),
        };
        Self { line: begin.line + error.line().saturating_sub(1), column, text }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let file = "{\n \"店\": x}";
        let at = file.find('x').unwrap();
        assert_eq!(Mistake::at(file, at, "no").to_string(), "2:7: no");
        assert_eq!(Mistake::at(file, 999, "no").line, 2, "behind the end is the end");
    }
}
