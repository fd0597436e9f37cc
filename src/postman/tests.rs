//! What the collection promises, held against itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Environment, Settings, collection, format::SCHEMA};
use crate::wechat::{CallClass, Endpoint, catalogue, endpoint::endpoints};

fn whole() -> Value {
    serde_json::to_value(collection()).unwrap()
}

fn environment(key: Option<&str>) -> Value {
    let settings = Settings { base_url: "https://gate:1", account: "shop", app_id: "wx1", key };
    serde_json::to_value(Environment::new(settings)).unwrap()
}

/// Every request, with the names of the folders around it.
fn requests(whole: &Value) -> Vec<(String, &Value)> {
    fn collect<'a>(items: &'a Value, within: &str, into: &mut Vec<(String, &'a Value)>) {
        for item in items.as_array().unwrap() {
            match item.get("item") {
                Some(inner) => {
                    let name = format!("{within}/{}", item["name"].as_str().unwrap());
                    collect(inner, &name, into);
                }
                None => into.push((within.to_owned(), item)),
            }
        }
    }
    let mut all = Vec::new();
    collect(&whole["item"], "", &mut all);
    all
}

/// How often each path is shown; what prepares the sandbox does not count.
fn shown(whole: &Value) -> BTreeMap<String, usize> {
    let mut paths = BTreeMap::new();
    for (_, item) in requests(whole) {
        if !item["name"].as_str().unwrap().starts_with("沙箱") {
            let path: Vec<&str> = item["request"]["url"]["path"]
                .as_array()
                .unwrap()
                .iter()
                .map(|part| part.as_str().unwrap())
                .collect();
            *paths.entry(format!("/{}", path.join("/"))).or_insert(0) += 1;
        }
    }
    paths
}

fn has_both_languages(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
        && text.bytes().any(|b| b.is_ascii_lowercase())
}

#[test]
fn every_call_that_is_promised_stands_in_it_once() {
    let shown = shown(&whole());
    let shipping = catalogue::calls().iter().filter(|c| c.path.starts_with("/wxa/sec/order/"));
    let wanted: BTreeSet<&str> = endpoints()
        .iter()
        .map(|e: &Endpoint| e.path.as_str())
        .chain(shipping.map(|c| c.path))
        .collect();
    assert_eq!(wanted.len(), 99 + 12);
    for path in wanted {
        assert_eq!(shown.get(path), Some(&1), "{path}");
    }
    for path in ["/cgi-bin/token", "/cgi-bin/stable_token", "/cgi-bin/ticket/getticket"] {
        assert_eq!(shown.get(path), Some(&1), "{path}");
    }
    for path in ["/cgi-bin/message/custom/send", "/wxa/getwxacodeunlimit", "/cgi-bin/qrcode/create"]
    {
        assert_eq!(shown.get(path), Some(&1), "{path}");
    }
    let twice: Vec<_> = shown.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn it_has_the_form_that_postman_asks_for() {
    let whole = whole();
    assert_eq!(whole["info"]["schema"], SCHEMA);
    assert_eq!(requests(&whole).len(), collection().requests());
    let mut ids = BTreeSet::new();
    for (folder, item) in requests(&whole) {
        let name = item["name"].as_str().unwrap();
        assert!(ids.insert(item["id"].as_str().unwrap().to_owned()), "{folder}/{name}");
        let request = &item["request"];
        assert!(matches!(request["method"].as_str(), Some("GET" | "POST")), "{name}");
        let url = &request["url"];
        assert_eq!(url["host"][0], "{{base_url}}", "{name}");
        assert!(url["raw"].as_str().unwrap().starts_with("{{base_url}}/"), "{name}");
        let body = &request["body"];
        assert!(matches!(body["mode"].as_str(), None | Some("raw" | "formdata")), "{name}");
        assert!(body.is_null() || request["method"] == "POST", "{name}");
        for event in item["event"].as_array().unwrap() {
            assert!(matches!(event["listen"].as_str(), Some("prerequest" | "test")), "{name}");
            assert!(event["script"]["exec"].is_array(), "{name}");
        }
        for response in item["response"].as_array().unwrap() {
            assert!(ids.insert(response["id"].as_str().unwrap().to_owned()), "{name}");
            assert!(response["originalRequest"]["url"].is_object(), "{name}");
        }
    }
}

#[test]
fn names_pages_and_examples_speak_both_languages() {
    let whole = whole();
    assert!(has_both_languages(whole["info"]["description"].as_str().unwrap()));
    for (folder, item) in requests(&whole) {
        let name = item["name"].as_str().unwrap();
        assert!(has_both_languages(&folder) && has_both_languages(name), "{folder}: {name}");
        let page = item["request"]["description"].as_str().unwrap();
        assert!(has_both_languages(page), "{name}: {page}");
        let examples: Vec<&str> = item["response"]
            .as_array()
            .unwrap()
            .iter()
            .map(|example| example["name"].as_str().unwrap())
            .collect();
        if name.starts_with("沙箱") {
            assert!(examples.is_empty(), "{name}");
            continue;
        }
        assert!(examples.iter().all(|example| has_both_languages(example)), "{examples:?}");
        assert!(examples.iter().any(|example| example.starts_with("成功")), "{name}");
        assert!(examples.iter().any(|example| example.starts_with("失败")), "{name}: {examples:?}");
        let body = item["request"]["body"].to_string();
        let english = examples.iter().any(|example| example.contains("example in English"));
        let is_translated = body.contains("茶") || body.contains("货款");
        assert!(english || !is_translated, "{name} has no English example: {body}");
    }
}

#[test]
fn every_variable_that_a_request_uses_is_in_the_environment_or_made_by_a_script() {
    let environment = environment(None);
    let known: BTreeSet<&str> = environment["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["key"].as_str().unwrap())
        .collect();
    for (_, item) in requests(&whole()) {
        let text = item["request"]["url"]["raw"].to_string() + &item["request"]["body"].to_string();
        for used in text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")) {
            let is_made = super::script::EVERY_TIME.contains(&format!("set('{}'", used.0));
            assert!(known.contains(used.0) || is_made, "{}: {}", item["name"], used.0);
        }
    }
}

#[test]
fn no_key_stands_in_it_unless_it_is_asked_for() {
    let text = whole().to_string() + &environment(None).to_string();
    let is_key = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    assert!(!text.split("wxgk_").skip(1).any(is_key));
    let with_key = environment(Some("wxgk_given"));
    let key = &with_key["values"][1];
    assert_eq!((&key["key"], &key["type"]), (&"key".into(), &"secret".into()));
    assert_eq!(key["value"], "wxgk_given");
    assert_eq!(environment(None)["values"][1]["value"], "");
}

#[test]
fn it_is_the_same_every_time() {
    assert_eq!(whole().to_string(), whole().to_string());
}

#[test]
fn dangerous_calls_and_controls_are_marked_and_can_be_skipped() {
    let whole = whole();
    let mut dangerous = 0;
    for (folder, item) in requests(&whole) {
        let name = item["name"].as_str().unwrap();
        let path =
            item["request"]["url"]["raw"].as_str().unwrap().trim_start_matches("{{base_url}}");
        let script = item["event"].to_string();
        if path.starts_with("/-/") {
            assert!(name.starts_with("沙箱") && script.contains("skipRequest"), "{folder}/{name}");
            continue;
        }
        let header = item["request"]["header"].to_string();
        assert!(header.contains("X-Wxgate-Upstream"), "{name} may leave the sandbox");
        let call = catalogue::lookup_path(path);
        if call.is_some_and(|call| call.class == CallClass::Danger) && !name.starts_with("沙箱") {
            dangerous += 1;
            assert!(name.starts_with('⚠') && script.contains("run_dangerous"), "{name}");
        }
    }
    assert!(dangerous >= 10, "{dangerous}");
}
