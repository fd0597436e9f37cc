//! What a token's early death means, in words, and what to do about it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::moment::Zone;
use crate::base::kind::Language;

/// A sentence in the language of this host; where that is both, one behind the other.
pub(super) struct Speech {
    language: Language,
}

impl Speech {
    pub(super) fn new(language: Language) -> Self {
        Self { language }
    }

    /// The text, wrapped for a terminal.
    pub(super) fn say(&self, chinese: &str, english: &str) -> String {
        match self.language {
            Language::Zh => wrapped(chinese),
            Language::En => wrapped(english),
            Language::Both => wrapped(chinese) + &wrapped(english),
        }
    }

    /// What the verdict on `life` means; none without one.
    pub(super) fn verdict(&self, life: &Value, zone: &Zone) -> Option<String> {
        let text = |field: &str| life.get(field).and_then(Value::as_str).unwrap_or_default();
        let time = |value: &Value| value.as_str().map(|time| zone.short(time)).unwrap_or_default();
        let number = life.get("generation").map(Value::to_string).unwrap_or_default();
        let said = life
            .get("errcode")
            .and_then(Value::as_i64)
            .map_or_else(String::new, |errcode| format!(" ({errcode})"));
        let at = zone.short(match text("first_refusal") {
            "" => text("ended"),
            first_refusal => first_refusal,
        });
        let (chinese, english) = match text("verdict") {
            "foreign_fetch" => {
                let interval = life.get("foreign_fetch")?;
                let (after, before) = (time(interval.get("after")?), time(interval.get("before")?));
                let (chinese, english) = call_that_did_it(text("fetched_by"));
                (
                    format!(
                        "#{number} 提前失效{said}：这里没有刷新，是 AppSecret 的其他持有者在 {after} 到 {before} 之间{chinese}。"
                    ),
                    format!(
                        "#{number} died early{said}: nobody here refreshed; another holder of the AppSecret {english} between {after} and {before}."
                    ),
                )
            }
            "issuer_disagrees" => (
                format!("#{number} 从 {at} 起被接口拒绝{said}，取令牌接口却仍然给出同一个令牌。"),
                format!(
                    "#{number} was refused from {at} on{said}, while the token call went on giving out the same token."
                ),
            ),
            "expired_early" => (
                format!(
                    "#{number} 在 {at} 就被平台判为过期{said}，早于说好的 {}。",
                    zone.short(text("planned_end"))
                ),
                format!(
                    "#{number} was called expired at {at}{said}, before {}, the end that the platform had promised.",
                    zone.short(text("planned_end"))
                ),
            ),
            _ => return None,
        };
        Some(self.say(&chinese, &english))
    }

    /// What to do, once for each kind of verdict among `lives`.
    pub(super) fn advice<'a>(&self, lives: impl Iterator<Item = &'a Value>) -> String {
        let verdict = |life: &'a Value| life.get("verdict").and_then(Value::as_str);
        let kinds: BTreeSet<&str> = lives.filter_map(verdict).collect();
        kinds.into_iter().filter_map(advice).map(|(zh, en)| self.say(zh, en)).collect()
    }
}

/// The two families of tokens do not touch each other, so it was a call of the same family.
fn call_that_did_it(fetched_by: &str) -> (&'static str, &'static str) {
    match fetched_by {
        "classic" => ("调了 /cgi-bin/token", "called /cgi-bin/token"),
        "stable" | "forced" => (
            "强制刷新了令牌（stable_token 带 force_refresh）",
            "forced a new token (stable_token with force_refresh)",
        ),
        _ => ("取了新令牌", "fetched a new token"),
    }
}

fn advice(verdict: &str) -> Option<(&'static str, &'static str)> {
    match verdict {
        "foreign_fetch" => Some((
            "怎么办：找出还有谁拿着这个 AppSecret（另一套环境、旧的中控服务器、定时任务、同事的脚本），让它改走这里，或改用 stable_token 普通模式。详见 docs/BESIDE-PRODUCTION.zh-CN.md。",
            "What to do: find who else holds this AppSecret (another environment, an old token server, a timer, somebody's script), and let it call through here, or use stable_token in normal mode. See docs/BESIDE-PRODUCTION.md.",
        )),
        "issuer_disagrees" => Some((
            "怎么办：先核对 upstream 与 AppID 是否属于同一环境。只有全部流量都经过这里时，才用 force_refresh = \"auto\" 加 exclusive = true；`wxgate token refresh 账号 --force` 换一次新的，但会让所有持有者的令牌失效。",
            "What to do: check first that upstream and AppID belong together. If all calls go through here, set force_refresh = \"auto\" with exclusive = true; `wxgate token refresh ACCOUNT --force` gets a new one once, and ends the token of every holder.",
        )),
        "expired_early" => Some((
            "怎么办：偶尔一次不用管，网关已换上新的；总是这样，就带上 rid 问平台。",
            "What to do: nothing if it is rare, a new one is in use; if it goes on, ask the platform with a rid.",
        )),
        _ => None,
    }
}

/// Lines of at most [`COLUMNS`]; the second and later ones are indented. Breaks at spaces, and
/// anywhere between two wide characters.
fn wrapped(text: &str) -> String {
    let columns = |text: &str| text.chars().map(width).sum::<usize>();
    let (mut out, mut line) = (String::new(), String::new());
    for piece in pieces(text) {
        let is_full = columns(&line) + columns(piece.trim_end()) > COLUMNS;
        if is_full && !line.trim().is_empty() {
            out.push_str(line.trim_end());
            out.push('\n');
            line = INDENT.to_owned();
        }
        line.push_str(piece);
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

/// What stays on one line: a word with the space behind it, or one wide character with the
/// punctuation behind it.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut before) = (Vec::new(), 0, None);
    for (at, character) in text.char_indices() {
        let is_break = before.is_some_and(|before| {
            !CLOSING.contains(character)
                && character != ' '
                && (before == ' ' || (before != '（' && width(before) + width(character) > 2))
        });
        if is_break {
            pieces.extend(text.get(start..at));
            start = at;
        }
        before = Some(character);
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Columns of a character on a terminal: Chinese ones and their punctuation take two.
fn width(character: char) -> usize {
    match u32::from(character) {
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6 => 2,
        _ => 1,
    }
}

/// What no line begins with.
const CLOSING: &str = "，。；：、）";

/// A terminal that nobody made wider.
const COLUMNS: usize = 80;
const INDENT: &str = "  ";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::token::moment::tests::beijing;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().map(width).sum()).max().unwrap_or(0)
    }

    #[test]
    fn a_foreign_fetch_names_the_call_the_interval_and_what_to_do() {
        let life = |fetched_by: &str| {
            json!({
                "generation": 7, "fetched_by": fetched_by, "verdict": "foreign_fetch",
                "errcode": 40001,
                "foreign_fetch": {"after": "2026-11-22T04:01:40Z", "before": "2026-11-22T04:03:10Z"},
            })
        };
        let english = Speech::new(Language::En);
        let said = english.verdict(&life("classic"), &beijing()).unwrap().replace("\n ", "");
        assert_eq!(
            said.trim_end(),
            "#7 died early (40001): nobody here refreshed; another holder of the AppSecret called \
             /cgi-bin/token between 11-22 12:01:40 and 11-22 12:03:10."
        );
        let both = Speech::new(Language::Both);
        let said = both.verdict(&life("stable"), &beijing()).unwrap();
        assert!(said.contains("force_refresh") && said.contains("其他持有者"), "{said}");
        let lives = [life("stable"), life("classic")];
        let advice = both.advice(lives.iter());
        assert_eq!(advice.matches("BESIDE-PRODUCTION.md").count(), 1, "once: {advice}");
        assert!(widest(&said) <= 80 && widest(&advice) <= 80, "{said}{advice}");
    }

    #[test]
    fn every_verdict_has_a_sentence_and_an_advice_in_both_languages() {
        for verdict in crate::token::Verdict::ALL {
            let life = json!({
                "generation": 7, "fetched_by": "stable", "verdict": verdict, "errcode": 42001,
                "foreign_fetch": {"after": "2026-11-22T04:01:40Z", "before": "2026-11-22T04:03:10Z"},
                "first_refusal": "2026-11-22T04:03:10Z", "planned_end": "2026-11-22T06:00:00Z",
            });
            for language in [Language::Zh, Language::En] {
                let speech = Speech::new(language);
                let said = speech.verdict(&life, &beijing()).unwrap();
                assert!(said.contains("#7") && said.contains("12:03:10"), "{said}");
                let advice = speech.advice([&life].into_iter());
                assert!(widest(&said) <= 80 && widest(&advice) <= 80, "{said}{advice}");
                assert!(advice.contains("怎么办") || advice.contains("What to do"), "{advice}");
            }
        }
        let quiet = json!({"generation": 7, "verdict": null});
        assert!(Speech::new(Language::En).verdict(&quiet, &beijing()).is_none());
    }

    #[test]
    fn lines_break_at_spaces_and_between_chinese_characters_but_not_before_a_full_stop() {
        let text = "字".repeat(40) + "。";
        let shown = wrapped(&text);
        assert_eq!(shown, format!("{}\n  字。\n", "字".repeat(39)));
        assert_eq!(wrapped("one two"), "one two\n");
        let long = "x".repeat(90);
        assert_eq!(wrapped(&format!("a {long}")), format!("a\n  {long}\n"));
    }
}
