//! The whole component: every documented call, asked well and badly.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::{every_call_rows::ROWS, every_call_shop::SHOP, testing::Shop};
use crate::{
    sandbox::moment,
    wechat::{
        Field, FieldKind,
        endpoint::{endpoint, endpoints},
    },
};

/// A shop in which everything is there at least once, and the names of what the calls gave.
pub(super) struct Stage {
    /// The shop.
    pub(super) shop: Shop,
    names: BTreeMap<String, Value>,
}

impl Stage {
    /// Runs the script that sets the shop up; what can be done once only is left to the call
    /// that is asked.
    pub(super) fn new(path: &str) -> Self {
        let mut stage = Self { shop: Shop::new(), names: BTreeMap::new() };
        let is_over = |line: &&str| ONCE.contains(&path) && line.starts_with(path);
        for line in SHOP
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take_while(|line| !is_over(line))
        {
            stage.run(line);
        }
        stage
    }

    /// `path edits => name=pointer`, or one of the commands `clock`, `set`, `fire`.
    pub(super) fn run(&mut self, line: &str) {
        let (line, taken) = line.split_once(" => ").unwrap_or((line, ""));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let seen = match word {
            "clock" => {
                self.shop.advance(rest.parse().unwrap());
                Value::Null
            }
            "set" => {
                self.shop.bench.set(&serde_json::from_str(rest).unwrap());
                Value::Null
            }
            "fire" => {
                let (event, set) = rest.split_once(' ').unwrap_or((rest, ""));
                let form = json!({"event": event, "set": self.edited(&json!({}), set)});
                let (status, seen) = self.shop.bench.control("POST", "events", &form.to_string());
                assert_eq!(status, 200, "{line}: {seen}");
                seen
            }
            path => {
                let body = self.edited(&endpoint(path).unwrap().example_request, rest);
                let seen = self.shop.bench.post(path, &body).json();
                assert_eq!(seen["errcode"], 0, "{line}: {seen} {body}");
                seen
            }
        };
        for taken in taken.split_whitespace() {
            let (name, place) = taken.split_once('=').unwrap();
            let value = seen.pointer(place).unwrap_or_else(|| panic!("{line}: {seen}"));
            self.names.insert(name.to_owned(), value.clone());
        }
    }

    /// `body` with edits `place=value` parted by spaces: a value is JSON without spaces, `$name`,
    /// or `-` to take the field out. Names of a place are joined by dots.
    fn edited(&self, body: &Value, edits: &str) -> Value {
        let mut body = body.clone();
        for edit in edits.split_whitespace() {
            let (place, value) = edit.split_once('=').unwrap();
            let (within, last) = place.rsplit_once('.').unwrap_or(("", place));
            let within = within.split('.').filter(|name| !name.is_empty());
            let inner = within.fold(&mut body, |inner, name| match name.parse::<usize>() {
                Ok(at) => &mut inner[at],
                Err(_) => &mut inner[name],
            });
            match value {
                "-" => drop(inner.as_object_mut().unwrap().remove(last)),
                value => inner[last] = self.value(value),
            }
        }
        body
    }

    fn value(&self, text: &str) -> Value {
        let now_ms = self.shop.bench.platform.account("shop").unwrap().now_ms();
        match text {
            "$now" => json!(moment::text(now_ms)),
            "$day" => json!(moment::text(now_ms).get(..10).unwrap().replace('-', "")),
            "$now_s" => json!(now_ms / 1000),
            "$later_s" => json!(now_ms / 1000 + 900_000),
            text => match text.strip_prefix('$') {
                Some(name) => self.names.get(name).unwrap_or_else(|| panic!("{name}")).clone(),
                None => serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}")),
            },
        }
    }
}

/// One call: how its example is edited to be good, how then to be bad, and the errcode.
struct Row {
    path: &'static str,
    good: &'static str,
    bad: &'static str,
    errcode: i64,
}

fn rows() -> Vec<Row> {
    let lines = ROWS.lines().map(str::trim).filter(|line| !line.is_empty());
    let row = |line: &'static str| {
        let mut parts = line.split('|').map(str::trim);
        let [path, good, bad] = std::array::from_fn(|_| parts.next().unwrap());
        Row { path, good, bad, errcode: parts.next().unwrap().parse().unwrap() }
    };
    lines.map(row).collect()
}

/// What an answer lacks, or has of another type than documented.
fn wrong(fields: &[Field], answer: &Map<String, Value>, place: &str, found: &mut String) {
    for field in fields {
        let here = format!("{place}.{}", field.name);
        let Some(value) = answer.get(&field.name) else {
            if !IN_SOME_CASES.contains(&field.name.as_str()) {
                writeln!(found, "{here} is missing").unwrap();
            }
            continue;
        };
        let list = value.as_array();
        let is_list_of =
            |is_good: fn(&Value) -> bool| list.is_some_and(|list| list.iter().all(is_good));
        let is_good = match field.kind {
            FieldKind::Text | FieldKind::File => value.is_string(),
            FieldKind::Integer => value.is_i64() || value.is_u64(),
            FieldKind::Id => value.is_u64(),
            FieldKind::Boolean => value.is_boolean(),
            FieldKind::Object => value.is_object(),
            FieldKind::Texts => is_list_of(Value::is_string),
            FieldKind::Integers => is_list_of(Value::is_u64),
            FieldKind::Objects => is_list_of(Value::is_object),
        };
        if !is_good {
            writeln!(found, "{here} is {value}, not {:?}", field.kind).unwrap();
        }
        if field.kind == FieldKind::Objects
            && list.is_some_and(Vec::is_empty)
            && !MAY_BE_EMPTY.contains(&field.name.as_str())
        {
            writeln!(found, "{here} is empty").unwrap();
        }
        let items = list.into_iter().flatten();
        for inner in items.chain(std::iter::once(value)).filter_map(Value::as_object) {
            wrong(&field.fields, inner, &here, found);
        }
    }
}

#[test]
fn every_documented_call_stands_in_one_row() {
    let mut rows: Vec<&str> = rows().iter().map(|row| row.path).collect();
    let mut documented: Vec<&str> = endpoints().iter().map(|one| one.path.as_str()).collect();
    rows.sort_unstable();
    documented.sort_unstable();
    assert_eq!(rows, documented);
}

#[test]
fn every_call_answers_with_all_documented_fields_and_refuses_with_its_code() {
    let mut found = String::new();
    for row in rows() {
        let stage = Stage::new(row.path);
        let documented = endpoint(row.path).unwrap();
        let good = stage.edited(&documented.example_request, row.good);
        let bad = match row.bad {
            "no-json" => "{\"a\":1,}".to_owned(),
            edits => stage.edited(&good, edits).to_string(),
        };
        let refused = stage.shop.bench.post_text(row.path, &bad);
        if refused.errcode != Some(row.errcode) {
            writeln!(found, "{} bad: {} {bad}", row.path, refused.json()).unwrap();
        }
        let is_documented = documented.errcodes.contains(&row.errcode);
        // The general list names it for every call.
        if !is_documented && row.errcode != 40097 {
            writeln!(found, "{}: {} is not documented", row.path, row.errcode).unwrap();
        }
        let answer = stage.shop.bench.post(row.path, &good).json();
        if answer["errcode"] != 0 {
            writeln!(found, "{} good: {answer} {good}", row.path).unwrap();
            continue;
        }
        wrong(&documented.response, answer.as_object().unwrap(), row.path, &mut found);
    }
    assert!(found.is_empty(), "\n{found}");
}

/// Calls that are refused once they were made.
const ONCE: &[&str] = &["/shop/audit/audit_category", "/shop/wxpay/apply"];

/// Fields that the documents show in some case only.
const IN_SOME_CASES: &[&str] = &[
    // By `resp_type` of the upload.
    "media_id",
    "temp_img_url",
    "pay_media_id",
    // Each record of a dispute holds one of them.
    "user_record",
    "merchant_record",
    "op_record",
    // Only after a delivery call.
    "delivery_detail",
];

/// Lists that the shop leaves empty.
const MAY_BE_EMPTY: &[&str] = &["audit_detail"];
