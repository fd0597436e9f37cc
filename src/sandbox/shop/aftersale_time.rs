//! What becomes of an after-sale when nobody acts: deadlines, and the end of a refund.

use super::{
    aftersale::AftersaleStatus as Status,
    aftersale_moves::{accept_return, check, fail, go, succeed, tell},
    fields::{Fields, at},
};
use crate::sandbox::{due::Due, refusal::Refusal, world::World};

/// The merchant was too late with a refund request: the platform refunds.
pub(in crate::sandbox) fn miss_refund(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let event = "aftersale_merchant_handle_refund_overdue";
    go(world, id, &[Status::MerchantRefund], Status::Refunding, event)
}

/// The merchant was too late with a return request: the goods go to the address for returns.
pub(in crate::sandbox) fn miss_return(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let address = default_address(world, id).unwrap_or_default();
    accept_return(world, id, address)?;
    tell(world, id, "aftersale_merchant_handle_return_overdue");
    Ok(())
}

/// The merchant was too late with the receipt: the platform refunds at once.
pub(in crate::sandbox) fn miss_receipt(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let event = "aftersale_merchant_confirm_receipt_overdue";
    go(world, id, &[Status::MerchantReceipt], Status::Refunding, event)?;
    end_refund(world, id)
}

/// The buyer was too late with the goods.
pub(in crate::sandbox) fn miss_parcel(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let event = "aftersale_user_upload_return_info_overdue";
    go(world, id, &[Status::BuyerReturn], Status::Closed, event)
}

/// The buyer was too late to call in the platform.
pub(in crate::sandbox) fn miss_judgement(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let event = "aftersale_user_apply_platform_judge_overdue";
    go(world, id, &[Status::RefundRejected, Status::ReturnRejected], Status::Closed, event)
}

/// Lets happen what a state leads to by itself, unless the after-sale has left it.
pub(in crate::sandbox) fn step_due(world: &mut World<'_>, id: u64, step: u32) {
    let Some(aftersale) = world.state.shop.aftersales.aftersale(id) else { return };
    if aftersale.step != step {
        return;
    }
    let moved = match aftersale.status {
        Status::MerchantRefund => miss_refund(world, id),
        Status::MerchantReturn => miss_return(world, id),
        Status::BuyerReturn => miss_parcel(world, id),
        Status::MerchantReceipt => miss_receipt(world, id),
        Status::RefundRejected | Status::ReturnRejected => miss_judgement(world, id),
        Status::Refunding => end_refund(world, id),
        Status::Cancelled
        | Status::Closed
        | Status::Refunded
        | Status::PlatformRefund
        | Status::PlatformReturn
        | Status::RefundFailed => Ok(()),
    };
    // The state was looked at, so that the move is allowed.
    drop(moved);
}

/// Enters what the state leads to by itself.
pub(in crate::sandbox) fn enter_next(
    world: &mut World<'_>,
    aftersale_id: u64,
    status: Status,
    step: u32,
) {
    let settings = &world.state.settings.aftersale;
    let deadline = |seconds: u32| (seconds > 0).then_some(seconds);
    let after_s = match status {
        Status::MerchantRefund => deadline(settings.handle_refund_deadline_s),
        Status::MerchantReturn => deadline(settings.handle_return_deadline_s),
        Status::BuyerReturn => deadline(settings.return_deadline_s),
        Status::MerchantReceipt => deadline(settings.confirm_receipt_deadline_s),
        Status::RefundRejected | Status::ReturnRejected => {
            deadline(settings.platform_judge_deadline_s)
        }
        Status::Refunding => Some(settings.refund_delay_s),
        Status::Cancelled
        | Status::Closed
        | Status::Refunded
        | Status::PlatformRefund
        | Status::PlatformReturn
        | Status::RefundFailed => None,
    };
    if let Some(after_s) = after_s {
        world.later(i64::from(after_s) * 1000, Due::AftersaleStep { aftersale_id, step });
    }
}

fn end_refund(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let is_empty = check(world, id, &[Status::Refunding])?.request.amount_fen == 0;
    if is_empty || world.state.settings.aftersale.refund_fails {
        fail(world, id)
    } else {
        succeed(world, id)
    }
}

/// The address for returns: the merchant's, or the one that the order came with.
fn default_address(world: &World<'_>, id: u64) -> Option<Fields> {
    let shop = &world.state.shop;
    let order_id = shop.aftersales.aftersale(id)?.order_id;
    let of_order = || at(&shop.orders.order(order_id)?.form, RETURN_ADDRESS)?.as_object();
    shop.merchant.return_address().or_else(of_order).cloned()
}

const RETURN_ADDRESS: &str = "default_receiving_address";
