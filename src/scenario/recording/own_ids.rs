//! Ids that the merchant made, such as `SO202206150001`: used in several calls, and new in every run.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{draft::Draft, leaves::each_leaf};
use crate::scenario::ValuePath;

/// Which text becomes which generator.
#[derive(Debug, Default)]
pub(super) struct OwnIds(BTreeMap<String, String>);

impl OwnIds {
    /// Ids that first stand in a request, and then in another one or in an answer.
    pub(super) fn find(drafts: &[Draft]) -> Self {
        let mut seen: Vec<Seen> = Vec::new();
        let mut answered: Vec<String> = Vec::new();
        for (nth, draft) in drafts.iter().enumerate() {
            for (_, sent) in draft.sent() {
                each_leaf(&sent, &mut |path, value| {
                    let Some(text) = id(path, value) else { return };
                    match seen.iter_mut().find(|seen| seen.text == text) {
                        Some(seen) => seen.recurs |= seen.first != nth,
                        None if answered.iter().any(|known| known == text) => {}
                        None => {
                            seen.push(Seen { text: text.to_owned(), first: nth, recurs: false })
                        }
                    }
                });
            }
            let Some(answer) = &draft.answer else { continue };
            each_leaf(answer, &mut |path, value| {
                let Some(text) = id(path, value) else { return };
                match seen.iter_mut().find(|seen| seen.text == text) {
                    Some(seen) => seen.recurs = true,
                    None => answered.push(text.to_owned()),
                }
            });
        }
        Self::named(seen.into_iter().filter(|seen| seen.recurs).map(|seen| seen.text))
    }

    /// `${id:SO}` for the first with that prefix, `${id:SO2}` for the second.
    fn named(texts: impl Iterator<Item = String>) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut ids = BTreeMap::new();
        for text in texts {
            let prefix = prefix(&text).unwrap_or_default().to_owned();
            let count = counts.entry(prefix.clone()).or_default();
            *count += 1;
            let number = if *count == 1 { String::new() } else { count.to_string() };
            ids.insert(text, format!("${{id:{prefix}{number}}}"));
        }
        Self(ids)
    }

    /// The generator for an id.
    pub(super) fn generator(&self, text: &str) -> Option<&str> {
        self.0.get(text).map(String::as_str)
    }

    /// The text with every id in it replaced.
    pub(super) fn spliced(&self, text: &str) -> String {
        // The longest first: one id may be the beginning of another.
        let mut ids: Vec<(&String, &String)> = self.0.iter().collect();
        ids.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        ids.iter().fold(text.to_owned(), |text, (id, generator)| text.replace(*id, generator))
    }
}

/// An id and where it came up.
struct Seen {
    text: String,
    first: usize,
    recurs: bool,
}

/// The text, if it looks like an id of the merchant's in a field for one.
fn id<'a>(path: &ValuePath, value: &'a Value) -> Option<&'a str> {
    let is_named = is_id_name(path.name().unwrap_or_default());
    value.as_str().filter(|text| is_named && prefix(text).is_some())
}

/// Whether such a field may hold an id of the merchant's. Ids of people and apps are not made anew.
fn is_id_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_id = ["id", "no", "sn"].iter().any(|end| name.ends_with(end));
    is_id
        && !["openid", "unionid", "appid", "app_id", "mchid", "mch_id"]
            .iter()
            .any(|not| name.ends_with(not))
}

/// The letters before a suffix that looks as if it belonged to a run: six or more digits and
/// letters, most of them digits.
fn prefix(text: &str) -> Option<&str> {
    let begin = text.find(|c: char| c.is_ascii_digit())?;
    let (prefix, suffix) = text.split_at(begin);
    let digits = suffix.bytes().filter(u8::is_ascii_digit).count();
    let is_prefix = (1..=16).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    let is_suffix = suffix.len() >= 6
        && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && digits * 2 > suffix.len();
    (is_prefix && is_suffix).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_of_a_run_is_told_from_a_plain_name() {
        for (text, wanted) in [
            ("SO202206150001", Some("SO")),
            ("AS-20220620", Some("AS-")),
            ("TEA-2201", None),
            ("TEA-2201-250G", None),
            ("202206150001", None),
            ("oQx7V5KzT0mYc1LrW3nE8pB2sAhU", None),
            ("明前20220620", None),
        ] {
            assert_eq!(prefix(text), wanted, "{text}");
        }
    }

    #[test]
    fn ids_inside_of_a_text_are_replaced_the_longest_first() {
        let ids = OwnIds::named(["SO20220615".to_owned(), "SO202206150001".to_owned()].into_iter());
        assert_eq!(ids.spliced("p?no=SO202206150001&x=SO20220615"), "p?no=${id:SO2}&x=${id:SO}");
        assert_eq!(ids.generator("SO20220615"), Some("${id:SO}"));
    }
}
