//! `{"$any":true}` and its kind: expectations that are no plain values.

use serde_json::{Map, Number, Value};

use super::{compare::compare, path::ValuePath};

/// What a value must be like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matcher {
    /// `$any`: there, whatever it is.
    Any,
    /// `$ignore`: there or not, whatever it is.
    Ignore,
    /// `$absent`: not there.
    Absent,
    /// `$ok`: 0 or not there; what an errcode must be where nothing else is said.
    Ok,
    /// `$like`: a text in which `*` stands for anything.
    Like(String),
    /// `$echo`: equal to that field of the request, `body.a.b`, `query.x` or `form.x`.
    Echo(ValuePath),
    /// `$gt`: a number above this one.
    Above(Number),
    /// `$len`: a text, list or object of that length.
    Len(u64),
    /// `$has`: a list with an element like this.
    Has(Value),
}

impl Matcher {
    /// None where the object is a plain one; an error where it begins like a matcher and is none.
    pub(super) fn parse(object: &Map<String, Value>) -> Option<Result<Self, String>> {
        let (name, argument) = object.iter().find(|(name, _)| name.starts_with('$'))?;
        if object.len() > 1 {
            return Some(Err(format!("`{name}` stands alone in its object")));
        }
        Some(Self::named(name, argument))
    }

    fn named(name: &str, argument: &Value) -> Result<Self, String> {
        let wants = |what: &str| format!("`{name}` takes {what}");
        let flag = |matcher: Self| match argument {
            Value::Bool(true) => Ok(matcher),
            _ => Err(wants("true")),
        };
        match name {
            "$any" => flag(Self::Any),
            "$ignore" => flag(Self::Ignore),
            "$absent" => flag(Self::Absent),
            "$ok" => flag(Self::Ok),
            "$like" => argument
                .as_str()
                .map(|text| Self::Like(text.to_owned()))
                .ok_or_else(|| wants("a text with `*`")),
            "$echo" => argument.as_str().ok_or_else(|| wants("a path"))?.parse().map(Self::Echo),
            "$gt" => match argument {
                Value::Number(number) => Ok(Self::Above(number.clone())),
                _ => Err(wants("a number")),
            },
            "$len" => argument.as_u64().map(Self::Len).ok_or_else(|| wants("a length")),
            "$has" => Ok(Self::Has(argument.clone())),
            _ => Err(format!(
                "there is no matcher `{name}`: $any, $ignore, $absent, $ok, $like, $echo, $gt, $len, $has"
            )),
        }
    }

    /// Whether the value is like that.
    pub(super) fn holds(&self, got: Option<&Value>, request: &Value) -> bool {
        match (self, got) {
            (Self::Ignore, _) | (Self::Absent | Self::Ok, None) => true,
            (Self::Absent, Some(_)) => false,
            (Self::Any, got) => got.is_some(),
            (Self::Ok, Some(got)) => got.as_i64() == Some(0),
            (Self::Echo(path), Some(got)) => path.find(request) == Some(got),
            (Self::Like(pattern), Some(Value::String(text))) => is_like(pattern, text),
            (Self::Above(least), Some(Value::Number(number))) => is_above(number, least),
            (Self::Len(length), Some(got)) => length_of(got) == Some(*length),
            (Self::Has(wanted), Some(Value::Array(items))) => {
                items.iter().any(|item| compare(wanted, Some(item), request).is_match)
            }
            (
                Self::Like(_) | Self::Echo(_) | Self::Above(_) | Self::Len(_) | Self::Has(_),
                None | Some(_),
            ) => false,
        }
    }
}

/// `*` stands for any number of characters, everything else for itself.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn is_above(number: &Number, least: &Number) -> bool {
    match (whole(number), whole(least)) {
        (Some(number), Some(least)) => number > least,
        _ => number.as_f64() > least.as_f64(),
    }
}

/// Exact, also above 2^53.
fn whole(number: &Number) -> Option<i128> {
    number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from))
}

fn length_of(value: &Value) -> Option<u64> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    u64::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(matcher: &Value, got: Option<&Value>) -> bool {
        let request = json!({"body": {"id": 12_345_678_901_234_567_890_u64, "a": ["x"]}});
        let matcher = Matcher::parse(matcher.as_object().unwrap()).unwrap().unwrap();
        matcher.holds(got, &request)
    }

    #[test]
    fn every_matcher_says_yes_and_no() {
        for (matcher, yes, no) in [
            (json!({"$any": true}), Some(json!(null)), None),
            (json!({"$absent": true}), None, Some(json!(1))),
            (json!({"$ok": true}), Some(json!(0)), Some(json!(40001))),
            (json!({"$like": "a*c*"}), Some(json!("abxc")), Some(json!("xabc"))),
            (json!({"$like": "abc"}), Some(json!("abc")), Some(json!("abcd"))),
            (json!({"$like": "*店"}), Some(json!("小店")), Some(json!("店 "))),
            (
                json!({"$echo": "body.id"}),
                Some(json!(12_345_678_901_234_567_890_u64)),
                Some(json!(12_345_678_901_234_567_891_u64)),
            ),
            (json!({"$echo": "body.a[0]"}), Some(json!("x")), None),
            (
                json!({"$echo": "body.none"}),
                Some(json!({"$x": 1})).filter(|_| false),
                Some(json!("x")),
            ),
            (
                json!({"$gt": 9_007_199_254_740_992_u64}),
                Some(json!(9_007_199_254_740_993_u64)),
                Some(json!(9_007_199_254_740_992_u64)),
            ),
            (json!({"$gt": -1}), Some(json!(0.5)), Some(json!("7"))),
            (json!({"$len": 2}), Some(json!("店x")), Some(json!([1]))),
            (json!({"$len": 0}), Some(json!({})), Some(json!(0))),
            (
                json!({"$has": {"id": "SF"}}),
                Some(json!([1, {"id": "SF", "n": 2}])),
                Some(json!([{"id": "ZTO"}])),
            ),
        ] {
            if yes.is_some() || matcher.get("$absent").is_some() {
                assert!(holds(&matcher, yes.as_ref()), "{matcher} {yes:?}");
            }
            assert!(!holds(&matcher, no.as_ref()), "{matcher} {no:?}");
        }
        assert!(holds(&json!({"$ignore": true}), None) && holds(&json!({"$ok": true}), None));
    }

    #[test]
    fn what_begins_like_a_matcher_must_be_one() {
        for bad in [
            json!({"$regex": "x"}),
            json!({"$any": false}),
            json!({"$gt": "1"}),
            json!({"$echo": "a..b"}),
            json!({"$any": true, "x": 1}),
        ] {
            assert!(matches!(Matcher::parse(bad.as_object().unwrap()), Some(Err(_))), "{bad}");
        }
        assert!(Matcher::parse(json!({"any": true}).as_object().unwrap()).is_none());
    }

    #[test]
    fn a_pattern_does_not_use_a_character_twice() {
        for (pattern, text, is_so) in
            [("ab*ba", "aba", false), ("a**b", "ab", true), ("*", "", true), ("", "", true)]
        {
            assert_eq!(is_like(pattern, text), is_so, "{pattern} {text}");
        }
    }
}
