//! Finding an errcode by words, or by a number that is nearly right.

use super::errcode::{Errcode, all, lookup_all};

/// The codes that hold all of the words, in number, text or cure, in any letter case; those
/// with a cure first. A single number is looked up as a code.
#[must_use]
pub fn search(words: &str) -> Vec<&'static Errcode> {
    if let Ok(code) = words.trim().parse() {
        return lookup_all(code);
    }
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<_> = all().iter().filter(|row| holds_all(row, &words)).collect();
    found.sort_by_key(|row| row.cure_en.is_empty());
    found
}

/// Known codes that differ from an unknown one by a single typing error, nearest number first:
/// a wrong, missing or extra digit, or two swapped.
#[must_use]
pub fn nearest(code: i64) -> Vec<&'static Errcode> {
    let given = code.to_string();
    let is_near = |row: &&Errcode| strsim::damerau_levenshtein(&given, &row.code.to_string()) == 1;
    let mut found: Vec<_> = all().iter().filter(is_near).collect();
    found.sort_by_key(|row| (row.cure_en.is_empty(), row.code.abs_diff(code)));
    found.truncate(NEAREST_MOST);
    found
}

fn holds_all(row: &Errcode, words: &[String]) -> bool {
    let text = format!("{} {} {} {} {}", row.code, row.zh, row.en, row.cure_zh, row.cure_en);
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// More suggestions than this are no help.
const NEAREST_MOST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_both_languages_and_all_must_be_there() {
        let codes = |words| search(words).iter().map(|row| row.code).collect::<Vec<_>>();
        assert!(codes("IP whitelist").contains(&40_164));
        assert!(codes("白名单").contains(&40_164));
        assert!(codes("Whitelist 白名单 40164").contains(&40_164));
        assert!(codes("whitelist nosuchword").is_empty());
        assert!(codes("").is_empty() && codes("  ").is_empty());
        assert_eq!(codes(" 40164 "), [40_164]);
        let with_cure_first =
            search("token").iter().map(|r| r.cure_en.is_empty()).collect::<Vec<_>>();
        assert!(with_cure_first.is_sorted());
    }

    #[test]
    fn a_typing_error_leads_to_the_code_that_was_meant() {
        let codes = |code| nearest(code).iter().map(|row| row.code).collect::<Vec<_>>();
        assert!(codes(54_009).contains(&45_009));
        assert!(codes(4_001).contains(&40_001));
        assert!(codes(400_014).contains(&40_014));
        assert!(codes(123_123_123_123).is_empty());
        assert!(codes(40_002).len() <= NEAREST_MOST);
    }
}
