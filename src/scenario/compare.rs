//! What was expected, held against what came: as far as it was expected, line by line.

use serde_json::Value;

use super::matcher::Matcher;

/// The outcome.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Whether nothing differs.
    pub is_match: bool,
    /// The expected part of what came, with every difference.
    pub lines: Vec<DiffLine>,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Where it is from.
    pub side: DiffSide,
    /// Pretty-printed JSON.
    pub text: String,
}

/// Where a line is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffSide {
    /// Both.
    Both,
    /// Expected and not there.
    Expected,
    /// There instead.
    Got,
}

impl DiffSide {
    /// The sign before the line.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Both => ' ',
            Self::Expected => '-',
            Self::Got => '+',
        }
    }
}

/// Compares: objects by the fields that `expected` names, lists by length and element, all else
/// exactly. `request` is what `$echo` looks at.
#[must_use]
pub fn compare(expected: &Value, got: Option<&Value>, request: &Value) -> Comparison {
    let mut work = Work { request, lines: Vec::new(), is_match: true };
    work.value(0, "", expected, got);
    Comparison { is_match: work.is_match, lines: work.lines }
}

struct Work<'a> {
    request: &'a Value,
    lines: Vec<DiffLine>,
    is_match: bool,
}

impl Work<'_> {
    fn value(&mut self, depth: usize, label: &str, expected: &Value, got: Option<&Value>) {
        match (expected, got) {
            (Value::Object(fields), got) if Matcher::parse(fields).is_some() => {
                // A matcher that is none was refused when the file was read.
                let holds = Matcher::parse(fields)
                    .is_some_and(|matcher| matcher.is_ok_and(|m| m.holds(got, self.request)));
                match (holds, got) {
                    (true, None) => {}
                    (true, Some(got)) => self.line(DiffSide::Both, depth, label, &short(got)),
                    (false, got) => self.differ(depth, label, expected, got),
                }
            }
            (Value::Object(expected), Some(Value::Object(got))) => {
                self.line(DiffSide::Both, depth, label, "{");
                for (name, field) in expected {
                    self.value(
                        depth + 1,
                        &format!("{}: ", Value::from(&**name)),
                        field,
                        got.get(name),
                    );
                }
                self.rest(
                    depth + 1,
                    got.keys().filter(|name| !expected.contains_key(*name)).count(),
                );
                self.line(DiffSide::Both, depth, "", "}");
            }
            (Value::Array(expected), Some(Value::Array(got))) => {
                self.line(DiffSide::Both, depth, label, "[");
                for (nth, item) in expected.iter().enumerate() {
                    self.value(depth + 1, "", item, got.get(nth));
                }
                for item in got.iter().skip(expected.len()) {
                    self.is_match = false;
                    self.all(DiffSide::Got, depth + 1, "", item);
                }
                self.line(DiffSide::Both, depth, "", "]");
            }
            (expected, Some(got)) if expected == got => {
                self.line(DiffSide::Both, depth, label, &short(got));
            }
            (expected, got) => self.differ(depth, label, expected, got),
        }
    }

    fn differ(&mut self, depth: usize, label: &str, expected: &Value, got: Option<&Value>) {
        self.is_match = false;
        self.all(DiffSide::Expected, depth, label, expected);
        if let Some(got) = got {
            self.all(DiffSide::Got, depth, label, got);
        }
    }

    /// A whole value of one side.
    fn all(&mut self, side: DiffSide, depth: usize, label: &str, value: &Value) {
        let is_matcher = value.as_object().is_some_and(|fields| Matcher::parse(fields).is_some());
        if is_matcher || !(value.is_object() || value.is_array()) {
            return self.line(side, depth, label, &short(value));
        }
        let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
        for (nth, line) in pretty.lines().enumerate() {
            if nth == MOST_LINES {
                return self.line(side, depth, "", "…");
            }
            self.line(side, depth, if nth == 0 { label } else { "" }, line);
        }
    }

    /// How many fields of an object nobody asked about.
    fn rest(&mut self, depth: usize, count: usize) {
        if count > 0 {
            self.line(DiffSide::Both, depth, "", &format!("… {count} more"));
        }
    }

    fn line(&mut self, side: DiffSide, depth: usize, label: &str, text: &str) {
        let text = format!("{:indent$}{label}{text}", "", indent = depth * 2);
        self.lines.push(DiffLine { side, text });
    }
}

/// A value on one line, cut where it is too long to be read.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

const MOST_CHARACTERS: usize = 160;
/// Of a value that stands there instead of another.
const MOST_LINES: usize = 30;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text(expected: &Value, got: &Value) -> (bool, String) {
        let found = compare(expected, Some(got), &json!({}));
        let lines = found.lines.iter().map(|line| format!("{}{}", line.side.sign(), line.text));
        (found.is_match, lines.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn objects_match_by_the_named_fields_and_lists_as_a_whole() {
        let got = json!({"errcode": 0, "data": {"id": 7, "list": [{"a": 1, "b": 2}, 3]}});
        for (expected, is_match) in [
            (json!({}), true),
            (json!({"data": {"id": 7}}), true),
            (json!({"data": {"list": [{"a": 1}, 3]}}), true),
            (json!({"data": {"list": [{"a": 1}]}}), false),
            (json!({"data": {"list": [{"a": 1}, 3, 4]}}), false),
            (json!({"data": {"id": "7"}}), false),
            (json!({"data": {"id": 7.0}}), false),
            (json!({"data": 7}), false),
            (json!({"none": null}), false),
            (json!({"none": {"$absent": true}, "data": {"$any": true}}), true),
        ] {
            assert_eq!(text(&expected, &got).0, is_match, "{expected}");
        }
    }

    #[test]
    fn a_difference_is_shown_in_its_place() {
        let expected =
            json!({"errcode": 0, "spu": {"status": 5, "skus": [{"id": {"$gt": 9}}], "x": 1}});
        let got =
            json!({"errcode": 0, "errmsg": "ok", "spu": {"status": 0, "skus": [{"id": 3}, 4]}});
        let shown = " {\n   \"errcode\": 0\n   \"spu\": {\n     \"skus\": [\n       {\n-        \
                     \"id\": {\"$gt\":9}\n+        \"id\": 3\n       }\n+      4\n     ]\n-    \
                     \"status\": 5\n+    \"status\": 0\n-    \"x\": 1\n   }\n   … 1 more\n }";
        assert_eq!(text(&expected, &got), (false, shown.to_owned()));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let (_, shown) = text(&json!("店".repeat(300)), &json!("x"));
        assert!(shown.contains('…') && shown.len() < 600, "{shown}");
    }

    proptest! {
        #[test]
        fn every_value_matches_itself(numbers in proptest::collection::vec(any::<u64>(), 0..6), name in "[a-z]{1,5}") {
            let mut value = json!({"list": numbers, "o": {}});
            value["o"][name] = json!(numbers.first());
            prop_assert!(compare(&value, Some(&value), &Value::Null).is_match);
        }
    }
}
