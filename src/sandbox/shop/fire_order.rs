//! Events of orders, let happen by hand.

use serde_json::{Map, Value};

use super::{
    fields::{Fields, at, number, text},
    fire,
    order::{Fund, Order, OrderStatus},
    order_moves,
};
use crate::sandbox::{refusal::Refusal, state::State, world::World};

/// An event with its move.
struct OrderEvent {
    name: &'static str,
    /// Which orders it may happen to, in words.
    needs: &'static str,
    is_ready: fn(&State, &Order) -> bool,
    act: fn(&mut World<'_>, u64, &Fields) -> Result<(), Refusal>,
}

/// None for an event that is not one of an order.
pub(in crate::sandbox) fn happen(
    world: &mut World<'_>,
    event: &str,
    set: &Fields,
) -> Option<Result<(), String>> {
    let event = EVENTS.iter().find(|known| known.name == event)?;
    Some(find(world.state, event, fire::inner(set, "order_info")).and_then(|order_id| {
        (event.act)(world, order_id, set).map_err(|refusal| refusal.errmsg.into_owned())
    }))
}

fn find(state: &State, event: &OrderEvent, named: &Fields) -> Result<u64, String> {
    let orders = &state.shop.orders;
    if number(named, "order_id").is_none() && text(named, "out_order_id").is_none() {
        let waiting = orders.all().filter(|order| (event.is_ready)(state, order));
        let waiting = waiting.map(|order| (order.out_order_id.clone(), order.order_id));
        return fire::only(waiting.collect(), event.name, event.needs);
    }
    let order = orders.find(named).map_err(|refusal| refusal.errmsg.into_owned())?;
    if (event.is_ready)(state, order) {
        return Ok(order.order_id);
    }
    Err(format!(
        "order {} has status {} and fund_type {}; {} needs an {}",
        order.out_order_id, order.status as u16, order.fund as u8, event.name, event.needs
    ))
}

fn pay(world: &mut World<'_>, order_id: u64, _set: &Fields) -> Result<(), Refusal> {
    let payment = order_moves::cashier_payment(world);
    order_moves::pay(world, order_id, payment)
}

/// By the buyer, or with `status` 181 by the platform.
fn cancel(world: &mut World<'_>, order_id: u64, set: &Fields) -> Result<(), Refusal> {
    let to = match number(fire::inner(set, "order_info"), "status") {
        Some(181) => OrderStatus::Expired,
        _ => OrderStatus::Cancelled,
    };
    order_moves::cancel(world, order_id, to)
}

fn confirm(world: &mut World<'_>, order_id: u64, _set: &Fields) -> Result<(), Refusal> {
    order_moves::confirm(world, order_id)
}

/// All that is left of every line, and the freight.
fn refund(world: &mut World<'_>, order_id: u64, _set: &Fields) -> Result<(), Refusal> {
    let Some(order) = world.state.shop.orders.order(order_id) else {
        return Err(Refusal::new(1_010_011));
    };
    let mut freight_fen = order.refundable_freight_fen();
    let lines = order.lines.iter().enumerate();
    let left: Vec<(usize, u64, i64)> = lines
        .map(|(at, line)| (at, line.refundable(), line.refundable_fen()))
        .filter(|(_, count, _)| *count > 0)
        .collect();
    for (at, count, fen) in left {
        order_moves::refund(world, order_id, at, count, fen, std::mem::take(&mut freight_fen))?;
    }
    Ok(())
}

fn settle(world: &mut World<'_>, order_id: u64, _set: &Fields) -> Result<(), Refusal> {
    order_moves::settle(world, order_id)
}

/// Credits the sale as `promotion_info` says.
fn analyze(world: &mut World<'_>, order_id: u64, set: &Fields) -> Result<(), Refusal> {
    let credited = at(set, "promotion_info").or_else(|| at(set, "order_info.promotion_info"));
    let promotion = credited.and_then(Value::as_object).cloned();
    let Some(order) = world.state.shop.orders.order_mut(order_id) else {
        return Err(Refusal::new(1_010_011));
    };
    if let Some(promotion) = promotion {
        order.promotion = promotion;
    }
    let mut told = order.told();
    told.insert("openid".to_owned(), order.openid.as_str().into());
    let fields = Map::from_iter([("order_info".to_owned(), Value::Object(told))]);
    world.tell("open_product_order_analyze", fields);
    Ok(())
}

fn is_to_pay(_state: &State, order: &Order) -> bool {
    order.fund == Fund::Dedicated && order.status.is_to_pay()
}

fn is_sent(_state: &State, order: &Order) -> bool {
    order.fund == Fund::Dedicated && order.status == OrderStatus::Sent
}

fn is_refundable(state: &State, order: &Order) -> bool {
    order.fund == Fund::Dedicated
        && order.status.is_paid()
        && !order.is_settled
        && !state.shop.aftersales.is_pending(order.order_id)
}

fn is_done(state: &State, order: &Order) -> bool {
    is_refundable(state, order) && order.status == OrderStatus::Done
}

fn is_any(_state: &State, _order: &Order) -> bool {
    true
}

const EVENTS: &[OrderEvent] = &[
    OrderEvent {
        name: "open_product_order_pay",
        needs: "order with fund_type 1 and status 10 or 11",
        is_ready: is_to_pay,
        act: pay,
    },
    OrderEvent {
        name: "open_product_order_cancel",
        needs: "order with fund_type 1 and status 10 or 11",
        is_ready: is_to_pay,
        act: cancel,
    },
    OrderEvent {
        name: "open_product_order_confirm",
        needs: "order with fund_type 1 and status 30",
        is_ready: is_sent,
        act: confirm,
    },
    OrderEvent {
        name: "open_product_order_refund",
        needs: "order with fund_type 1 and status 20, 30 or 100, not settled, no after-sale open",
        is_ready: is_refundable,
        act: refund,
    },
    OrderEvent {
        name: "open_product_order_settle",
        needs: "order with fund_type 1 and status 100, not settled, no after-sale open",
        is_ready: is_done,
        act: settle,
    },
    OrderEvent {
        name: "open_product_order_analyze",
        needs: "order",
        is_ready: is_any,
        act: analyze,
    },
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{MESSAGE_ALONE, Shop, event_names};

    #[test]
    fn an_order_goes_through_its_life_by_hand() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        let paid = shop.fire("open_product_order_pay", &json!({})).unwrap();
        assert_eq!(paid["order_info"]["amount"], 25400);
        assert_eq!(paid.keys().collect::<Vec<_>>(), ["order_info"], "no envelope");
        assert_eq!(shop.status("SO1"), 20);
        assert_eq!(shop.send("SO1", 2, 1), Some(0));
        let named = json!({"order_info": {"out_order_id": "SO1"}});
        shop.fire("open_product_order_confirm", &named).unwrap();
        assert_eq!(shop.status("SO1"), 100);
        let credited = json!({"promotion_info": {"promoter_id": "p", "sharer_openid": "s"}});
        let told = shop.fire("open_product_order_analyze", &credited).unwrap();
        assert!(told["order_info"]["openid"].is_string());
        let body = json!({"page": 1, "page_size": 2, "promoter_id": "p"});
        let list = shop.bench.post("/shop/order/get_list_by_finder", &body).json();
        assert_eq!(list["total_num"], 1);
        shop.fire("open_product_order_settle", &named).unwrap();
        let names = event_names(&shop.bench);
        assert_eq!(names.len(), 4, "each told once: {names:?}");
        let late = shop.fire("open_product_order_refund", &named).unwrap_err();
        assert!(late.starts_with("order SO1 has status 100 and fund_type 1; "), "{late}");
    }

    #[test]
    fn everything_is_refunded_with_the_freight_of_what_was_not_sent() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        shop.pay("SO1");
        shop.fire("open_product_order_refund", &json!({})).unwrap();
        assert_eq!(shop.status("SO1"), 200);
        shop.at_work(|world| {
            let order = world.state.shop.orders.by_out_order_id("SO1").unwrap();
            assert_eq!(order.refunded_fen(), 25400);
        });
    }

    #[test]
    fn what_cannot_happen_says_what_could() {
        let shop = Shop::new();
        let fire = |event: &str, set| shop.fire(event, &set).unwrap_err();
        assert_eq!(fire("open_product_order_pay", json!({})), MESSAGE_ALONE);
        shop.order("SO1", 1);
        let none = fire("open_product_order_confirm", json!({}));
        assert!(none.ends_with("no order with fund_type 1 and status 30"), "{none}");
        shop.order("SO2", 1);
        shop.order("SO3", 0);
        let several = fire("open_product_order_cancel", json!({}));
        assert!(several.ends_with("name it in `set`: SO2, SO1"), "{several}");
        let own = fire("open_product_order_pay", json!({"out_order_id": "SO3"}));
        assert!(own.contains("fund_type 0; open_product_order_pay needs an order"), "{own}");
        let missing = fire("open_product_order_pay", json!({"out_order_id": "SO9"}));
        assert_eq!(missing, MESSAGE_ALONE);
        let expired = json!({"order_info": {"out_order_id": "SO1", "status": 181}});
        shop.fire("open_product_order_cancel", &expired).unwrap();
        assert_eq!(shop.status("SO1"), 181);
        let nothing =
            shop.at_work(|world| super::fire::happen(world, "subscribe", &super::Map::new()));
        assert_eq!(nothing, None);
    }
}
