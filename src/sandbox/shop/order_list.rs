//! Orders shown, one or page by page.

use serde_json::{Value, json};

use super::{
    fields::{number, page, text},
    order::Order,
    order_calls::view,
};
use crate::sandbox::{call::Answer, dispatch::Cx, moment, refusal::Refusal, state::State};

/// 1010011 for an order that is not there or another buyer's.
pub(in crate::sandbox) fn one(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let order = view(&state, state.shop.orders.find(cx.body())?);
    Ok(cx.done(json!({ "order": order })))
}

/// `sort_order` 1 has the newest first, 2 the oldest.
pub(in crate::sandbox) fn all(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let created = range(cx, &state, "create_time")?;
    let is_newest_first = match number(cx.body(), "sort_order") {
        Some(1) => true,
        Some(2) => false,
        _ => {
            return Err(Refusal::with(
                state.settings.component.argument_errcode,
                "sort_order is 1 or 2",
            ));
        }
    };
    let is_wanted = |order: &&Order| created.includes(Some(order.created_ms));
    let orders = state.shop.orders.all().filter(is_wanted);
    if is_newest_first { answer(cx, &state, orders.rev()) } else { answer(cx, &state, orders) }
}

/// Either id of the promoter.
pub(in crate::sandbox) fn by_finder(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let body = cx.body();
    let wanted = ["promoter_id", "promoter_openid"]
        .into_iter()
        .find_map(|name| Some((name, text(body, name)?)));
    let (name, id) = wanted.ok_or_else(|| {
        Refusal::with(state.settings.component.argument_errcode, "promoter_id or promoter_openid")
    })?;
    credited(cx, &state, name, id)
}

/// By the sharer's openid.
pub(in crate::sandbox) fn by_sharer(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let openid = text(cx.body(), "sharer_openid").unwrap_or_default();
    credited(cx, &state, "sharer_openid", openid)
}

/// Paid orders that are credited so.
fn credited(cx: &Cx<'_>, state: &State, name: &str, id: &str) -> Result<Answer, Refusal> {
    let paid = range(cx, state, "pay_time")?;
    let is_wanted = |order: &&Order| {
        text(&order.promotion, name) == Some(id)
            && paid.includes(order.payment.as_ref().map(|payment| payment.paid_ms))
    };
    answer(cx, state, state.shop.orders.all().rev().filter(is_wanted))
}

/// The page that is asked for, at most a hundred orders.
pub(in crate::sandbox) fn answer<'a>(
    cx: &Cx<'_>,
    state: &State,
    orders: impl Iterator<Item = &'a Order>,
) -> Result<Answer, Refusal> {
    let (first, size) = page(cx.body(), 100, state.settings.component.argument_errcode)?;
    let mut total = 0;
    let mut shown: Vec<Value> = Vec::new();
    for order in orders {
        if (first..first + size).contains(&total) {
            shown.push(view(state, order));
        }
        total += 1;
    }
    Ok(cx.done(json!({ "orders": shown, "total_num": total })))
}

/// Times between which something lies; either end may be open.
struct Range {
    from_ms: Option<i64>,
    until_ms: Option<i64>,
}

impl Range {
    /// What has no time lies in no range but the open one.
    fn includes(&self, time_ms: Option<i64>) -> bool {
        let Some(time_ms) = time_ms else {
            return self.from_ms.is_none() && self.until_ms.is_none();
        };
        self.from_ms.is_none_or(|from| from <= time_ms)
            && self.until_ms.is_none_or(|until| time_ms < until.saturating_add(1000))
    }
}

fn range(cx: &Cx<'_>, state: &State, name: &str) -> Result<Range, Refusal> {
    let time = |end: &str| {
        let field = format!("{end}_{name}");
        let Some(given) = text(cx.body(), &field) else { return Ok(None) };
        let bad = || Refusal::with(state.settings.component.argument_errcode, field);
        moment::parse(given).map(Some).ok_or_else(bad)
    };
    Ok(Range { from_ms: time("start")?, until_ms: time("end")? })
}
