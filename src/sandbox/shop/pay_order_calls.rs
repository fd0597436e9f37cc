//! Calls of the payment management.

use serde_json::json;

use super::{
    demand,
    fields::{Fields, amount, number, objects, text},
    pay_order::{PayOrder, PayStage},
    pay_order_moves, payment_params,
    shop_due::ShopDue,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    due::Due,
    refusal::Refusal,
    state::State,
};

/// Fields of `createorder` as in the documents, of the others as in the models of public SDKs
/// (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/pay/createorder", create).keeping(),
    CallSpec::shop("/shop/pay/closeorder", close),
    CallSpec::shop("/shop/pay/getorder", get),
    CallSpec::shop("/shop/pay/getorderlist", list),
    CallSpec::shop("/shop/pay/profitsharingorder", share),
    CallSpec::shop("/shop/pay/refundorder", refund),
];

/// The same orders again get fresh arguments for the cashier, as long as they wait.
fn create(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    payment_params::check_address(cx, &state.settings)?;
    let orders = orders(cx, state)?;
    if !is_repeat(state, &orders) {
        enter(cx, state, orders)?;
    }
    let serial = cx.account.ids.next();
    Ok(cx.done(json!({ "payment_params": payment_params::params(cx, serial) })))
}

/// Writes new orders down, with what will become of them.
fn enter(cx: &Cx<'_>, state: &mut State, orders: Vec<PayOrder>) -> Result<(), Refusal> {
    let Some(first) = orders.first().cloned() else { return Ok(()) };
    let combine_trade_no = &first.combine_trade_no;
    if !state.shop.pay_orders.combined(combine_trade_no).is_empty() {
        return Err(demand::wrong(&state.settings, "combine_trade_no is taken"));
    }
    state.shop.pay_orders.add(orders, &state.settings)?;
    let paid_after_s = state.settings.shop.payment_order_paid_after_s;
    let mut world = cx.world(state);
    let left_ms = first.expire_s.saturating_mul(1000).saturating_sub(cx.now_ms);
    let trade_no = first.trade_no;
    if let Some(delay_s) = paid_after_s {
        let paid = ShopDue::PayOrderPayment { trade_no: trade_no.clone() };
        world.later(i64::from(delay_s) * 1000, Due::Shop(paid));
    }
    world.later(left_ms, Due::Shop(ShopDue::PayOrderEnd { trade_no }));
    Ok(())
}

/// The orders of a body.
fn orders(cx: &Cx<'_>, state: &State) -> Result<Vec<PayOrder>, Refusal> {
    let (body, settings) = (cx.body(), &state.settings);
    let bad = |what: &str| demand::wrong(settings, what);
    let openid = text(body, "openid").filter(|openid| demand::is_openid(openid));
    let openid = openid.ok_or_else(|| Refusal::new(40003))?;
    let combine_trade_no = trade_no(body, "combine_trade_no");
    let combine_trade_no = combine_trade_no.ok_or_else(|| bad("combine_trade_no"))?;
    let now_s = cx.now_ms / 1000;
    let expire_s = match amount(body, "expire_time") {
        Some(expire_s) if expire_s <= now_s => return Err(bad("expire_time is over")),
        Some(expire_s) => expire_s,
        None => now_s.saturating_add(i64::from(settings.shop.payment_order_life_s)),
    };
    let orders = objects(body, "sub_orders").map(|one| {
        Ok(PayOrder {
            mchid: mchid(one, state)?.to_owned(),
            trade_no: trade_no(one, "trade_no")
                .ok_or_else(|| bad("sub_orders.trade_no"))?
                .to_owned(),
            combine_trade_no: combine_trade_no.to_owned(),
            openid: openid.to_owned(),
            description: demand::name(one, "description", settings)?.to_owned(),
            amount_fen: amount(one, "amount")
                .filter(|fen| (1..=MOST_FEN).contains(fen))
                .ok_or_else(|| bad("sub_orders.amount is in fen and not 0"))?,
            stage: PayStage::ToPay,
            transaction_id: String::new(),
            created_s: now_s,
            updated_s: now_s,
            paid_s: 0,
            expire_s,
            refunds: Vec::new(),
            sharing: None,
            sharing_delay_days: settings.shop.profit_sharing_delay_days,
        })
    });
    let orders = orders.collect::<Result<Vec<_>, Refusal>>()?;
    let is_good = (1..=MOST_SUB_ORDERS).contains(&orders.len());
    is_good.then_some(orders).ok_or_else(|| bad("sub_orders"))
}

/// Whether exactly these orders wait already.
fn is_repeat(state: &State, orders: &[PayOrder]) -> bool {
    orders.iter().all(|order| {
        state.shop.pay_orders.find(&order.trade_no).is_some_and(|known| {
            known.stage == PayStage::ToPay
                && known.combine_trade_no == order.combine_trade_no
                && known.openid == order.openid
                && known.amount_fen == order.amount_fen
        })
    })
}

/// "6 to 32 characters of digits, letters and `_-|*@`."
fn trade_no<'a>(fields: &'a Fields, place: &str) -> Option<&'a str> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    text(fields, place).filter(|text| (6..=32).contains(&text.len()) && text.bytes().all(is_sign))
}

/// The merchant account: the one that was opened, or any as long as none was.
fn mchid<'a>(fields: &'a Fields, state: &State) -> Result<&'a str, Refusal> {
    let given = demand::name(fields, "mchid", &state.settings)?;
    let is_ours = state.shop.applyment.mchid().is_none_or(|mchid| mchid == given);
    is_ours.then_some(given).ok_or_else(|| demand::wrong(&state.settings, "mchid is another's"))
}

/// All orders of the combined number must be named.
fn close(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let bad = |what: &str| demand::wrong(&state.settings, what);
    let body = cx.body();
    let mut combined =
        state.shop.pay_orders.combined(text(body, "combine_trade_no").unwrap_or_default());
    let mut named: Vec<&str> =
        objects(body, "sub_orders").filter_map(|one| text(one, "trade_no")).collect();
    combined.sort_unstable();
    named.sort_unstable();
    let first = combined.first().and_then(|trade_no| state.shop.pay_orders.find(trade_no));
    let is_payers = first.is_some_and(|order| Some(order.openid.as_str()) == text(body, "openid"));
    if !is_payers || combined != named {
        return Err(bad("there is no such order"));
    }
    let trade_no = combined.swap_remove(0);
    if !pay_order_moves::close(&mut cx.world(state), &trade_no) {
        return Err(demand::wrong(&state.settings, "only an order that waits is closed"));
    }
    Ok(cx.done_plainly())
}

fn get(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let order = state.shop.pay_orders.find(text(cx.body(), "trade_no").unwrap_or_default());
    let order = order.ok_or_else(|| demand::wrong(&state.settings, "there is no such order"))?;
    Ok(cx.done(json!({ "order": order.to_json() })))
}

/// `last_index` is the position behind the last order of the page.
fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let body = cx.body();
    let (_, shown) = demand::window(body, "page_size", MOST_SHOWN, &state.settings)?;
    let behind = match text(body, "last_index") {
        None => 0,
        Some(given) => given
            .parse::<usize>()
            .map_err(|_| demand::wrong(&state.settings, "last_index is of the page before"))?,
    };
    let from_s = amount(body, "begin_create_time").unwrap_or(0);
    let until_s = amount(body, "end_create_time").unwrap_or(i64::MAX);
    let mchid = text(body, "mchid");
    let mut wanted = state.shop.pay_orders.all().skip(behind).filter(|(_, order)| {
        (from_s..=until_s).contains(&order.created_s) && mchid.is_none_or(|id| id == order.mchid)
    });
    let page: Vec<(usize, &PayOrder)> = wanted.by_ref().take(shown).collect();
    let last = page.last().map_or(behind, |(place, _)| place + 1);
    let numbers: Vec<&str> = page.iter().map(|(_, order)| order.trade_no.as_str()).collect();
    Ok(cx.done(json!({
        "trade_no_list": numbers,
        "has_more": wanted.next().is_some(),
        "last_index": last.to_string(),
    })))
}

/// The order that either number names, if account and payer are its.
fn named(body: &Fields, state: &State) -> Result<String, Refusal> {
    let orders = &state.shop.pay_orders;
    let by_transaction = || orders.of_transaction(text(body, "transaction_id")?);
    let trade_no = text(body, "trade_no").or_else(by_transaction);
    let order = trade_no.and_then(|trade_no| orders.find(trade_no)).filter(|order| {
        Some(order.mchid.as_str()) == text(body, "mchid")
            && Some(order.openid.as_str()) == text(body, "openid")
    });
    let order = order.ok_or_else(|| demand::wrong(&state.settings, "there is no such order"))?;
    Ok(order.trade_no.clone())
}

fn share(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let trade_no = named(cx.body(), state)?;
    let number = demand::name(cx.body(), "profit_sharing_no", &state.settings)?;
    pay_order_moves::share(&mut cx.world(state), &trade_no, number)?;
    Ok(cx.done_plainly())
}

fn refund(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let trade_no = named(cx.body(), state)?;
    let refund_no = demand::name(cx.body(), "refund_no", &state.settings)?;
    let order = state.shop.pay_orders.find(&trade_no);
    if order.map(|order| order.amount_fen) != amount(cx.body(), "total_amount") {
        return Err(demand::wrong(&state.settings, "total_amount is not the order's"));
    }
    let fen = number(cx.body(), "refund_amount").and_then(|fen| i64::try_from(fen).ok());
    let fen = fen.unwrap_or_default();
    pay_order_moves::refund(&mut cx.world(state), &trade_no, refund_no, fen)?;
    Ok(cx.done_plainly())
}

/// The page names no number.
const MOST_SUB_ORDERS: usize = 50;
const MOST_SHOWN: usize = 1000;
/// A hundred million yuan.
const MOST_FEN: i64 = 10_000_000_000;
