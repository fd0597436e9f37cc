//! A pushed message in its two written forms, JSON and XML.

use quick_xml::{Reader, events::Event};
use serde_json::{Map, Value};

/// Why a text is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushMessageError {
    /// Not well-formed, or a document type, which no message has.
    #[error("it is not XML: {0}")]
    Xml(String),
    /// The outermost element has another name.
    #[error("its root is not <xml>")]
    Root,
    /// Deeper than any message.
    #[error("its elements are nested too deeply")]
    Depth,
    /// JSON, but no object; or no JSON.
    #[error("it is not a JSON object: {0}")]
    Json(String),
}

/// The message as JSON, the envelope first, as the platform writes it.
#[must_use]
pub fn to_json(message: &Map<String, Value>) -> String {
    let mut text = String::from("{");
    for (name, value) in in_order(message) {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Value::from(name).to_string());
        text.push(':');
        text.push_str(&value.to_string());
    }
    text.push('}');
    text
}

/// The message as XML: strings in CDATA, an array as an element repeated for each item.
#[must_use]
pub fn to_xml(message: &Map<String, Value>) -> String {
    let mut text = String::from("<xml>");
    in_order(message).for_each(|(name, value)| push_element(&mut text, name, value));
    text.push_str("</xml>");
    text
}

/// Reads a JSON object.
///
/// # Errors
/// [`PushMessageError::Json`] for anything else.
pub fn from_json(text: &str) -> Result<Map<String, Value>, PushMessageError> {
    serde_json::from_str(text).map_err(|error| PushMessageError::Json(error.to_string()))
}

/// Reads an `<xml>` document. Every value is a string, an element that comes again makes an
/// array; attributes say nothing.
///
/// # Errors
/// What is wrong with it.
pub fn from_xml(text: &str) -> Result<Map<String, Value>, PushMessageError> {
    let mut reader = Reader::from_str(text);
    let broken = |error: &dyn std::fmt::Display| PushMessageError::Xml(error.to_string());
    // The open elements, the outermost first.
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => enter(&mut open, start.name().as_ref(), root.is_some())?,
            Event::Empty(start) => {
                enter(&mut open, start.name().as_ref(), root.is_some())?;
                leave(&mut open, &mut root);
            }
            Event::End(_) => leave(&mut open, &mut root),
            Event::Text(part) => push_text(&mut open, &part.xml10_content())?,
            Event::CData(part) => push_text(&mut open, &part.xml10_content())?,
            Event::GeneralRef(part) => {
                let character = match part.resolve_char_ref().map_err(|error| broken(&error))? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&part)
                        .ok_or_else(|| broken(&"an entity that is not declared"))?
                        .to_owned(),
                };
                push_text(&mut open, &character)?;
            }
            Event::DocType(_) => return Err(broken(&"a document type")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(broken(&"it ends too early"));
    }
    root.ok_or(PushMessageError::Root)
}

/// One element that is being read.
struct Element {
    name: String,
    text: String,
    fields: Map<String, Value>,
}

impl Element {
    fn value(self) -> Value {
        if self.fields.is_empty() { Value::String(self.text) } else { Value::Object(self.fields) }
    }
}

fn enter(open: &mut Vec<Element>, name: &str, is_over: bool) -> Result<(), PushMessageError> {
    if open.is_empty() && (is_over || name != "xml") {
        return Err(PushMessageError::Root);
    }
    if open.len() == MOST_DEPTH {
        return Err(PushMessageError::Depth);
    }
    open.push(Element { name: name.to_owned(), text: String::new(), fields: Map::new() });
    Ok(())
}

/// Ends the innermost element and hands it to the one around it.
fn leave(open: &mut Vec<Element>, root: &mut Option<Map<String, Value>>) {
    let Some(element) = open.pop() else { return };
    let Some(around) = open.last_mut() else {
        *root = Some(element.fields);
        return;
    };
    let name = element.name.clone();
    let value = element.value();
    match around.fields.get_mut(&name) {
        None => {
            around.fields.insert(name, value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// White space may stand anywhere; other text only inside of the document.
fn push_text(open: &mut [Element], part: &str) -> Result<(), PushMessageError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(part),
        None if part.trim().is_empty() => {}
        None => return Err(PushMessageError::Root),
    }
    Ok(())
}

/// The envelope in its usual order, then the rest.
fn in_order(message: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    let envelope = ENVELOPE.iter().filter_map(|name| Some((*name, message.get(*name)?)));
    let rest = message.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    envelope.chain(rest.map(|(name, value)| (name.as_str(), value)))
}

fn push_element(text: &mut String, name: &str, value: &Value) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| push_element(text, name, item));
        return;
    }
    let mut name: String = name.chars().filter(|letter| is_of_name(*letter)).collect();
    if !is_element_name(&name) {
        name.insert(0, '_');
    }
    text.push_str(&format!("<{name}>"));
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| push_element(text, name, value));
        }
        Value::String(content) => push_cdata(text, content),
        Value::Number(_) | Value::Bool(_) => text.push_str(&value.to_string()),
        Value::Null | Value::Array(_) => {}
    }
    text.push_str(&format!("</{name}>"));
}

/// CDATA ends at the first `]]>`, so that one inside is written in two parts. Control
/// characters have no place in XML at all.
fn push_cdata(text: &mut String, content: &str) {
    let is_allowed = |letter: &char| {
        matches!(letter, '\t' | '\n' | '\r')
            || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'))
    };
    let content: String = content.chars().filter(is_allowed).collect();
    text.push_str("<![CDATA[");
    text.push_str(&content.replace("]]>", "]]]]><![CDATA[>"));
    text.push_str("]]>");
}

/// Whether a name may be written as an element: a letter or `_`, then also digits, `-`, `.`.
#[must_use]
pub fn is_element_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(is_of_name)
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

const ENVELOPE: &[&str] = &["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"];
/// The deepest message that is known has four levels.
const MOST_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_envelope_stands_first_in_both_forms() {
        let message = map(&json!({
            "Content": "你好 proxy", "CreateTime": 1_767_225_600, "MsgId": 24_012_345_678_901_234_u64,
            "MsgType": "text", "ToUserName": "gh_1", "FromUserName": "o1",
        }));
        assert_eq!(
            to_xml(&message),
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]>\
             </FromUserName><CreateTime>1767225600</CreateTime><MsgType><![CDATA[text]]></MsgType>\
             <Content><![CDATA[你好 proxy]]></Content><MsgId>24012345678901234</MsgId></xml>"
        );
        let text = to_json(&message);
        assert!(text.starts_with(r#"{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":17"#));
        assert_eq!(from_json(&text).unwrap(), message);
    }

    #[test]
    fn lists_become_repeated_elements_and_come_back_as_lists() {
        let message = map(&json!({
            "Event": "e", "one": { "list": [{ "id": "1" }, { "id": "2" }], "none": [] },
            "odd": "a ]]> b", "empty": "", "is": true,
        }));
        let xml = to_xml(&message);
        let list =
            "<one><list><id><![CDATA[1]]></id></list><list><id><![CDATA[2]]></id></list></one>";
        assert!(xml.contains(list), "{xml}");
        let read = from_xml(&xml).unwrap();
        assert_eq!(read["one"]["list"], json!([{ "id": "1" }, { "id": "2" }]));
        assert_eq!((&read["odd"], &read["empty"]), (&json!("a ]]> b"), &json!("")));
        assert_eq!(read["is"], "true");
    }

    #[test]
    fn text_may_be_written_in_any_way_that_xml_allows() {
        let text =
            "<?xml version=\"1.0\"?>\n<!-- x --><xml>\n <a k=\"v\">1 &lt; &#50;</a><b/> </xml>\n";
        assert_eq!(Value::Object(from_xml(text).unwrap()), json!({ "a": "1 < 2", "b": "" }));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let bomb = "<!DOCTYPE xml [<!ENTITY a \"aa\">]><xml>&a;</xml>";
        let deep = format!("<xml>{}", "<a>".repeat(40));
        for bad in [
            "",
            "x",
            "<a/>",
            "<xml>",
            "<xml></a>",
            "<xml/>x",
            "<xml/><xml/>",
            bomb,
            &deep,
            "<xml>&unknown;</xml>",
            "{\"ErrCode\":0}",
        ] {
            assert!(from_xml(bad).is_err(), "{bad}");
        }
        assert!(from_json("[]").is_err() && from_json("<xml/>").is_err());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<String>().prop_map(Value::from), any::<u64>().prop_map(Value::from)];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_message_holds_both_forms_can_be_read(
            fields in prop::collection::btree_map(any::<String>(), value(), 0..4),
        ) {
            let message: Map<String, Value> = fields.into_iter().collect();
            prop_assert!(from_xml(&to_xml(&message)).is_ok(), "{}", to_xml(&message));
            prop_assert_eq!(from_json(&to_json(&message)).unwrap(), message);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a&;#x!\\[\\] ]{0,60}") {
            drop(from_xml(&text));
        }
    }

    #[test]
    fn no_name_and_no_character_breaks_the_document() {
        let message = map(&json!({ "a b<": "x", "1": "y", "c": "\u{0}\u{b}ok" }));
        let read = from_xml(&to_xml(&message)).unwrap();
        assert_eq!((&read["ab"], &read["c"]), (&json!("x"), &json!("ok")));
        assert_eq!(read["_1"], "y");
        assert!(is_element_name("order_info") && !is_element_name("1a") && !is_element_name("a b"));
        assert!(!is_element_name(""));
    }
}
