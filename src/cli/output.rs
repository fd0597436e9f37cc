//! What a command prints: answers to stdout, complaints to stderr.

use std::{
    io::{self, ErrorKind, IsTerminal as _, Write},
    process::ExitCode,
};

use anstyle::Style;
use serde::Serialize;
use serde_json::json;

use super::exit::{Exit, Failure};

/// Where answers go, and in which form they are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    /// `--json`.
    pub(super) json: bool,
    /// Whether stdout shows colours: a terminal, and nobody said no.
    pub(super) color: bool,
}

impl Out {
    /// The process's own output. `NO_COLOR` and `TERM=dumb` are honoured.
    pub(super) fn to_stdout(json: bool) -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        Self { json, color: !json && choice != anstream::ColorChoice::Never }
    }

    /// Whether a person sits in front of stdout.
    pub(super) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Prints a text and ends the line.
    pub(super) fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = text.as_ref().trim_end_matches('\n');
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Prints a value as one line of JSON.
    pub(super) fn value(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(serde_json::to_string(value)?)
    }

    /// Prints bytes as they are.
    pub(super) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(gone)
    }

    /// Says something beside the answer, on stderr.
    pub(super) fn note(&self, text: impl AsRef<str>) {
        // A note that nobody can read is no reason to stop.
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    /// Says why the command ended early, and with which exit code it ends.
    pub(super) fn fail(&self, failure: &Failure) -> ExitCode {
        if let Some(text) = failure.text() {
            self.note(complaint(&text, failure.hint.as_deref(), self.json));
        }
        failure.exit.into()
    }
}

fn complaint(text: &str, hint: Option<&str>, is_json: bool) -> String {
    match (is_json, hint) {
        (true, _) => json!({ "error": text, "hint": hint }).to_string(),
        (false, Some(hint)) => format!("wxgate: {text}\n  {hint}"),
        (false, None) => format!("wxgate: {text}"),
    }
}

/// A reader such as `head` that has seen enough ends the command without a complaint.
fn gone(error: io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::silent(Exit::Done);
    }
    super::exit::because("cannot write the answer", error)
}

/// `text` in a style, where colours are shown.
pub(super) fn paint(text: &str, style: Style, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// A text from elsewhere for a terminal: control characters could move the cursor, change the
/// title or hide what stands before them, so they are shown as such.
pub(super) fn tame(text: &str) -> String {
    let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(is_bad) {
        text.chars().map(|c| if is_bad(c) { '\u{fffd}' } else { c }).collect()
    } else {
        text.to_owned()
    }
}

/// Columns of equal width, two spaces between them; the last one is not padded.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at));
    let widths: Vec<usize> = (0..columns)
        .map(|at| cells(at).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(padded.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_for_people_or_for_programs() {
        assert_eq!(complaint("no", Some("do this"), false), "wxgate: no\n  do this");
        assert_eq!(complaint("no", None, false), "wxgate: no");
        assert_eq!(complaint("no", None, true), r#"{"error":"no","hint":null}"#);
    }

    #[test]
    fn a_text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(tame("a\u{1b}[2Jb\r店\tc\n"), "a\u{fffd}[2Jb\u{fffd}店\tc\n");
        assert_eq!(tame("plain"), "plain");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [["a", "long", "x"], ["longer", "b", ""]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(table(&rows), "a       long  x\nlonger  b\n");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn a_reader_that_left_is_no_error() {
        assert!(gone(io::Error::from(ErrorKind::BrokenPipe)).error.is_none());
        assert_eq!(gone(io::Error::from(ErrorKind::StorageFull)).exit, Exit::Failed);
    }
}
