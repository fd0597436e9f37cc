//! What the client opens the cashier with.

use serde_json::{Value, json};

use super::order::Fund;
use crate::sandbox::{
    call::Answer, credential::refusal_to, dispatch::Cx, refusal::Refusal, settings::Settings,
};

/// Asked for before every opening of the cashier; from then on the price is fixed. The caller's
/// address is checked where the account has a list: 61004.
pub(in crate::sandbox) fn give(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let settings = &state.settings;
    check_address(cx, settings)?;
    let order = state.shop.orders.find(cx.body())?;
    if order.fund != Fund::Dedicated {
        return Err(Refusal::new(1_010_047));
    }
    if order.price_fen == 0 {
        return Err(Refusal::new(1_010_051));
    }
    if !order.status.is_to_pay() {
        return Err(Refusal::new(1_010_043));
    }
    let order_id = order.order_id;
    if let Some(order) = state.shop.orders.order_mut(order_id) {
        order.is_price_fixed = true;
    }
    Ok(cx.done(json!({ "payment_params": params(cx, order_id) })))
}

/// 61004 for a caller that is not on the account's list, where it has one.
pub(in crate::sandbox) fn check_address(cx: &Cx<'_>, settings: &Settings) -> Result<(), Refusal> {
    let address = settings.caller_ip.unwrap_or(cx.call.peer);
    if !settings.ip_list.is_empty() && !settings.ip_list.iter().any(|rule| rule.allows(address)) {
        return Err(refusal_to(61004, address));
    }
    Ok(())
}

/// Arguments that open the cashier for what has this number.
pub(in crate::sandbox) fn params(cx: &Cx<'_>, number: u64) -> Value {
    let ids = &cx.account.ids;
    let hex =
        |draws: usize| -> String { (0..draws).map(|_| format!("{:016X}", ids.next())).collect() };
    let prepay_id = format!("wx{:020}{:08x}0000", number, ids.next() as u32);
    json!({
        "timeStamp": cx.now_ms / 1000,
        "nonceStr": ids.text(16),
        "package": format!("prepay_id={prepay_id}"),
        "paySign": hex(2),
        "signType": "MD5",
    })
}
