//! Cuts a filter into its pieces.

use std::ops::Range;

/// A piece, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Or,
    Not,
    /// A bare word or quoted text.
    Word(String),
    /// `name:value`; the second range is the value's.
    Term(String, String, Range<usize>),
}

/// All pieces; the error is the place of a quote without an end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let kind = match first {
            '(' => Kind::Open,
            ')' => Kind::Close,
            '|' => Kind::Or,
            '-' => Kind::Not,
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            _ => {
                let (kind, end) = word(text, at)?;
                tokens.push(Token { kind, at: at..end });
                at = end;
                continue;
            }
        };
        tokens.push(Token { kind, at: at..at + 1 });
        at += 1;
    }
    Ok(tokens)
}

/// Reads up to a space, bracket or `|` outside of quotes.
fn word(text: &str, start: usize) -> Result<(Kind, usize), Range<usize>> {
    let mut name = None;
    let mut value = String::new();
    let mut value_start = start;
    let mut is_quoted = false;
    let mut chars = text[start..].char_indices();
    let mut end = text.len();
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => {
                is_quoted = true;
                let quote = start + offset;
                if !read_quoted(&mut chars, &mut value) {
                    return Err(quote..text.len());
                }
            }
            ':' if name.is_none() && !is_quoted && is_name(&value) => {
                name = Some(std::mem::take(&mut value));
                value_start = start + offset + 1;
            }
            c if c.is_whitespace() || matches!(c, '(' | ')' | '|') => {
                end = start + offset;
                break;
            }
            c => value.push(c),
        }
    }
    let kind = match name {
        Some(name) => Kind::Term(name, value, value_start..end),
        None => Kind::Word(value),
    };
    Ok((kind, end))
}

/// Reads up to the closing quote, `\"` and `\\` inside; whether there was one.
fn read_quoted(chars: &mut std::str::CharIndices<'_>, value: &mut String) -> bool {
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => return true,
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                Some((_, c)) => value.extend(['\\', c]),
                None => return false,
            },
            c => value.push(c),
        }
    }
    false
}

/// A mistyped name is to be an error, so anything that looks like one is one.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_')
}
