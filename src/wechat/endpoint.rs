//! The documented `/shop` calls with their fields, as `data/endpoints.json` has them.
//!
//! Source: the documentation pages of the custom transaction component and the models of public
//! SDKs, read 2026-08. Most of the calls are retired: see [`Endpoint::is_retired`].

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// One call with everything that is known of its fields.
#[derive(Debug, Deserialize)]
pub struct Endpoint {
    /// Its path, such as `/shop/order/add`.
    pub path: String,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// What it belongs to, such as `order`.
    pub group: String,
    /// `component-retired`, `still-documented-for-store` or `successor-store`.
    pub status: String,
    /// Whether it takes a form and not JSON.
    #[serde(rename = "content_type", deserialize_with = "is_form")]
    pub is_multipart: bool,
    /// Whether the caller's address is checked; none = not known.
    pub source_ip_enforced: Option<bool>,
    /// Fields of the request body, in the order of the documents.
    #[serde(deserialize_with = "request_fields")]
    pub request: Vec<Field>,
    /// Fields of the answer.
    #[serde(deserialize_with = "response_fields")]
    pub response: Vec<Field>,
    /// A request that fits.
    pub example_request: Value,
    /// Its answer.
    pub example_response: Value,
    /// The errcodes that its page or its users name.
    pub errcodes: Vec<i64>,
    /// Steps of the documents' scenario that it takes part in.
    pub scenario_step: Vec<u32>,
    /// What else is known.
    pub notes: Vec<String>,
    /// What is not known.
    pub unconfirmed: Vec<String>,
}

/// One field of a request or an answer, with those inside it.
#[derive(Debug)]
pub struct Field {
    /// Its name, without the path to it.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether a request must have it; [`Need::No`] in answers.
    pub need: Need,
    /// What it means.
    pub about: String,
    /// The fields of an object, or of each object of a list.
    pub fields: Vec<Self>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A whole number of up to 64 bit.
    Id,
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object,
    /// A list of texts.
    Texts,
    /// A list of whole numbers.
    Integers,
    /// A list of objects.
    Objects,
    /// An uploaded file.
    File,
}

/// Whether a request must have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Always.
    Yes,
    /// Under the condition that [`Field::about`] tells.
    Conditional,
    /// Never.
    No,
}

impl Endpoint {
    /// Whether the platform has taken the call down with the component.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.status == "component-retired"
    }
}

impl FieldKind {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "string" => Self::Text,
            "integer" => Self::Integer,
            "uint64" => Self::Id,
            "boolean" => Self::Boolean,
            "object" => Self::Object,
            "array<string>" => Self::Texts,
            "array<integer>" | "array<uint64>" => Self::Integers,
            "array<object>" => Self::Objects,
            "file" => Self::File,
            _ => return None,
        })
    }
}

/// The call at `path`, if it is one of the documented.
#[must_use]
pub fn endpoint(path: &str) -> Option<&'static Endpoint> {
    static BY_PATH: LazyLock<HashMap<&str, &Endpoint>> =
        LazyLock::new(|| endpoints().iter().map(|e| (e.path.as_str(), e)).collect());
    BY_PATH.get(path).copied()
}

/// All of them, in the order of the documents.
#[must_use]
pub fn endpoints() -> &'static [Endpoint] {
    static ALL: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("data/endpoints.json")).expect("a test reads the file")
    });
    &ALL
}

fn is_form<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(from)? == "multipart/form-data")
}

fn request_fields<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Field>, D::Error> {
    let rows = Vec::<(String, String, String, String)>::deserialize(from)?;
    let mut tree = Vec::new();
    for (path, kind, need, about) in rows {
        let need = match need.as_str() {
            "yes" => Need::Yes,
            "conditional" => Need::Conditional,
            _ => Need::No,
        };
        let kind = FieldKind::parse(&kind).ok_or_else(|| D::Error::custom(kind))?;
        grow(&mut tree, &path, (kind, need, about)).ok_or_else(|| D::Error::custom(path))?;
    }
    Ok(tree)
}

fn response_fields<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Field>, D::Error> {
    let rows = Vec::<(String, String, String)>::deserialize(from)?;
    let mut tree = Vec::new();
    for (path, kind, about) in rows {
        let kind = FieldKind::parse(&kind).ok_or_else(|| D::Error::custom(kind))?;
        grow(&mut tree, &path, (kind, Need::No, about)).ok_or_else(|| D::Error::custom(path))?;
    }
    Ok(tree)
}

/// Hangs a field into its place; none if what it stands in is not there.
fn grow(tree: &mut Vec<Field>, path: &str, leaf: (FieldKind, Need, String)) -> Option<()> {
    let (place, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut level = tree;
    for name in place.split('.').filter(|name| !name.is_empty()) {
        let name = name.trim_end_matches("[]");
        level = &mut level.iter_mut().find(|field| field.name == name)?.fields;
    }
    let (kind, need, about) = leaf;
    let name = last.trim_end_matches("[]").to_owned();
    level.push(Field { name, kind, need, about, fields: Vec::new() });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::catalogue;

    #[test]
    fn all_documented_calls_are_there_and_in_the_catalogue() {
        assert_eq!(endpoints().len(), 99);
        for endpoint in endpoints() {
            assert!(catalogue::lookup_path(&endpoint.path).is_some(), "{}", endpoint.path);
            assert!(endpoint.example_request.is_object() && endpoint.example_response.is_object());
        }
        assert_eq!(endpoints().iter().filter(|e| !e.is_retired()).count(), 8);
    }

    #[test]
    fn fields_stand_inside_each_other() {
        let add = endpoint("/shop/order/add").unwrap();
        let field = |fields: &'static [Field], name: &str| {
            fields.iter().find(|field| field.name == name).unwrap()
        };
        let detail = field(&add.request, "order_detail");
        let goods = field(&detail.fields, "product_infos");
        assert_eq!((goods.kind, goods.need), (FieldKind::Objects, Need::Yes));
        assert_eq!(field(&goods.fields, "sku_real_price").need, Need::Conditional);
        let data = field(&add.response, "data");
        assert_eq!(field(&data.fields, "order_id").kind, FieldKind::Id);
        assert!(endpoint("/shop/nothing").is_none());
    }
}
