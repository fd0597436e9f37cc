//! Calls about parcels.

use super::{
    company,
    fields::{Fields, number, objects, text},
    order::{Line, Order},
    order_moves,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    moment,
    refusal::Refusal,
    state::State,
};

/// Fields and errcodes as in the documents of the component (read 2026-08). The spelling of
/// `recieve` is the platform's.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/delivery/get_company_list", company::list),
    CallSpec::shop("/shop/delivery/send", send).keeping(),
    CallSpec::shop("/shop/delivery/recieve", receive),
];

/// One or several parcels; with the last one every piece must stand in some parcel: 1010042.
fn send(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let order = state.shop.orders.find(body)?;
    let (order_id, is_express) = (order.order_id, order.delivery_type == 1);
    let is_last = match number(body, "finish_all_delivery") {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(bad(state, "finish_all_delivery is 0 or 1")),
    };
    check_time(body, is_last, state)?;
    let parcels: Vec<Fields> = objects(body, "delivery_list").cloned().collect();
    if is_express && !is_last && parcels.is_empty() {
        return Err(bad(state, "delivery_list"));
    }
    let lines = packed(order, &parcels, state)?;
    let is_covered = lines.iter().all(|line| line.sent >= line.count);
    if is_last && is_express && !is_covered {
        return Err(Refusal::new(1_010_042));
    }
    order_moves::send(&mut cx.world(state), order_id, parcels, is_last)?;
    if let Some(order) = state.shop.orders.order_mut(order_id) {
        order.lines = lines;
    }
    Ok(cx.done_plainly())
}

/// The order's goods with what these parcels add. A parcel that lists no goods has all.
fn packed(order: &Order, parcels: &[Fields], state: &State) -> Result<Vec<Line>, Refusal> {
    let mut lines = order.lines.clone();
    for parcel in parcels {
        let delivery_id = text(parcel, "delivery_id");
        let delivery_id = delivery_id.ok_or_else(|| bad(state, "delivery_list.delivery_id"))?;
        if state.settings.component.check_delivery_id && !company::is_known(delivery_id) {
            return Err(bad(state, "delivery_list.delivery_id is not of get_company_list"));
        }
        if text(parcel, "waybill_id").is_none() {
            return Err(Refusal::new(1_010_029));
        }
        let mut is_listed = false;
        for goods in objects(parcel, "product_info_list") {
            is_listed = true;
            let at = text(goods, "out_product_id")
                .and_then(|product| order.line(product, text(goods, "out_sku_id")))
                .and_then(|at| lines.get_mut(at));
            let line = at.ok_or_else(|| bad(state, "product_info_list is not of the order"))?;
            let count = number(goods, "product_cnt").unwrap_or(line.count);
            line.sent = line.sent.saturating_add(count);
            if count == 0 || line.sent > line.count {
                return Err(bad(state, "product_info_list.product_cnt"));
            }
        }
        if !is_listed {
            lines.iter_mut().for_each(|line| line.sent = line.count);
        }
    }
    Ok(lines)
}

fn check_time(body: &Fields, is_last: bool, state: &State) -> Result<(), Refusal> {
    match text(body, "ship_done_time") {
        Some(time) if moment::parse(time).is_none() => Err(Refusal::new(990_018)),
        None if is_last && state.settings.component.require_ship_done_time => {
            Err(Refusal::new(990_018))
        }
        Some(_) | None => Ok(()),
    }
}

/// 30 to 100.
fn receive(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let order_id = state.shop.orders.find(cx.body())?.order_id;
    order_moves::receive(&mut cx.world(state), order_id)?;
    Ok(cx.done_plainly())
}

fn bad(state: &State, what: &'static str) -> Refusal {
    Refusal::with(state.settings.component.argument_errcode, what)
}
