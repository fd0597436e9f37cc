//! Words and values: what a field is called, what an example says in the other language, which
//! of its values are variables.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value;

use super::body::Body;

/// The Chinese name of a field of a documented call.
pub(super) fn field_zh(name: &str) -> &'static str {
    static NAMES: LazyLock<HashMap<&str, &str>> =
        LazyLock::new(|| rows(include_str!("data/fields_zh.tsv")).collect());
    NAMES.get(name).copied().unwrap_or_default()
}

/// The body with its Chinese texts in English.
pub(super) fn in_english(body: &Body) -> Body {
    let mut english = body.clone();
    english.map(&|value| {
        let mut text = value.as_str()?.to_owned();
        for (zh, en) in rows(include_str!("data/english.tsv")) {
            if text.contains(zh) {
                text = text.replace(zh, en);
            }
        }
        Some(text.into())
    });
    english
}

/// Exchanges the example's ids and times by variables, so that every run has its own.
pub(super) fn with_variables(body: &mut Body) {
    body.map(&|value| match value {
        Value::String(text) if text.starts_with(PICTURES) => Some("{{picture}}".into()),
        Value::String(text) => {
            let changed =
                TEXTS.iter().fold(text.clone(), |text, (old, new)| text.replace(old, new));
            Some(changed.into())
        }
        Value::Number(number) => {
            let id = number.as_u64()?;
            let (_, variable) = NUMBERS.iter().find(|(known, _)| *known == id)?;
            Some((*variable).into())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
}

/// Two columns.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter_map(|line| line.split_once('\t'))
}

/// Where the pictures of all examples lie.
const PICTURES: &str = "https://mmecimage.cn/";

/// Ids of the examples, the longer ones first.
const TEXTS: &[(&str, &str)] = &[
    ("oQx7V5KzT0mYc1LrW3nE8pB2sAhU", "{{openid}}"),
    ("oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw", "{{sharer_openid}}"),
    ("TEA-2201-250G", "{{out_sku_id}}"),
    ("TEA-2201", "{{out_product_id}}"),
    ("SO202206150001", "{{out_order_id}}"),
    ("PAY20220618000042", "PAY{{run}}"),
    ("UCP2022061000017", "UCP{{run}}"),
    ("CP20220601", "CP{{run}}"),
    ("1627043915", "{{mchid}}"),
    ("07cd913f5a2be6480f1d3c29", "{{qrcode_ticket}}"),
];

/// Numbers of the examples that the platform gave.
const NUMBERS: &[(u64, &str)] = &[
    (3_305_216_840_027_791_360, "#{{order_id}}"),
    (4_000_000_001_873_342, "#{{aftersale_id}}"),
    (10_027_731, "#{{complaint_order_id}}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::{Field, endpoint::endpoints};

    fn unnamed(fields: &[Field], into: &mut Vec<String>) {
        for field in fields {
            if field_zh(&field.name).is_empty() {
                into.push(field.name.clone());
            }
            unnamed(&field.fields, into);
        }
    }

    #[test]
    fn every_field_has_a_chinese_name() {
        let mut missing = Vec::new();
        for endpoint in endpoints() {
            unnamed(&endpoint.request, &mut missing);
            unnamed(&endpoint.response, &mut missing);
        }
        assert!(missing.is_empty(), "data/fields_zh.tsv lacks {missing:?}");
    }

    #[test]
    fn an_example_speaks_english() {
        let body: Body =
            serde_json::from_str(r#"{"a":["明前龙井绿茶 250克 罐装"],"n":1}"#).unwrap();
        let english = in_english(&body).to_text();
        assert!(english.contains("Longjing green tea, 250 g tin"), "{english}");
    }

    #[test]
    fn ids_become_variables() {
        let mut body: Body = serde_json::from_str(
            r#"{"id":3305216840027791360,"no":"pages?no=SO202206150001","n":7}"#,
        )
        .unwrap();
        with_variables(&mut body);
        let text = body.to_text();
        assert!(text.contains("\"id\": {{order_id}},") && text.contains("no={{out_order_id}}"));
        assert!(text.contains("\"n\": 7"), "{text}");
    }
}
