//! Calls that make and move orders.

use serde_json::{Value, json};

use super::{
    fields::{Fields, amount, number, text},
    order::{Delivery, Fund, Order, OrderStatus, Payment},
    order_form::{self, OrderForm},
    order_list, order_moves, payment_params,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    due::Due,
    moment,
    refusal::Refusal,
    state::State,
};

/// Fields and errcodes as in the documents of the component (read 2026-08), of `close` as in the
/// models of public SDKs.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/order/add", add).keeping(),
    CallSpec::shop("/shop/order/getpaymentparams", payment_params::give),
    CallSpec::shop("/shop/order/pay", pay),
    CallSpec::shop("/shop/order/close", close),
    CallSpec::shop("/shop/order/get", order_list::one),
    CallSpec::shop("/shop/order/get_list", order_list::all),
    CallSpec::shop("/shop/order/get_list_by_finder", order_list::by_finder),
    CallSpec::shop("/shop/order/get_list_by_sharer", order_list::by_sharer),
];

/// In the upgraded flow the first creation counts and a repeat changes nothing; before the
/// upgrade a repeat overwrites the order while it is not paid.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let form = order_form::read(body, state, cx.now_ms)?;
    check_trace(body, state, cx.now_ms)?;
    let known = state.shop.orders.by_out_order_id(&form.out_order_id).cloned();
    let order = match known {
        Some(known) if known.fund == Fund::Own && form.fund == Fund::Own => {
            if !known.status.is_to_pay() {
                return Err(Refusal::new(1_000_000));
            }
            Order { order_id: known.order_id, ..make(cx, state, form) }
        }
        Some(known) => return Ok(made(cx, &known)),
        None => make(cx, state, form),
    };
    let answer = made(cx, &order);
    let expiry = order.expires_ms().map(|at_ms| (at_ms, order.order_id));
    state.shop.orders.put(order)?;
    if let Some((at_ms, order_id)) = expiry {
        cx.world(state).later(at_ms.saturating_sub(cx.now_ms), Due::OrderExpiry { order_id });
    }
    Ok(answer)
}

fn make(cx: &Cx<'_>, state: &State, form: OrderForm) -> Order {
    let body = cx.body();
    let ticket =
        if state.settings.component.give_tickets { cx.account.ids.text(32) } else { String::new() };
    Order {
        order_id: state.shop.orders.next_id(cx.account.ids.next()),
        out_order_id: form.out_order_id,
        openid: text(body, "openid").unwrap_or_default().to_owned(),
        fund: form.fund,
        status: OrderStatus::ToPay,
        lines: form.lines,
        price_fen: form.price_fen,
        freight_fen: form.freight_fen,
        delivery_type: form.delivery_type,
        form: body.clone(),
        created_ms: cx.now_ms,
        updated_ms: cx.now_ms,
        payment: None,
        parcels: Vec::new(),
        delivery: Delivery::Open,
        aftersale_days: form
            .aftersale_days
            .unwrap_or_else(|| i64::from(state.settings.component.aftersale_days)),
        aftersale_until_ms: None,
        refunded_freight_fen: 0,
        is_settled: false,
        promotion: Fields::new(),
        ticket,
        is_price_fixed: false,
    }
}

/// The ticket lives a day and is given out again unchanged.
fn made(cx: &Cx<'_>, order: &Order) -> Answer {
    let ends = if order.ticket.is_empty() {
        String::new()
    } else {
        moment::text(order.created_ms.saturating_add(86_400_000))
    };
    cx.done(json!({ "data": {
        "order_id": order.order_id,
        "out_order_id": order.out_order_id,
        "ticket": order.ticket,
        "ticket_expire_time": ends,
        "final_price": order.price_fen,
    } }))
}

impl Order {
    /// When it expires unpaid; only the dedicated account's do.
    fn expires_ms(&self) -> Option<i64> {
        let expire_s = amount(&self.form, "expire_time")?;
        (self.fund == Fund::Dedicated).then(|| expire_s.saturating_mul(1000))
    }
}

/// Ids of attribution that control gave out belong to one user and live ten minutes; others are
/// taken as they come unless the switch asks for known ones.
fn check_trace(body: &Fields, state: &State, now_ms: i64) -> Result<(), Refusal> {
    let Some(trace_id) = text(body, "trace_id") else { return Ok(()) };
    let openid = text(body, "openid").unwrap_or_default();
    match state.shop.traces.is_good(trace_id, openid, now_ms) {
        Some(true) => Ok(()),
        None if !state.settings.component.require_known_trace => Ok(()),
        Some(false) | None => Err(Refusal::new(1_010_061)),
    }
}

/// For the merchant's own account only: 1010050 for the other one, whose payments the platform
/// sees itself.
fn pay(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let order = state.shop.orders.find(body)?;
    if order.fund == Fund::Dedicated {
        return Err(Refusal::new(1_010_050));
    }
    let order_id = order.order_id;
    let is_wechat_pay = number(&order.form, "order_detail.pay_info.pay_method_type") == Some(0);
    match number(body, "action_type") {
        Some(1) => {
            let payment = reported(body, is_wechat_pay, state, cx.now_ms)?;
            order_moves::pay(&mut cx.world(state), order_id, payment)?;
        }
        Some(2 | 3 | 4 | 5 | 10) => {
            order_moves::cancel(&mut cx.world(state), order_id, OrderStatus::Cancelled)
                .map_err(|_| Refusal::new(100_000))?;
        }
        _ => return Err(Refusal::new(990_022)),
    }
    Ok(cx.done_plainly())
}

/// WeChat Pay's number and time belong to a payment that is reported.
fn reported(
    body: &Fields,
    is_wechat_pay: bool,
    state: &State,
    now_ms: i64,
) -> Result<Payment, Refusal> {
    let transaction_id = text(body, "transaction_id").unwrap_or_default();
    if is_wechat_pay && transaction_id.is_empty() {
        return Err(Refusal::with(
            state.settings.component.argument_errcode,
            "transaction_id is missing",
        ));
    }
    let paid_ms = match text(body, "pay_time") {
        Some(time) => moment::parse(time).ok_or_else(|| Refusal::new(990_018))?,
        None if is_wechat_pay => return Err(Refusal::with(990_018, "pay_time is missing")),
        None => now_ms,
    };
    Ok(Payment { transaction_id: transaction_id.to_owned(), paid_ms })
}

/// Cancels what was not paid.
fn close(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let order_id = state.shop.orders.find(cx.body())?.order_id;
    order_moves::cancel(&mut cx.world(state), order_id, OrderStatus::Cancelled)?;
    Ok(cx.done_plainly())
}

/// Goods that were uploaded have the platform's ids, others have none.
pub(in crate::sandbox) fn view(state: &State, order: &Order) -> Value {
    order.to_json(&|out_product_id, out_sku_id| state.shop.products.ids(out_product_id, out_sku_id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Shop, event_names, order};

    #[test]
    fn an_order_of_the_dedicated_account_goes_from_creation_to_settlement() {
        let shop = Shop::new();
        let made = shop.order("SO1", 1);
        assert!(made["order_id"].as_u64().unwrap() > 1 << 53);
        assert_eq!(made["final_price"], 25400);
        assert_eq!(shop.status("SO1"), 10);
        let params = shop.call("/shop/order/getpaymentparams", "SO1", json!({}));
        let prepay = params.json()["payment_params"]["package"].as_str().unwrap().to_owned();
        assert!(prepay.starts_with("prepay_id=wx"), "{prepay}");
        shop.pay("SO1");
        assert_eq!(shop.status("SO1"), 20);
        let again = shop.call("/shop/order/getpaymentparams", "SO1", json!({}));
        assert_eq!(again.errcode, Some(1_010_043));
        assert_eq!(shop.send("SO1", 2, 1), Some(0));
        assert_eq!(shop.status("SO1"), 30);
        assert_eq!(shop.call("/shop/delivery/recieve", "SO1", json!({})).errcode, Some(0));
        assert_eq!(shop.status("SO1"), 100);
        shop.bench.control("POST", "clock", r#"{"advance_s":604800}"#);
        let names = event_names(&shop.bench);
        assert_eq!(names, ["open_product_order_pay", "open_product_order_settle"]);
        let flags = shop.flags();
        assert_eq!(
            (&flags["ec_order_success"], &flags["pay_order_success"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(flags["send_delivery_success"], 1);
    }

    #[test]
    fn a_move_that_is_not_allowed_has_the_documented_code() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        assert_eq!(shop.send("SO1", 2, 1), Some(1_000_000), "not paid");
        assert_eq!(shop.call("/shop/delivery/recieve", "SO1", json!({})).errcode, Some(1_000_000));
        let paid = json!({"action_type": 1});
        assert_eq!(shop.call("/shop/order/pay", "SO1", paid).errcode, Some(1_010_050));
        assert_eq!(shop.call("/shop/order/close", "SO1", json!({})).errcode, Some(0));
        assert_eq!(shop.status("SO1"), 250);
        assert_eq!(shop.call("/shop/order/close", "SO1", json!({})).errcode, Some(1_000_000));
        assert_eq!(event_names(&shop.bench), ["open_product_order_cancel"]);
        assert_eq!(shop.call("/shop/order/get", "SO9", json!({})).errcode, Some(1_010_011));
        let stranger = json!({"openid": "oStranger"});
        assert_eq!(shop.call("/shop/order/get", "SO1", stranger).errcode, Some(1_010_011));
    }

    #[test]
    fn an_order_that_is_not_paid_in_time_is_cancelled_by_the_platform() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        shop.bench.control("POST", "clock", r#"{"advance_s":901}"#);
        assert_eq!(shop.status("SO1"), 181);
        assert_eq!(event_names(&shop.bench), ["open_product_order_cancel"]);
    }

    #[test]
    fn a_repeat_changes_nothing_after_the_upgrade_and_overwrites_before_it() {
        let shop = Shop::new();
        let first = shop.order("SO1", 1);
        let mut other = order(&shop.bench, "SO1", 1);
        other["path"] = json!("pages/other");
        let repeat = shop.bench.post("/shop/order/add", &other).json()["data"].clone();
        assert_eq!(repeat["order_id"], first["order_id"]);
        assert_eq!(shop.shown("SO1")["path"], "pages/order/detail?no=SO202206150001");
        let old = shop.order("SO2", 0);
        let mut other = order(&shop.bench, "SO2", 0);
        other["path"] = json!("pages/other");
        let repeat = shop.bench.post("/shop/order/add", &other).json()["data"].clone();
        assert_eq!(repeat["order_id"], old["order_id"]);
        assert_eq!(shop.shown("SO2")["path"], "pages/other");
        let params = shop.call("/shop/order/getpaymentparams", "SO2", json!({}));
        assert_eq!(params.errcode, Some(1_010_047));
        let paid = |more| shop.call("/shop/order/pay", "SO2", more).errcode;
        assert_eq!(paid(json!({"action_type": 7})), Some(990_022));
        assert_eq!(paid(json!({"action_type": 1})), Some(40097), "transaction_id is missing");
        let mut good = json!({"action_type": 1, "transaction_id": "42", "pay_time": "x"});
        assert_eq!(paid(good.clone()), Some(990_018));
        good["pay_time"] = json!("2022-06-15 10:21:00");
        assert_eq!(paid(good.clone()), Some(0));
        assert_eq!(paid(good), Some(100_000));
        assert_eq!(shop.flags()["pay_order_success"], 1);
        assert_eq!(event_names(&shop.bench), Vec::<String>::new(), "before the upgrade none");
    }

    #[test]
    fn the_last_parcel_must_have_everything() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        shop.pay("SO1");
        assert_eq!(shop.send("SO1", 3, 0), Some(40097), "more than was ordered");
        assert_eq!(shop.send("SO1", 1, 0), Some(0));
        assert_eq!(shop.status("SO1"), 20);
        let rest = json!({"finish_all_delivery": 1});
        assert_eq!(shop.call("/shop/delivery/send", "SO1", rest).errcode, Some(1_010_042));
        assert_eq!(shop.send("SO1", 1, 1), Some(0));
        let detail = &shop.shown("SO1")["order_detail"]["delivery_detail"];
        assert_eq!(detail["delivery_list"].as_array().unwrap().len(), 2);
        assert_eq!(detail["finish_all_delivery"], 1);
    }

    #[test]
    fn lists_come_in_either_order_and_by_whom_the_sale_is_credited_to() {
        let shop = Shop::new();
        for id in ["SO1", "SO2", "SO3"] {
            shop.order(id, 1);
        }
        let ids = |sort_order: u8| {
            let body = json!({"page": 1, "page_size": 2, "sort_order": sort_order});
            let answer = shop.bench.post("/shop/order/get_list", &body).json();
            let orders = answer["orders"].as_array().unwrap();
            let ids = orders.iter().map(|o| o["out_order_id"].as_str().unwrap().to_owned());
            (answer["total_num"].as_u64().unwrap(), ids.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(ids(2), (3, "SO1 SO2".into()));
        assert_eq!(ids(1), (3, "SO3 SO2".into()));
        let body = json!({"page": 1, "page_size": 2, "promoter_id": "p"});
        let none = shop.bench.post("/shop/order/get_list_by_finder", &body).json();
        assert_eq!((&none["errcode"], &none["total_num"]), (&json!(0), &json!(0)));
        let body = json!({"page": 1, "page_size": 2});
        let answer = shop.bench.post("/shop/order/get_list_by_finder", &body);
        assert_eq!(answer.errcode, Some(40097));
    }

    #[test]
    fn an_order_without_details_is_shown_where_nothing_is_checked() {
        let shop = Shop::new();
        shop.bench.set(&json!({"check_fields": false}));
        for details in [json!("x"), json!([]), json!(7), json!(null)] {
            let mut body = order(&shop.bench, "SO1", 1);
            body["order_detail"] = details.clone();
            assert_eq!(shop.bench.post("/shop/order/add", &body).errcode, Some(0), "{details}");
            assert_eq!(shop.status("SO1"), 10);
            shop.bench.control("POST", "reset", r#"{"keep_settings":true}"#);
        }
    }
}
