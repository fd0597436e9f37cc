//! Calls about coupons.

use serde_json::{Value, json};

use super::{
    coupon, coupon_form, demand,
    fields::{amount, number, text},
    user_coupon::{self, Names, UserCouponState},
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    state::State,
};

/// Fields and errcodes as in the documents of the component (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/coupon/confirm", confirm),
    CallSpec::shop("/shop/coupon/add", add),
    CallSpec::shop("/shop/coupon/update", update),
    CallSpec::shop("/shop/coupon/get", get),
    CallSpec::shop("/shop/coupon/get_list", list),
    CallSpec::shop("/shop/coupon/update_status", shift),
    CallSpec::shop("/shop/coupon/update_coupon_stock", count),
    CallSpec::shop("/shop/coupon/add_user_coupon", give),
    CallSpec::shop("/shop/coupon/get_usercoupon_list", list_held),
    CallSpec::shop("/shop/coupon/update_user_coupon", change_held),
    CallSpec::shop("/shop/coupon/update_usercoupon_status", shift_held),
];

fn confirm(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    coupon::confirm(&mut cx.world(&mut cx.state()))?;
    Ok(cx.done_plainly())
}

/// "Must succeed before any other coupon call."
fn check_confirmed(state: &State) -> Result<(), Refusal> {
    let settings = &state.settings.shop;
    if settings.require_coupon_confirm && !state.shop.coupons.is_confirmed() {
        let text = "call /shop/coupon/confirm first";
        return Err(Refusal::with(settings.coupon_unconfirmed_errcode, text));
    }
    Ok(())
}

fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    write(cx, true)
}

fn update(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    write(cx, false)
}

fn write(cx: &Cx<'_>, is_new: bool) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let settings = &state.settings;
    let id = demand::name(cx.body(), "coupon.out_coupon_id", settings)?;
    let terms = coupon_form::terms(cx.body(), settings)?;
    let (coupons, now_s) = (&mut state.shop.coupons, cx.now_ms / 1000);
    let size_bytes = cx.call.body.len();
    if is_new {
        coupons.add(id, terms, size_bytes, now_s, settings)?;
    } else {
        coupons.change(id, terms, size_bytes, now_s, settings)?;
    }
    Ok(cx.done_plainly())
}

fn get(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let id = text(cx.body(), "out_coupon_id").unwrap_or_default();
    let coupon = state.shop.coupons.find(id, &state.settings)?;
    let coupon = coupon.to_json(id, &cx.account.identity.app_id);
    Ok(cx.done(json!({ "result": { "coupon": coupon } })))
}

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    check_confirmed(&state)?;
    let (skipped, shown) = demand::window(cx.body(), "page_size", MOST_SHOWN, &state.settings)?;
    let all = state.shop.coupons.all();
    let page = all.iter().skip(skipped).take(shown);
    let list: Vec<Value> = page
        .map(|(id, coupon)| {
            json!({
                "coupon": coupon.to_json(id, &cx.account.identity.app_id),
                "coupon_stock": coupon.stock_json(id),
            })
        })
        .collect();
    Ok(cx.done(json!({ "total_num": all.len(), "result_list": list })))
}

fn shift(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let id = text(cx.body(), "out_coupon_id").unwrap_or_default();
    let status = number(cx.body(), "status").unwrap_or_default();
    coupon::shift(&mut cx.world(state), id, status)?;
    Ok(cx.done_plainly())
}

/// The merchant's system counts; the platform only keeps what it says.
fn count(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let settings = &state.settings;
    let id = text(cx.body(), "coupon_stock.out_coupon_id").unwrap_or_default();
    let read = |name: &str| {
        let place = format!("coupon_stock.stock_info.{name}");
        number(cx.body(), &place).ok_or_else(|| demand::wrong(settings, place))
    };
    let (left, given) = (read("issued_num")?, read("receive_num")?);
    let coupon = state.shop.coupons.find(id, settings)?;
    coupon.count(left, given, cx.now_ms / 1000, settings)?;
    Ok(cx.done_plainly())
}

/// Who the three names of a call name; they stand in the body or in its `user_coupon`.
fn names<'a>(cx: &'a Cx<'_>, inner: &str, state: &State) -> Result<Names<'a>, Refusal> {
    let name = |place: &str| demand::name(cx.body(), place, &state.settings);
    Ok(Names {
        openid: name("openid")?,
        out_coupon_id: name(&format!("{inner}out_coupon_id"))?,
        out_user_coupon_id: name(&format!("{inner}out_user_coupon_id"))?,
    })
}

fn give(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let names = names(cx, "user_coupon.", state)?;
    if !demand::is_openid(names.openid) {
        return Err(Refusal::new(40003));
    }
    let status = number(cx.body(), "user_coupon.status");
    let status = UserCouponState::find(status, &state.settings)?;
    let received_s = amount(cx.body(), "recv_time").unwrap_or_default();
    user_coupon::give(&mut cx.world(state), names, status, received_s)?;
    Ok(cx.done_plainly())
}

fn list_held(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    check_confirmed(&state)?;
    let (skipped, shown) = demand::window(cx.body(), "page_size", MOST_SHOWN, &state.settings)?;
    let all = state.shop.coupons.all_of(text(cx.body(), "openid").unwrap_or_default());
    let page = all.iter().skip(skipped).take(shown);
    let list: Vec<Value> = page.map(|(id, held)| held.to_json(id)).collect();
    Ok(cx.done(json!({ "total_num": all.len(), "result_list": list })))
}

fn change_held(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let names = names(cx, "user_coupon.", state)?;
    let used_s = number(cx.body(), "user_coupon.ext_info.use_time");
    let held = state.shop.coupons.held_by(names, &state.settings)?;
    held.change(used_s, cx.now_ms / 1000, &state.settings)?;
    Ok(cx.done_plainly())
}

fn shift_held(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    check_confirmed(state)?;
    let names = names(cx, "", state)?;
    let wanted = UserCouponState::find(number(cx.body(), "status"), &state.settings)?;
    let held = state.shop.coupons.held_by(names, &state.settings)?;
    held.shift(wanted, cx.now_ms / 1000, &state.settings)?;
    Ok(cx.done_plainly())
}

/// "Page size, at most 200".
const MOST_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{sandbox::calls::bench::Bench, wechat::endpoint::endpoint};

    /// A bench, the example's coupon in the time that the bench's clock tells, and that time.
    fn bench() -> (Bench, Value, i64) {
        let bench = Bench::new();
        let now_s = bench.platform.account("shop").unwrap().now_ms() / 1000;
        let mut coupon = endpoint("/shop/coupon/add").unwrap().example_request.clone();
        let info = &mut coupon["coupon"]["coupon_info"];
        for part in ["receive_info", "valid_info"] {
            info[part]["start_time"] = json!(now_s);
            info[part]["end_time"] = json!(now_s + 1000);
        }
        info["receive_info"]["total_num"] = json!(2);
        (bench, coupon, now_s)
    }

    fn call(bench: &Bench, name: &str, body: &Value) -> Value {
        bench.post(&format!("/shop/coupon/{name}"), body).json()
    }

    fn errcode(bench: &Bench, name: &str, body: &Value) -> i64 {
        call(bench, name, body)["errcode"].as_i64().unwrap()
    }

    fn held(openid: &str, id: &str, at_s: i64) -> Value {
        json!({"openid": openid, "recv_time": at_s, "user_coupon": {
            "out_user_coupon_id": id, "out_coupon_id": "CP20220601", "status": 100}})
    }

    const ANNA: &str = "oQx7V5KzT0mYc1LrW3nE8pB2sAhU";
    const BEN: &str = "oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw";

    #[test]
    fn nothing_goes_before_the_merchant_has_confirmed() {
        let (bench, coupon, _) = bench();
        let id = json!({"out_coupon_id": "CP20220601", "status": 2});
        assert_eq!(errcode(&bench, "add", &coupon), 1_090_032);
        assert_eq!(errcode(&bench, "get", &id), 1_090_032);
        for (answer, code) in [("refuse", 1_090_020), ("unreachable", 1_090_032), ("accept", 0)] {
            bench.set(&json!({"coupon_confirm": answer}));
            assert_eq!(errcode(&bench, "confirm", &json!({})), code, "{answer}");
        }
        assert_eq!(errcode(&bench, "add", &coupon), 0);
        let told = bench.control("GET", "events", "").1["events"][0]["message"].clone();
        assert_eq!(told["Event"], "open_product_receive_coupon");
        assert_eq!(told["request_id"], "test_coupon_request_id");
    }

    #[test]
    fn a_coupon_goes_forward_only_and_ends_in_time() {
        let (bench, coupon, _) = bench();
        bench.set(&json!({"require_coupon_confirm": false}));
        assert_eq!(errcode(&bench, "add", &coupon), 0);
        assert_eq!(errcode(&bench, "add", &coupon), 40097, "the id is taken");
        assert_eq!(errcode(&bench, "update", &coupon), 0);
        let to = |status: u64| {
            errcode(
                &bench,
                "update_status",
                &json!({"out_coupon_id": "CP20220601", "status": status}),
            )
        };
        assert_eq!((to(3), to(1), to(2), to(2), to(1)), (40097, 40097, 0, 40097, 40097));
        assert_eq!(errcode(&bench, "update", &coupon), 40097, "only while it is edited");
        let get = |bench: &Bench| {
            let answer = call(bench, "get", &json!({"out_coupon_id": "CP20220601"}));
            answer["result"]["coupon"].clone()
        };
        let seen = get(&bench);
        assert_eq!((&seen["status"], &seen["appid"]), (&json!(2), &json!("wx1")));
        assert!(seen["coupon_info"]["ext_info"]["valid_time"].as_i64().unwrap() > 0);
        bench.control("POST", "clock", r#"{"advance_s":1001}"#);
        assert_eq!(get(&bench)["status"], 3);
        assert_eq!(to(4), 40097);
        let unknown = json!({"out_coupon_id": "X", "status": 2});
        assert_eq!(errcode(&bench, "get", &unknown), 40097);
        assert_eq!(errcode(&bench, "update_status", &unknown), 40097);
    }

    #[test]
    fn the_list_shows_pages_with_the_stock_that_the_merchant_told() {
        let (bench, mut coupon, _) = bench();
        bench.set(&json!({"require_coupon_confirm": false}));
        for id in ["B", "A", "C"] {
            coupon["coupon"]["out_coupon_id"] = json!(id);
            call(&bench, "add", &coupon);
        }
        let stock = |left: u64| {
            json!({"coupon_stock": {"out_coupon_id": "A",
                "stock_info": {"issued_num": left, "receive_num": 1}}})
        };
        assert_eq!(errcode(&bench, "update_coupon_stock", &stock(2)), 40097);
        assert_eq!(errcode(&bench, "update_coupon_stock", &stock(1)), 0);
        let page = call(&bench, "get_list", &json!({"page_size": 1, "offset": 1}));
        assert_eq!(
            (&page["total_num"], &page["result_list"].as_array().unwrap().len()),
            (&json!(3), &1)
        );
        let first = &page["result_list"][0];
        assert_eq!(first["coupon"]["out_coupon_id"], "A", "in the order of creation");
        assert_eq!(first["coupon_stock"]["stock_info"], json!({"issued_num": 1, "receive_num": 1}));
        assert_eq!(errcode(&bench, "get_list", &json!({"page_size": 201, "offset": 0})), 40097);
    }

    #[test]
    fn users_get_what_is_left_and_within_their_limit() {
        let (bench, coupon, now_s) = bench();
        call(&bench, "confirm", &json!({}));
        call(&bench, "add", &coupon);
        let give = |openid: &str, id: &str, at_s: i64| {
            errcode(&bench, "add_user_coupon", &held(openid, id, at_s))
        };
        assert_eq!(give(ANNA, "U1", now_s), 40097, "not effective yet");
        call(&bench, "update_status", &json!({"out_coupon_id": "CP20220601", "status": 2}));
        assert_eq!(give(ANNA, "U1", now_s - 1), 40097, "too early");
        assert_eq!((give("o1", "U1", now_s), give(ANNA, "U1", now_s)), (40003, 0));
        assert_eq!((give(BEN, "U1", now_s), give(ANNA, "U2", now_s)), (40097, 40097));
        assert_eq!(give(BEN, "U2", now_s), 0);
        let third = "oQx7V5P8sKd3MnB5qWxY7eRtG0Za";
        assert_eq!(give(third, "U3", now_s), 40097, "two is all there were");
    }

    #[test]
    fn a_user_coupon_is_used_or_expires() {
        let (bench, coupon, now_s) = bench();
        call(&bench, "confirm", &json!({}));
        call(&bench, "add", &coupon);
        call(&bench, "update_status", &json!({"out_coupon_id": "CP20220601", "status": 2}));
        call(&bench, "add_user_coupon", &held(ANNA, "U1", now_s));
        call(&bench, "add_user_coupon", &held(BEN, "U2", now_s));
        let mut used = held(ANNA, "U1", now_s);
        used["user_coupon"]["ext_info"] = json!({"use_time": now_s + 5});
        assert_eq!(errcode(&bench, "update_user_coupon", &used), 40097, "not used yet");
        let to = |openid: &str, status: u64| {
            errcode(
                &bench,
                "update_usercoupon_status",
                &json!({"openid": openid,
                "out_coupon_id": "CP20220601", "out_user_coupon_id": "U1", "status": status}),
            )
        };
        assert_eq!((to(BEN, 102), to(ANNA, 103), to(ANNA, 102)), (40097, 40097, 0));
        assert_eq!(errcode(&bench, "update_user_coupon", &used), 0);
        bench.control("POST", "clock", r#"{"advance_s":1002}"#);
        let list = |openid: &str| {
            let body = json!({"openid": openid, "page_size": 20, "offset": 0});
            call(&bench, "get_usercoupon_list", &body)["result_list"][0].clone()
        };
        assert_eq!((&list(ANNA)["status"], &list(BEN)["status"]), (&json!(102), &json!(101)));
        assert_eq!(list(ANNA)["ext_info"]["use_time"], now_s + 5);
        assert_eq!(to(ANNA, 100), 40097, "its time is over");
        let body = json!({"openid": BEN, "page_size": 0, "offset": 0});
        assert_eq!(errcode(&bench, "get_usercoupon_list", &body), 40097);
    }
}
