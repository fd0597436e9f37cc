//! After-sales shown, one or as a list of ids.

use serde_json::json;

use super::{
    aftersale::Aftersale,
    fields::{Fields, amount, number, text},
};
use crate::sandbox::{call::Answer, dispatch::Cx, refusal::Refusal};

/// 2747002 for one that is not there; those of before the upgrade are not seen here.
pub(in crate::sandbox) fn one(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let aftersale = state.shop.aftersales.find(cx.body())?;
    let ids = state.shop.products.ids(&aftersale.out_product_id, &aftersale.out_sku_id);
    Ok(cx.done(json!({ "after_sales_order": aftersale.to_json(ids) })))
}

/// Ids of those that fit, oldest first, so that pages stay as they are while more are added.
pub(in crate::sandbox) fn all(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let body = cx.body();
    let size = |name: &str| number(body, name).and_then(|number| usize::try_from(number).ok());
    let offset = size("offset").ok_or_else(|| Refusal::with(2_747_002, "offset"))?;
    let limit = size("limit").filter(|limit| (1..=MOST_IDS).contains(limit));
    let limit = limit
        .ok_or_else(|| Refusal::with(2_747_002, format_args!("limit is from 1 to {MOST_IDS}")))?;
    let fitting = state.shop.aftersales.all().filter(|aftersale| fits(aftersale, body));
    let mut ids: Vec<u64> =
        fitting.skip(offset).take(limit + 1).map(|aftersale| aftersale.aftersale_id).collect();
    let has_more = ids.len() > limit;
    ids.truncate(limit);
    Ok(cx.done(json!({ "after_sales_orders": ids, "has_more": has_more })))
}

/// Whether it is what the body asks for; what is left out, or 0, is not looked at.
fn fits(aftersale: &Aftersale, body: &Fields) -> bool {
    let is = |name: &str, value: u64| {
        number(body, name).filter(|wanted| *wanted != 0).is_none_or(|wanted| wanted == value)
    };
    let reads = |name: &str, value: &str| text(body, name).is_none_or(|wanted| wanted == value);
    let time = |name: &str| amount(body, name).filter(|time_ms| *time_ms != 0);
    is("status", aftersale.status as u64)
        && is("order_id", aftersale.order_id)
        && reads("out_order_id", &aftersale.out_order_id)
        && reads("openid", &aftersale.openid)
        && time("begin_create_time").is_none_or(|from_ms| from_ms <= aftersale.created_ms)
        && time("end_create_time").is_none_or(|until_ms| aftersale.created_ms <= until_ms)
}

const MOST_IDS: usize = 100;
