//! The moves of an after-sale from one state to the next, each told where the platform tells it.

use super::{
    access::Proof,
    aftersale::{Aftersale, AftersaleStatus as Status, Certificates, Request, ReturnParcel},
    aftersale_room::Claim,
    aftersale_time,
    fields::Fields,
    order_moves,
};
use crate::sandbox::{moment, refusal::Refusal, world::World};

/// Enters a new after-sale; `is_buyers` tells of one that the merchant does not know yet.
pub(in crate::sandbox) fn begin(
    world: &mut World<'_>,
    aftersale: Aftersale,
    is_buyers: bool,
) -> Result<(), Refusal> {
    let (id, status) = (aftersale.aftersale_id, aftersale.status);
    let told = aftersale.told_as_new();
    world.state.shop.aftersales.add(aftersale)?;
    if !world.state.settings.aftersale.aftersale_counts_when_refunded {
        world.state.shop.access.prove(Proof::EcAfterSale);
    }
    aftersale_time::enter_next(world, id, status, 0);
    if is_buyers {
        world.tell("aftersale_new_order", told);
    }
    Ok(())
}

/// The buyer wants something else.
pub(in crate::sandbox) fn change(
    world: &mut World<'_>,
    id: u64,
    request: Request,
) -> Result<(), Refusal> {
    let allowed = world.state.settings.aftersale.aftersale_update_states.clone();
    let aftersale = check_buyers(world, id, &allowed)?;
    let claim = Claim { amount_fen: request.amount_fen, ..Claim::of(aftersale) };
    let freight_fen = claim.check(world.state)?;
    let from = [aftersale.status];
    shift(world, id, &from, request.kind.first_status())?;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.request = Request { freight_fen, ..request };
    }
    tell(world, id, "aftersale_update_order");
    Ok(())
}

/// The buyer gives up.
pub(in crate::sandbox) fn cancel(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let allowed = world.state.settings.aftersale.aftersale_cancel_states.clone();
    let from = [check_buyers(world, id, &allowed)?.status];
    go(world, id, &from, Status::Cancelled, "aftersale_user_cancel")
}

/// The merchant agrees to the return, and says where to.
pub(in crate::sandbox) fn accept_return(
    world: &mut World<'_>,
    id: u64,
    address: Fields,
) -> Result<(), Refusal> {
    shift(world, id, &[Status::MerchantReturn], Status::BuyerReturn)?;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.return_address = Some(address);
    }
    Ok(())
}

/// The buyer has sent the goods.
pub(in crate::sandbox) fn send_back(
    world: &mut World<'_>,
    id: u64,
    parcel: ReturnParcel,
) -> Result<(), Refusal> {
    shift(world, id, &[Status::BuyerReturn], Status::MerchantReceipt)?;
    put_parcel(world, id, parcel);
    tell(world, id, "aftersale_wait_merchant_confirm_receipt");
    Ok(())
}

/// The buyer had given a wrong waybill.
pub(in crate::sandbox) fn correct_parcel(
    world: &mut World<'_>,
    id: u64,
    parcel: ReturnParcel,
) -> Result<(), Refusal> {
    check(world, id, &[Status::MerchantReceipt])?;
    put_parcel(world, id, parcel);
    tell(world, id, "aftersale_user_modify_return_info");
    Ok(())
}

/// The merchant agrees to the refund, or has the goods back. The platform refunds.
pub(in crate::sandbox) fn accept_refund(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let from = [Status::MerchantRefund, Status::MerchantReceipt];
    let aftersale = check(world, id, &from)?;
    if aftersale.request.amount_fen == 0 {
        return Err(Refusal::with(2_747_009, "orderamt is 0"));
    }
    shift(world, id, &from, Status::Refunding)
}

/// The merchant says no.
pub(in crate::sandbox) fn reject(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let from = [Status::MerchantRefund, Status::MerchantReturn];
    let is_return = check(world, id, &from)?.status == Status::MerchantReturn;
    let to = if is_return { Status::ReturnRejected } else { Status::RefundRejected };
    shift(world, id, &from, to)?;
    settle_order(world, id);
    Ok(())
}

/// The merchant has paid outside the platform.
pub(in crate::sandbox) fn certify(
    world: &mut World<'_>,
    id: u64,
    certificates: Certificates,
) -> Result<(), Refusal> {
    check(world, id, &[Status::RefundFailed])?;
    let now_ms = world.now_ms;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.certificates = Some(certificates);
        aftersale.updated_ms = now_ms;
    }
    Ok(())
}

/// The buyer has the money that was paid outside the platform.
pub(in crate::sandbox) fn confirm_certificates(
    world: &mut World<'_>,
    id: u64,
) -> Result<(), Refusal> {
    if check(world, id, &[Status::RefundFailed])?.certificates.is_none() {
        return Err(Refusal::with(2_747_002, "no certificates were uploaded"));
    }
    shift(world, id, &[Status::RefundFailed], Status::Refunded)?;
    tell(world, id, "aftersale_user_confirm_refund_certificate");
    pay_back(world, id)
}

/// The money went back.
pub(in crate::sandbox) fn succeed(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    shift(world, id, &[Status::Refunding], Status::Refunded)?;
    let time = moment::text(world.now_ms);
    let day: String = time.chars().filter(char::is_ascii_digit).take(8).collect();
    let serial = world.account.ids.next() % 100_000_000_000;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.refund_id = format!("5030040219{day}{serial:011}");
    }
    tell(world, id, "aftersale_refund_success");
    pay_back(world, id)
}

/// The platform cannot refund; the merchant must pay otherwise.
pub(in crate::sandbox) fn fail(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let event = "aftersale_wait_merchant_offline_refund";
    go(world, id, &[Status::Refunding], Status::RefundFailed, event)
}

/// The buyer calls in the platform against a rejection.
pub(in crate::sandbox) fn call_platform(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    let from = [Status::RefundRejected, Status::ReturnRejected];
    let aftersale = check(world, id, &from)?;
    let is_return = aftersale.status == Status::ReturnRejected;
    let to = if is_return { Status::PlatformReturn } else { Status::PlatformRefund };
    let freight_fen = Claim::of(aftersale).check(world.state)?;
    shift(world, id, &from, to)?;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.request.freight_fen = freight_fen;
    }
    tell(world, id, JUDGED);
    Ok(())
}

/// The platform decides, for the buyer or for the merchant.
pub(in crate::sandbox) fn judge(
    world: &mut World<'_>,
    id: u64,
    is_for_buyer: bool,
) -> Result<(), Refusal> {
    let to = if is_for_buyer { Status::Refunding } else { Status::Closed };
    go(world, id, &[Status::PlatformRefund, Status::PlatformReturn], to, JUDGED)
}

/// Takes the money off the order, which may be settled now.
fn pay_back(world: &mut World<'_>, id: u64) -> Result<(), Refusal> {
    world.state.shop.access.prove(Proof::EcAfterSale);
    let Some(aftersale) = world.state.shop.aftersales.aftersale(id) else { return Ok(()) };
    let (order_id, line, count) = (aftersale.order_id, aftersale.line, aftersale.count);
    let freight_fen = aftersale.request.freight_fen;
    let goods_fen = aftersale.request.amount_fen.saturating_sub(freight_fen);
    order_moves::refund(world, order_id, line, count, goods_fen, freight_fen)?;
    settle_order(world, id);
    Ok(())
}

/// An order whose time is over waits for its after-sales.
fn settle_order(world: &mut World<'_>, id: u64) {
    if let Some(aftersale) = world.state.shop.aftersales.aftersale(id) {
        order_moves::settle_due(world, aftersale.order_id);
    }
}

/// Moves, tells, and lets the order go on.
pub(in crate::sandbox) fn go(
    world: &mut World<'_>,
    id: u64,
    from: &[Status],
    to: Status,
    event: &str,
) -> Result<(), Refusal> {
    shift(world, id, from, to)?;
    tell(world, id, event);
    if !to.is_pending() {
        settle_order(world, id);
    }
    Ok(())
}

/// Moves an after-sale from one of these states: 2747002 from another.
pub(in crate::sandbox) fn shift(
    world: &mut World<'_>,
    id: u64,
    from: &[Status],
    to: Status,
) -> Result<(), Refusal> {
    check(world, id, from)?;
    let now_ms = world.now_ms;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.status = to;
        aftersale.step = aftersale.step.saturating_add(1);
        aftersale.updated_ms = now_ms;
        let step = aftersale.step;
        aftersale_time::enter_next(world, id, to, step);
    }
    Ok(())
}

/// The after-sale, if it is in one of the states: 2747002 otherwise.
pub(in crate::sandbox) fn check<'w>(
    world: &'w World<'_>,
    id: u64,
    from: &[Status],
) -> Result<&'w Aftersale, Refusal> {
    let aftersale = world.state.shop.aftersales.aftersale(id);
    let aftersale =
        aftersale.ok_or_else(|| Refusal::with(2_747_002, "there is no such after-sale"))?;
    if !from.contains(&aftersale.status) {
        let text = format_args!("status is {}", aftersale.status as u8);
        return Err(Refusal::with(2_747_002, text));
    }
    Ok(aftersale)
}

/// The same for states that a switch lists.
fn check_buyers<'w>(
    world: &'w World<'_>,
    id: u64,
    allowed: &[u64],
) -> Result<&'w Aftersale, Refusal> {
    let aftersale = world.state.shop.aftersales.aftersale(id);
    let status = aftersale.map(|aftersale| aftersale.status);
    let is_allowed = |status: &Status| status.is_buyers() && allowed.contains(&(*status as u64));
    let from: Vec<Status> = status.into_iter().filter(is_allowed).collect();
    check(world, id, &from)
}

fn put_parcel(world: &mut World<'_>, id: u64, parcel: ReturnParcel) {
    let now_ms = world.now_ms;
    if let Some(aftersale) = world.state.shop.aftersales.aftersale_mut(id) {
        aftersale.parcel = Some(parcel);
        aftersale.updated_ms = now_ms;
    }
}

/// Tells of an event with its ids.
pub(in crate::sandbox) fn tell(world: &mut World<'_>, id: u64, event: &str) {
    if let Some(told) = world.state.shop.aftersales.aftersale(id).map(Aftersale::told) {
        world.tell(event, told);
    }
}

/// The event of a dispute that changed the after-sale.
const JUDGED: &str = "aftersale_complaint_update_order_state";
