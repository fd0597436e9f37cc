//! Calls that make and move after-sales of the upgraded component.

use serde_json::json;

use super::{
    aftersale::{Certificates, ReturnParcel},
    aftersale_form, aftersale_list, aftersale_moves, company,
    fields::{Fields, at, text},
    fire_aftersale, picture,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    world::World,
};

/// Fields and errcodes of `add` and `acceptrefund` as in the documents of the component, of the
/// others as in the models of public SDKs (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/ecaftersale/add", add).keeping(),
    CallSpec::shop("/shop/ecaftersale/update", update).keeping(),
    CallSpec::shop("/shop/ecaftersale/cancel", cancel),
    CallSpec::shop("/shop/ecaftersale/uploadreturninfo", send_back).keeping(),
    CallSpec::shop("/shop/ecaftersale/get", aftersale_list::one),
    CallSpec::shop("/shop/ecaftersale/get_list", aftersale_list::all),
    CallSpec::shop("/shop/ecaftersale/acceptrefund", accept_refund),
    CallSpec::shop("/shop/ecaftersale/acceptreturn", accept_return).keeping(),
    CallSpec::shop("/shop/ecaftersale/reject", reject).keeping(),
    CallSpec::shop("/shop/ecaftersale/upload_certificates", certify).keeping(),
    CallSpec::shop("/shop/ecaftersale/merchanttest", test),
];

/// A repeat of `out_aftersale_id` answers the first one again, as orders do, unless the switch
/// refuses it.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let out_aftersale_id = text(body, "out_aftersale_id").unwrap_or_default();
    let order_id = state.shop.orders.find(body)?.order_id;
    if let Some(known) = state.shop.aftersales.by_out_aftersale_id(out_aftersale_id) {
        let is_same = known.order_id == order_id;
        if !is_same || state.settings.aftersale.refuse_aftersale_repeat {
            return Err(Refusal::with(2_747_002, "out_aftersale_id is taken"));
        }
        return Ok(cx.done(json!({ "aftersale_id": known.aftersale_id })));
    }
    let mut world = cx.world(state);
    let aftersale = aftersale_form::read(&world, body)?;
    let aftersale_id = aftersale.aftersale_id;
    aftersale_moves::begin(&mut world, aftersale, false)?;
    Ok(cx.done(json!({ "aftersale_id": aftersale_id })))
}

/// Kind, reason and amount anew; the goods stay.
fn update(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, body| {
        let request = aftersale_form::request(world.state, body)?;
        aftersale_moves::change(world, id, request)
    })
}

fn cancel(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, _| aftersale_moves::cancel(world, id))
}

fn send_back(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, body| {
        let parcel = parcel(body, world.now_ms);
        if world.state.settings.component.check_delivery_id
            && !company::is_known(&parcel.delivery_id)
        {
            return Err(Refusal::with(2_747_002, "delivery_id is not of get_company_list"));
        }
        aftersale_moves::send_back(world, id, parcel)
    })
}

/// How the goods go back.
pub(in crate::sandbox) fn parcel(body: &Fields, now_ms: i64) -> ReturnParcel {
    let name = |field: &str| text(body, field).unwrap_or_default().to_owned();
    ReturnParcel {
        delivery_id: name("delivery_id"),
        delivery_name: name("delivery_name"),
        waybill_id: name("waybill_id"),
        sent_ms: now_ms,
    }
}

fn accept_refund(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, _| aftersale_moves::accept_refund(world, id))
}

fn accept_return(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, body| {
        let address = at(body, "address_info").and_then(|given| given.as_object());
        let address = address.ok_or_else(|| Refusal::with(2_747_002, "address_info"))?;
        aftersale_moves::accept_return(world, id, address.clone())
    })
}

fn reject(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, _| aftersale_moves::reject(world, id))
}

/// Pictures of the upload call.
fn certify(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, body| {
        picture::check_list(at(body, "certificates"))?;
        let pictures = at(body, "certificates").and_then(|given| given.as_array());
        let pictures = pictures.into_iter().flatten().filter_map(|url| url.as_str());
        let pictures: Vec<String> = pictures.map(ToOwned::to_owned).collect();
        if pictures.is_empty() {
            return Err(Refusal::with(2_747_002, "certificates is empty"));
        }
        let about = text(body, "refund_desc").unwrap_or_default().to_owned();
        aftersale_moves::certify(world, id, Certificates { about, pictures })
    })
}

/// Lets the event called `operation` happen now, if it may.
fn test(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    act(cx, |world, id, body| {
        let event = text(body, "operation").unwrap_or_default();
        let happened = fire_aftersale::happen_to(world, id, event, body);
        happened.unwrap_or_else(|| Err(Refusal::with(2_747_002, "operation is no such event")))
    })
}

/// The after-sale of the body, moved.
fn act(
    cx: &Cx<'_>,
    moved: impl FnOnce(&mut World<'_>, u64, &Fields) -> Result<(), Refusal>,
) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let id = state.shop.aftersales.find(body)?.aftersale_id;
    moved(&mut cx.world(state), id, body)?;
    Ok(cx.done_plainly())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Shop, event_names, example};

    const AS1: &str = "AS202206200001";

    /// The documents' body of a call, without the ids.
    fn body(verb: &str) -> Value {
        let mut body = example(&format!("/shop/ecaftersale/{verb}"));
        for id in ["aftersale_id", "out_aftersale_id", "openid"] {
            body.as_object_mut().unwrap().remove(id);
        }
        body
    }

    fn done(shop: &Shop, verb: &str) -> Option<i64> {
        shop.about(verb, AS1, &body(verb)).errcode
    }

    #[test]
    fn a_piece_goes_back_as_in_the_documents_scenario() {
        let shop = Shop::new();
        shop.received("SO1");
        let added = shop.aftersale("SO1", &json!({})).json();
        let id = added["aftersale_id"].as_u64().unwrap();
        assert_eq!(id.to_string().len(), 16, "{added}");
        assert_eq!(shop.aftersale_status(AS1), 23);
        assert_eq!(done(&shop, "acceptreturn"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 6);
        assert_eq!(done(&shop, "uploadreturninfo"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 8);
        assert_eq!(done(&shop, "acceptrefund"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 11);
        shop.advance(5);
        let answer = shop.bench.post("/shop/ecaftersale/get", &json!({"aftersale_id": id})).json();
        let shown = &answer["after_sales_order"];
        assert_eq!((&shown["status"], &shown["orderamt"]), (&json!(13), &json!(12300)));
        assert_eq!(shown["return_info"]["waybill_id"], "SF1390099120558");
        assert_eq!(shown["refund_pay_detail"]["refund_id"].as_str().unwrap().len(), 29);
        assert_eq!((&shown["return_id"], &shown["out_order_id"]), (&json!(""), &json!("SO1")));
        assert_eq!(shop.flags()["ec_after_sale_success"], 1);
        assert_eq!(shop.flags()["add_aftersale_success"], 0);
        assert_eq!(shop.status("SO1"), 100, "a piece is left");
        shop.advance(8 * 86_400);
        let names = event_names(&shop.bench);
        let wanted = [
            "open_product_order_pay",
            "aftersale_wait_merchant_confirm_receipt",
            "aftersale_refund_success",
            "open_product_order_settle",
        ];
        assert_eq!(names, wanted);
        let told = shop.bench.control("GET", "events?after=2", "").1;
        let told = &told["events"];
        assert_eq!(told[0]["message"]["aftersale_info"]["out_aftersale_id"], AS1);
        assert_eq!(told[0]["message"]["aftersale_info"]["aftersale_id"], id);
        assert_eq!(told[1]["message"]["order_info"]["amount"], 13100, "as in the documents");
        let late = shop.aftersale("SO1", &json!({"out_aftersale_id": "AS9"}));
        assert_eq!(late.errcode, Some(2_747_002), "the order is settled");
    }

    #[test]
    fn an_application_that_does_not_fit_has_its_code() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        let add = |more: Value| shop.aftersale("SO1", &more).errcode;
        assert_eq!(add(json!({})), Some(2_747_002), "not paid");
        shop.pay("SO1");
        let goods = |id: &str, count: u64| json!({"product_info": {"out_product_id": id, "product_cnt": count}});
        for (more, errcode) in [
            (json!({"type": 3}), 2_747_002),
            (json!({"refund_reason_type": 13}), 2_747_002),
            (json!({"refund_reason": ""}), 2_747_002),
            (json!({"orderamt": "123"}), 2_747_002),
            (json!({"orderamt": 25401}), 2_747_014),
            (json!({"orderamt": u64::MAX}), 2_747_002),
            (json!({"openid": "oStranger"}), 1_010_011),
            (goods("TEA-9", 1), 1_020_004),
            (goods("TEA-2201", 0), 2_747_002),
            (goods("TEA-2201", 3), 2_747_002),
            (json!({"product_info": {"product_cnt": 1}}), 2_747_002),
            (json!({"media_list": [{"type": 1, "url": "https://elsewhere"}]}), 1_070_010),
        ] {
            assert_eq!(add(more.clone()), Some(errcode), "{more}");
        }
        assert_eq!(shop.aftersale("SO9", &json!({})).errcode, Some(1_010_011));
        shop.bench.set(&json!({"refund_reasons": "first"}));
        assert_eq!(add(json!({"refund_reason_type": 14})), Some(2_747_002));
        shop.order("SO2", 0);
        assert_eq!(shop.aftersale("SO2", &json!({})).errcode, Some(2_747_002), "fund_type 0");
    }

    #[test]
    fn what_others_claim_is_not_claimed_again_and_freight_only_before_the_delivery() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        shop.pay("SO1");
        let claim = |id: &str, orderamt: u64| {
            let more = json!({"out_aftersale_id": id, "type": 1, "orderamt": orderamt});
            shop.aftersale("SO1", &more).errcode
        };
        assert_eq!(claim("AS1", 24000), Some(0));
        assert_eq!(claim("AS2", 1401), Some(2_747_014), "600 of goods, 800 of freight");
        assert_eq!(claim("AS2", 1400), Some(0));
        assert_eq!(claim("AS3", 0), Some(2_747_002), "no piece is left");
        assert_eq!(shop.about("cancel", "AS2", &json!({})).errcode, Some(0));
        assert_eq!(shop.send("SO1", 2, 1), Some(0));
        assert_eq!(claim("AS3", 601), Some(2_747_014), "no freight any more");
        assert_eq!(claim("AS3", 600), Some(0));
        for id in ["AS1", "AS3"] {
            assert_eq!(shop.about("acceptrefund", id, &json!({})).errcode, Some(0));
        }
        shop.advance(5);
        assert_eq!(shop.status("SO1"), 200, "everything went back");
        let names = event_names(&shop.bench);
        assert_eq!(names.last().map(String::as_str), Some("open_product_order_refund"));
    }

    #[test]
    fn a_repeat_is_the_first_one_unless_it_is_refused() {
        let shop = Shop::new();
        shop.received("SO1");
        shop.received("SO2");
        let first = shop.aftersale("SO1", &json!({})).json();
        assert_eq!(shop.aftersale("SO1", &json!({})).json(), first);
        assert_eq!(shop.aftersale("SO2", &json!({})).errcode, Some(2_747_002), "another order's");
        shop.bench.set(&json!({"refuse_aftersale_repeat": true, "large_ids": true}));
        assert_eq!(shop.aftersale("SO1", &json!({})).errcode, Some(2_747_002));
        let large = shop.aftersale("SO2", &json!({"out_aftersale_id": "AS2"})).json();
        assert!(large["aftersale_id"].as_u64().unwrap() > 1 << 60);
    }

    #[test]
    fn a_move_from_another_state_is_refused() {
        let shop = Shop::new();
        shop.received("SO1");
        shop.aftersale("SO1", &json!({}));
        for verb in ["acceptrefund", "uploadreturninfo", "upload_certificates"] {
            assert_eq!(done(&shop, verb), Some(2_747_002), "{verb}");
        }
        assert_eq!(done(&shop, "reject"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 5);
        for verb in ["acceptreturn", "reject"] {
            assert_eq!(done(&shop, verb), Some(2_747_002), "{verb}");
        }
        let too_much = json!({"type": 1, "orderamt": 24601, "refund_reason": "x",
            "refund_reason_type": 3});
        assert_eq!(shop.about("update", AS1, &too_much).errcode, Some(2_747_014));
        assert_eq!(done(&shop, "update"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 2, "a refund only, now");
        let stranger = json!({"openid": "oStranger"});
        assert_eq!(shop.about("cancel", AS1, &stranger).errcode, Some(2_747_002));
        shop.bench.set(&json!({"aftersale_cancel_states": []}));
        assert_eq!(done(&shop, "cancel"), Some(2_747_002));
        shop.bench.set(&json!({"aftersale_cancel_states": [2]}));
        assert_eq!(done(&shop, "cancel"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 1);
        assert_eq!(done(&shop, "update"), Some(2_747_002));
        let names = event_names(&shop.bench);
        assert_eq!(names[1..], ["aftersale_update_order", "aftersale_user_cancel"]);
        for bad in [json!({}), json!({"aftersale_id": 7}), json!({"aftersale_id": "7"})] {
            let answer = shop.bench.post("/shop/ecaftersale/get", &bad);
            assert_eq!(answer.errcode, Some(2_747_002), "{bad}");
        }
    }

    #[test]
    fn lists_are_ids_that_fit_page_by_page() {
        let shop = Shop::new();
        shop.received("SO1");
        shop.received("SO2");
        for (order, id) in [("SO1", "AS1"), ("SO1", "AS2"), ("SO2", "AS3")] {
            assert_eq!(
                shop.aftersale(order, &json!({"out_aftersale_id": id, "type": 1})).errcode,
                Some(0)
            );
        }
        let list = |more: Value| {
            let mut body = json!({"offset": 0, "limit": 2});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = shop.bench.post("/shop/ecaftersale/get_list", &body).json();
            let ids = answer["after_sales_orders"].as_array().unwrap().clone();
            (ids.len(), answer["has_more"].as_bool().unwrap(), ids.first().cloned())
        };
        let (count, has_more, first) = list(json!({}));
        assert_eq!((count, has_more), (2, true));
        let (count, has_more, third) = list(json!({"offset": 2}));
        assert_eq!((count, has_more), (1, false));
        assert!(first.unwrap().as_u64() < third.unwrap().as_u64(), "ids grow");
        assert_eq!(list(json!({"out_order_id": "SO2", "status": 2})).0, 1);
        assert_eq!(list(json!({"status": 13})).0, 0);
        assert_eq!(list(json!({"begin_create_time": 1})).0, 2);
        assert_eq!(list(json!({"end_create_time": 1})).0, 0);
        let bad = json!({"offset": 0, "limit": 101});
        let answer = shop.bench.post("/shop/ecaftersale/get_list", &bad);
        assert_eq!(answer.errcode, Some(2_747_002));
    }
}
