//! Payment orders and the money that they bring, call by call.

use serde_json::{Value, json};

use super::{code, pay_order_moves, withdrawal};
use crate::{
    sandbox::{calls::bench::Bench, shop::testing::Shop, world::World},
    wechat::endpoint::endpoint,
};

const ANNA: &str = "oQx7V5KzT0mYc1LrW3nE8pB2sAhU";

fn pay_call(bench: &Bench, name: &str, body: &Value) -> Value {
    bench.post(&format!("/shop/pay/{name}"), body).json()
}

fn funds_call(bench: &Bench, name: &str, body: &Value) -> Value {
    bench.post(&format!("/shop/funds/{name}"), body).json()
}

fn wait(bench: &Bench, seconds: u64) {
    bench.control("POST", "clock", &json!({"advance_s": seconds}).to_string());
}

/// The documents' order for later.
fn body(bench: &Bench) -> Value {
    let now_s = bench.platform.account("shop").unwrap().now_ms() / 1000;
    let mut body = endpoint("/shop/pay/createorder").unwrap().example_request.clone();
    body["expire_time"] = json!(now_s + 900);
    body
}

const TRADE_NO: &str = "PAY20220618000042";

fn with_world<T>(bench: &Bench, act: impl FnOnce(&mut World<'_>) -> T) -> T {
    let account = bench.platform.account("shop").unwrap();
    let state = &mut *account.state();
    act(&mut World { account: &account, state, now_ms: account.now_ms() })
}

/// A bench with one payment order that was paid, at a noon that stands still.
fn paid() -> Bench {
    let bench = Bench::new();
    bench.control("POST", "clock", r#"{"freeze":true,"at":"2090-01-01T04:00:00Z"}"#);
    assert_eq!(pay_call(&bench, "createorder", &body(&bench))["errcode"], 0);
    assert!(with_world(&bench, |world| pay_order_moves::pay(world, TRADE_NO)));
    bench
}

fn shown(bench: &Bench) -> Value {
    pay_call(bench, "getorder", &json!({"trade_no": TRADE_NO}))["order"].clone()
}

/// Available and pending.
fn balance(bench: &Bench) -> (i64, i64) {
    let info = funds_call(bench, "getbalance", &json!({}))["balance_info"].clone();
    (info["available_amount"].as_i64().unwrap(), info["pending_amount"].as_i64().unwrap())
}

fn about(more: &Value) -> Value {
    let mut body = json!({"mchid": "1627043915", "openid": ANNA, "trade_no": TRADE_NO});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn refund(bench: &Bench, number: &str, total: u64, fen: u64) -> Value {
    let more = json!({"refund_no": number, "total_amount": total, "refund_amount": fen});
    pay_call(bench, "refundorder", &about(&more))["errcode"].clone()
}

#[test]
fn a_payment_order_is_created_and_opens_the_cashier() {
    let bench = Bench::new();
    let body = body(&bench);
    let created = pay_call(&bench, "createorder", &body);
    assert!(created["payment_params"]["package"].as_str().unwrap().starts_with("prepay_id=wx"));
    assert_eq!(pay_call(&bench, "createorder", &body)["errcode"], 0, "a repeat");
    for (pointer, value, errcode) in [
        ("/openid", json!("o1"), 40003),
        ("/combine_trade_no", json!("店店店店"), 40097),
        ("/combine_trade_no", json!("A"), 40097),
        ("/expire_time", json!(1), 40097),
        ("/sub_orders/0/amount", json!(0), 40097),
        ("/sub_orders/0/amount", json!(100), 40097),
        ("/sub_orders/0/trade_no", json!("PAY-OTHER"), 40097),
    ] {
        let mut changed = body.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(pay_call(&bench, "createorder", &changed)["errcode"], errcode, "{pointer}");
    }
    bench.set(&json!({"ip_list": ["10.0.0.1"]}));
    assert_eq!(pay_call(&bench, "createorder", &body)["errcode"], 61004);
}

#[test]
fn an_order_that_waits_is_closed_by_hand_or_by_time() {
    let bench = Bench::new();
    let mut body = body(&bench);
    pay_call(&bench, "createorder", &body);
    let mut other = body.clone();
    other["openid"] = json!("oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw");
    assert_eq!(pay_call(&bench, "closeorder", &other)["errcode"], 40097);
    assert_eq!(pay_call(&bench, "closeorder", &body)["errcode"], 0);
    assert_eq!(pay_call(&bench, "closeorder", &body)["errcode"], 40097, "it is closed");
    assert!(!with_world(&bench, |world| pay_order_moves::pay(world, TRADE_NO)));
    body["combine_trade_no"] = json!("CPAY-2");
    body["sub_orders"][0]["trade_no"] = json!("PAY-2-1");
    body.as_object_mut().unwrap().remove("expire_time");
    pay_call(&bench, "createorder", &body);
    wait(&bench, 7200);
    assert!(!with_world(&bench, |world| pay_order_moves::pay(world, "PAY-2-1")), "too late");
    assert_eq!(pay_call(&bench, "getorder", &json!({"trade_no": "X"}))["errcode"], 40097);
}

#[test]
fn a_payment_is_told_and_waits_for_its_settlement() {
    let bench = paid();
    let told = bench.control("GET", "events", "").1["events"][0]["message"].clone();
    assert_eq!(
        (&told["Event"], &told["order_info"]["trade_no"]),
        (&json!("funds_order_pay"), &json!(TRADE_NO))
    );
    assert_eq!(told["order_info"]["transaction_id"], shown(&bench)["transaction_id"]);
    assert_eq!(balance(&bench), (0, 3200));
    wait(&bench, 7 * 86_400);
    assert_eq!(balance(&bench), (3200, 0), "settled by itself");
    let sharing = shown(&bench)["profit_sharing_list"][0].clone();
    assert_eq!((&sharing["result"], &sharing["amount"]), (&json!("SUCCESS"), &json!(3200)));
    let bench = Bench::new();
    bench.set(&json!({"payment_order_paid_after_s": 10}));
    pay_call(&bench, "createorder", &body(&bench));
    wait(&bench, 10);
    assert_ne!(shown(&bench)["pay_time"], 0, "paid by itself");
}

#[test]
fn the_merchant_settles_ahead_of_time() {
    let bench = paid();
    let share = |number: &str| {
        let more = json!({"profit_sharing_no": number});
        pay_call(&bench, "profitsharingorder", &about(&more))["errcode"].clone()
    };
    assert_eq!((share("PS1"), share("PS1"), share("PS2")), (json!(0), json!(0), json!(40097)));
    assert_eq!(shown(&bench)["profit_sharing_list"][0]["result"], "PROCESSING");
    wait(&bench, 1);
    assert_eq!(balance(&bench), (3200, 0));
    let told = bench.control("GET", "events", "").1["events"][1]["message"].clone();
    assert_eq!(told["order_info"]["profit_sharing_no"], "PS1");
    wait(&bench, 7 * 86_400);
    assert_eq!(balance(&bench), (3200, 0), "once is enough");
}

#[test]
fn refunds_stay_within_the_order_and_the_balance() {
    let bench = paid();
    assert_eq!(refund(&bench, "R1", 3000, 800), 40097, "not its total");
    assert_eq!(
        (refund(&bench, "R1", 3200, 800), refund(&bench, "R1", 3200, 800)),
        (json!(0), json!(0))
    );
    assert_eq!(refund(&bench, "R1", 3200, 900), 40097, "the number is taken");
    assert_eq!(refund(&bench, "R2", 3200, 2401), 40097, "more than what is left");
    wait(&bench, 1);
    assert_eq!(
        (balance(&bench), &shown(&bench)["refund_list"][0]["result"]),
        ((0, 2400), &json!("SUCCESS"))
    );
    bench.set(&json!({"payment_refund_result": "CLOSED"}));
    assert_eq!(refund(&bench, "R3", 3200, 2400), 0);
    wait(&bench, 1);
    assert_eq!(balance(&bench), (0, 2400), "no money has moved");
    let by_transaction = json!({"mchid": "1627043915", "openid": ANNA, "refund_no": "R4",
        "transaction_id": shown(&bench)["transaction_id"], "total_amount": 3200, "refund_amount": 1});
    assert_eq!(pay_call(&bench, "refundorder", &by_transaction)["errcode"], 0);
    let mut other = by_transaction.clone();
    other["mchid"] = json!("1");
    assert_eq!(pay_call(&bench, "refundorder", &other)["errcode"], 40097);
}

#[test]
fn orders_are_listed_from_where_the_last_page_ended() {
    let bench = Bench::new();
    let mut body = body(&bench);
    for number in 0..3 {
        body["combine_trade_no"] = json!(format!("COMBINED{number}"));
        body["sub_orders"][0]["trade_no"] = json!(format!("SINGLE{number}"));
        assert_eq!(pay_call(&bench, "createorder", &body)["errcode"], 0);
    }
    let list = |more: Value| pay_call(&bench, "getorderlist", &more);
    let first = list(json!({"page_size": 2}));
    assert_eq!((&first["has_more"], &first["last_index"]), (&json!(true), &json!("2")));
    let second = list(json!({"page_size": 2, "last_index": first["last_index"]}));
    assert_eq!(second["trade_no_list"], json!(["SINGLE2"]));
    assert_eq!(second["has_more"], false);
    assert_eq!(list(json!({"page_size": 2, "mchid": "1"}))["trade_no_list"], json!([]));
    assert_eq!(list(json!({"page_size": 2, "last_index": "x"}))["errcode"], 40097);
    assert_eq!(list(json!({"page_size": 0}))["errcode"], 40097);
}

#[test]
fn flows_tell_what_came_and_went() {
    let bench = paid();
    refund(&bench, "R1", 3200, 800);
    wait(&bench, 1);
    let page = json!({"date": "20900101", "page_num": 1, "page_size": 100});
    let flows = funds_call(&bench, "scanorderflow", &page);
    assert_eq!(flows["total_num"], 2);
    let last = json!({"funds_flow_id": flows["funds_flow_ids"][1]});
    let flow = funds_call(&bench, "getorderflow", &last)["funds_flow"].clone();
    assert_eq!((&flow["amount"], &flow["balance"]), (&json!("8.00"), &json!("24.00")));
    assert_eq!((&flow["flow_type"], &flow["request_no"]), (&json!("支出"), &json!(TRADE_NO)));
    for date in ["2022-06-15", "20220230", "店店店", ""] {
        let page = json!({"date": date, "page_num": 1, "page_size": 100});
        assert_eq!(funds_call(&bench, "scanorderflow", &page)["errcode"], 40097, "{date}");
    }
    assert_eq!(
        funds_call(&bench, "getorderflow", &json!({"funds_flow_id": "x"}))["errcode"],
        40097
    );
}

#[test]
fn orders_of_the_component_bring_money_too() {
    let shop = Shop::new();
    shop.order("SO1", 1);
    shop.pay("SO1");
    let price_fen =
        shop.shown("SO1")["order_detail"]["price_info"]["order_price"].as_i64().unwrap();
    assert_eq!(balance(&shop.bench), (0, price_fen));
    shop.order("SO2", 0);
    assert_eq!(balance(&shop.bench), (0, price_fen), "the merchant's own account");
}

fn withdraw(bench: &Bench, fen: u64) -> Value {
    funds_call(bench, "submitwithdraw", &json!({"amount": fen, "remark": "六月货款"}))
}

fn status(bench: &Bench, withdrawal: &Value) -> Value {
    let number = json!({"out_request_no": withdrawal["out_request_no"]});
    funds_call(bench, "getwithdrawdetail", &number)["withdraw_info"]["status"].clone()
}

/// A bench with 32 yuan to withdraw.
fn settled() -> Bench {
    let bench = paid();
    wait(&bench, 7 * 86_400);
    bench
}

#[test]
fn a_withdrawal_is_scanned_and_paid_out() {
    let bench = settled();
    bench.set(&json!({"code_scan_delay_s": null}));
    assert_eq!(withdraw(&bench, 3201)["errcode"], 40097);
    let withdrawal = withdraw(&bench, 1000);
    assert_eq!((balance(&bench), status(&bench, &withdrawal)), ((2200, 0), json!("INIT")));
    let ticket = withdrawal["qrcode_ticket"].as_str().unwrap();
    let check = || funds_call(&bench, "qrcode/check", &json!({"qrcode_ticket": ticket}));
    assert_eq!(check()["status"], 1);
    assert!(with_world(&bench, |world| code::scan(world, ticket)));
    assert!(!with_world(&bench, |world| code::scan(world, ticket)));
    assert_eq!((&check()["status"], &check()["scan_user_type"]), (&json!(0), &json!(1)));
    assert_eq!(status(&bench, &withdrawal), "CREATE_SUCCESS");
    wait(&bench, 60);
    assert_eq!(status(&bench, &withdrawal), "SUCCESS");
    let events = bench.control("GET", "events", "").1["events"].clone();
    let last = &events.as_array().unwrap().last().unwrap()["message"]["withdraw_info"];
    assert_eq!(*last, json!({"out_request_no": withdrawal["out_request_no"], "event": "SUCCESS"}));
    let list = funds_call(&bench, "scanwithdraw", &json!({"page_num": 1, "page_size": 20}));
    assert_eq!(list["out_request_nos"], json!([withdrawal["out_request_no"]]));
    let bad = json!({"page_num": 0, "page_size": 20});
    assert_eq!(funds_call(&bench, "scanwithdraw", &bad)["errcode"], 40097);
    let bad = json!({"out_request_no": "x"});
    assert_eq!(funds_call(&bench, "getwithdrawdetail", &bad)["errcode"], 40097);
}

#[test]
fn what_fails_or_is_not_scanned_comes_back() {
    let bench = settled();
    bench.set(&json!({"withdraw_fail_reason": "账户异常"}));
    let withdrawal = withdraw(&bench, 1000);
    wait(&bench, 5 + 60);
    assert_eq!((balance(&bench), status(&bench, &withdrawal)), ((3200, 0), json!("FAIL")));
    bench.set(&json!({"code_scan_delay_s": null}));
    let withdrawal = withdraw(&bench, 1000);
    wait(&bench, 300);
    assert_eq!((balance(&bench), status(&bench, &withdrawal)), ((3200, 0), json!("FAIL")));
    let number = withdrawal["out_request_no"].as_str().unwrap();
    assert!(!with_world(&bench, |world| withdrawal::finish(world, number, None)));
    let body = json!({"qrcode_ticket": withdrawal["qrcode_ticket"]});
    assert_eq!(funds_call(&bench, "qrcode/check", &body)["status"], 2, "too old");
}

#[test]
fn a_code_is_a_picture_of_its_ticket() {
    let bench = Bench::new();
    let made = funds_call(&bench, "qrcode/gen", &json!({"identity_type": 1}));
    let shown = funds_call(&bench, "qrcode/get", &json!({"qrcode_ticket": made["qrcode_ticket"]}));
    assert!(shown["qrcode_buf"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    assert_eq!(funds_call(&bench, "qrcode/gen", &json!({}))["errcode"], 40097);
    for name in ["qrcode/get", "qrcode/check"] {
        let answer = funds_call(&bench, name, &json!({"qrcode_ticket": "x"}));
        assert_eq!(answer["errcode"], 40097, "{name}");
    }
}

#[test]
fn the_settlement_account_is_kept_as_it_was_set() {
    let bench = Bench::new();
    let get = || funds_call(&bench, "getbankaccount", &json!({}))["account_info"].clone();
    assert_eq!(get()["account_number"], "");
    let mut body = endpoint("/shop/funds/setbankaccount").unwrap().example_request.clone();
    assert_eq!(funds_call(&bench, "setbankaccount", &body)["errcode"], 0);
    assert_eq!(get()["account_number"], body["account_info"]["account_number"]);
    for (field, value) in [
        ("bank_account_type", "ACCOUNT_TYPE_X"),
        ("account_number", "62x"),
        ("bank_address_code", "x"),
        ("account_bank", "其他银行"),
    ] {
        let mut changed = body.clone();
        changed["account_info"][field] = json!(value);
        assert_eq!(funds_call(&bench, "setbankaccount", &changed)["errcode"], 40097, "{field}");
    }
    body["account_info"]["account_bank"] = json!("其他银行");
    body["account_info"]["bank_branch_id"] = json!("323331000001");
    assert_eq!(funds_call(&bench, "setbankaccount", &body)["errcode"], 0);
}
