//! What must hold for the envelope of any answer whatsoever.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    envelope::{Envelope, Peeked, peek},
    envelope_scan::MOST_EXACT,
};

/// Any JSON value, with the names that matter strewn in at every depth.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[\"{}\\[\\]\\\\:,]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("errcode".to_owned()),
        Just("errmsg".to_owned()),
        Just("base_resp".to_owned()),
        Just("ret".to_owned()),
        ".{0,8}",
    ]
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((name(), value()), 0..6).prop_map(|members| members.into_iter().collect())
}

/// What the envelope of an object is, by a real parser.
fn expected(object: &Map<String, Value>) -> (Option<i64>, Option<&str>) {
    let code = |value: Option<&Value>| match value? {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| {
            number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= MOST_EXACT).map(|n| n as i64)
        }),
        _ => None,
    };
    let base = object.get("base_resp").and_then(Value::as_object);
    let base_code = base.and_then(|base| {
        base.iter()
            .filter(|(name, _)| ["ret", "errcode"].contains(&name.as_str()))
            .find_map(|(_, v)| code(Some(v)))
    });
    let top_text = object.get("errmsg").and_then(Value::as_str);
    let base_text = base.and_then(|base| base.get("errmsg")).and_then(Value::as_str);
    match code(object.get("errcode")) {
        Some(top) => (Some(top), top_text.or(base_text)),
        None if base_code.is_some() => (base_code, base_text.or(top_text)),
        None => (None, top_text.or(base_text)),
    }
}

fn is_decided(envelope: &Envelope) -> bool {
    envelope.state != Peeked::Incomplete
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200), is_complete in any::<bool>(),
    ) {
        let envelope = peek(&bytes, is_complete);
        prop_assert!(!is_complete || is_decided(&envelope));
    }

    #[test]
    fn bytes_that_look_like_json_are_read_without_a_panic(
        text in "[{}\\[\\]\",:\\\\ue0-9a-c \u{1}]{0,80}", is_complete in any::<bool>(),
    ) {
        let _ = peek(format!("{{\"errcode\":{text}").as_bytes(), is_complete);
        let _ = peek(format!("{{\"base_resp\":{{{text}").as_bytes(), is_complete);
    }

    #[test]
    fn it_agrees_with_a_real_parser(object in object()) {
        let (errcode, errmsg) = expected(&object);
        let body = serde_json::to_vec(&object).unwrap();
        let envelope = peek(&body, true);
        prop_assert_eq!(envelope.state, Peeked::Json);
        prop_assert_eq!(envelope.errcode, errcode);
        prop_assert_eq!(envelope.errmsg.as_deref(), errmsg);
        let pretty = serde_json::to_vec_pretty(&object).unwrap();
        prop_assert_eq!(peek(&pretty, true), envelope);
    }

    #[test]
    fn what_follows_a_complete_answer_changes_nothing(
        object in object(), garbage in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let body = serde_json::to_vec(&object).unwrap();
        let mut longer = body.clone();
        longer.extend_from_slice(&garbage);
        prop_assert_eq!(peek(&longer, true), peek(&body, true));
        prop_assert_eq!(peek(&longer, false), peek(&body, false));
    }

    #[test]
    fn a_decision_on_a_prefix_stays(
        object in object(), code in any::<i32>(), tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut object = object;
        object.insert("zz".into(), json!(code));
        let mut body = serde_json::to_vec(&object).unwrap();
        body.extend_from_slice(&tail);
        let mut decided: Option<Envelope> = None;
        for length in 0..=body.len() {
            let now = peek(&body[..length], false);
            match &decided {
                Some(before) => prop_assert_eq!(&now, before),
                None if is_decided(&now) => decided = Some(now),
                None => {}
            }
        }
        prop_assert!(decided.is_some());
    }
}
