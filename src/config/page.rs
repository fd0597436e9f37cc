//! The text of proxy.toml, as places and quoted lines.

use std::ops::Range;

use super::privacy::{loose_spans, printable};

/// The text that is being read, and which parts of it are never quoted.
pub(super) struct Page<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    hidden: Vec<Range<usize>>,
}

/// A line of the file with the place under it, ready for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The line, without what looks like a secret.
    pub(super) line: String,
    /// Columns before the caret, as the terminal counts them.
    pub(super) indent: usize,
    /// How many carets; at least one.
    pub(super) carets: usize,
}

impl<'a> Page<'a> {
    /// Takes the text, and the byte ranges that must not be shown.
    pub(super) fn new(text: &'a str, hidden: Vec<Range<usize>>) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, line_starts: std::iter::once(0).chain(ends).collect(), hidden }
    }

    /// The text itself in a range; empty where there is none.
    pub(super) fn slice(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or("")
    }

    /// Line and column, both from 1; the column counts characters, not bytes.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let (number, line) = self.line_at(at);
        (number, 1 + self.slice(line.start..at.min(line.end)).chars().count())
    }

    /// The line at the beginning of `span`, with a caret under each of its characters.
    pub(super) fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let (_, line) = self.line_at(span.start);
        let text = self.slice(line.clone());
        let loose: Vec<Range<usize>> = loose_spans(text)
            .into_iter()
            .map(|span| line.start + span.start..line.start + span.end)
            .collect();
        let here = self.hidden.iter().filter(|s| s.start < line.end && line.start < s.end);
        let spans: Vec<&Range<usize>> = here.chain(&loose).collect();
        let hidden = |at: usize| spans.iter().any(|span| span.contains(&at));
        let mut cells: Vec<Cell> = Vec::new();
        for (offset, c) in text.char_indices() {
            let at = line.start + offset;
            let marked = span.contains(&at) || at == span.start;
            match (hidden(at), cells.last_mut()) {
                (true, Some(last)) if last.hidden => last.marked |= marked,
                (true, _) => cells.push(Cell { c: '…', hidden: true, marked }),
                (false, _) => cells.push(Cell { c: printable(c), hidden: false, marked }),
            }
        }
        window(&cells)
    }

    /// The number of the line that holds `at`, from 1, and its range without the line break.
    fn line_at(&self, at: usize) -> (usize, Range<usize>) {
        let number = self.line_starts.partition_point(|start| *start <= at).max(1);
        let start = self.line_starts.get(number - 1).copied().unwrap_or(0);
        let end = self.line_starts.get(number).copied().unwrap_or(self.text.len());
        (number, start..start + self.slice(start..end).trim_end_matches(['\n', '\r']).len())
    }
}

/// One character of a quoted line.
struct Cell {
    c: char,
    hidden: bool,
    marked: bool,
}

/// Cuts a long line to what fits around the mark. A mark behind the end stands after the line.
fn window(cells: &[Cell]) -> Excerpt {
    let first = cells.iter().position(|cell| cell.marked).unwrap_or(cells.len());
    let from = if cells.len() > LINE_CELLS { first.saturating_sub(LINE_CELLS / 2) } else { 0 };
    let shown = || cells.iter().skip(from).take(LINE_CELLS);
    let columns = |cells: &mut dyn Iterator<Item = &Cell>| cells.map(|cell| width(cell.c)).sum();
    let indent: usize = columns(&mut shown().take(first - from));
    let carets: usize = columns(&mut shown().skip(first - from).take_while(|cell| cell.marked));
    Excerpt { line: shown().map(|cell| cell.c).collect(), indent, carets: carets.max(1) }
}

/// Columns that a terminal gives a character: East Asian wide ones take two.
fn width(c: char) -> usize {
    let wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    if wide { 2 } else { 1 }
}

/// The longest line that is quoted whole, in characters.
const LINE_CELLS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let page = Page::new("a = 1\n名字 = 2\r\n", Vec::new());
        assert_eq!(page.place(0), (1, 1));
        assert_eq!(page.place(4), (1, 5));
        assert_eq!(page.place(6), (2, 1));
        let two = "a = 1\n名字 = ".len();
        assert_eq!(page.place(two), (2, 6));
        assert_eq!(page.place(9999), (3, 1), "behind the end");
        assert_eq!(Page::new("", Vec::new()).place(0), (1, 1));
    }

    #[test]
    fn the_caret_stands_under_the_place_also_behind_wide_letters() {
        let text = "名 = \"x\"\r\nb";
        let page = Page::new(text, Vec::new());
        let at = text.find('"').unwrap();
        let excerpt = page.excerpt(at..at + 3);
        assert_eq!((excerpt.line.as_str(), excerpt.indent, excerpt.carets), ("名 = \"x\"", 5, 3));
        let behind = page.excerpt(text.len()..text.len());
        assert_eq!((behind.line.as_str(), behind.indent, behind.carets), ("b", 1, 1));
    }

    #[test]
    fn hidden_parts_become_one_mark_and_long_lines_are_cut() {
        let text = "x = { app_secret = 'abc', upstrem = 1 }";
        let secret = text.find("'abc'").unwrap();
        let page = Page::new(text, std::iter::once(secret..secret + 5).collect());
        let at = text.find("upstrem").unwrap();
        let excerpt = page.excerpt(at..at + 7);
        assert_eq!(excerpt.line, "x = { app_secret = …, upstrem = 1 }");
        assert_eq!((excerpt.indent, excerpt.carets), (22, 7));
        let long = format!("{}!", "a ".repeat(5000));
        let excerpt = Page::new(&long, Vec::new()).excerpt(10_000..10_001);
        assert!(excerpt.line.len() <= LINE_CELLS && excerpt.line.ends_with('!'));
        assert_eq!(excerpt.indent, LINE_CELLS / 2);
    }
}
