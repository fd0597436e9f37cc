//! The moves of payment orders, each told where the platform tells it.

use serde_json::{Map, Value, json};

use super::{
    demand, funds, order_moves,
    pay_order::{PayOrder, PayStage, SUCCESS, Transfer},
    shop_due::ShopDue,
};
use crate::sandbox::{due::Due, moment, refusal::Refusal, world::World};

/// The payer pays everything that shares the combined number of this order; false unless it
/// waits for that.
pub(in crate::sandbox) fn pay(world: &mut World<'_>, trade_no: &str) -> bool {
    let orders = &world.state.shop.pay_orders;
    let order = orders.find(trade_no).filter(|order| order.stage == PayStage::ToPay);
    let Some(combined) = order.map(|order| orders.combined(&order.combine_trade_no)) else {
        return false;
    };
    combined.iter().for_each(|trade_no| pay_one(world, trade_no));
    true
}

/// Events of payments write times as the others do; the calls have Unix seconds.
fn time(at_s: i64) -> String {
    moment::text(at_s.saturating_mul(1000))
}

fn pay_one(world: &mut World<'_>, trade_no: &str) {
    let transaction_id = order_moves::cashier_payment(world).transaction_id;
    let now_s = world.now_ms / 1000;
    let days = world.state.settings.shop.profit_sharing_delay_days;
    let Some(order) = world.state.shop.pay_orders.find_mut(trade_no) else { return };
    order.stage = PayStage::Paid;
    order.transaction_id.clone_from(&transaction_id);
    order.paid_s = now_s;
    order.updated_s = now_s;
    order.sharing_delay_days = days;
    let amount_fen = order.amount_fen;
    funds::receive(world, &transaction_id, trade_no, amount_fen);
    let trade_no = trade_no.to_owned();
    let pay_time = time(now_s);
    let told =
        json!({ "trade_no": trade_no, "transaction_id": transaction_id, "pay_time": pay_time });
    tell(world, "funds_order_pay", told);
    let settlement = ShopDue::PayOrderSettlement { trade_no };
    world.later(i64::from(days) * 86_400_000, Due::Shop(settlement));
}

/// Closes what waits for the payer; the others of its combined number too. False otherwise.
pub(in crate::sandbox) fn close(world: &mut World<'_>, trade_no: &str) -> bool {
    let now_s = world.now_ms / 1000;
    let orders = &mut world.state.shop.pay_orders;
    let order = orders.find(trade_no).filter(|order| order.stage == PayStage::ToPay);
    let Some(combined) = order.map(|order| orders.combined(&order.combine_trade_no)) else {
        return false;
    };
    for trade_no in combined {
        if let Some(order) = orders.find_mut(&trade_no) {
            order.stage = PayStage::Closed;
            order.updated_s = now_s;
        }
    }
    true
}

/// Begins a refund. A repeat of one that runs or succeeded changes nothing.
pub(in crate::sandbox) fn refund(
    world: &mut World<'_>,
    trade_no: &str,
    number: &str,
    fen: i64,
) -> Result<(), Refusal> {
    let settings = &world.state.settings;
    let available_fen = world.state.shop.funds.available_fen;
    let bad = |what: &str| demand::wrong(settings, what);
    let order =
        paid(world.state.shop.pay_orders.find_mut(trade_no)).ok_or_else(|| bad(NOT_PAID))?;
    if let Some(known) = order.refunds.iter().find(|one| one.number == number) {
        let is_same = known.amount_fen == fen;
        return is_same.then_some(()).ok_or_else(|| bad("refund_no is taken"));
    }
    if !(1..=order.amount_fen - order.refunded_fen()).contains(&fen) {
        return Err(bad("refund_amount is more than what is left of the order"));
    }
    if order.is_settled() && fen > available_fen {
        return Err(bad("refund_amount is more than the available balance"));
    }
    if order.refunds.len() >= MOST_REFUNDS {
        return Err(demand::full());
    }
    order.refunds.push(begun(number, fen, world.now_ms));
    order.updated_s = world.now_ms / 1000;
    let delay_ms = i64::from(settings.shop.payment_refund_delay_s) * 1000;
    let (trade_no, refund_no) = (trade_no.to_owned(), number.to_owned());
    world.later(delay_ms, Due::Shop(ShopDue::PayOrderRefund { trade_no, refund_no }));
    Ok(())
}

/// A refund ends as the switch says, unless it has ended before.
pub(in crate::sandbox) fn refund_due(world: &mut World<'_>, trade_no: &str, number: &str) {
    let result = world.state.settings.shop.payment_refund_result.clone();
    finish_refund(world, trade_no, number, &result);
}

/// A refund ends, and the platform tells of it; false if none of that number runs.
pub(in crate::sandbox) fn finish_refund(
    world: &mut World<'_>,
    trade_no: &str,
    number: &str,
    result: &str,
) -> bool {
    let now_s = world.now_ms / 1000;
    let open = |order: &PayOrder| {
        let at = order.refunds.iter().position(|one| one.number == number && one.finished_s == 0);
        Some((at?, order.is_settled()))
    };
    let found = world.state.shop.pay_orders.find(trade_no).and_then(open);
    let Some((at, is_settled)) = found else { return false };
    let amount_fen = world
        .state
        .shop
        .pay_orders
        .find(trade_no)
        .and_then(|order| order.refunds.get(at))
        .map_or(0, |one| one.amount_fen);
    let id = if result == SUCCESS {
        funds::give_back(world, trade_no, amount_fen, is_settled)
    } else {
        String::new()
    };
    if let Some(order) = world.state.shop.pay_orders.find_mut(trade_no)
        && let Some(refund) = order.refunds.get_mut(at)
    {
        (refund.id, refund.finished_s, refund.result) = (id, now_s, result.to_owned());
        order.updated_s = now_s;
    }
    let told = json!({ "refund_no": number, "status": result, "success_time": time(now_s) });
    tell(world, "funds_order_refund", told);
    true
}

/// Begins the settlement that the merchant asks for, ahead of its time.
pub(in crate::sandbox) fn share(
    world: &mut World<'_>,
    trade_no: &str,
    number: &str,
) -> Result<(), Refusal> {
    let settings = &world.state.settings;
    let bad = |what: &str| demand::wrong(settings, what);
    let order =
        paid(world.state.shop.pay_orders.find_mut(trade_no)).ok_or_else(|| bad(NOT_PAID))?;
    match &order.sharing {
        Some(known) if known.number == number => return Ok(()),
        Some(_) => return Err(bad("the order is settled")),
        None => {}
    }
    order.sharing = Some(begun(number, 0, world.now_ms));
    let delay_ms = i64::from(settings.shop.payment_refund_delay_s) * 1000;
    let trade_no = trade_no.to_owned();
    world.later(delay_ms, Due::Shop(ShopDue::PayOrderSettlement { trade_no }));
    Ok(())
}

/// What was not refunded becomes available, and the platform tells of it. False for an order
/// that is not paid or is settled.
pub(in crate::sandbox) fn settle(world: &mut World<'_>, trade_no: &str) -> bool {
    let now_ms = world.now_ms;
    let serial = world.account.ids.next() % 10_000_000_000;
    let day = funds::day_digits(now_ms);
    let order = paid(world.state.shop.pay_orders.find_mut(trade_no));
    let Some(order) = order.filter(|order| !order.is_settled()) else { return false };
    // Only finished refunds have left; one that runs is paid from the balance afterwards.
    let gone = order.refunds.iter().filter(|one| one.result == SUCCESS);
    let amount_fen = order.amount_fen - gone.map(|one| one.amount_fen).sum::<i64>();
    let by_itself = format!("PS{day}{serial:010}");
    let mut sharing = order.sharing.take().unwrap_or_else(|| begun(&by_itself, 0, now_ms));
    sharing.id = format!("30000{day}{serial:010}");
    sharing.amount_fen = amount_fen;
    sharing.finished_s = now_ms / 1000;
    SUCCESS.clone_into(&mut sharing.result);
    let told = json!({
        "profit_sharing_no": sharing.number,
        "amount": amount_fen,
        "result": sharing.result,
        "finish_time": time(sharing.finished_s),
    });
    order.sharing = Some(sharing);
    order.updated_s = now_ms / 1000;
    funds::settle(world, amount_fen);
    tell(world, "funds_order_profitsharing", told);
    true
}

fn paid(order: Option<&mut PayOrder>) -> Option<&mut PayOrder> {
    order.filter(|order| order.stage == PayStage::Paid)
}

fn begun(number: &str, amount_fen: i64, now_ms: i64) -> Transfer {
    Transfer {
        number: number.to_owned(),
        id: String::new(),
        amount_fen,
        created_s: now_ms / 1000,
        finished_s: 0,
        result: String::new(),
    }
}

fn tell(world: &mut World<'_>, event: &str, told: Value) {
    world.tell(event, Map::from_iter([("order_info".to_owned(), told)]));
}

const NOT_PAID: &str = "the order is not paid";
const MOST_REFUNDS: usize = 100;
