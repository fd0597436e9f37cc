//! `json:$.order.ids[0]=330…`: a test of a value somewhere in a JSON body.
//!
//! Numbers are compared as they were sent, so 64-bit ids lose no digit. A body that is cut or no
//! JSON fits nothing.

use std::cmp::Ordering;

use memchr::memmem::Finder;

use super::json_pick::{Step, any_at};

/// A path and what is asked of the values at its end.
#[derive(Clone, Debug)]
pub(super) struct JsonTest {
    steps: Vec<Step>,
    test: ValueTest,
    /// Texts that every body that fits must hold, unless it holds a backslash.
    needles: Vec<Finder<'static>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ValueTest {
    Exists,
    Equals(String),
    Differs(String),
    Begins(String),
    /// The wanted order of the value relative to the number, or equal where that is allowed.
    Ordered(Ordering, bool, String),
}

impl JsonTest {
    /// Reads `$.a.b[0]`, then nothing or an operator and a value; the error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix('$').ok_or("a JSON path begins with `$.`")?;
        let end = rest.find(['=', '!', '<', '>']).unwrap_or(rest.len());
        let (path, test) = rest.split_at(end);
        let (steps, test) = (steps(path)?, value_test(test)?);
        let key = steps.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_bytes()),
            Step::Index(_) | Step::Each => None,
        });
        let value = match &test {
            ValueTest::Equals(value) | ValueTest::Begins(value) => Some(value.as_bytes()),
            ValueTest::Exists | ValueTest::Differs(_) | ValueTest::Ordered(..) => None,
        };
        let needles =
            value.into_iter().chain(key).map(|needle| Finder::new(needle).into_owned()).collect();
        Ok(Self { steps, test, needles })
    }

    /// Whether a value at the path fits.
    pub(super) fn fits(&self, body: &[u8]) -> bool {
        self.may_fit(body) && any_at(body, &self.steps, &mut |json| self.test.fits(json))
    }

    /// Most bodies need not be parsed: they lack the value or the key. Both may be written with
    /// escapes, but then there is a backslash.
    fn may_fit(&self, body: &[u8]) -> bool {
        self.needles.iter().all(|needle| needle.find(body).is_some())
            || memchr::memchr(b'\\', body).is_some()
    }
}

impl ValueTest {
    fn fits(&self, json: &str) -> bool {
        if *self == Self::Exists {
            return true;
        }
        let text = match serde_json::from_str::<String>(json) {
            Ok(text) => text,
            // Numbers, true, false, null: as sent.
            Err(_) => json.to_owned(),
        };
        match self {
            Self::Exists => true,
            Self::Equals(wanted) => text == *wanted,
            Self::Differs(wanted) => text != *wanted,
            Self::Begins(wanted) => text.starts_with(wanted),
            Self::Ordered(wanted, allows_equal, number) => {
                let order = compare_numbers(&text, number);
                order.is_some_and(|o| o == *wanted || (*allows_equal && o == Ordering::Equal))
            }
        }
    }
}

/// Exactly for whole numbers of any usual length, else as floating point.
fn compare_numbers(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return Some(left.cmp(&right));
    }
    left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?)
}

/// Reads `.a[0][*]`.
fn steps(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if steps.len() == STEPS_MOST {
            return Err("this JSON path is too long");
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, behind) = inside.split_once(']').ok_or("a `[` in the path has no `]`")?;
            steps.push(match (index, index.parse()) {
                ("*", _) => Step::Each,
                (_, Ok(at)) => Step::Index(at),
                ("", _) => return Err("between `[` and `]` stands a number, a name or `*`"),
                (name, _) => Step::Key(name.to_owned()),
            });
            rest = behind;
        } else {
            let name = rest.strip_prefix('.').ok_or("write a `.` before each name of the path")?;
            let end = name.find(['.', '[']).unwrap_or(name.len());
            steps.push(match &name[..end] {
                "" => return Err("a name is missing behind a `.` of the path"),
                "*" => Step::Each,
                name => Step::Key(name.to_owned()),
            });
            rest = &name[end..];
        }
    }
    Ok(steps)
}

/// Reads the operator and what stands behind it.
fn value_test(text: &str) -> Result<ValueTest, &'static str> {
    let value = text.trim_start_matches(['=', '!', '<', '>']);
    let is_number = value.parse::<f64>().is_ok();
    let ordered = |order, allows_equal| {
        if is_number {
            Ok(ValueTest::Ordered(order, allows_equal, value.to_owned()))
        } else {
            Err("only numbers can be compared with `<` and `>`")
        }
    };
    match &text[..text.len() - value.len()] {
        "" => Ok(ValueTest::Exists),
        "=" | "==" => Ok(match value.strip_suffix(['*', '…']) {
            Some(beginning) => ValueTest::Begins(beginning.to_owned()),
            None => ValueTest::Equals(value.to_owned()),
        }),
        "!=" => Ok(ValueTest::Differs(value.to_owned())),
        ">" => ordered(Ordering::Greater, false),
        ">=" => ordered(Ordering::Greater, true),
        "<" => ordered(Ordering::Less, false),
        "<=" => ordered(Ordering::Less, true),
        _ => Err("write one of = != > >= < <= between path and value"),
    }
}

/// Deeper paths are no honest ones.
const STEPS_MOST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_compared_as_they_were_sent() {
        let body = br#"{"order_id":330123456789012345678,"a":{"b c":[{"n":1.50},{"n":"x"}]},"t":true,"z":null,"k\u0065y":"v"}"#;
        for (text, fits) in [
            ("$.order_id", true),
            ("$.order_id=330123456789012345678", true),
            ("$.order_id=330123456789012345679", false),
            ("$.order_id=3301…", true),
            ("$.order_id=3301*", true),
            ("$.order_id>330123456789012345677", true),
            ("$.a[b c][0].n=1.50", true),
            ("$.a[b c][0].n=1.5", false),
            ("$.a[b c][0].n>=1.5", true),
            ("$.a[b c][0].n<1.5", false),
            ("$.a.*[*].n=x", true),
            ("$.a[b c][2].n", false),
            ("$.t=true", true),
            ("$.z=null", true),
            ("$.t!=true", false),
            ("$.missing!=true", false),
            ("$.key=v", true),
            ("$", true),
        ] {
            assert_eq!(JsonTest::parse(text).unwrap().fits(body), fits, "{text}");
        }
        assert!(!JsonTest::parse("$.a").unwrap().fits(br#"{"a":1"#), "cut off");
        assert!(!JsonTest::parse("$").unwrap().fits(b""));
    }

    #[test]
    fn a_bad_path_says_what_is_wrong() {
        for bad in ["a", "$a", "$.", "$..a", "$[", "$[]", "$.a=<1", "$.a>x"] {
            assert!(JsonTest::parse(bad).is_err(), "{bad}");
        }
    }
}
