//! What happens to a payment by itself, and what is told of it.

use serde_json::{Map, Value, json};

use super::{Payment, PaymentState};
use crate::sandbox::{due::Due, world::World};

/// Everything is on its way: the buyer gets it some time, and the money comes after that.
pub(in crate::sandbox) fn shipped(world: &mut World<'_>, transaction_id: &str) {
    let delay_ms = i64::from(world.state.settings.receipt_delay_s) * 1000;
    let estimated_ms = world.now_ms.saturating_add(delay_ms);
    let Some(payment) = world.state.shipping.find(transaction_id) else { return };
    let shipping = payment.finished;
    let mut fields = told(payment);
    fields.insert("estimated_settlement_time".to_owned(), (estimated_ms / 1000).into());
    world.tell("trade_manage_order_settlement", fields);
    let transaction_id = transaction_id.to_owned();
    world.later(delay_ms, Due::Receipt { transaction_id, shipping });
}

/// Nobody complained in time: the goods count as received and the money is paid out. Only for
/// the latest shipping.
pub(in crate::sandbox) fn receive_due(world: &mut World<'_>, transaction_id: &str, shipping: u32) {
    let now_ms = world.now_ms;
    let Some(payment) = world.state.shipping.find(transaction_id) else { return };
    if payment.state != PaymentState::Shipped || payment.finished != shipping {
        return;
    }
    payment.state = PaymentState::Done;
    let mut fields = told(payment);
    let now_s: Value = (now_ms / 1000).into();
    // 1 = by itself, 2 = by the buyer.
    fields.insert("confirm_receive_method".to_owned(), 1.into());
    fields.insert("confirm_receive_time".to_owned(), now_s.clone());
    fields.insert("settlement_time".to_owned(), now_s);
    world.tell("trade_manage_order_settlement", fields);
}

/// Enters the reminder of a payment that was just made known. The first of all is told of, so
/// that the account begins to use these calls.
pub(in crate::sandbox) fn expect_shipping(world: &mut World<'_>, transaction_id: &str) {
    if world.state.shipping.iter().count() == 1 {
        let fields = json!({ "msg": "您的小程序已产生交易，请接入发货信息管理服务" });
        let fields = fields.as_object().cloned().unwrap_or_default();
        world.tell("trade_manage_remind_access_api", fields);
    }
    let delay_ms = i64::from(world.state.settings.remind_shipping_s) * 1000;
    let transaction_id = transaction_id.to_owned();
    world.later(delay_ms, Due::ShippingReminder { transaction_id });
}

/// Reminds the account of a payment that nothing was shipped for, unless it said that it would
/// take longer.
pub(in crate::sandbox) fn remind_due(world: &mut World<'_>, transaction_id: &str) {
    let Some(payment) = world.state.shipping.find(transaction_id) else { return };
    if payment.state != PaymentState::ToShip || payment.delayed_to_ms.is_some() {
        return;
    }
    let mut fields = told(payment);
    fields.insert("msg".to_owned(), "您有超时未发货的订单，请尽快发货".into());
    world.tell("trade_manage_remind_shipping", fields);
}

/// What all events say of a payment.
fn told(payment: &Payment) -> Map<String, Value> {
    let mut fields = json!({
        "transaction_id": payment.transaction_id,
        "merchant_id": payment.mchid,
        "sub_merchant_id": "",
        "merchant_trade_no": payment.trade_no,
        "pay_time": payment.paid_ms / 1000,
    });
    if payment.finished > 0 {
        fields["shipped_time"] = (payment.shipped_ms / 1000).into();
    }
    fields.as_object().cloned().unwrap_or_default()
}
