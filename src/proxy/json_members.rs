//! Members of JSON objects at any depth, with the places of their values.

use std::ops::Range;

use super::json_secret::string_end;

/// A member whose value is a string or a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Counts the objects of the text: members of one object have the same number.
    pub(super) object: usize,
    /// Unescaped.
    pub(super) name: String,
    /// Where the value stands, quotes included.
    pub(super) value: Range<usize>,
}

/// Every such member, in order. `text` is known to be JSON; for anything else the result is
/// of no use, but there is one.
pub(super) fn members(text: &[u8]) -> Vec<Member> {
    let mut scan = Scan::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at = match byte {
            b'{' => scan.open(true, at),
            b'[' => scan.open(false, at),
            b'}' | b']' => scan.close(at),
            b',' => scan.next(at),
            b'"' => scan.string(text, at),
            b'-' | b'0'..=b'9' => scan.number(text, at),
            _ => at + 1,
        };
    }
    scan.found
}

/// The text of a value, if it is a string or a number.
pub(super) fn plain(text: &[u8], value: &Range<usize>) -> Option<String> {
    let raw = text.get(value.clone())?;
    serde_json::from_slice::<String>(raw).ok().or_else(|| {
        std::str::from_utf8(raw).ok().filter(|raw| !raw.starts_with('"')).map(str::to_owned)
    })
}

#[derive(Default)]
struct Scan {
    /// What is open at this place, outermost first.
    open: Vec<Level>,
    objects: usize,
    found: Vec<Member>,
}

struct Level {
    /// The number of the object; none for an array.
    object: Option<usize>,
    /// The name whose value is to come.
    name: Option<String>,
}

impl Scan {
    fn open(&mut self, is_object: bool, at: usize) -> usize {
        let object = is_object.then_some(self.objects);
        self.objects += usize::from(is_object);
        self.open.push(Level { object, name: None });
        at + 1
    }

    fn close(&mut self, at: usize) -> usize {
        self.open.pop();
        self.next(at)
    }

    fn next(&mut self, at: usize) -> usize {
        if let Some(level) = self.open.last_mut() {
            level.name = None;
        }
        at + 1
    }

    fn string(&mut self, text: &[u8], at: usize) -> usize {
        let end = string_end(text, at);
        let Some(level) = self.open.last_mut() else { return end };
        if level.object.is_some() && level.name.is_none() {
            level.name = text.get(at..end).and_then(|raw| serde_json::from_slice(raw).ok());
        } else {
            self.value(at..end);
        }
        end
    }

    fn number(&mut self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_number_byte(**byte)).count();
        self.value(at..at + length);
        at + length
    }

    fn value(&mut self, value: Range<usize>) {
        let Some(level) = self.open.last_mut() else { return };
        if let (Some(object), Some(name)) = (level.object, level.name.take()) {
            self.found.push(Member { object, name, value });
        }
    }
}

fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(usize, String, String)> {
        let show = |member: Member| {
            let value = text[member.value.clone()].to_owned();
            (member.object, member.name, value)
        };
        members(text.as_bytes()).into_iter().map(show).collect()
    }

    fn own(object: usize, name: &str, value: &str) -> (usize, String, String) {
        (object, name.to_owned(), value.to_owned())
    }

    #[test]
    fn members_of_nested_objects_are_told_apart() {
        let text = r#"{"a":"1","list":[{"x":"p","n":-1.5e3},{"x":"q"},"loose",7],"b": {"c":null,"d" : "\"}"},"e":true,"f":2}"#;
        assert_eq!(
            seen(text),
            [
                own(0, "a", "\"1\""),
                own(1, "x", "\"p\""),
                own(1, "n", "-1.5e3"),
                own(2, "x", "\"q\""),
                own(3, "d", r#""\"}""#),
                own(0, "f", "2"),
            ]
        );
    }

    #[test]
    fn a_value_is_read_without_its_quotes() {
        let text = br#"{"a":"x\u0041","b":7200}"#;
        let values: Vec<_> = members(text).iter().map(|m| plain(text, &m.value)).collect();
        assert_eq!(values, [Some("xA".to_owned()), Some("7200".to_owned())]);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(text: Vec<u8>) {
            for member in members(&text) {
                let _ = plain(&text, &member.value);
            }
        }

        #[test]
        fn every_string_of_an_object_is_found(names in proptest::collection::vec("[a-z\"\\\\{}\\[\\],:]{1,8}", 0..8)) {
            let object: serde_json::Map<String, serde_json::Value> =
                names.iter().map(|name| (name.clone(), name.clone().into())).collect();
            let text = serde_json::to_string(&[serde_json::json!({"in": object})]).unwrap();
            let found = members(text.as_bytes());
            proptest::prop_assert_eq!(found.len(), object.len());
            for member in found {
                proptest::prop_assert_eq!(plain(text.as_bytes(), &member.value), Some(member.name));
            }
        }
    }
}
