//! Events fired by hand.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    account::Account,
    control::{Done, bad_request},
    control_form,
    fire_table::{self, EventSpec, Kind},
    shop,
    world::World,
};
use crate::wechat::push_message::is_element_name;

/// `POST events`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FireForm {
    event: String,
    /// Fields of the envelope, or of the body, with its name around them or without.
    #[serde(default)]
    set: Map<String, Value>,
    /// Tells even what cannot happen now.
    #[serde(default)]
    force: bool,
}

/// Lets an event happen, as far as anything belongs to it, and tells of it; `changed` says
/// whether anything did.
pub(super) fn fire(account: &Account, body: &[u8]) -> Done {
    if body.len() > MOST_BYTES {
        return Err(bad_request(format!("an event has at most {MOST_BYTES} bytes")));
    }
    let form: FireForm = control_form::read(body).map_err(bad_request)?;
    let Some(spec) = EventSpec::find(&form.event) else {
        let names = EventSpec::names();
        return Err(bad_request(format!("there is no event `{}`: {names}", form.event)));
    };
    if let Some(name) = odd_name(&form.set) {
        return Err(bad_request(format!("set: `{name}` cannot be the name of a field")));
    }
    let (envelope, set) = sorted(spec, form.set);
    let now_ms = account.now_ms();
    let mut state = account.state_at(now_ms);
    let world = &mut World { account, state: &mut state, now_ms };
    let before = world.state.events.newest();
    let happened = match shop::fire::happen(world, spec.name, &set) {
        Some(Err(reason)) if !form.force => return Err((StatusCode::CONFLICT, reason)),
        Some(Err(_)) | None => None,
        Some(Ok(fields)) => Some(fields),
    };
    let changed = happened.is_some();
    if let Some(seen) = amended(spec, world, before, &envelope, &set) {
        return Ok(seen);
    }
    // A move that tells nothing by itself leaves the body to the table.
    let happened = happened.filter(|fields| !fields.is_empty());
    let mut fields = happened.unwrap_or_else(|| fire_table::made(spec.fields, world));
    merge(&mut fields, set);
    let message = message(spec, world, fields, envelope);
    let seq = world.tell_message(spec.name, message.clone());
    Ok(json!({ "seq": seq, "event": spec.name, "changed": changed, "message": message }))
}

/// Lays what was set over an event that the move itself has told after number `before`; none
/// if it told none.
fn amended(
    spec: &EventSpec,
    world: &mut World<'_>,
    before: u64,
    envelope: &Map<String, Value>,
    set: &Map<String, Value>,
) -> Option<Value> {
    let event = world.state.events.newest_called(spec.name, before)?;
    let told = match event.message.get_mut(spec.body) {
        Some(Value::Object(fields)) => fields,
        Some(_) | None => &mut event.message,
    };
    let mut set = set.clone();
    set.retain(|name, _| told.contains_key(name) || !DIRECTIONS.contains(&name.as_str()));
    merge(told, set);
    merge(&mut event.message, envelope.clone());
    Some(json!({
        "seq": event.seq, "event": spec.name, "changed": true, "message": event.message,
    }))
}

/// What goes into the envelope, and what into the body.
fn sorted(spec: &EventSpec, set: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut envelope, mut body) = (Map::new(), Map::new());
    for (name, value) in set {
        match value {
            Value::Object(fields) if name == spec.body => merge(&mut body, fields),
            value if ENVELOPE.contains(&name.as_str()) || name == spec.body => {
                envelope.insert(name, value);
            }
            value => merge(&mut body, Map::from_iter([(name, value)])),
        }
    }
    (envelope, body)
}

/// The whole message.
fn message(
    spec: &EventSpec,
    world: &World<'_>,
    fields: Map<String, Value>,
    envelope: Map<String, Value>,
) -> Map<String, Value> {
    let mut message = match spec.body {
        "" => fields,
        body => Map::from_iter([(body.to_owned(), Value::Object(fields))]),
    };
    let mut add = |name: &str, value: Value| message.insert(name.to_owned(), value);
    add("ToUserName", world.account.original_id().into());
    add("CreateTime", (world.now_ms / 1000).into());
    let sender = match spec.kind {
        Kind::Platform => world.account.platform_openid(),
        Kind::User | Kind::Written => fire_table::user_openid(world),
    };
    add("FromUserName", sender.into());
    match spec.kind {
        Kind::Platform | Kind::User => {
            add("MsgType", "event".into());
            add("Event", spec.name.into());
        }
        Kind::Written => {
            add("MsgType", spec.name.into());
            add("MsgId", world.number(MSG_ID_DIGITS).into());
        }
    }
    message.extend(envelope);
    message
}

/// Lays `from` over `onto`, object by object; lists and plain values are replaced.
fn merge(onto: &mut Map<String, Value>, from: Map<String, Value>) {
    for (name, value) in from {
        match (onto.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            (_, value) => {
                onto.insert(name, value);
            }
        }
    }
}

/// The first name, at any depth, that no XML element can have.
fn odd_name(fields: &Map<String, Value>) -> Option<&str> {
    fields.iter().find_map(|(name, value)| match value {
        _ if !is_element_name(name) => Some(name.as_str()),
        Value::Object(inner) => odd_name(inner),
        Value::Array(items) => {
            items.iter().filter_map(Value::as_object).find_map(|item| odd_name(item))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

const ENVELOPE: &[&str] =
    &["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "MsgId"];
/// What says how something is to happen; it is not told unless the event tells it anyway.
const DIRECTIONS: &[&str] = &[
    "after_sale_order_id",
    "by",
    "content",
    "delivery_id",
    "delivery_name",
    "event_describe",
    "expired_time",
    "judge_result",
    "media_list",
    "media_url_list",
    "openid",
    "order_id",
    "orderamt",
    "out_order_id",
    "phone_number",
    "product_info",
    "promotion_info",
    "reason",
    "refund_reason",
    "refund_reason_type",
    "state_describe",
    "status",
    "type",
    "waybill_id",
];
/// 64 bits, beyond what a double holds.
const MSG_ID_DIGITS: u32 = 17;
/// A thousand events of this size are remembered.
const MOST_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::calls::bench::Bench;

    fn fired(bench: &Bench, form: &Value) -> Value {
        let (status, answer) = bench.control("POST", "events", &form.to_string());
        assert_eq!(status, 200, "{answer}");
        answer["message"].clone()
    }

    #[test]
    fn every_event_can_be_forced_with_nothing_but_its_name() {
        let bench = Bench::new();
        let names = EventSpec::names();
        for name in names.split(", ") {
            let message = fired(&bench, &json!({ "event": name, "force": true }));
            let written = message["MsgType"] == name && message["MsgId"].is_u64();
            assert!(written || message["Event"] == name, "{message}");
            assert!(message["ToUserName"].as_str().unwrap().starts_with("gh_"));
            assert!(message["FromUserName"].as_str().unwrap().starts_with('o'));
        }
        let told = bench.control("GET", "events", "").1;
        assert_eq!(told["next"], names.split(", ").count());
    }

    #[test]
    fn what_is_set_lies_over_the_defaults_with_or_without_the_bodys_name() {
        let bench = Bench::new();
        for set in [
            json!({ "order_id": 3_305_216_840_027_791_361_u64, "extra": [1], "FromUserName": "oX" }),
            json!({
                "order_info": { "order_id": 3_305_216_840_027_791_361_u64, "extra": [1] },
                "FromUserName": "oX",
            }),
        ] {
            let form = json!({ "event": "open_product_order_pay", "set": set, "force": true });
            let message = fired(&bench, &form);
            let order = &message["order_info"];
            assert_eq!(order["order_id"], 3_305_216_840_027_791_361_u64);
            assert_eq!((&order["extra"], &order["amount"]), (&json!([1]), &json!(100)));
            assert_eq!(message["FromUserName"], "oX");
        }
        let set = json!({ "promoter": { "promoter_id": "p1" } });
        let message = fired(&bench, &json!({ "event": "miniprogram_sharer_action", "set": set }));
        assert_eq!(message["promoter"]["promoter_id"], "p1");
        assert_eq!(message["promoter"]["finder_nickname"], "promoter", "{message}");
    }

    #[test]
    fn what_a_move_has_told_by_itself_is_amended_and_not_told_again() {
        let bench = Bench::new();
        let account = bench.platform.account("shop").unwrap();
        let state = &mut *account.state();
        let world = &mut World { account: &account, state, now_ms: 0 };
        let spec = EventSpec::find("open_product_order_confirm").unwrap();
        let map = |value: Value| value.as_object().cloned().unwrap();
        let (envelope, set) = (map(json!({ "CreateTime": 7 })), map(json!({ "extra": 1 })));
        world.tell(spec.name, map(json!({ "order_info": { "order_id": 5 } })));
        assert_eq!(amended(spec, world, 1, &envelope, &set), None, "told before");
        let seen = amended(spec, world, 0, &envelope, &set).unwrap();
        assert_eq!(seen["message"]["order_info"], json!({ "order_id": 5, "extra": 1 }));
        assert_eq!((&seen["seq"], &seen["message"]["CreateTime"]), (&json!(1), &json!(7)));
        assert_eq!(world.state.events.newest(), 1);
    }

    #[test]
    fn what_cannot_be_fired_is_refused() {
        let bench = Bench::new();
        let large = json!({ "event": "text", "set": { "Content": "x".repeat(MOST_BYTES) } });
        for (form, hint) in [
            (json!({ "event": "nothing" }), "open_product_order_pay"),
            (json!({ "event": "text", "set": [] }), "invalid type"),
            (json!({ "event": "text", "sett": {} }), "set"),
            (json!({ "event": "text", "set": { "a b": 1 } }), "a b"),
            (json!({ "event": "text", "set": { "a": [{ "<": 1 }] } }), "<"),
            (large, "bytes"),
        ] {
            let (status, answer) = bench.control("POST", "events", &form.to_string());
            assert_eq!(status, 400, "{answer}");
            assert!(answer["message"].as_str().unwrap().contains(hint), "{answer}");
        }
    }

    #[test]
    fn a_fired_event_is_a_push_that_was_skipped_while_no_url_is_set() {
        let bench = Bench::new();
        fired(&bench, &json!({ "event": "text" }));
        let pushes = bench.control("GET", "pushes", "").1;
        assert_eq!(pushes["pushes"][0]["outcome"], "skipped");
        assert_eq!(pushes["pushes"][0]["event"], "text");
        assert_eq!(bench.control("POST", "pushes/1/redeliver", "").0, 400);
        assert_eq!(bench.control("POST", "pushes/x/redeliver", "").0, 404);
        assert_eq!(bench.control("GET", "push", "").1["url"], Value::Null);
        assert_eq!(bench.control("DELETE", "push", "").0, 200);
    }
}
