//! Calls with which a merchant reports after-sales of before the upgrade.

use serde_json::{Value, json};

use super::{
    access::Proof,
    fields::{Fields, amount, number, objects, text},
    old_aftersale::{OldAftersale, OldStatus},
    order::{Fund, Order},
    order_moves,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    moment,
    refusal::Refusal,
    state::State,
};

/// Fields and errcodes as in the documents of the component (read 2026-08), of `update_deadline`
/// as in the models of public SDKs.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/aftersale/add", add).keeping(),
    CallSpec::shop("/shop/aftersale/get", show),
    CallSpec::shop("/shop/aftersale/update", update),
    CallSpec::shop("/shop/aftersale/update_deadline", move_deadline),
];

/// A repeat of `out_aftersale_id` overwrites what was reported.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let order = open_order(state, body)?;
    let order_id = order.order_id;
    check_goods(state, order, body)?;
    let out_aftersale_id = text(body, "out_aftersale_id").unwrap_or_default();
    let known = state.shop.old_aftersales.aftersale(out_aftersale_id);
    if known.is_some_and(|known| known.order_id != order_id) {
        return Err(bad(state, "out_aftersale_id is of another order"));
    }
    let kind = number(body, "type").filter(|kind| (1..=3).contains(kind));
    let kind = kind.ok_or_else(|| bad(state, "type is from 1 to 3"))?;
    let status = status(state, body)?;
    let is_last = is_last(state, body)?;
    if text(body, "create_time").and_then(moment::parse).is_none() {
        return Err(Refusal::new(990_018));
    }
    let kept = SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())));
    let aftersale = OldAftersale { order_id, status, kind, form: kept.collect() };
    state.shop.old_aftersales.put(out_aftersale_id, aftersale)?;
    state.shop.access.prove(Proof::AddAftersale);
    close(cx, state, order_id, is_last)
}

/// The state, and whether it was the last after-sale of the order.
fn update(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let order_id = open_order(state, body)?.order_id;
    let out_aftersale_id = text(body, "out_aftersale_id").unwrap_or_default();
    let known = state.shop.old_aftersales.aftersale(out_aftersale_id);
    if known.is_none_or(|known| known.order_id != order_id) {
        return Err(bad(state, "out_aftersale_id: there is no such after-sale of the order"));
    }
    let (status, is_last) = (status(state, body)?, is_last(state, body)?);
    state.shop.old_aftersales.write(out_aftersale_id, status);
    close(cx, state, order_id, is_last)
}

/// Those of before the upgrade alone: for an order of the dedicated account the list is empty.
fn show(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let order_id = state.shop.orders.find(cx.body())?.order_id;
    let shown: Vec<Value> =
        state.shop.old_aftersales.of_order(order_id).map(OldAftersale::to_json).collect();
    Ok(cx.done(json!({ "aftersale_infos": shown })))
}

/// For orders of either account: after-sales end then, and the order is settled. 100000 for an
/// order that is over.
fn move_deadline(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let order = state.shop.orders.find(cx.body())?;
    let is_over = order.is_settled || !(order.status.is_to_pay() || order.status.is_paid());
    if is_over {
        return Err(Refusal::new(100_000));
    }
    let order_id = order.order_id;
    let until_s = amount(cx.body(), "after_sale_deadline");
    let until_s = until_s.ok_or_else(|| bad(state, "after_sale_deadline"))?;
    order_moves::settle_at(&mut cx.world(state), order_id, until_s.saturating_mul(1000));
    Ok(cx.done_plainly())
}

/// A paid order (100000) of the merchant's own account (1010050).
fn open_order<'s>(state: &'s State, body: &Fields) -> Result<&'s Order, Refusal> {
    let order = state.shop.orders.find(body)?;
    match order.fund {
        Fund::Dedicated => Err(Refusal::new(1_010_050)),
        Fund::Own if order.status.is_paid() => Ok(order),
        Fund::Own => {
            let text = format_args!("status is {}", order.status as u16);
            Err(Refusal::with(100_000, text))
        }
    }
}

/// 1020004 for goods that were not ordered.
fn check_goods(state: &State, order: &Order, body: &Fields) -> Result<(), Refusal> {
    for goods in objects(body, "product_infos") {
        let line = text(goods, "out_product_id")
            .and_then(|product| order.line(product, text(goods, "out_sku_id")))
            .and_then(|at| order.lines.get(at));
        let line = line.ok_or_else(|| Refusal::new(1_020_004))?;
        let count = number(goods, "product_cnt").unwrap_or_default();
        if !(1..=line.count).contains(&count) {
            return Err(bad(state, "product_infos.product_cnt"));
        }
    }
    Ok(())
}

fn status(state: &State, body: &Fields) -> Result<OldStatus, Refusal> {
    let status = number(body, "status").and_then(OldStatus::of_number);
    status.ok_or_else(|| bad(state, "status is from 0 to 8 or from 11 to 19"))
}

fn is_last(state: &State, body: &Fields) -> Result<bool, Refusal> {
    match number(body, "finish_all_aftersale") {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(bad(state, "finish_all_aftersale is 0 or 1")),
    }
}

/// With the last after-sale the order is refunded.
fn close(cx: &Cx<'_>, state: &mut State, order_id: u64, is_last: bool) -> Result<Answer, Refusal> {
    if is_last {
        order_moves::close_refunded(&mut cx.world(state), order_id)?;
    }
    Ok(cx.done_plainly())
}

fn bad(state: &State, what: &'static str) -> Refusal {
    Refusal::with(state.settings.component.argument_errcode, what)
}

const SHOWN: &[&str] = &[
    "out_order_id",
    "out_aftersale_id",
    "openid",
    "path",
    "refund",
    "create_time",
    "product_infos",
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Shop, event_names, example};

    /// A paid order of the merchant's own account.
    fn shop() -> Shop {
        let shop = Shop::new();
        shop.order("SO2", 0);
        let paid = json!({
            "action_type": 1, "transaction_id": "42", "pay_time": "2022-06-15 10:21:00",
        });
        assert_eq!(shop.call("/shop/order/pay", "SO2", paid).errcode, Some(0));
        shop
    }

    fn add(shop: &Shop, out_order_id: &str, more: Value) -> Option<i64> {
        let mut form = example("/shop/aftersale/add");
        form.as_object_mut().unwrap().remove("out_order_id");
        let Value::Object(more) = more else { panic!("{more}") };
        form.as_object_mut().unwrap().extend(more);
        shop.call("/shop/aftersale/add", out_order_id, form).errcode
    }

    fn update(shop: &Shop, more: Value) -> Option<i64> {
        let mut form = json!({
            "out_aftersale_id": "OAS202206200001", "status": 13, "finish_all_aftersale": 0,
        });
        let Value::Object(more) = more else { panic!("{more}") };
        form.as_object_mut().unwrap().extend(more);
        shop.call("/shop/aftersale/update", "SO2", form).errcode
    }

    fn shown(shop: &Shop, out_order_id: &str) -> Value {
        let answer = shop.call("/shop/aftersale/get", out_order_id, json!({})).json();
        assert_eq!(answer["errcode"], 0, "{answer}");
        answer["aftersale_infos"].clone()
    }

    #[test]
    fn the_merchant_writes_the_state_until_the_last_after_sale_ends_the_order() {
        let shop = shop();
        assert_eq!(shown(&shop, "SO2"), json!([]));
        assert_eq!(add(&shop, "SO2", json!({})), Some(0));
        assert_eq!(add(&shop, "SO2", json!({"refund": 100})), Some(0), "it may be repeated");
        let infos = shown(&shop, "SO2");
        assert_eq!(infos.as_array().unwrap().len(), 1);
        assert_eq!((&infos[0]["status"], &infos[0]["refund"]), (&json!(2), &json!(100)));
        assert_eq!(infos[0]["product_infos"][0]["product_cnt"], 1);
        assert!(infos[0]["order_id"].as_u64().unwrap() > 1 << 53);
        assert_eq!(shop.flags()["add_aftersale_success"], 1);
        assert_eq!(shop.flags()["ec_after_sale_success"], 0);
        assert_eq!(update(&shop, json!({"status": 11})), Some(0));
        assert_eq!(shop.status("SO2"), 20);
        assert_eq!(update(&shop, json!({"finish_all_aftersale": 1})), Some(0));
        assert_eq!(shown(&shop, "SO2")[0]["status"], 13);
        assert_eq!(shop.status("SO2"), 200);
        assert_eq!(update(&shop, json!({})), Some(100_000));
        assert_eq!(event_names(&shop.bench), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_has_its_code() {
        let shop = shop();
        shop.order("SO1", 1);
        shop.pay("SO1");
        shop.order("SO3", 0);
        assert_eq!(add(&shop, "SO1", json!({})), Some(1_010_050), "the dedicated account's");
        assert_eq!(add(&shop, "SO3", json!({})), Some(100_000), "not paid");
        assert_eq!(add(&shop, "SO9", json!({})), Some(1_010_011));
        let goods = |id: &str, count: u8| json!({"product_infos": [{"out_product_id": id, "product_cnt": count}]});
        assert_eq!(add(&shop, "SO2", goods("TEA-9", 1)), Some(1_020_004));
        assert_eq!(add(&shop, "SO2", goods("TEA-2201", 3)), Some(40097));
        for bad in [
            json!({"type": 4}),
            json!({"status": 9}),
            json!({"status": "2"}),
            json!({"finish_all_aftersale": 2}),
            json!({"product_infos": []}),
        ] {
            assert_eq!(add(&shop, "SO2", bad.clone()), Some(40097), "{bad}");
        }
        assert_eq!(add(&shop, "SO2", json!({"create_time": "2022/06/20"})), Some(990_018));
        assert_eq!(update(&shop, json!({})), Some(40097), "nothing was added");
        let stranger = json!({"openid": "oStranger"});
        assert_eq!(shop.call("/shop/aftersale/get", "SO2", stranger).errcode, Some(1_010_011));
    }

    #[test]
    fn the_deadline_moves_the_settlement() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        shop.pay("SO1");
        assert_eq!(shop.send("SO1", 2, 1), Some(0));
        assert_eq!(shop.call("/shop/delivery/recieve", "SO1", json!({})).errcode, Some(0));
        let deadline =
            |more: Value| shop.call("/shop/aftersale/update_deadline", "SO1", more).errcode;
        assert_eq!(deadline(json!({"after_sale_deadline": "soon"})), Some(40097));
        let now_ms = shop.bench.platform.account("shop").unwrap().now_ms();
        let until_s = now_ms / 1000 + 20 * 86_400;
        assert_eq!(deadline(json!({"after_sale_deadline": until_s})), Some(0));
        let settled = || event_names(&shop.bench).ends_with(&["open_product_order_settle".into()]);
        shop.advance(10 * 86_400);
        assert!(!settled(), "the seven days count no more");
        assert_eq!(deadline(json!({"after_sale_deadline": 1})), Some(0), "over already");
        assert!(settled());
        assert_eq!(deadline(json!({"after_sale_deadline": until_s})), Some(100_000));
    }
}
