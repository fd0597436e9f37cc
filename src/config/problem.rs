//! What is wrong with a proxy.toml: every mistake, its place, and what to write instead.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::base::kind::Language;

use super::{message::Message, page::Excerpt};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which key, as `account[1].upstream`; tables of a list count from 0. Empty: the file.
    pub key: String,
    /// From 1; 0 where there is no line to point at, because the file could not be read.
    pub line: usize,
    /// From 1, in characters; 0 like `line`.
    pub column: usize,
    /// What is wrong.
    pub message: Message,
    /// What to write instead.
    pub suggestion: Option<Message>,
    pub(super) excerpt: Option<Excerpt>,
}

impl Problem {
    /// A mistake of the file as a whole.
    pub(super) fn of_file(message: Message, suggestion: Message) -> Self {
        let suggestion = Some(suggestion);
        Self { key: String::new(), line: 0, column: 0, message, suggestion, excerpt: None }
    }
}

/// Every mistake of a file, in the order of the file. Holds no secret, even if the file does.
///
/// Serialises as `{"problems":[{"key","line","column","message","suggestion"}]}`; `Display` is
/// for people: place, message, the line with a caret, suggestion.
#[derive(Clone, Debug)]
pub struct Problems {
    file: Option<PathBuf>,
    language: Language,
    list: Vec<Problem>,
}

impl Problems {
    /// `file` is none for the built-in text.
    pub(super) fn new(file: Option<&Path>, language: Language, mut list: Vec<Problem>) -> Self {
        list.sort_by(|a, b| (a.line, a.column, &a.key).cmp(&(b.line, b.column, &b.key)));
        Self { file: file.map(Path::to_owned), language, list }
    }

    /// No problems: what `check --json` prints for a good file.
    #[must_use]
    pub fn none() -> Self {
        Self::new(None, Language::Both, Vec::new())
    }

    /// The problems, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether the file is right.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The same in another language than the one the file asks for.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// As it was named, so that an editor can jump to it.
    fn file_name(&self) -> String {
        self.file.as_deref().map_or_else(|| "proxy.toml".to_owned(), |f| f.display().to_string())
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file_name())?;
            if problem.line > 0 {
                write!(f, ":{}:{}", problem.line, problem.column)?;
            }
            if !problem.key.is_empty() {
                write!(f, ": {}", problem.key)?;
            }
            writeln!(f, ": {}", problem.message.in_language(self.language))?;
            if let Some(excerpt) = &problem.excerpt {
                let number = problem.line.to_string();
                let (gutter, indent) = (" ".repeat(number.len()), " ".repeat(excerpt.indent));
                writeln!(f, "  {number} | {}", excerpt.line)?;
                writeln!(f, "  {gutter} | {indent}{}", "^".repeat(excerpt.carets))?;
            }
            if let Some(suggestion) = &problem.suggestion {
                writeln!(f, "  = {}", suggestion.in_language(self.language))?;
            }
        }
        Ok(())
    }
}

impl Serialize for Problems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<Row<'_>> = self.list.iter().map(|p| Row(p, self.language)).collect();
        let mut out = serializer.serialize_struct("Problems", 1)?;
        out.serialize_field("problems", &rows)?;
        out.end()
    }
}

/// One problem in the language of its report.
struct Row<'a>(&'a Problem, Language);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(problem, language) = self;
        let mut out = serializer.serialize_struct("Problem", 5)?;
        out.serialize_field("key", &problem.key)?;
        out.serialize_field("line", &problem.line)?;
        out.serialize_field("column", &problem.column)?;
        out.serialize_field("message", &problem.message.in_language(*language))?;
        let suggestion = problem.suggestion.as_ref().map(|text| text.in_language(*language));
        out.serialize_field("suggestion", &suggestion)?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::message::say, *};

    fn one() -> Problem {
        Problem {
            key: "account[1].upstrem".into(),
            line: 12,
            column: 1,
            message: say!("未知的键", "unknown key"),
            suggestion: Some(say!("是否想写 \"upstream\"？", "did you mean \"upstream\"?")),
            excerpt: Some(Excerpt { line: "upstrem = 1".into(), indent: 0, carets: 7 }),
        }
    }

    #[test]
    fn people_see_place_message_line_caret_and_suggestion() {
        let problems = Problems::new(Some(Path::new("proxy.toml")), Language::En, vec![one()]);
        assert_eq!(
            problems.to_string(),
            "proxy.toml:12:1: account[1].upstrem: unknown key\n  12 | upstrem = 1\n     | ^^^^^^^\n  \
             = did you mean \"upstream\"?\n"
        );
        let both = problems.in_language(Language::Both).to_string();
        assert!(both.contains("未知的键 / unknown key"), "{both}");
    }

    #[test]
    fn programs_see_the_documented_shape_in_the_order_of_the_file() {
        let plain = Problem { line: 3, suggestion: None, key: "x".into(), ..one() };
        let problems = Problems::new(None, Language::En, vec![one(), plain]);
        assert_eq!(
            serde_json::to_value(&problems).unwrap(),
            serde_json::json!({"problems": [
                {"key": "x", "line": 3, "column": 1, "message": "unknown key", "suggestion": null},
                {"key": "account[1].upstrem", "line": 12, "column": 1, "message": "unknown key",
                 "suggestion": "did you mean \"upstream\"?"},
            ]})
        );
        let none = serde_json::to_string(&Problems::none()).unwrap();
        assert_eq!(none, r#"{"problems":[]}"#);
    }
}
