//! Shipping of what was paid in a mini program.

use serde_json::{Value, json};

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    form::FormKind,
    openid,
    refusal::Refusal,
    shipping::{OrderKey, Payment, PaymentState, Shipment, moves, upload_ms},
    state::State,
};

/// Mini programs that sell must use these.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/wxa/sec/order/upload_shipping_info", upload).keeping(),
    CallSpec::post("/wxa/sec/order/upload_combined_shipping_info", upload_combined).keeping(),
    CallSpec::post("/wxa/sec/order/get_order", tell),
    CallSpec::post("/wxa/sec/order/notify_confirm_receive", remind),
    CallSpec::post("/wxa/sec/order/opspecialorder", delay),
    CallSpec::post("/cgi-bin/express/delivery/open_msg/get_delivery_list", companies)
        .form(FormKind::OptionalJson),
];

fn payer<'a>(cx: &'a Cx<'_>) -> Result<&'a str, Refusal> {
    let openid = cx.form.field("payer").and_then(|payer| payer.get("openid"));
    openid::checked(openid.and_then(Value::as_str)).map_err(|refusal| match refusal.errcode {
        40003 => Refusal::with(10_060_014, "payer.openid"),
        _ => refusal,
    })
}

fn upload(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let key = OrderKey::parse(cx.form.field("order_key"))?;
    let Some(given) = cx.form.whole() else { return Err(Refusal::new(10_060_014)) };
    let uploaded_ms = upload_ms(cx.form.text("upload_time"))?;
    let shipment = Shipment::parse(given, uploaded_ms)?;
    ship_all(cx, payer(cx)?, vec![(key, shipment)])
}

/// One payment for goods of several merchants: all of its parts are taken, or none.
fn upload_combined(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let whole = OrderKey::parse(cx.form.field("order_key"))?;
    let parts = cx.form.field("sub_orders").and_then(Value::as_array);
    let parts = parts.filter(|parts| (1..=MOST_PARTS).contains(&parts.len()));
    let parts = parts.ok_or_else(|| Refusal::with(10_060_014, "sub_orders"))?;
    let uploaded_ms = upload_ms(cx.form.text("upload_time"))?;
    let mut all: Vec<(OrderKey, Shipment)> = Vec::with_capacity(parts.len());
    for part in parts {
        let key = OrderKey::parse(part.get("order_key"))?;
        if std::mem::discriminant(&key) != std::mem::discriminant(&whole) {
            return Err(Refusal::saying(
                268_485_253,
                "主单的订单单号类型与子单的单号类型不一致".to_owned(),
            ));
        }
        if all.iter().any(|(known, _)| *known == key) {
            return Err(Refusal::saying(10_060_013, "子单单号重复".to_owned()));
        }
        all.push((key, Shipment::parse(part, uploaded_ms)?));
    }
    ship_all(cx, payer(cx)?, all)
}

fn ship_all(
    cx: &Cx<'_>,
    payer: &str,
    shipments: Vec<(OrderKey, Shipment)>,
) -> Result<Answer, Refusal> {
    let mut state = cx.state();
    for (key, shipment) in &shipments {
        meet(cx, &mut state, key)?.check(shipment, payer)?;
    }
    for (key, shipment) in shipments {
        let payment = meet(cx, &mut state, &key)?;
        if payment.ship(shipment, payer, cx.now_ms) {
            let id = payment.transaction_id.clone();
            moves::shipped(&mut cx.world(&mut state), &id);
        }
    }
    Ok(Answer::done())
}

/// The payment of that key; see `Shipping::meet`. One that was not known before is waited for.
fn meet<'s>(cx: &Cx<'_>, state: &'s mut State, key: &OrderKey) -> Result<&'s mut Payment, Refusal> {
    let known = state.shipping.iter().count();
    let State { shipping, settings, .. } = state;
    let id = shipping.meet(key, settings, &cx.account.ids, cx.now_ms)?.transaction_id.clone();
    if state.shipping.iter().count() > known {
        moves::expect_shipping(&mut cx.world(state), &id);
    }
    state.shipping.find(&id).ok_or_else(|| Refusal::new(10_060_001))
}

fn tell(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let key = OrderKey::from_fields(|name| cx.form.text(name))?;
    let told = meet(cx, &mut cx.state(), &key)?.to_json();
    Ok(Answer::ok("order", &told))
}

/// Once for each payment, by express, after it was shipped.
fn remind(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let key = OrderKey::from_fields(|name| cx.form.text(name))?;
    let received_s = cx.form.integer("received_time");
    let received_s = received_s.ok_or_else(|| Refusal::with(10_060_014, "received_time"))?;
    let mut state = cx.state();
    let payment = meet(cx, &mut state, &key)?;
    let errcode = match &payment.shipment {
        Some(_) if payment.state != PaymentState::Shipped => 10_060_028,
        None => 10_060_028,
        Some(shipment) if shipment.logistics_type != 1 => 10_060_032,
        Some(_) if received_s < payment.shipped_ms / 1000 => 10_060_029,
        Some(_) if payment.is_reminded => 10_060_030,
        Some(_) => 0,
    };
    if errcode != 0 {
        return Err(Refusal::new(errcode));
    }
    payment.is_reminded = true;
    Ok(Answer::done())
}

/// Reports goods that were sold in advance, or a test that is never shipped.
fn delay(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let order_id = cx.form.text("order_id").unwrap_or_default();
    let kind = cx.form.integer("type").filter(|kind| matches!(kind, 1 | 2));
    let kind = kind.ok_or_else(|| Refusal::new(268_546_000))?;
    let mut state = cx.state();
    let State { shipping, settings, .. } = &mut *state;
    shipping.take_listed(settings, cx.now_ms)?;
    let payment = shipping.find_by_any(order_id);
    let payment = payment.filter(|payment| payment.state == PaymentState::ToShip);
    let payment = payment.ok_or_else(|| Refusal::new(268_546_002))?;
    payment.delayed_to_ms = Some(match kind {
        1 => {
            let after = |days: i64| payment.paid_ms.saturating_add(days * 86_400_000);
            let delay_to = cx.form.integer("delay_to").map(|time_s| time_s.saturating_mul(1000));
            let delay_to = delay_to.filter(|at_ms| (after(15)..=after(330)).contains(at_ms));
            delay_to.ok_or_else(|| Refusal::new(268_546_001))?
        }
        _ => i64::MAX,
    });
    Ok(Answer::done())
}

/// A few of those that the platform knows.
fn companies(_: &Cx<'_>) -> Result<Answer, Refusal> {
    let all = COMPANIES.iter();
    let all: Vec<Value> =
        all.map(|(id, name)| json!({ "delivery_id": id, "delivery_name": name })).collect();
    Ok(Answer::json(&json!({ "errcode": 0, "delivery_list": all, "count": all.len() })))
}

const COMPANIES: &[(&str, &str)] = &[
    ("SF", "顺丰速运"),
    ("STO", "申通快递"),
    ("YTO", "圆通速递"),
    ("ZTO", "中通快递"),
    ("YD", "韵达速递"),
    ("EMS", "EMS"),
    ("JTSD", "极兔速递"),
    ("JD", "京东快递"),
    ("DHL", "DHL"),
];
const MOST_PARTS: usize = 50;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn post(bench: &Bench, rest: &str, body: &Value) -> Value {
        bench.post(&format!("/wxa/sec/order/{rest}"), body).json()
    }

    fn shipment(id: &str, tracking_no: &str) -> Value {
        json!({
            "order_key": {"order_number_type": 2, "transaction_id": id},
            "delivery_mode": 1,
            "logistics_type": 1,
            "shipping_list": [{
                "tracking_no": tracking_no, "express_company": "STO", "item_desc": "茶*1",
                "contact": {"consignor_contact": "+86-177****1234"},
            }],
            "upload_time": "2022-12-15T13:29:35.120+08:00",
            "payer": {"openid": "oA"},
        })
    }

    fn order(bench: &Bench, id: &str) -> Value {
        post(bench, "get_order", &json!({"transaction_id": id}))["order"].clone()
    }

    #[test]
    fn a_payment_is_shipped_shipped_again_and_paid_out() {
        let bench = Bench::new();
        let upload = |tracking_no: &str| {
            post(&bench, "upload_shipping_info", &shipment("T1", tracking_no))["errcode"].clone()
        };
        assert_eq!((&order(&bench, "T1")["order_state"], upload("1")), (&json!(1), json!(0)));
        let shipped = order(&bench, "T1");
        assert_eq!((&shipped["order_state"], &shipped["openid"]), (&json!(2), &json!("oA")));
        assert_eq!(shipped["shipping"]["shipping_list"][0]["tracking_no"], "1");
        assert_eq!((upload("1"), upload("2")), (json!(10_060_023), json!(0)));
        assert_eq!(upload("3"), 10_060_003);
        assert_eq!(order(&bench, "T1")["shipping"]["finish_shipping_count"], 2);
        let mut stranger = shipment("T1", "9");
        stranger["payer"]["openid"] = "oB".into();
        assert_eq!(post(&bench, "upload_shipping_info", &stranger)["errcode"], 10_060_031);
        bench.control("POST", "clock", r#"{"advance_s":864000}"#);
        assert_eq!(order(&bench, "T1")["order_state"], 4);
        assert_eq!(upload("4"), 10_060_004);
        let events = bench.control("GET", "events", "").1;
        let told = events["events"].as_array().unwrap();
        let names: Vec<&str> = told.iter().map(|event| event["event"].as_str().unwrap()).collect();
        let settlement = "trade_manage_order_settlement";
        assert_eq!(names, ["trade_manage_remind_access_api", settlement, settlement, settlement]);
        assert_eq!(told[3]["message"]["confirm_receive_method"], 1);
    }

    #[test]
    fn a_payment_that_waits_is_reminded_of_unless_it_was_reported() {
        let bench = Bench::new();
        order(&bench, "T1");
        order(&bench, "T2");
        let delay = |body: Value| post(&bench, "opspecialorder", &body)["errcode"].clone();
        assert_eq!(delay(json!({"order_id": "T2", "type": 3})), 268_546_000);
        assert_eq!(delay(json!({"order_id": "T9", "type": 2})), 268_546_002);
        assert_eq!(delay(json!({"order_id": "T2", "type": 1, "delay_to": 5})), 268_546_001);
        assert_eq!(delay(json!({"order_id": "T2", "type": 2})), 0);
        bench.control("POST", "clock", r#"{"advance_s":172800}"#);
        let events = bench.control("GET", "events", "").1;
        let last = events["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["event"], "trade_manage_remind_shipping");
        assert_eq!(last["message"]["transaction_id"], "T1");
    }

    #[test]
    fn only_listed_payments_exist_where_the_switch_says_so() {
        let bench = Bench::new();
        let paid = json!([
            {"transaction_id": "T1", "mchid": "m", "out_trade_no": "o", "amount": 916},
            {"transaction_id": "T2", "state": "refunded"},
        ]);
        bench.set(&json!({"paid_orders": paid, "accept_unknown_payments": false}));
        let by_merchant = json!({"merchant_id": "m", "merchant_trade_no": "o"});
        assert_eq!(post(&bench, "get_order", &by_merchant)["order"]["paid_amount"], 916);
        assert_eq!(post(&bench, "get_order", &json!({}))["errcode"], 10_060_014);
        assert_eq!(
            post(&bench, "get_order", &json!({"transaction_id": "T9"}))["errcode"],
            10_060_001
        );
        let upload = |id: &str| post(&bench, "upload_shipping_info", &shipment(id, "1"));
        assert_eq!(upload("T2")["errcode"], 10_060_004);
        assert_eq!(upload("T9")["errcode"], 10_060_001);
    }

    #[test]
    fn a_buyer_is_reminded_once_after_shipping_by_express() {
        let bench = Bench::new();
        let remind = |id: &str, time_s: i64| {
            let body = json!({"transaction_id": id, "received_time": time_s});
            post(&bench, "notify_confirm_receive", &body)["errcode"].clone()
        };
        assert_eq!(remind("T1", i64::MAX), 10_060_028);
        post(&bench, "upload_shipping_info", &shipment("T1", "1"));
        assert_eq!(remind("T1", 0), 10_060_029);
        assert_eq!((remind("T1", i64::MAX), remind("T1", i64::MAX)), (json!(0), json!(10_060_030)));
        let mut virtual_goods = shipment("T2", "");
        virtual_goods["logistics_type"] = 3.into();
        assert_eq!(post(&bench, "upload_shipping_info", &virtual_goods)["errcode"], 0);
        assert_eq!(remind("T2", i64::MAX), 10_060_032);
    }

    #[test]
    fn combined_payments_are_taken_whole_or_not_at_all() {
        let bench = Bench::new();
        let key =
            |number: &str| json!({"order_number_type": 1, "mchid": "m", "out_trade_no": number});
        let part = |number: &str| {
            let mut part = shipment("", number);
            part["order_key"] = key(number);
            part
        };
        let upload = |parts: Value| {
            let body = json!({
                "order_key": key("0"), "sub_orders": parts, "payer": {"openid": "oA"},
                "upload_time": "2022-12-15T13:29:35+08:00",
            });
            post(&bench, "upload_combined_shipping_info", &body)["errcode"].clone()
        };
        let mut bad = part("2");
        bad["shipping_list"] = json!([]);
        assert_eq!(upload(json!([part("1"), bad])), 268_485_228);
        assert_eq!(upload(json!([part("1"), part("1")])), 10_060_013);
        assert_eq!(upload(json!([shipment("T", "1")])), 268_485_253);
        assert_eq!(upload(json!([])), 10_060_014);
        assert_eq!(upload(json!([part("1"), part("2")])), 0);
        let second = json!({"merchant_id": "m", "merchant_trade_no": "2"});
        assert_eq!(post(&bench, "get_order", &second)["order"]["order_state"], 2);
    }

    #[test]
    fn companies_are_listed() {
        let path = "/cgi-bin/express/delivery/open_msg/get_delivery_list";
        let list = Bench::new().post_text(path, "").json();
        assert_eq!(list["count"], list["delivery_list"].as_array().unwrap().len());
    }
}
