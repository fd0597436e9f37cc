//! Every event of the component, its body held against the documents.

use serde_json::{Map, Value, json};

use super::{every_call::Stage, testing::Shop};
use crate::wechat::push_message;

/// Event | the field that its own stand in, or nothing | its fields: `n` a number, `s` text, `l`
/// a list, `o` an object.
const SHAPES: &str = "
open_product_account_register | OpenProductAccountRegister | status:n
open_product_category_audit | QualificationAuditResult | audit_id:s status:n audit_type:n reject_reason:s
open_product_brand_audit | QualificationAuditResult | audit_id:s status:n audit_type:n reject_reason:s brand_id:n
open_product_spu_audit | OpenProductSpuAudit | out_product_id:s product_id:n status:n spu_status:n reject_reason:s
open_product_spu_status_update | OpenProductSpuAudit | out_product_id:s product_id:n status:n spu_status:n reject_reason:s
open_product_scene_group_audit | SceneGroupAudit | group_id:n name:s reason:s scene_group_ext_list:l
open_product_order_pay | order_info | order_id:n out_order_id:s transaction_id:s pay_time:s amount:n payer_amount:n sp_openid:s promotion_detail_info:o
open_product_order_cancel | order_info | order_id:n out_order_id:s cancel_type:n
open_product_order_confirm | order_info | order_id:n out_order_id:s
open_product_order_refund | order_info | order_id:n out_order_id:s
open_product_order_settle | order_info | order_id:n out_order_id:s settle_no:s amount:n settle_time:s
open_product_order_analyze | order_info | order_id:n out_order_id:s openid:s
open_product_order_update | OrderUpdateNotification | update_type:n ext_order_id:s
aftersale_new_order | aftersale_info | aftersale_id:n order_id:n out_order_id:s
aftersale_update_order | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_user_cancel | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_wait_merchant_confirm_receipt | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_user_modify_return_info | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_user_upload_return_info_overdue | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_merchant_handle_refund_overdue | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_merchant_handle_return_overdue | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_merchant_confirm_receipt_overdue | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_wait_merchant_offline_refund | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_user_confirm_refund_certificate | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_user_apply_platform_judge_overdue | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_complaint_update_order_state | aftersale_info | aftersale_id:n out_aftersale_id:s
aftersale_refund_success | aftersale_info | aftersale_id:n out_aftersale_id:s
complaint_notify | complaint_info | complaint_order_id:n state:n event:n
miniprogram_sharer_bind_status_change | | openid:s bind_status:n
miniprogram_sharer_action | | type:n openid:s promoter:o
open_product_receive_coupon | | out_coupon_id:s request_id:s
funds_order_pay | order_info | trade_no:s transaction_id:s pay_time:s
funds_order_refund | order_info | refund_no:s status:s success_time:s
funds_order_profitsharing | order_info | profit_sharing_no:s amount:n result:s finish_time:s
withdraw_notify | withdraw_info | out_request_no:s event:s
";

/// What happens to the shop of the test of every call, so that more events tell of something.
const MORE: &str = r#"
fire open_product_order_confirm order_id=$sent
fire open_product_order_cancel order_id=$open
fire open_product_spu_status_update out_product_id="TEA-2201"
fire aftersale_update_order aftersale_id=$refund orderamt=100
fire aftersale_user_cancel aftersale_id=$refund
fire open_product_order_refund order_id=$paid
fire aftersale_merchant_handle_return_overdue aftersale_id=$return
fire aftersale_wait_merchant_confirm_receipt aftersale_id=$road
fire aftersale_user_modify_return_info aftersale_id=$road
fire aftersale_merchant_confirm_receipt_overdue aftersale_id=$road
fire aftersale_new_order order_id=$done out_order_id="DONE"
fire miniprogram_sharer_action openid="oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw"
/shop/register/apply_scene
clock 120
"#;

/// Name, body and fields of the event, where it is one of the component.
fn shape(event: &str) -> Option<(&'static str, Vec<(&'static str, &'static str)>)> {
    let row = SHAPES.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let row = row.into_iter().find(|row| row.first() == Some(&event) && row.len() == 3)?;
    let fields = row[2].split(' ').map(|field| field.split_once(':').unwrap());
    Some((row[1], fields.collect()))
}

fn check(message: &Value) {
    let event = message["Event"].as_str().unwrap();
    let (body, wanted) = shape(event).unwrap_or_else(|| panic!("{event}"));
    let mut rest = message.as_object().unwrap().clone();
    let take = |rest: &mut Map<String, Value>, name: &str| rest.remove(name).unwrap_or_default();
    let [to, from, time, kind, _] =
        ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"]
            .map(|n| take(&mut rest, n));
    assert!(to.as_str().is_some_and(|to| to.starts_with("gh_")) && from.is_string(), "{message}");
    assert!(time.is_i64() && kind == "event", "{message}");
    let fields = match body {
        "" => rest,
        body => {
            let fields = take(&mut rest, body);
            assert!(rest.is_empty(), "{message}");
            fields.as_object().unwrap_or_else(|| panic!("{message}")).clone()
        }
    };
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    let mut documented: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    documented.sort_unstable();
    assert_eq!(names, documented, "{message}");
    for (name, kind) in wanted {
        let value = &fields[name];
        let is_good = match kind {
            "n" => value.is_i64() || value.is_u64(),
            "s" => value.is_string(),
            "l" => value.is_array(),
            _ => value.is_object(),
        };
        assert!(is_good, "{event}: {name} is {value}");
    }
}

#[test]
fn what_happens_is_told_with_the_documented_fields() {
    let mut stage = Stage::new("");
    let mut told = Vec::new();
    for line in MORE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        stage.run(line);
    }
    let events = stage.shop.bench.control("GET", "events", "").1["events"].clone();
    for event in events.as_array().unwrap() {
        check(&event["message"]);
        told.push(event["event"].as_str().unwrap().to_owned());
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 28, "{told:?}");
}

#[test]
fn what_is_forced_is_told_with_the_same_fields() {
    let shop = Shop::new();
    for line in SHAPES.lines().filter(|line| !line.is_empty()) {
        let event = line.split('|').next().unwrap().trim();
        let form = json!({"event": event, "force": true}).to_string();
        let (status, told) = shop.bench.control("POST", "events", &form);
        assert_eq!(status, 200, "{told}");
        check(&told["message"]);
    }
}

#[test]
fn in_xml_lists_are_repeated_and_large_ids_exact() {
    let shop = Shop::new();
    shop.bench.post("/shop/register/apply_scene", &json!({"scene_group_id": 1}));
    shop.advance(120);
    shop.order("SO1", 1);
    shop.pay("SO1");
    let events = shop.bench.control("GET", "events", "").1["events"].clone();
    let xml = |at: usize| push_message::to_xml(events[at]["message"].as_object().unwrap());
    let scene = xml(0);
    assert!(scene.starts_with("<xml><ToUserName><![CDATA[gh_"), "{scene}");
    assert_eq!(scene.matches("<scene_group_ext_list><").count(), 2, "{scene}");
    let paid = xml(1);
    let order_id = shop.shown("SO1")["order_id"].as_u64().unwrap();
    assert!(paid.contains(&format!("<order_id>{order_id}</order_id>")), "{paid}");
}
