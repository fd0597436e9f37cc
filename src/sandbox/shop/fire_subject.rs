//! Whether an event that is fired could be about something here.

use super::{
    fields::Fields,
    fields::{number, text},
    fire::inner,
};
use crate::sandbox::state::State;

/// False where what `set` names is not here, or nothing of its sort is: then the event is a
/// message and no move belongs to it.
pub(in crate::sandbox) fn is_here(state: &mut State, event: &str, set: &Fields) -> bool {
    let shop = &mut state.shop;
    let names = |set: &Fields, id: &str, out_id: &str| {
        number(set, id).is_some() || text(set, out_id).is_some()
    };
    let order = |set: &Fields| match names(set, "order_id", "out_order_id") {
        true => shop.orders.find(set).is_ok(),
        false => shop.orders.all().next().is_some(),
    };
    match event {
        "aftersale_new_order" => order(inner(set, "aftersale_info")),
        event if event.starts_with("open_product_order_") => order(inner(set, "order_info")),
        event if event.starts_with("aftersale_") => {
            let set = inner(set, "aftersale_info");
            match names(set, "aftersale_id", "out_aftersale_id") {
                true => shop.aftersales.find(set).is_ok(),
                false => shop.aftersales.all().next().is_some(),
            }
        }
        "open_product_spu_audit" | "open_product_spu_status_update" => {
            let set = inner(set, "OpenProductSpuAudit");
            let (id, out_id) = (number(set, "product_id"), text(set, "out_product_id"));
            match names(set, "product_id", "out_product_id") {
                true => shop.products.resolve(id, out_id).is_ok(),
                false => shop.products.len() > 0,
            }
        }
        "open_product_category_audit" | "open_product_brand_audit" => {
            match text(inner(set, "QualificationAuditResult"), "audit_id") {
                Some(id) => shop.audits.result(id).is_some(),
                None => shop.audits.waiting().next().is_some(),
            }
        }
        "open_product_scene_group_audit" => shop.access.scene().applied > 0,
        "open_product_account_register" => {
            let status = number(inner(set, "OpenProductAccountRegister"), "status");
            // What would change nothing is a message that comes again.
            !matches!((status.unwrap_or(2), shop.access.is_joined()), (2, true) | (10, false))
        }
        _ => true,
    }
}
