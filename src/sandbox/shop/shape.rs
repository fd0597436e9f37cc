//! An answer with all the fields that its call documents.

use serde_json::{Map, Value, json};

use crate::wechat::{Field, FieldKind};

/// Adds to `answer` every documented field that it lacks, empty or zero, as the platform does.
/// Fields that only exist in some case are left to the call.
pub(in crate::sandbox) fn fill(fields: &[Field], answer: &mut Map<String, Value>) {
    for field in fields {
        match answer.get_mut(&field.name) {
            None | Some(Value::Null) => {
                if !IN_SOME_CASES.contains(&field.name.as_str()) {
                    answer.insert(field.name.clone(), empty(field));
                }
            }
            Some(Value::Object(inner)) => fill(&field.fields, inner),
            Some(Value::Array(list)) if field.kind == FieldKind::Objects => {
                list.iter_mut().filter_map(Value::as_object_mut).for_each(|inner| {
                    fill(&field.fields, inner);
                });
            }
            Some(_) => {}
        }
    }
}

fn empty(field: &Field) -> Value {
    match field.kind {
        FieldKind::Text | FieldKind::File => Value::String(String::new()),
        FieldKind::Integer | FieldKind::Id => json!(0),
        FieldKind::Boolean => json!(false),
        FieldKind::Texts | FieldKind::Integers | FieldKind::Objects => json!([]),
        FieldKind::Object => {
            let mut inner = Map::new();
            fill(&field.fields, &mut inner);
            Value::Object(inner)
        }
    }
}

/// "Present when `resp_type` is 0", "only after a delivery call" and the like.
const IN_SOME_CASES: &[&str] = &[
    "media_id",
    "temp_img_url",
    "pay_media_id",
    "delivery_detail",
    "errmsg",
    "user_record",
    "merchant_record",
    "op_record",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::endpoint::endpoint;

    #[test]
    fn what_is_missing_is_there_afterwards_and_what_is_there_stays() {
        let get = endpoint("/shop/order/get").unwrap();
        let mut answer = json!({"errcode": 0, "order": {
            "order_id": 3_305_216_840_027_791_360_u64,
            "order_detail": {"product_infos": [{"title": "tea"}]},
        }});
        fill(&get.response, answer.as_object_mut().unwrap());
        let order = &answer["order"];
        assert_eq!(order["order_id"].to_string(), "3305216840027791360");
        assert_eq!(order["order_detail"]["product_infos"][0]["title"], "tea");
        assert_eq!(order["order_detail"]["product_infos"][0]["sku_id"], 0);
        assert_eq!(order["order_detail"]["promotion_info"]["sharer_openid"], "");
        assert_eq!(order["order_detail"].get("delivery_detail"), None);
        assert_eq!(order["default_receiving_address"]["city"], "");
    }
}
