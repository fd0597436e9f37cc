//! Events of after-sales, let happen by hand.

use serde_json::Value;

use super::{
    aftersale::{Aftersale, AftersaleStatus as Status},
    aftersale_calls, aftersale_form, aftersale_moves as moves, aftersale_time as time,
    buyer_application,
    fields::{Fields, number, text},
    fire,
};
use crate::sandbox::{refusal::Refusal, state::State, world::World};

/// An event with its move.
struct AftersaleEvent {
    name: &'static str,
    from: &'static [Status],
    act: fn(&mut World<'_>, u64, &Fields) -> Result<(), Refusal>,
}

/// None for an event that is not one of an after-sale.
pub(in crate::sandbox) fn happen(
    world: &mut World<'_>,
    event: &str,
    set: &Fields,
) -> Option<Result<(), String>> {
    let set = fire::inner(set, "aftersale_info");
    if event == "aftersale_new_order" {
        return Some(buyer_application::apply(world, set));
    }
    let event = EVENTS.iter().find(|known| known.name == event)?;
    Some(
        find(world.state, event, set).and_then(|id| {
            (event.act)(world, id, set).map_err(|refusal| refusal.errmsg.into_owned())
        }),
    )
}

/// The same to the after-sale of that id; none for an event that cannot happen to one.
pub(in crate::sandbox) fn happen_to(
    world: &mut World<'_>,
    id: u64,
    event: &str,
    set: &Fields,
) -> Option<Result<(), Refusal>> {
    let event = EVENTS.iter().find(|known| known.name == event)?;
    Some((event.act)(world, id, set))
}

fn find(state: &State, event: &AftersaleEvent, named: &Fields) -> Result<u64, String> {
    let aftersales = &state.shop.aftersales;
    let states: Vec<String> = event.from.iter().map(|status| (*status as u8).to_string()).collect();
    let needs = format!("after-sale with status {}", states.join(" or "));
    if number(named, "aftersale_id").is_none() && text(named, "out_aftersale_id").is_none() {
        let waiting = aftersales.all().filter(|one| event.from.contains(&one.status));
        let waiting = waiting.map(|one| (one.name(), one.aftersale_id));
        return fire::only(waiting.collect(), event.name, &needs);
    }
    let one = aftersales.find(named).map_err(|refusal| refusal.errmsg.into_owned())?;
    if event.from.contains(&one.status) {
        return Ok(one.aftersale_id);
    }
    let (name, status) = (one.name(), one.status as u8);
    Err(format!("after-sale {name} has status {status}; {} needs an {needs}", event.name))
}

/// What is not named stays as it was asked for.
fn change(world: &mut World<'_>, id: u64, set: &Fields) -> Result<(), Refusal> {
    let asked = &asked(world, id)?.request;
    let media = asked.media.iter().cloned().map(Value::Object).collect();
    let mut form = Fields::from_iter([
        ("type".to_owned(), (asked.kind as u8).into()),
        ("orderamt".to_owned(), asked.amount_fen.into()),
        ("refund_reason".to_owned(), asked.reason.as_str().into()),
        ("refund_reason_type".to_owned(), asked.reason_type.into()),
        ("media_list".to_owned(), Value::Array(media)),
    ]);
    form.extend(set.clone());
    let request = aftersale_form::request(world.state, &form)?;
    moves::change(world, id, request)
}

fn cancel(world: &mut World<'_>, id: u64, _set: &Fields) -> Result<(), Refusal> {
    moves::cancel(world, id)
}

fn send_back(world: &mut World<'_>, id: u64, set: &Fields) -> Result<(), Refusal> {
    let parcel = aftersale_calls::parcel(&with_parcel(world, set), world.now_ms);
    moves::send_back(world, id, parcel)
}

fn correct_parcel(world: &mut World<'_>, id: u64, set: &Fields) -> Result<(), Refusal> {
    let parcel = aftersale_calls::parcel(&with_parcel(world, set), world.now_ms);
    moves::correct_parcel(world, id, parcel)
}

/// A waybill where none is given.
fn with_parcel(world: &World<'_>, set: &Fields) -> Fields {
    let waybill_id = format!("SF{:013}", world.account.ids.next() % 10_000_000_000_000);
    let mut parcel = Fields::from_iter([
        ("delivery_id".to_owned(), "SF".into()),
        ("delivery_name".to_owned(), "顺丰速运".into()),
        ("waybill_id".to_owned(), waybill_id.into()),
    ]);
    parcel.extend(set.clone());
    parcel
}

/// The buyer calls in the platform against a rejection; after that the platform decides, for
/// the buyer unless `status` is 7.
fn dispute(world: &mut World<'_>, id: u64, set: &Fields) -> Result<(), Refusal> {
    let status = asked(world, id)?.status;
    if matches!(status, Status::RefundRejected | Status::ReturnRejected) {
        moves::call_platform(world, id)
    } else {
        moves::judge(world, id, number(set, "status") != Some(7))
    }
}

fn asked<'w>(world: &'w World<'_>, id: u64) -> Result<&'w Aftersale, Refusal> {
    world.state.shop.aftersales.aftersale(id).ok_or_else(|| Refusal::new(2_747_002))
}

const EVENTS: &[AftersaleEvent] = &[
    AftersaleEvent {
        name: "aftersale_update_order",
        from: &[
            Status::MerchantRefund,
            Status::RefundRejected,
            Status::ReturnRejected,
            Status::MerchantReturn,
        ],
        act: change,
    },
    AftersaleEvent {
        name: "aftersale_user_cancel",
        from: &[
            Status::MerchantRefund,
            Status::RefundRejected,
            Status::ReturnRejected,
            Status::BuyerReturn,
            Status::MerchantReturn,
        ],
        act: cancel,
    },
    AftersaleEvent {
        name: "aftersale_wait_merchant_confirm_receipt",
        from: &[Status::BuyerReturn],
        act: send_back,
    },
    AftersaleEvent {
        name: "aftersale_user_modify_return_info",
        from: &[Status::MerchantReceipt],
        act: correct_parcel,
    },
    AftersaleEvent {
        name: "aftersale_user_upload_return_info_overdue",
        from: &[Status::BuyerReturn],
        act: |world, id, _| time::miss_parcel(world, id),
    },
    AftersaleEvent {
        name: "aftersale_merchant_handle_refund_overdue",
        from: &[Status::MerchantRefund],
        act: |world, id, _| time::miss_refund(world, id),
    },
    AftersaleEvent {
        name: "aftersale_merchant_handle_return_overdue",
        from: &[Status::MerchantReturn],
        act: |world, id, _| time::miss_return(world, id),
    },
    AftersaleEvent {
        name: "aftersale_merchant_confirm_receipt_overdue",
        from: &[Status::MerchantReceipt],
        act: |world, id, _| time::miss_receipt(world, id),
    },
    AftersaleEvent {
        name: "aftersale_wait_merchant_offline_refund",
        from: &[Status::Refunding],
        act: |world, id, _| moves::fail(world, id),
    },
    AftersaleEvent {
        name: "aftersale_user_confirm_refund_certificate",
        from: &[Status::RefundFailed],
        act: |world, id, _| moves::confirm_certificates(world, id),
    },
    AftersaleEvent {
        name: "aftersale_user_apply_platform_judge_overdue",
        from: &[Status::RefundRejected, Status::ReturnRejected],
        act: |world, id, _| time::miss_judgement(world, id),
    },
    AftersaleEvent {
        name: "aftersale_complaint_update_order_state",
        from: &[
            Status::RefundRejected,
            Status::ReturnRejected,
            Status::PlatformRefund,
            Status::PlatformReturn,
        ],
        act: dispute,
    },
    AftersaleEvent {
        name: "aftersale_refund_success",
        from: &[Status::Refunding],
        act: |world, id, _| moves::succeed(world, id),
    },
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Shop, event_names};

    const AS1: &str = "AS202206200001";

    /// A shop with an after-sale of that kind.
    fn shop(kind: u8) -> Shop {
        let shop = Shop::new();
        shop.received("SO1");
        assert_eq!(shop.aftersale("SO1", &json!({"type": kind})).errcode, Some(0));
        shop
    }

    /// The state after the event, which was told once.
    fn fired(shop: &Shop, event: &str, set: &Value) -> u64 {
        let before = event_names(&shop.bench).len();
        let told = shop.fire(event, set).unwrap();
        assert_eq!(told["aftersale_info"]["out_aftersale_id"], AS1, "{event}");
        let names = event_names(&shop.bench);
        assert_eq!(names[before..].iter().filter(|name| *name == event).count(), 1, "{names:?}");
        shop.aftersale_status(AS1)
    }

    #[test]
    fn the_merchant_is_late_and_the_platform_goes_on_for_the_buyer() {
        let shop = shop(2);
        let call = |event: &str| fired(&shop, event, &json!({}));
        assert_eq!(call("aftersale_update_order"), 23);
        assert_eq!(call("aftersale_merchant_handle_return_overdue"), 6);
        assert_eq!(call("aftersale_wait_merchant_confirm_receipt"), 8);
        let parcel = json!({"aftersale_info": {"out_aftersale_id": AS1, "waybill_id": "SF2"}});
        assert_eq!(fired(&shop, "aftersale_user_modify_return_info", &parcel), 8);
        let shown = shop.about("get", AS1, &json!({})).json();
        assert_eq!(shown["after_sales_order"]["return_info"]["waybill_id"], "SF2");
        assert_eq!(call("aftersale_merchant_confirm_receipt_overdue"), 13, "refunded at once");
        let over = shop.fire("aftersale_refund_success", &parcel).unwrap_err();
        assert!(over.contains("has status 13; aftersale_refund_success needs"), "{over}");
        assert!(shop.fire("aftersale_refund_success", &json!({})).is_err(), "none waits");
    }

    #[test]
    fn deadlines_pass_by_themselves() {
        let shop = shop(1);
        shop.advance(2 * 86_400 - 60);
        assert_eq!(shop.aftersale_status(AS1), 2);
        shop.advance(120);
        assert_eq!(shop.aftersale_status(AS1), 13);
        let late = self::shop(2);
        late.bench.set(&json!({"handle_return_deadline_s": 0}));
        late.advance(3 * 86_400);
        assert_eq!(late.aftersale_status(AS1), 6, "the deadline counts from the application");
        late.advance(8 * 86_400);
        assert_eq!(late.aftersale_status(AS1), 7);
        let names = event_names(&late.bench);
        assert_eq!(
            names[1..],
            [
                "aftersale_merchant_handle_return_overdue",
                "aftersale_user_upload_return_info_overdue",
                "open_product_order_settle"
            ],
            "the settlement has waited"
        );
    }

    #[test]
    fn the_platform_decides_a_dispute() {
        for (kind, rejected, called) in [(1, 4, 21), (2, 5, 24)] {
            for (decision, status) in [(json!({}), 11), (json!({"status": 7}), 7)] {
                let shop = shop(kind);
                shop.about("reject", AS1, &json!({}));
                assert_eq!(shop.aftersale_status(AS1), rejected);
                let event = "aftersale_complaint_update_order_state";
                assert_eq!(fired(&shop, event, &json!({})), called);
                assert_eq!(fired(&shop, event, &decision), status);
            }
        }
        let shop = shop(1);
        shop.bench.set(&json!({"platform_judge_deadline_s": 60}));
        shop.about("reject", AS1, &json!({}));
        shop.advance(61);
        assert_eq!(shop.aftersale_status(AS1), 7, "nobody called in the platform");
    }

    #[test]
    fn a_refund_that_fails_is_paid_outside_the_platform() {
        let shop = shop(1);
        shop.bench.set(&json!({"refund_fails": true, "aftersale_counts_when_refunded": true}));
        assert_eq!(shop.about("acceptrefund", AS1, &json!({})).errcode, Some(0));
        shop.advance(5);
        assert_eq!(shop.aftersale_status(AS1), 25);
        let confirmed = "aftersale_user_confirm_refund_certificate";
        assert!(shop.fire(confirmed, &json!({})).is_err(), "nothing was uploaded");
        let own = json!({"refund_desc": "paid", "certificates": ["https://example.com/a.png"]});
        assert_eq!(shop.about("upload_certificates", AS1, &own).errcode, Some(1_070_010));
        let none = json!({"refund_desc": "paid", "certificates": []});
        assert_eq!(shop.about("upload_certificates", AS1, &none).errcode, Some(2_747_002));
        let good = json!({
            "refund_desc": "paid", "certificates": ["https://mmecimage.cn/p/wx/a"],
        });
        assert_eq!(shop.about("upload_certificates", AS1, &good).errcode, Some(0));
        assert_eq!(fired(&shop, confirmed, &json!({})), 13);
    }

    #[test]
    fn an_amount_of_nothing_cannot_be_refunded() {
        let shop = Shop::new();
        shop.received("SO1");
        let nothing = json!({"type": 1, "orderamt": 0});
        assert_eq!(shop.aftersale("SO1", &nothing).errcode, Some(0));
        assert_eq!(shop.about("acceptrefund", AS1, &json!({})).errcode, Some(2_747_009));
    }

    #[test]
    fn the_merchant_tries_an_event_out() {
        let shop = shop(1);
        let test = |operation: &str| {
            shop.about("merchanttest", AS1, &json!({"operation": operation})).errcode
        };
        assert_eq!(test("aftersale_merchant_handle_return_overdue"), Some(2_747_002), "no return");
        assert_eq!(test("aftersale_new_order"), Some(2_747_002));
        assert_eq!(test("aftersale_merchant_handle_refund_overdue"), Some(0));
        assert_eq!(test("aftersale_refund_success"), Some(0));
        assert_eq!(shop.aftersale_status(AS1), 13);
    }
}
