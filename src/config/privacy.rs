//! What of proxy.toml is never shown again, neither in a message nor in a quoted line.
//!
//! Somebody will write a secret where a reference belongs, or misspell the key it stands under.
//! The report must help without carrying the secret into a terminal, a log or a CI page.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where values stand that look like secrets by the name of their key, unless they are
/// references. Also right for a file with syntax errors: the parser marks what it skipped.
pub(super) fn secret_spans(table: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    collect(table, &mut spans);
    spans
}

/// Parts of `text` that are secrets by their look: `user:password@`, and long runs of letters
/// and digits such as keys, tokens and AppSecrets. Sorted, without overlap.
pub(super) fn loose_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for piece in pieces(text, |c| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '`')) {
        let word = text.get(piece.clone()).unwrap_or("");
        let user_end = word.rfind('@').unwrap_or(0);
        let user_start =
            word.find("://").map_or_else(|| segment_start(word, user_end), |at| at + 3);
        if user_start < user_end {
            spans.push(piece.start + user_start..piece.start + user_end);
        }
        for run in pieces(word, |c| !is_run_char(c)) {
            let run = piece.start + run.start..piece.start + run.end;
            if text.get(run.clone()).is_some_and(is_credential) {
                spans.push(run);
            }
        }
    }
    spans.sort_by_key(|span| span.start);
    spans.dedup_by(|later, kept| {
        let overlaps = later.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(later.end);
        }
        overlaps
    });
    spans
}

/// `text` in backquotes for a message: what looks secret is left out, control characters are
/// dropped, and it is cut at a length that still fits a line.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::from("`");
    let spans = loose_spans(text);
    for (at, c) in text.char_indices() {
        if out.len() > SHOWN_BYTES {
            out.push('…');
            break;
        }
        match spans.iter().find(|span| span.contains(&at)) {
            Some(span) if span.start == at => out.push('…'),
            Some(_) => {}
            None => out.push(printable(c)),
        }
    }
    out.push('`');
    out
}

/// The character, or a mark in place of one that could move the cursor or turn the text round.
pub(super) fn printable(c: char) -> char {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c == '\t' {
        ' '
    } else if c.is_control() || turns {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

/// Whether a key of this name holds a credential, also when it is misspelt.
pub(super) fn is_secret_name(key: &str) -> bool {
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
        || strsim::osa_distance(&plain, "appsecret") <= 3
}

/// Inline tables count too: one line may hold a good key and a secret.
fn collect(table: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if is_secret_name(key.get_ref()) && !is_reference(value) {
            spans.push(value.span());
        }
        collect_below(value, spans);
    }
}

fn collect_below(value: &Spanned<DeValue<'_>>, spans: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => collect(table, spans),
        DeValue::Array(items) => items.iter().for_each(|item| collect_below(item, spans)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

/// A reference is shown, because its name is what somebody has to correct.
fn is_reference(value: &Spanned<DeValue<'_>>) -> bool {
    value.get_ref().as_str().is_some_and(|text| {
        ["file:", "env:", "credential:"].iter().any(|scheme| text.starts_with(scheme))
    })
}

/// A long run with a digit in it, or one of our own kinds.
fn is_credential(run: &str) -> bool {
    let ours = ["wxgk_", "wxgt_", "wxgr_"].iter().any(|start| run.starts_with(start));
    ours || run.len() >= RUN_BYTES && run.bytes().any(|byte| byte.is_ascii_digit())
}

/// The letters of hex, base62 and both alphabets of base64, but for the slash of paths.
fn is_run_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '=')
}

/// Where the path segment begins that ends at `end`: a user name has no slash in it.
fn segment_start(word: &str, end: usize) -> usize {
    word.get(..end).and_then(|before| before.rfind('/')).map_or(0, |at| at + 1)
}

/// The stretches of `text` between the characters that separate them.
fn pieces(text: &str, separates: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| separates(*c)) {
        found.push(start..at);
        start = at + c.len_utf8();
    }
    found.push(start..text.len());
    found.retain(|piece| !piece.is_empty());
    found
}

/// Keys whose name holds one of these carry a credential.
const SECRET_WORDS: &[&str] =
    &["secret", "passw", "pwd", "aeskey", "privatekey", "apikey", "credential", "bearer"];

/// From this length on a run of letters and digits is more likely a credential than a word:
/// an AppSecret has 32 characters, an AppID 18, the longest name 32 but seldom a digit in it.
const RUN_BYTES: usize = 20;

/// How much of a wrong value a message repeats.
const SHOWN_BYTES: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_credential_is_left_out_and_plain_words_stay() {
        for (text, out) in [
            ("stabel", "`stabel`"),
            ("https://api.weixin.qq.com/cgi-bin", "`https://api.weixin.qq.com/cgi-bin`"),
            ("/@shop/cgi-bin/user/get", "`/@shop/cgi-bin/user/get`"),
            ("http://me:pa55@10.0.0.1:3128", "`http://…@10.0.0.1:3128`"),
            ("http://me:pa/55@10.0.0.1", "`http://…@10.0.0.1`"),
            ("me:pa55@host", "`…@host`"),
            ("file:0123456789abcdef0123456789abcdef", "`file:…`"),
            ("a\u{1b}[31mb", "`a\u{fffd}[31mb`"),
        ] {
            assert_eq!(shown(text), out);
        }
        assert!(shown(&"字".repeat(500)).len() < 100);
    }

    #[test]
    fn a_misspelt_key_still_hides_its_value() {
        for key in ["app_secret", "appSecret", "app_secert", "ap_secret", "AppSercet", "password"] {
            assert!(is_secret_name(key), "{key}");
        }
        for key in ["app_id", "upstream", "accounts", "path", "token", "name", "rate"] {
            assert!(!is_secret_name(key), "{key}");
        }
    }
}
