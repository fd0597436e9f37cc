//! Events of persons and of money beside orders, let happen by hand.

use super::{
    complaint,
    fields::{Fields, number, text},
    fire::inner,
    pay_order_moves, promoter,
    sharer::{self, BindStatus},
    withdrawal,
};
use crate::sandbox::world::World;

/// None for another event, and where what it is about is not here: a sharer who was not invited,
/// a payment order of somebody else.
pub(in crate::sandbox) fn happen(
    world: &mut World<'_>,
    event: &str,
    set: &Fields,
) -> Option<Result<(), String>> {
    match event {
        "miniprogram_sharer_bind_status_change" => answer_invitation(world, set),
        "miniprogram_sharer_action" => {
            let openid = text(set, "openid")?.to_owned();
            promoter::share(world, &openid, number(set, "type").unwrap_or(1));
            Some(Ok(()))
        }
        "complaint_notify" => {
            Some(complaint::open(world, inner(set, "complaint_info")).map(|_| ()))
        }
        "funds_order_pay" => {
            let trade_no = text(inner(set, "order_info"), "trade_no")?.to_owned();
            world.state.shop.pay_orders.find(&trade_no)?;
            let is_paid = pay_order_moves::pay(world, &trade_no);
            Some(done(is_paid, || format!("payment order {trade_no} does not wait for a payment")))
        }
        "withdraw_notify" => {
            let set = inner(set, "withdraw_info");
            let number = text(set, "out_request_no")?.to_owned();
            world.state.shop.funds.withdrawals.iter().find(|one| one.out_request_no == number)?;
            let reason = text(set, "reason").map(str::to_owned);
            let is_done = withdrawal::finish(world, &number, reason.as_deref());
            Some(done(is_done, || format!("withdrawal {number} is not on its way")))
        }
        _ => None,
    }
}

/// 1 accepts (also where none is given), 2 refuses, 4 lets it expire.
fn answer_invitation(world: &mut World<'_>, set: &Fields) -> Option<Result<(), String>> {
    let openid = text(set, "openid")?.to_owned();
    world.state.shop.sharers.find(&openid)?;
    let status = number(set, "bind_status").unwrap_or(1);
    let Some(status) = BindStatus::find(status).filter(|status| *status != BindStatus::Invited)
    else {
        return Some(Err("bind_status is 1, 2 or 4".to_owned()));
    };
    let is_done = sharer::answer(world, &openid, status);
    Some(done(is_done, || format!("the invitation of {openid} does not wait for an answer")))
}

fn done(is_done: bool, why_not: impl FnOnce() -> String) -> Result<(), String> {
    if is_done { Ok(()) } else { Err(why_not()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{MESSAGE_ALONE, Shop, event_names};

    #[test]
    fn an_invited_person_answers_once() {
        let shop = Shop::new();
        shop.bench.set(&json!({"sharer_answer": "wait"}));
        let event = "miniprogram_sharer_bind_status_change";
        let openid = "oQx7V5KzT0mYc1LrW3nE8pB2sAhU";
        let answer = |set| shop.fire(event, &set);
        assert_eq!(answer(json!({"openid": openid})).unwrap_err(), MESSAGE_ALONE);
        let bound = shop.bench.post("/shop/sharer/bind", &json!({"openids": [openid]}));
        assert_eq!(bound.errcode, Some(0));
        assert!(
            answer(json!({"openid": openid, "bind_status": 3})).unwrap_err().contains("1, 2 or 4")
        );
        let told = answer(json!({"openid": openid, "bind_status": 1})).unwrap();
        assert_eq!(told["bind_status"], 1);
        assert!(answer(json!({"openid": openid})).unwrap_err().contains("does not wait"));
        assert_eq!(event_names(&shop.bench), [event]);
    }

    #[test]
    fn a_dispute_is_opened_and_can_be_read() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        shop.pay("SO1");
        let told =
            shop.fire("complaint_notify", &json!({"complaint_info": {"out_order_id": "SO1"}}));
        let told = told.unwrap();
        let id = told["complaint_info"]["complaint_order_id"].clone();
        let seen = shop.bench.post("/shop/complaint/get", &json!({"complaint_order_id": id}));
        assert_eq!(seen.errcode, Some(0));
    }

    #[test]
    fn what_is_not_here_is_a_message_alone() {
        let shop = Shop::new();
        for (event, set) in [
            ("funds_order_pay", json!({"trade_no": "T1"})),
            ("withdraw_notify", json!({"out_request_no": "W1"})),
            ("funds_order_refund", json!({})),
        ] {
            assert_eq!(shop.fire(event, &set).unwrap_err(), MESSAGE_ALONE, "{event}");
        }
    }
}
