//! Calls about disputes.

use serde_json::{Value, json};

use super::{
    complaint, demand,
    fields::{at, number, text},
    picture,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Fields as in the models of public SDKs (read 2026-08); only `get` has a page, too.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/complaint/get_list", list),
    CallSpec::shop("/shop/complaint/get", get),
    CallSpec::shop("/shop/complaint/upload_material", add_material),
];

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (skipped, shown) = demand::window(cx.body(), "limit", MOST_SHOWN, &state.settings)?;
    let mut all = state.shop.complaints.all();
    all.retain(|(_, complaint)| complaint.fits(cx.body()));
    let page = all.iter().skip(skipped).take(shown);
    let page: Vec<Value> = page.map(|(id, complaint)| complaint.to_json(*id)).collect();
    Ok(cx.done(json!({ "orders": page, "total": all.len() })))
}

fn get(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let id = number(cx.body(), "complaint_order_id").unwrap_or_default();
    let complaint = state.shop.complaints.find(id);
    let complaint = complaint
        .ok_or_else(|| demand::wrong(&state.settings, "complaint_order_id is not known"))?;
    Ok(cx.done(json!({
        "order": complaint.to_json(id),
        "flow_info": { "list": complaint.records_json() },
    })))
}

/// Pictures come from the upload call: 1070010 for others.
fn add_material(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let settings = state.settings.clone();
    let body = cx.body();
    let content = text(body, "material_info.content").unwrap_or_default();
    let pictures = at(body, "material_info.media_url_list");
    let count = pictures.and_then(Value::as_array).map_or(0, Vec::len);
    if content.is_empty() || content.len() > MOST_CONTENT_BYTES || count > MOST_PICTURES {
        return Err(demand::wrong(&settings, "material_info.content"));
    }
    for picture in pictures.and_then(Value::as_array).into_iter().flatten() {
        picture::check_url(picture.as_str().unwrap_or_default())?;
    }
    let material = json!({ "content": content, "media_url_list": pictures });
    let id = number(body, "complaint_order_id").unwrap_or_default();
    complaint::add_material(&mut cx.world(state), id, &material, &settings)?;
    Ok(cx.done_plainly())
}

/// The pages name no sizes.
const MOST_SHOWN: usize = 1000;
const MOST_CONTENT_BYTES: usize = 4096;
const MOST_PICTURES: usize = 50;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sandbox::{calls::bench::Bench, world::World};

    fn open(bench: &Bench, set: &Value) -> Result<u64, String> {
        let account = bench.platform.account("shop").unwrap();
        let state = &mut *account.state();
        let mut world = World { account: &account, state, now_ms: account.now_ms() };
        complaint::open(&mut world, set.as_object().unwrap())
    }

    fn call(bench: &Bench, name: &str, body: &Value) -> Value {
        bench.post(&format!("/shop/complaint/{name}"), body).json()
    }

    #[test]
    fn a_dispute_is_opened_told_and_moved() {
        let bench = Bench::new();
        let order_id = 3_305_216_840_027_791_360_u64;
        let id = open(&bench, &json!({"order_id": order_id, "content": "商品与描述不符"})).unwrap();
        let seen = call(&bench, "get", &json!({"complaint_order_id": id}));
        assert_eq!(seen["order"]["order_id"], order_id.to_string());
        let record = &seen["flow_info"]["list"][0];
        assert_eq!(record["user_record"]["material_info"]["content"], "商品与描述不符");
        assert!(record.get("op_record").is_none(), "each record holds one side: {record}");
        let moved = json!({"complaint_order_id": id, "state": 230_014, "event": 240_002,
            "by": "platform", "judge_result": 1});
        assert_eq!(open(&bench, &moved), Ok(id));
        let seen = call(&bench, "get", &json!({"complaint_order_id": id}));
        assert_eq!(
            (&seen["order"]["state"], &seen["order"]["judge_result"]),
            (&json!(230_014), &json!(1))
        );
        assert_eq!(seen["flow_info"]["list"][1]["op_record"]["event"], 240_002);
        let told = bench.control("GET", "events", "").1["events"][1]["message"].clone();
        assert_eq!(told["complaint_info"]["event"], 240_002);
        assert_eq!(call(&bench, "get", &json!({"complaint_order_id": 1}))["errcode"], 40097);
        for bad in [
            json!({"complaint_order_id": 1}),
            json!({"by": "x"}),
            json!({"complaint_order_id": "x"}),
        ] {
            assert!(open(&bench, &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_list_is_filtered_and_paged() {
        let bench = Bench::new();
        for (order_id, state) in [(1, 230_000), (2, 230_001), (3, 230_001)] {
            open(&bench, &json!({"order_id": order_id, "state": state})).unwrap();
        }
        let list = |body: Value| call(&bench, "get_list", &body);
        let all = list(json!({"offset": 1, "limit": 10}));
        assert_eq!((&all["total"], &all["orders"][0]["order_id"]), (&json!(3), &json!("2")));
        assert_eq!(list(json!({"offset": 0, "limit": 10, "state": 230_001}))["total"], 2);
        assert_eq!(list(json!({"offset": 0, "limit": 10, "order_id": 3}))["total"], 1);
        assert_eq!(list(json!({"offset": 0, "limit": 10, "end_create_time": 5}))["total"], 0);
        assert_eq!(list(json!({"offset": 0, "limit": 0}))["errcode"], 40097);
    }

    #[test]
    fn the_merchant_adds_evidence_with_pictures_of_the_upload_call() {
        let bench = Bench::new();
        let id = open(&bench, &json!({})).unwrap();
        let picture = "https://mmecimage.cn/p/wx8a1f0c2b7d3e4f56/HNa4f7UsC1mHj0EpVw6QyKb8gTo";
        let body = |id: u64, content: &str, picture: &str| {
            json!({"complaint_order_id": id,
                "material_info": {"content": content, "media_url_list": [picture]}})
        };
        let upload = |body: &Value| call(&bench, "upload_material", body)["errcode"].clone();
        assert_eq!(upload(&body(id, "附发货前质检照片", picture)), 0);
        assert_eq!(upload(&body(id, "x", "https://a.example/x.png")), 1_070_010);
        assert_eq!(
            (upload(&body(id, "", picture)), upload(&body(7, "x", picture))),
            (json!(40097), json!(40097))
        );
        let seen = call(&bench, "get", &json!({"complaint_order_id": id}));
        let record = &seen["flow_info"]["list"][1]["merchant_record"];
        assert_eq!(record["material_info"]["media_url_list"][0], picture);
        assert_eq!(record["operator_nickname"], "沙箱管理员");
    }
}
