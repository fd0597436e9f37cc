//! A JSON body whose fields keep their order and whose values may be variables.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

use crate::wechat::Field;

/// A value of JSON. The text `#{{name}}` stands for a variable without quotes: a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// Fields in the order in which they are shown.
    Object(Vec<(String, Self)>),
    /// A list.
    List(Vec<Self>),
    /// Everything else.
    Value(Value),
}

impl Body {
    /// A value with its fields in the documents' order; others follow.
    pub(super) fn documented(value: &Value, fields: &[Field]) -> Self {
        match value {
            Value::Object(map) => {
                let known = |name: &str| fields.iter().find(|field| field.name == name);
                let place = |name: &str| fields.iter().position(|field| field.name == name);
                let mut names: Vec<&String> = map.keys().collect();
                names.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
                let part = |name: &String| {
                    let inner = known(name).map_or(&[][..], |field| &field.fields);
                    (name.clone(), Self::documented(&map[name], inner))
                };
                Self::Object(names.into_iter().map(part).collect())
            }
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::documented(item, fields)).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Self::Value(value.clone())
            }
        }
    }

    /// Puts a value at a place, or takes out what is there if the value is null. Objects on the
    /// way are made, lists are not.
    pub(super) fn set(&mut self, place: &str, value: &Self) {
        let (name, rest) = place.split_once('.').unwrap_or((place, ""));
        match self {
            Self::Object(fields) => {
                let at = fields.iter().position(|(known, _)| known == name);
                match (at, rest, value) {
                    (Some(at), "", Self::Value(Value::Null)) => drop(fields.remove(at)),
                    (None, _, Self::Value(Value::Null)) => {}
                    (at, "", value) => match at.and_then(|at| fields.get_mut(at)) {
                        Some((_, old)) => *old = value.clone(),
                        None => fields.push((name.to_owned(), value.clone())),
                    },
                    (at, rest, value) => {
                        let at = at.unwrap_or_else(|| {
                            fields.push((name.to_owned(), Self::Object(Vec::new())));
                            fields.len() - 1
                        });
                        if let Some((_, inner)) = fields.get_mut(at) {
                            inner.set(rest, value);
                        }
                    }
                }
            }
            Self::List(items) => {
                let item = name.parse::<usize>().ok().and_then(|at| items.get_mut(at));
                match (item, rest) {
                    (Some(item), "") => *item = value.clone(),
                    (Some(item), rest) => item.set(rest, value),
                    (None, _) => {}
                }
            }
            Self::Value(_) => {}
        }
    }

    /// Exchanges values, from the innermost out.
    pub(super) fn map(&mut self, change: &impl Fn(&Value) -> Option<Value>) {
        match self {
            Self::Object(fields) => fields.iter_mut().for_each(|(_, inner)| inner.map(change)),
            Self::List(items) => items.iter_mut().for_each(|item| item.map(change)),
            Self::Value(value) => {
                if let Some(new) = change(value) {
                    *value = new;
                }
            }
        }
    }

    /// The fields of an object; none for everything else.
    pub(super) fn fields(&self) -> &[(String, Self)] {
        match self {
            Self::Object(fields) => fields,
            Self::List(_) | Self::Value(_) => &[],
        }
    }

    /// A value as it stands in a form.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Value(Value::String(text)) => text.trim_start_matches('#').to_owned(),
            Self::Object(_) | Self::List(_) | Self::Value(_) => self.to_text(),
        }
    }

    /// As JSON over many lines.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, depth: usize, text: &mut String) {
        match self {
            Self::Object(fields) if !fields.is_empty() => {
                lines(depth, ['{', '}'], fields, text, |(name, value), text| {
                    text.push_str(&Value::from(name.as_str()).to_string());
                    text.push_str(": ");
                    value.write(depth + 1, text);
                });
            }
            Self::List(items) if !items.is_empty() => {
                lines(depth, ['[', ']'], items, text, |item, text| item.write(depth + 1, text));
            }
            Self::Object(_) => text.push_str("{}"),
            Self::List(_) => text.push_str("[]"),
            Self::Value(Value::String(variable)) if variable.starts_with("#{{") => {
                text.push_str(variable.trim_start_matches('#'));
            }
            Self::Value(value) => text.push_str(&value.to_string()),
        }
    }
}

/// One part a line, between brackets.
fn lines<T>(
    depth: usize,
    [open, close]: [char; 2],
    parts: &[T],
    text: &mut String,
    write: impl Fn(&T, &mut String),
) {
    text.push(open);
    for (at, part) in parts.iter().enumerate() {
        text.push_str(if at == 0 { "\n" } else { ",\n" });
        text.push_str(&INDENT.repeat(depth + 1));
        write(part, text);
    }
    text.push('\n');
    text.push_str(&INDENT.repeat(depth));
    text.push(close);
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

/// Reads JSON without sorting its fields.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Body::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Body, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Body::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Body, E> {
        Ok(Body::Value(text.into()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Body, E> {
        Ok(Body::Value(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Body, E> {
        Ok(Body::Value(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Body, E> {
        Ok(Body::Value(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Body, E> {
        Ok(Body::Value(Number::from_f64(number).map_or(Value::Null, Value::Number)))
    }

    fn visit_unit<E>(self) -> Result<Body, E> {
        Ok(Body::Value(Value::Null))
    }
}

const INDENT: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Body {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn fields_keep_their_order_and_variables_may_be_numbers() {
        let text =
            body(r##"{"z":1,"a":["#{{id}}",{}],"m":{"b":"{{x}}","c":null},"e":[]}"##).to_text();
        let wanted = "{\n  \"z\": 1,\n  \"a\": [\n    {{id}},\n    {}\n  ],\n  \"m\": {\n    \"b\": \"{{x}}\",\n    \"c\": null\n  },\n  \"e\": []\n}";
        assert_eq!(text, wanted);
    }

    #[test]
    fn places_are_set_made_and_taken_out() {
        let mut body = body(r#"{"a":1,"list":[{"b":2}],"gone":{"c":3}}"#);
        let value = |text: &str| Body::Value(text.into());
        body.set("list.0.b", &value("new"));
        body.set("made.here", &value("x"));
        body.set("gone.c", &Body::Value(Value::Null));
        body.set("nothing.c", &Body::Value(Value::Null));
        body.set("list.7", &value("nowhere"));
        let wanted: Value =
            serde_json::from_str(r#"{"a":1,"list":[{"b":"new"}],"gone":{},"made":{"here":"x"}}"#)
                .unwrap();
        assert_eq!(serde_json::from_str::<Value>(&body.to_text()).unwrap(), wanted);
    }

    #[test]
    fn the_documents_order_comes_first() {
        let add = crate::wechat::endpoint::endpoint("/shop/spu/add").unwrap();
        let body = Body::documented(&add.example_request, &add.request);
        let names: Vec<&str> = body.fields().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.first(), Some(&"out_product_id"));
        assert_eq!(names.last(), Some(&"skus"));
    }
}
