//! The moves of an order from one state to the next, each told where the platform tells it.

use serde_json::{Map, Value, json};

use super::{
    access::Proof,
    fields::Fields,
    funds,
    order::{Delivery, Fund, Order, OrderStatus, Payment},
};
use crate::sandbox::{due::Due, moment, refusal::Refusal, world::World};

/// The buyer paid, or the merchant reports it: 100000 unless it waited for the payment.
pub(in crate::sandbox) fn pay(
    world: &mut World<'_>,
    order_id: u64,
    payment: Payment,
) -> Result<(), Refusal> {
    let order = change(world, order_id, 100_000, OrderStatus::is_to_pay)?;
    order.status = OrderStatus::Paid;
    order.payment = Some(payment);
    let order = order.clone();
    let is_in_scene = order
        .form
        .get("scene")
        .and_then(Value::as_i64)
        .is_none_or(|scene| world.state.settings.component.scene_values.contains(&scene));
    match order.fund {
        Fund::Own => world.state.shop.access.prove(Proof::PayOrder),
        Fund::Dedicated => {
            if is_in_scene {
                world.state.shop.access.prove(Proof::EcOrder);
            }
            let paid_id = order.payment.as_ref().map_or("", |payment| &payment.transaction_id);
            funds::receive(world, paid_id, &order.out_order_id, order.price_fen);
            tell(world, "open_product_order_pay", paid(&order));
        }
    }
    Ok(())
}

/// A payment as the cashier makes it.
pub(in crate::sandbox) fn cashier_payment(world: &World<'_>) -> Payment {
    let day = moment::text(world.now_ms);
    let digits: String = day.chars().filter(char::is_ascii_digit).take(8).collect();
    let serial = world.account.ids.next() % 1_000_000_000_000;
    let transaction_id = format!("4200001503{digits}{serial:012}");
    Payment { transaction_id, paid_ms: world.now_ms }
}

/// What the event of a payment says.
fn paid(order: &Order) -> Fields {
    let mut told = order.told();
    let payment = order.payment.clone();
    let (transaction_id, paid_ms) =
        payment.map_or_else(Default::default, |payment| (payment.transaction_id, payment.paid_ms));
    for (name, value) in [
        ("transaction_id", json!(transaction_id)),
        ("pay_time", json!(moment::text(paid_ms))),
        ("amount", json!(order.price_fen)),
        ("payer_amount", json!(order.price_fen)),
        ("sp_openid", json!(order.openid)),
        ("promotion_detail_info", json!({ "promotion_detail_list": [] })),
    ] {
        told.insert(name.to_owned(), value);
    }
    told
}

/// Cancels what was not paid; `to` tells who did. 1000000 from any other state.
pub(in crate::sandbox) fn cancel(
    world: &mut World<'_>,
    order_id: u64,
    to: OrderStatus,
) -> Result<(), Refusal> {
    let cancel_type = world.state.settings.component.cancel_type;
    let order = change(world, order_id, 1_000_000, OrderStatus::is_to_pay)?;
    order.status = to;
    let (fund, mut told) = (order.fund, order.told());
    if fund == Fund::Dedicated {
        told.insert("cancel_type".to_owned(), cancel_type.into());
        tell(world, "open_product_order_cancel", told);
    }
    Ok(())
}

/// `expire_time` has passed.
pub(in crate::sandbox) fn expire_due(world: &mut World<'_>, order_id: u64) {
    let waits = world
        .state
        .shop
        .orders
        .order(order_id)
        .is_some_and(|order| order.status.is_to_pay() && order.fund == Fund::Dedicated);
    if waits {
        // It waits, so that it can be cancelled.
        drop(cancel(world, order_id, OrderStatus::Expired));
    }
}

/// Adds parcels; with `is_last` the order is sent, or done where nothing is delivered.
pub(in crate::sandbox) fn send(
    world: &mut World<'_>,
    order_id: u64,
    parcels: Vec<Fields>,
    is_last: bool,
) -> Result<(), Refusal> {
    let order = change(world, order_id, 1_000_000, |status| status == OrderStatus::Paid)?;
    order.parcels.extend(parcels);
    order.delivery = if is_last { Delivery::Finished } else { Delivery::Begun };
    let is_done = is_last && order.delivery_type == 2;
    if is_last {
        order.status = OrderStatus::Sent;
    }
    if is_last || !world.state.settings.component.delivery_counts_when_finished {
        world.state.shop.access.prove(Proof::SendDelivery);
    }
    if is_done { receive(world, order_id) } else { Ok(()) }
}

/// The buyer has everything: 1000000 unless it was sent. After-sales end some days later.
pub(in crate::sandbox) fn receive(world: &mut World<'_>, order_id: u64) -> Result<(), Refusal> {
    let now_ms = world.now_ms;
    let order = change(world, order_id, 1_000_000, |status| status == OrderStatus::Sent)?;
    order.status = OrderStatus::Done;
    let until_ms = order
        .aftersale_until_ms
        .unwrap_or_else(|| now_ms.saturating_add(order.aftersale_days.saturating_mul(DAY_MS)));
    settle_at(world, order_id, until_ms);
    Ok(())
}

/// The buyer confirmed in the order centre.
pub(in crate::sandbox) fn confirm(world: &mut World<'_>, order_id: u64) -> Result<(), Refusal> {
    receive(world, order_id)?;
    if let Some(told) = world.state.shop.orders.order(order_id).map(Order::told) {
        tell(world, "open_product_order_confirm", told);
    }
    Ok(())
}

/// After-sales of the order end then.
pub(in crate::sandbox) fn settle_at(world: &mut World<'_>, order_id: u64, until_ms: i64) {
    if let Some(order) = world.state.shop.orders.order_mut(order_id) {
        order.aftersale_until_ms = Some(until_ms);
        // A time that is over already ends them now, not then.
        let delay_ms = until_ms.saturating_sub(world.now_ms).max(0);
        world.later(delay_ms, Due::Settlement { order_id });
    }
}

/// The time of after-sales is over, unless it was moved. The last after-sale that is open asks
/// again when it ends.
pub(in crate::sandbox) fn settle_due(world: &mut World<'_>, order_id: u64) {
    let is_over = world.state.shop.orders.order(order_id).is_some_and(|order| {
        order.aftersale_until_ms.is_some_and(|until_ms| until_ms <= world.now_ms)
    });
    if is_over {
        // An order that is not done, or settled already, stays as it is.
        drop(settle(world, order_id));
    }
}

/// The platform settles a finished order: 1000000 for any other, or while an after-sale is
/// open.
pub(in crate::sandbox) fn settle(world: &mut World<'_>, order_id: u64) -> Result<(), Refusal> {
    let now_ms = world.now_ms;
    if world.state.shop.aftersales.is_pending(order_id) {
        return Err(Refusal::with(1_000_000, "an after-sale is open"));
    }
    let is_settled = world.state.shop.orders.order(order_id).is_some_and(|order| order.is_settled);
    let is_open = |status| status == OrderStatus::Done && !is_settled;
    let order = change(world, order_id, 1_000_000, is_open)?;
    order.is_settled = true;
    let (fund, mut told) = (order.fund, order.told());
    let amount_fen = order.price_fen.saturating_sub(order.refunded_fen());
    let time = moment::text(now_ms);
    let digits: String = time.chars().filter(char::is_ascii_digit).take(8).collect();
    let serial = world.account.ids.next() % 1_000_000;
    told.insert("settle_no".to_owned(), format!("ST{digits}{serial:06}").into());
    told.insert("amount".to_owned(), amount_fen.into());
    told.insert("settle_time".to_owned(), time.into());
    if fund == Fund::Dedicated {
        funds::settle(world, amount_fen);
        tell(world, "open_product_order_settle", told);
    }
    Ok(())
}

/// Money for pieces of a line, and freight, went back to the buyer. When nothing is left, the
/// order is refunded.
pub(in crate::sandbox) fn refund(
    world: &mut World<'_>,
    order_id: u64,
    line: usize,
    count: u64,
    goods_fen: i64,
    freight_fen: i64,
) -> Result<(), Refusal> {
    let order = change(world, order_id, 1_000_000, OrderStatus::is_paid)?;
    let Some(line) = order.lines.get_mut(line) else { return Err(Refusal::new(1_020_004)) };
    line.refunded = line.refunded.saturating_add(count).min(line.count);
    line.refunded_fen = line.refunded_fen.saturating_add(goods_fen);
    order.refunded_freight_fen = order.refunded_freight_fen.saturating_add(freight_fen);
    let (is_all_refunded, is_settled) = (order.is_all_refunded(), order.is_settled);
    if order.fund == Fund::Dedicated {
        let out_order_id = order.out_order_id.clone();
        let fen = goods_fen.saturating_add(freight_fen);
        funds::give_back(world, &out_order_id, fen, is_settled);
    }
    if is_all_refunded { close_refunded(world, order_id) } else { Ok(()) }
}

/// Everything was refunded.
pub(in crate::sandbox) fn close_refunded(
    world: &mut World<'_>,
    order_id: u64,
) -> Result<(), Refusal> {
    let order = change(world, order_id, 1_000_000, OrderStatus::is_paid)?;
    order.status = OrderStatus::Refunded;
    let (fund, told) = (order.fund, order.told());
    if fund == Fund::Dedicated {
        tell(world, "open_product_order_refund", told);
    }
    Ok(())
}

/// An order to be changed now: 1010011 where there is none, `errcode` where its state does not
/// allow it.
fn change<'w>(
    world: &'w mut World<'_>,
    order_id: u64,
    errcode: i64,
    is_allowed: impl Fn(OrderStatus) -> bool,
) -> Result<&'w mut Order, Refusal> {
    let now_ms = world.now_ms;
    let order = world.state.shop.orders.order_mut(order_id);
    let order = order.ok_or_else(|| Refusal::new(1_010_011))?;
    if !is_allowed(order.status) {
        return Err(Refusal::with(errcode, format_args!("status is {}", order.status as u16)));
    }
    order.updated_ms = now_ms;
    Ok(order)
}

fn tell(world: &mut World<'_>, event: &str, told: Fields) {
    world.tell(event, Map::from_iter([("order_info".to_owned(), Value::Object(told))]));
}

const DAY_MS: i64 = 86_400_000;
