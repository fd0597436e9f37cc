//! A request held against the field table of its call.

use serde_json::{Map, Value};

use crate::{
    sandbox::{refusal::Refusal, shop::argument},
    wechat::{Endpoint, Field, FieldKind, Need},
};

/// The first field that is missing, of the wrong type or in the wrong place. What depends on a
/// condition, and every rule beyond types, is the call's own.
///
/// `usual_errcode` is for calls whose documents name no code for arguments.
pub(in crate::sandbox) fn check(
    endpoint: &Endpoint,
    body: &Map<String, Value>,
    usual_errcode: i64,
) -> Result<(), Refusal> {
    let wrong = first_wrong(&endpoint.request, body, &mut Vec::new());
    let Some(Wrong { field, what }) = wrong else { return Ok(()) };
    let place = match what {
        What::Missing => stray(&endpoint.request, body, &field),
        What::Kind(_) => None,
    };
    let errcode = argument::errcode(endpoint, &field, usual_errcode);
    Err(match (what, place) {
        (What::Missing, Some(place)) => Refusal::with(
            errcode,
            format_args!("{field} is missing; {} stands in {place}", last(&field)),
        ),
        (What::Missing, None) => Refusal::with(errcode, format_args!("{field} is missing")),
        (What::Kind(problem), _) => Refusal::with(errcode, format_args!("{field} {problem}")),
    })
}

/// One mistake.
struct Wrong {
    field: String,
    what: What,
}

enum What {
    Missing,
    Kind(&'static str),
}

fn first_wrong<'a>(
    fields: &'a [Field],
    body: &Map<String, Value>,
    place: &mut Vec<&'a str>,
) -> Option<Wrong> {
    fields.iter().find_map(|field| {
        place.push(&field.name);
        let wrong = wrong_with(field, body.get(&field.name), place);
        place.pop();
        wrong
    })
}

fn wrong_with<'a>(
    field: &'a Field,
    value: Option<&Value>,
    place: &mut Vec<&'a str>,
) -> Option<Wrong> {
    let here = |place: &[&str], what| Some(Wrong { field: place.join("."), what });
    let Some(value) = value.filter(|value| !value.is_null()) else {
        let is_missing = field.need == Need::Yes && field.kind != FieldKind::File;
        return if is_missing { here(place, What::Missing) } else { None };
    };
    if let Some(problem) = problem_of_kind(field, value) {
        return here(place, What::Kind(problem));
    }
    match value {
        Value::Object(inner) => first_wrong(&field.fields, inner, place),
        Value::Array(list) if field.kind == FieldKind::Objects => list
            .iter()
            .filter_map(Value::as_object)
            .find_map(|inner| first_wrong(&field.fields, inner, place)),
        _ => None,
    }
}

/// What is wrong with the value itself. Numbers written as text or with decimals are what
/// developers stumble over most.
fn problem_of_kind(field: &Field, value: &Value) -> Option<&'static str> {
    let must_hold = field.need == Need::Yes;
    match field.kind {
        FieldKind::Text => match value {
            Value::String(text) if text.is_empty() && must_hold && !may_be_empty(field) => {
                Some("is empty")
            }
            Value::String(_) => None,
            _ => Some("must be a string"),
        },
        // The platform takes such an amount and keeps 0 of it.
        FieldKind::Integer if field.name == "orderamt" && value.is_f64() => None,
        FieldKind::Integer | FieldKind::Id => problem_of_number(value),
        FieldKind::Boolean => (!value.is_boolean()).then_some("must be true or false"),
        FieldKind::Object => (!value.is_object()).then_some("must be an object"),
        FieldKind::File => None,
        FieldKind::Texts => problem_of_list(value, Value::is_string, "must be a list of strings"),
        FieldKind::Integers => {
            let is_number = |item: &Value| problem_of_number(item).is_none();
            problem_of_list(value, is_number, "must be a list of integers")
        }
        FieldKind::Objects => match value.as_array() {
            Some(list) if list.is_empty() && must_hold => Some("is empty"),
            _ => problem_of_list(value, Value::is_object, "must be a list of objects"),
        },
    }
}

fn problem_of_number(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(_) => Some("is a string, must be an integer"),
        Value::Number(number) if number.is_f64() => Some("has decimals, must be an integer"),
        Value::Number(number) if number.as_u64().is_none() => Some("must not be negative"),
        Value::Number(_) => None,
        _ => Some("must be an integer"),
    }
}

fn problem_of_list(
    value: &Value,
    is_good: impl Fn(&Value) -> bool,
    problem: &'static str,
) -> Option<&'static str> {
    let is_list = value.as_array().is_some_and(|list| list.iter().all(is_good));
    (!is_list).then_some(problem)
}

/// A SKU id of an order may be "empty string when there is none".
fn may_be_empty(field: &Field) -> bool {
    field.about.contains("empty string")
}

/// Where a field that is missing in its own place was put instead.
fn stray(fields: &[Field], body: &Map<String, Value>, missing: &str) -> Option<String> {
    let name = last(missing);
    let own_place = missing.rsplit_once('.').map_or("", |(place, _)| place);
    if own_place.is_empty() {
        return objects(body).find(|(_, inner)| inner.contains_key(name)).map(|(at, _)| at);
    }
    let is_known_here = fields.iter().any(|field| field.name == name);
    (body.contains_key(name) && !is_known_here).then(|| "the body itself".to_owned())
}

/// The objects inside a body, one level deep, with their names.
fn objects(body: &Map<String, Value>) -> impl Iterator<Item = (String, &Map<String, Value>)> {
    body.iter().filter_map(|(name, value)| Some((name.clone(), value.as_object()?)))
}

fn last(field: &str) -> &str {
    field.rsplit_once('.').map_or(field, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wechat::endpoint::{endpoint, endpoints};

    fn order() -> Value {
        endpoint("/shop/order/add").unwrap().example_request.clone()
    }

    fn checked(path: &str, body: &Value) -> Result<(), Refusal> {
        check(endpoint(path).unwrap(), body.as_object().unwrap(), 40097)
    }

    #[test]
    fn every_example_of_the_documents_fits() {
        for endpoint in endpoints() {
            let outcome = checked(&endpoint.path, &endpoint.example_request);
            assert_eq!(outcome, Ok(()), "{}", endpoint.path);
        }
    }

    #[test]
    fn every_field_that_a_call_needs_is_missed() {
        for endpoint in endpoints().iter().filter(|endpoint| !endpoint.is_multipart) {
            for field in endpoint.request.iter().filter(|field| field.need == Need::Yes) {
                let mut body = endpoint.example_request.clone();
                body.as_object_mut().unwrap().remove(&field.name);
                let refusal = checked(&endpoint.path, &body).unwrap_err();
                assert!(refusal.errmsg.contains(&field.name), "{} {refusal:?}", endpoint.path);
            }
        }
    }

    #[test]
    fn a_mistake_has_the_code_of_its_part_and_names_the_field() {
        let cases: &[(&str, Value, i64, &str)] = &[
            ("/order_detail/price_info/order_price", json!("254"), 1_010_005, "is a string"),
            ("/order_detail/price_info/freight", json!(8.5), 1_010_005, "has decimals"),
            ("/order_detail/product_infos/0/sale_price", json!(-1), 1_010_005, "negative"),
            ("/order_detail/product_infos", json!([]), 40097, "is empty"),
            ("/order_detail/product_infos/0/head_img", json!([]), 40097, "must be a string"),
            ("/order_detail/pay_info", json!([]), 1_010_004, "must be an object"),
            ("/address_info", json!("x"), 1_010_009, "must be an object"),
            ("/create_time", json!(1), 990_018, "must be a string"),
        ];
        for (pointer, value, errcode, text) in cases {
            let mut body = order();
            *body.pointer_mut(pointer).unwrap() = value.clone();
            let refusal = checked("/shop/order/add", &body).unwrap_err();
            assert_eq!(refusal.errcode, *errcode, "{pointer}: {refusal:?}");
            assert!(refusal.errmsg.contains(text), "{pointer}: {refusal:?}");
        }
    }

    #[test]
    fn what_was_nested_in_the_wrong_place_is_found_there() {
        let mut body = order();
        let delivery = body.as_object_mut().unwrap().remove("delivery_detail").unwrap();
        body["order_detail"]["delivery_detail"] = delivery;
        let refusal = checked("/shop/order/add", &body).unwrap_err();
        let wanted = "delivery_detail is missing; delivery_detail stands in order_detail";
        assert!(refusal.errmsg.ends_with(wanted), "{refusal:?}");
        let mut body = order();
        let prices = body["order_detail"].as_object_mut().unwrap().remove("price_info").unwrap();
        body["price_info"] = prices;
        let refusal = checked("/shop/order/add", &body).unwrap_err();
        assert_eq!(refusal.errcode, 1_010_005);
        assert!(refusal.errmsg.ends_with("stands in the body itself"), "{refusal:?}");
    }

    #[test]
    fn a_sku_id_of_an_order_may_be_empty_and_a_title_may_not() {
        let mut body = order();
        body["order_detail"]["product_infos"][0]["out_sku_id"] = json!("");
        assert_eq!(checked("/shop/order/add", &body), Ok(()));
        body["order_detail"]["product_infos"][0]["title"] = json!("");
        assert!(checked("/shop/order/add", &body).is_err());
    }
}
