//! Bodies that no merchant would send: every call of the component answers with an errcode.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::Shop;
use crate::{
    sandbox::errmsg::errmsg,
    wechat::endpoint::{Endpoint, endpoints},
};

/// Anything that JSON can say.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0..30_u8).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(&["", "SO1", "AS1", "TEA-2201", "2022-06-15 10:20:31"][..])
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A change of a body: which of its values is replaced, and by what.
type Change = (usize, Value);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec((0..60_usize, value()), 0..4)
}

/// The places of all values of a body, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let mut visit = |name: &str, inner: &Value| {
        let there = format!("{here}/{name}");
        found.push(there.clone());
        places(inner, &there, found);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| visit(name, inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| visit(&at.to_string(), inner));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn changed(endpoint: &Endpoint, changes: &[Change]) -> Value {
    let mut body = endpoint.example_request.clone();
    for (at, new) in changes {
        let mut found = Vec::new();
        places(&body, "", &mut found);
        let place = found.get(at % found.len().max(1));
        if let Some(slot) = place.and_then(|place| body.pointer_mut(place)) {
            *slot = new.clone();
        }
    }
    body
}

/// An order and an after-sale that bodies may meet.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.received("SO1");
    shop.aftersale("SO1", &json!({"out_aftersale_id": "AS1"}));
    shop
}

fn check(shop: &Shop, path: &str, body: &Value) {
    let answer = shop.bench.post(path, body);
    let json = answer.json();
    let errcode = json["errcode"].as_i64();
    assert_eq!(errcode, answer.errcode, "{path} {json}");
    let text = errcode.map(errmsg);
    assert!(text.is_some_and(|text| text != "business error"), "{path} {body} {json}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    #[test]
    fn a_documented_body_with_odd_values_is_answered(
        calls in prop::collection::vec((0..endpoints().len(), changes()), 1..12),
    ) {
        let shop = shop();
        for (at, changes) in calls {
            let endpoint = &endpoints()[at];
            check(&shop, &endpoint.path, &changed(endpoint, &changes));
        }
    }

    /// The tables of fields can be switched off; what a call then reads may be anything.
    #[test]
    fn odd_values_are_answered_without_the_tables_of_fields_too(
        calls in prop::collection::vec((0..endpoints().len(), changes()), 1..12),
    ) {
        let shop = shop();
        shop.bench.set(&json!({
            "check_fields": false, "check_products": false, "create_time_skew_s": null,
        }));
        for (at, changes) in calls {
            let endpoint = &endpoints()[at];
            check(&shop, &endpoint.path, &changed(endpoint, &changes));
        }
        for path in ["/shop/order/get_list", "/shop/spu/get_list", "/shop/coupon/get_list"] {
            let body = json!({"page": 1, "page_size": 10, "sort_order": 1, "offset": 0});
            check(&shop, path, &body);
        }
    }

    #[test]
    fn any_body_is_answered_by_every_call(body in value()) {
        let shop = Shop::new();
        for endpoint in endpoints() {
            check(&shop, &endpoint.path, &body);
        }
    }
}
