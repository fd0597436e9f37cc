//! A buyer who applies for an after-sale in the order centre, without the merchant.

use serde_json::{Value, json};

use super::{
    aftersale_form, aftersale_moves,
    fields::{Fields, amount, at, number, text},
    fire,
    order::{Fund, Line, Order},
};
use crate::sandbox::{state::State, world::World};

/// For the order, product, pieces, kind and amount that `set` names; one piece of the first
/// goods that are left, for what was paid for it, where it names none.
pub(in crate::sandbox) fn apply(world: &mut World<'_>, set: &Fields) -> Result<(), String> {
    let form = form(order(world.state, set)?, set)?;
    let text = |refusal: crate::sandbox::refusal::Refusal| refusal.errmsg.into_owned();
    let aftersale = aftersale_form::read(world, &form).map_err(text)?;
    aftersale_moves::begin(world, aftersale, true).map_err(text)
}

fn order<'s>(state: &'s State, set: &Fields) -> Result<&'s Order, String> {
    let orders = &state.shop.orders;
    if number(set, "order_id").is_some() || text(set, "out_order_id").is_some() {
        return orders.find(set).map_err(|refusal| refusal.errmsg.into_owned());
    }
    let is_ready = |order: &&Order| {
        order.fund == Fund::Dedicated && order.status.is_paid() && !order.is_settled
    };
    let waiting = orders.all().filter(is_ready).map(|order| (order.out_order_id.clone(), order));
    let needs = "order with fund_type 1 and status 20, 30 or 100, not settled";
    fire::only(waiting.collect(), "aftersale_new_order", needs)
}

/// The body that a merchant would call `/shop/ecaftersale/add` with.
fn form(order: &Order, set: &Fields) -> Result<Fields, String> {
    let product = ["product_info", "product"].into_iter().find_map(|name| at(set, name));
    let product = product.and_then(Value::as_object).unwrap_or(set);
    let line = line(order, product)?;
    let given = |names: [&str; 2]| names.into_iter().find_map(|name| number(product, name));
    let count = given(["product_cnt", "count"]).or_else(|| number(set, "count")).unwrap_or(1);
    let amount_fen = amount(set, "orderamt").or_else(|| amount(set, "amount"));
    let form = json!({
        "order_id": order.order_id,
        "type": number(set, "type").unwrap_or(1),
        "product_info": {
            "out_product_id": line.out_product_id,
            "out_sku_id": line.out_sku_id,
            "product_cnt": count,
        },
        "refund_reason": text(set, "refund_reason").unwrap_or("不想要了"),
        "refund_reason_type": number(set, "refund_reason_type").unwrap_or(3),
        "orderamt": amount_fen.unwrap_or_else(|| share_fen(line, count)),
        "media_list": at(set, "media_list"),
    });
    match form {
        Value::Object(form) => Ok(form),
        _ => Ok(Fields::new()),
    }
}

/// The named goods of the order, or the first that are not refunded.
fn line<'o>(order: &'o Order, product: &Fields) -> Result<&'o Line, String> {
    let found = match text(product, "out_product_id") {
        Some(id) => order.line(id, text(product, "out_sku_id")).and_then(|at| order.lines.get(at)),
        None => order.lines.iter().find(|line| line.refundable() > 0),
    };
    found.ok_or_else(|| format!("order {} has no such goods", order.out_order_id))
}

/// What was paid for so many pieces.
fn share_fen(line: &Line, count: u64) -> i64 {
    let share = i128::from(line.real_fen) * i128::from(count);
    let share = share.checked_div(i128::from(line.count)).unwrap_or_default();
    i64::try_from(share).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{MESSAGE_ALONE, Shop, event_names};

    const NEW: &str = "aftersale_new_order";

    #[test]
    fn a_buyer_applies_without_the_merchant() {
        let shop = Shop::new();
        assert_eq!(shop.fire(NEW, &json!({})).unwrap_err(), MESSAGE_ALONE);
        shop.received("SO1");
        let told = shop.fire(NEW, &json!({})).unwrap();
        let told = &told["aftersale_info"];
        assert_eq!(told["out_order_id"], "SO1");
        assert!(told.get("out_aftersale_id").is_none());
        let by_id = json!({"aftersale_id": told["aftersale_id"]});
        let answer = shop.bench.post("/shop/ecaftersale/get", &by_id).json();
        let shown = &answer["after_sales_order"];
        assert_eq!((&shown["status"], &shown["orderamt"]), (&json!(2), &json!(12300)));
        assert_eq!(shown["out_aftersale_id"], "");
        assert_eq!(event_names(&shop.bench)[1..], [NEW]);
        let named = json!({"aftersale_info": {
            "out_order_id": "SO1", "type": 2, "product": {"out_product_id": "TEA-2201"},
            "count": 1, "amount": 100,
        }});
        shop.fire(NEW, &named).unwrap();
        let nothing_left = shop.fire(NEW, &named).unwrap_err();
        assert!(nothing_left.contains("0 are left"), "{nothing_left}");
        let other = json!({"out_order_id": "SO1", "product": {"out_product_id": "X"}});
        assert!(shop.fire(NEW, &other).unwrap_err().contains("no such goods"));
        assert!(shop.fire(NEW, &json!({"out_order_id": "SO9"})).is_err());
    }
}
