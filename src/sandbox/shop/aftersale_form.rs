//! An after-sale as a buyer asks for it, checked.

use super::{
    aftersale::{Aftersale, AftersaleKind, Request},
    aftersale_room::Claim,
    fields::{Fields, amount, at, number, objects, text},
    order::Order,
    picture,
};
use crate::sandbox::{refusal::Refusal, state::State, world::World};

/// Reads the body of `add`: the order (1010011), the goods (1020004), what is wanted, and
/// whether that much is left.
pub(in crate::sandbox) fn read(world: &World<'_>, body: &Fields) -> Result<Aftersale, Refusal> {
    let state = &*world.state;
    let order = state.shop.orders.find(body)?;
    let at = line(state, order, body)?;
    let line = order.lines.get(at).ok_or_else(|| Refusal::new(1_020_004))?;
    let out_aftersale_id = text(body, "out_aftersale_id").unwrap_or_default();
    if out_aftersale_id.len() > MOST_ID_BYTES {
        return Err(bad("out_aftersale_id"));
    }
    check_return_address(state, order)?;
    let mut request = request(state, body)?;
    let count = number(body, "product_info.product_cnt");
    let count = count.ok_or_else(|| bad("product_info.product_cnt"))?;
    request.freight_fen = Claim {
        order_id: order.order_id,
        line: at,
        count,
        amount_fen: request.amount_fen,
        apart_from: None,
    }
    .check(state)?;
    let step = world.account.ids.next();
    Ok(Aftersale {
        aftersale_id: state.shop.aftersales.next_id(step, state.settings.large_ids),
        out_aftersale_id: out_aftersale_id.to_owned(),
        order_id: order.order_id,
        out_order_id: order.out_order_id.clone(),
        line: at,
        out_product_id: line.out_product_id.clone(),
        out_sku_id: line.out_sku_id.clone(),
        openid: order.openid.clone(),
        count,
        status: request.kind.first_status(),
        request,
        step: 0,
        return_address: None,
        parcel: None,
        refund_id: String::new(),
        certificates: None,
        created_ms: world.now_ms,
        updated_ms: world.now_ms,
    })
}

/// What the buyer wants and why; how much of it is freight depends on the order.
pub(in crate::sandbox) fn request(state: &State, body: &Fields) -> Result<Request, Refusal> {
    let kind = number(body, "type").and_then(AftersaleKind::of_number);
    let reason_type = number(body, "refund_reason_type").unwrap_or_default();
    if !state.settings.aftersale.refund_reasons.has(reason_type) {
        return Err(bad("refund_reason_type"));
    }
    Ok(Request {
        kind: kind.ok_or_else(|| bad("type is 1 or 2"))?,
        amount_fen: amount_fen(body).ok_or_else(|| bad("orderamt"))?,
        freight_fen: 0,
        reason: text(body, "refund_reason").unwrap_or_default().to_owned(),
        reason_type,
        media: objects(body, "media_list").map(medium).collect::<Result<_, _>>()?,
    })
}

/// What is asked back: an amount with decimals is kept as 0, so that the refund fails later with
/// 2747009.
fn amount_fen(body: &Fields) -> Option<i64> {
    match at(body, "orderamt")? {
        decimal if decimal.is_f64() => Some(0),
        _ => amount(body, "orderamt"),
    }
}

/// The line of the order that the body names by ids of either side.
fn line(state: &State, order: &Order, body: &Fields) -> Result<usize, Refusal> {
    let out_product_id = text(body, "product_info.out_product_id");
    let product_id = number(body, "product_info.product_id").filter(|id| *id != 0);
    if out_product_id.is_none() && product_id.is_none() {
        return Err(bad("product_info.out_product_id or product_info.product_id"));
    }
    let out_sku_id = text(body, "product_info.out_sku_id");
    let sku_id = number(body, "product_info.sku_id").filter(|id| *id != 0);
    let found = order.lines.iter().position(|line| {
        let ids = state.shop.products.ids(&line.out_product_id, &line.out_sku_id);
        out_product_id.is_none_or(|wanted| wanted == line.out_product_id)
            && product_id.is_none_or(|wanted| wanted == ids.0)
            && out_sku_id.is_none_or(|wanted| wanted == line.out_sku_id)
            && sku_id.is_none_or(|wanted| wanted == ids.1)
    });
    found.ok_or_else(|| Refusal::new(1_020_004))
}

/// Goods must have somewhere to go back to: the merchant's address, or the order's.
fn check_return_address(state: &State, order: &Order) -> Result<(), Refusal> {
    let is_known = state.shop.merchant.return_address().is_some()
        || order.form.get("default_receiving_address").is_some_and(|given| given.is_object());
    if is_known || !state.settings.component.require_return_address {
        return Ok(());
    }
    Err(bad("the merchant has no address for returns, see /shop/account/update_info"))
}

/// A picture of the upload call, with its thumbnail.
fn medium(given: &Fields) -> Result<Fields, Refusal> {
    let kind = number(given, "type").ok_or_else(|| bad("media_list.type"))?;
    let url = |name: &'static str| {
        let url = text(given, name).ok_or_else(|| Refusal::with(2_747_002, name))?;
        picture::check_url(url)?;
        Ok((name.to_owned(), url.into()))
    };
    let (url, thumb_url) = (url("url")?, url("thumb_url")?);
    Ok(Fields::from_iter([("type".to_owned(), kind.into()), url, thumb_url]))
}

fn bad(what: &'static str) -> Refusal {
    Refusal::with(2_747_002, what)
}

const MOST_ID_BYTES: usize = 128;
