//! Where a value stands inside of another: `data.skus[0].sku_id`.

use std::{fmt, str::FromStr};

use serde_json::Value;

/// A way down from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePath(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Field(String),
    Index(usize),
}

impl ValuePath {
    /// The value at this place.
    #[must_use]
    pub fn find<'a>(&self, top: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(top, |value, part| match part {
            Part::Field(name) => value.get(name),
            Part::Index(nth) => value.get(nth),
        })
    }

    /// The top itself.
    pub(super) fn top() -> Self {
        Self(Vec::new())
    }

    /// One field further down.
    pub(super) fn field(&self, name: &str) -> Self {
        self.longer(Part::Field(name.to_owned()))
    }

    /// One element further down.
    pub(super) fn index(&self, nth: usize) -> Self {
        self.longer(Part::Index(nth))
    }

    fn longer(&self, part: Part) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }

    /// The last field's name.
    pub(super) fn name(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Index(_) => None,
        })
    }

    /// Whether `wanted`, a path without indexes, is this place or its end.
    pub(super) fn ends_with(&self, wanted: &str) -> bool {
        let wanted: Vec<&str> = wanted.split('.').collect();
        let own: Vec<&str> = self
            .0
            .iter()
            .filter_map(|part| match part {
                Part::Field(name) => Some(name.as_str()),
                Part::Index(_) => None,
            })
            .collect();
        matches!(self.0.last(), Some(Part::Field(_))) && own.ends_with(&wanted)
    }
}

impl FromStr for ValuePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no path such as data.skus[0].sku_id");
        let mut parts = Vec::new();
        for word in text.split('.') {
            let (name, mut indexes) = word.split_at(word.find('[').unwrap_or(word.len()));
            if name.is_empty() && (indexes.is_empty() || !parts.is_empty()) {
                return Err(bad());
            }
            if !name.is_empty() {
                parts.push(Part::Field(name.to_owned()));
            }
            while !indexes.is_empty() {
                let (nth, rest) =
                    indexes.strip_prefix('[').and_then(|i| i.split_once(']')).ok_or_else(bad)?;
                parts.push(Part::Index(nth.parse().map_err(|_| bad())?));
                indexes = rest;
            }
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, part) in self.0.iter().enumerate() {
            match part {
                Part::Field(name) if nth == 0 => f.write_str(name)?,
                Part::Field(name) => write!(f, ".{name}")?,
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_fields_and_elements() {
        let top = json!({"data": {"skus": [{"id": 1}, {"id": [7, 8]}]}});
        for (path, found) in [
            ("data.skus[0].id", Some(json!(1))),
            ("data.skus[1].id[1]", Some(json!(8))),
            ("data.skus[2]", None),
            ("data.x", None),
        ] {
            let parsed: ValuePath = path.parse().unwrap();
            assert_eq!(parsed.find(&top).cloned(), found, "{path}");
            assert_eq!(parsed.to_string(), path);
        }
        let parsed: ValuePath = "[0].a".parse().unwrap();
        assert_eq!(parsed.find(&json!([{"a": 2}])), Some(&json!(2)));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", "a..b", "a.[0]", "a[x]", "a[0", "a[0]b", "."] {
            assert!(bad.parse::<ValuePath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_end_of_a_path_is_compared_without_its_indexes() {
        let path: ValuePath = "data.skus[0].sku_id".parse().unwrap();
        for (wanted, is_end) in
            [("sku_id", true), ("data.skus.sku_id", true), ("skus", false), ("id", false)]
        {
            assert_eq!(path.ends_with(wanted), is_end, "{wanted}");
        }
        assert_eq!(path.name(), Some("sku_id"));
    }
}
