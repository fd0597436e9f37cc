//! Calls that no client would make: whatever comes, every call answers.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use proptest::prelude::*;
use serde_json::Value;

use super::bench::{Bench, call};
use crate::sandbox::dispatch;

/// Names that calls look for, so that random bodies get past the first check.
const NAMES: &[&str] = &[
    "grant_type",
    "appid",
    "secret",
    "appsecret",
    "force_refresh",
    "cgi_path",
    "touser",
    "msgtype",
    "text",
    "content",
    "image",
    "media_id",
    "scene",
    "page",
    "width",
    "line_color",
    "r",
    "is_hyaline",
    "resp_type",
    "upload_type",
    "img_url",
    "out_product_id",
    "product_id",
    "need_edit_spu",
    "title",
    "head_img",
    "skus",
    "desc_info",
    "third_cat_id",
    "scene_group_list",
    "openid",
    "openid_list",
    "tagid",
    "tag",
    "name",
    "id",
    "button",
    "sub_button",
    "matchrule",
    "type",
    "data",
    "value",
    "template_id",
    "thing1",
    "filter",
    "tag_id",
    "articles",
    "index",
    "offset",
    "count",
    "action_name",
    "action_info",
    "scene_id",
    "expire_seconds",
    "expire_type",
    "expire_time",
    "order_key",
    "order_number_type",
    "transaction_id",
    "logistics_type",
    "delivery_mode",
    "shipping_list",
    "upload_time",
    "received_time",
    "order_id",
    "delay_to",
    "code",
    "kidList",
    "tid",
];

/// Values that mean something to one call or another.
const TEXTS: &[&str] =
    &["", "client_credential", "wx1", "s1", "text", "image", "/cgi-bin/token", "A", "1", "\u{0}店"];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(NAMES), inner, 0..12)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => json().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|content| {
            super::bench::form(&[("media", Some("a"), &content), ("resp_type", None, &content)])
        }),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let known: Vec<&str> = dispatch::paths().collect();
    prop_oneof![
        8 => prop::sample::select(known).prop_map(ToOwned::to_owned),
        1 => "/[ -~]{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_call_is_answered_with_json_or_a_picture(
        path in path(),
        is_post in any::<bool>(),
        query in "(type=image&)?(media_id=)?[ -~]{0,40}",
        has_token in prop::bool::weighted(0.9),
        is_form in any::<bool>(),
        body in body(),
    ) {
        let bench = Bench::new();
        let token = if has_token { bench.token() } else { String::new() };
        let query = format!("access_token={token}&{query}");
        let method = if is_post { Method::POST } else { Method::GET };
        let mut call = call(method, &path, &query, Bytes::from(body));
        let form = HeaderValue::from_static("multipart/form-data; boundary=XX");
        if is_form {
            call.headers.insert(header::CONTENT_TYPE, form);
        }
        let answer = bench.platform.handle(&call).answer;
        // Only the picture of a ticket is refused with an HTTP status.
        let is_page = path == "/cgi-bin/showqrcode" && answer.status == 404;
        prop_assert!(answer.status == 200 || is_page);
        if !is_page && !answer.content_type.starts_with("image/") {
            let value: Value = serde_json::from_slice(&answer.body).unwrap();
            prop_assert_eq!(value.get("errcode").and_then(Value::as_i64), answer.errcode);
        }
    }

    #[test]
    fn any_control_body_is_answered(
        rest in prop::sample::select(&["faults", "clock", "state", "events", "pushes/1/redeliver", "reset", "journal", "x"][..]),
        text in prop_oneof![json().prop_map(|v| v.to_string()), any::<String>()],
    ) {
        let bench = Bench::new();
        let (status, answer) = bench.control("POST", rest, &text);
        prop_assert!(status == 200 || answer["message"].is_string());
    }
}
