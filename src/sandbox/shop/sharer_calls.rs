//! Calls about sharers.

use serde_json::{Value, json};

use super::{
    demand,
    fields::{at, number, page, text},
    order_list, sharer,
    sharer::{Outcome, Sharer},
    sharer_sales,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    state::State,
    world::World,
};

/// Fields of `bind` and `search_sharer` as in the documents of the component, of the others as
/// in the models of public SDKs (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/sharer/bind", bind),
    CallSpec::shop("/shop/sharer/unbind", unbind),
    CallSpec::shop("/shop/sharer/get_sharer_list", list),
    CallSpec::shop("/shop/sharer/search_sharer", search),
    CallSpec::shop("/shop/sharer/get_sharer_data_summary", summary),
    CallSpec::shop("/shop/sharer/get_sharer_live_summary_list", lives),
    CallSpec::shop("/shop/sharer/get_sharer_live_order_list", live_orders),
    CallSpec::shop("/shop/sharer/set_share_mode", set_share_mode),
];

/// Each openid has an outcome of its own; the call itself succeeds.
fn bind(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (outcomes, mut answer) = each(cx, sharer::invite)?;
    let results = outcomes.iter().map(|(openid, outcome)| {
        let (result_code, reason_code) = match outcome {
            Outcome::Done => (0, 0),
            Outcome::Failed(reason) => (1, *reason),
            Outcome::Refused(reason) => (2, *reason),
        };
        json!({ "openid": openid, "result_code": result_code, "reason_code": reason_code })
    });
    answer["result_list"] = results.collect();
    Ok(cx.done(answer))
}

fn unbind(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (_, answer) = each(cx, sharer::unbind)?;
    Ok(cx.done(answer))
}

/// What became of each openid, in the order of the call.
type Outcomes<'a> = Vec<(&'a str, Outcome)>;

/// Does `what` with every openid of the call; the outcomes, and the three lists of the answer.
fn each<'a>(
    cx: &'a Cx<'_>,
    what: fn(&mut World<'_>, &str) -> Outcome,
) -> Result<(Outcomes<'a>, Value), Refusal> {
    let state = &mut *cx.state();
    let openids = at(cx.body(), "openids").and_then(Value::as_array);
    let openids = openids.filter(|list| (1..=MOST_OPENIDS).contains(&list.len()));
    let openids = openids.ok_or_else(|| {
        demand::wrong(&state.settings, format_args!("openids holds 1 to {MOST_OPENIDS}"))
    })?;
    let mut world = cx.world(state);
    let openids = openids.iter().filter_map(Value::as_str);
    let outcomes: Outcomes<'a> = openids.map(|openid| (openid, what(&mut world, openid))).collect();
    let those = |is_wanted: fn(&Outcome) -> bool| -> Vec<&str> {
        let wanted = outcomes.iter().filter(|(_, outcome)| is_wanted(outcome));
        wanted.map(|(openid, _)| *openid).collect()
    };
    let answer = json!({
        "success_list": those(|outcome| matches!(outcome, Outcome::Done)),
        "fail_list": those(|outcome| matches!(outcome, Outcome::Failed(_))),
        "refuse_list": those(|outcome| matches!(outcome, Outcome::Refused(_))),
    });
    Ok((outcomes, answer))
}

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (skipped, shown) = page(cx.body(), MOST_SHOWN, state.settings.component.argument_errcode)?;
    let bound = state.shop.sharers.bound();
    let sharers: Vec<Value> = bound
        .iter()
        .skip(skipped)
        .take(shown)
        .map(|(openid, sharer)| {
            let mut shown = times(sharer);
            shown["openid"] = json!(openid);
            shown["nickname"] = json!(sharer::nickname(openid));
            shown
        })
        .collect();
    Ok(cx.done(json!({ "sharers": sharers, "total_num": bound.len() })))
}

fn search(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (openid, sharer) = find(cx, &state)?;
    let mut answer = times(sharer);
    answer["nickname"] = json!(sharer::nickname(openid));
    answer["bind_status"] = json!(sharer.status.number().to_string());
    Ok(cx.done(answer))
}

/// Unix seconds as text; an invitation that was not accepted has no time of binding.
fn times(sharer: &Sharer) -> Value {
    let bound = match sharer.bound_ms {
        0 => String::new(),
        bound_ms => (bound_ms / 1000).to_string(),
    };
    json!({ "invited_time": (sharer.invited_ms / 1000).to_string(), "bind_time": bound })
}

fn find<'a>(cx: &'a Cx<'_>, state: &'a State) -> Result<(&'a str, &'a Sharer), Refusal> {
    let openid = text(cx.body(), "openid").unwrap_or_default();
    let sharer = state.shop.sharers.find(openid);
    let sharer = sharer.ok_or_else(|| demand::wrong(&state.settings, "openid is no sharer"))?;
    Ok((openid, sharer))
}

fn summary(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (openid, _) = find(cx, &state)?;
    let sales = sharer_sales::of(&state, openid);
    Ok(cx.done(json!({
        "gmv": sales.turnover_fen(),
        "order_cnt": sales.orders.len().to_string(),
        "user_cnt": sales.buyers(),
    })))
}

fn lives(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (openid, _) = find(cx, &state)?;
    let (skipped, shown) = page(cx.body(), MOST_SHOWN, state.settings.component.argument_errcode)?;
    let lives = sharer_sales::of(&state, openid).lives();
    let status = state.settings.shop.live_status;
    let page: Vec<Value> =
        lives.iter().skip(skipped).take(shown).map(|live| live.to_json(status)).collect();
    Ok(cx.done(json!({ "lives": page, "total_num": lives.len() })))
}

/// A live in which nothing was sold through the sharer has no orders.
fn live_orders(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (openid, _) = find(cx, &state)?;
    let wanted = text(cx.body(), "live_export_id").unwrap_or_default();
    let mut lives = sharer_sales::of(&state, openid).lives();
    lives.retain(|live| live.export_id == wanted);
    let orders = lives.iter().flat_map(|live| live.sales.orders.iter().copied());
    order_list::answer(cx, &state, orders)
}

fn set_share_mode(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let mode = number(cx.body(), "share_mode");
    state.shop.sharers.share_mode =
        mode.ok_or_else(|| demand::wrong(&state.settings, "share_mode"))?;
    Ok(cx.done_plainly())
}

/// The pages name no sizes.
const MOST_SHOWN: usize = 1000;
const MOST_OPENIDS: usize = 1000;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::{
        calls::bench::Bench,
        shop::{sharer, sharer::BindStatus, testing::Shop},
        world::World,
    };

    const ANNA: &str = "oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw";
    const BEN: &str = "oQx7V5KzT0mYc1LrW3nE8pB2sAhU";

    fn call(bench: &Bench, name: &str, body: &Value) -> Value {
        bench.post(&format!("/shop/sharer/{name}"), body).json()
    }

    fn wait(bench: &Bench, seconds: u64) {
        bench.control("POST", "clock", &json!({"advance_s": seconds}).to_string());
    }

    /// Result and reason of an invitation.
    fn invite(bench: &Bench, openid: &str) -> (u64, u64) {
        let answer = call(bench, "bind", &json!({"openids": [openid]}));
        let result = &answer["result_list"][0];
        (result["result_code"].as_u64().unwrap(), result["reason_code"].as_u64().unwrap())
    }

    fn status(bench: &Bench, openid: &str) -> Value {
        call(bench, "search_sharer", &json!({"openid": openid}))["bind_status"].clone()
    }

    #[test]
    fn an_invitation_is_accepted_after_a_while_and_told() {
        let bench = Bench::new();
        let answer = call(&bench, "bind", &json!({"openids": [ANNA, "o1"]}));
        assert_eq!(
            (&answer["success_list"], &answer["refuse_list"]),
            (&json!([ANNA]), &json!(["o1"]))
        );
        assert_eq!(answer["result_list"][1]["reason_code"], 201);
        assert_eq!(status(&bench, ANNA), "3");
        wait(&bench, 60);
        assert_eq!((status(&bench, ANNA), invite(&bench, ANNA)), (json!("1"), (2, 202)));
        let told = bench.control("GET", "events", "").1["events"][0]["message"].clone();
        assert_eq!((&told["openid"], &told["bind_status"]), (&json!(ANNA), &json!(1)));
        let list = call(&bench, "get_sharer_list", &json!({"page": 1, "page_size": 20}));
        assert_eq!((&list["total_num"], &list["sharers"][0]["openid"]), (&json!(1), &json!(ANNA)));
        assert!(list["sharers"][0]["bind_time"].as_str().unwrap().parse::<u64>().unwrap() > 0);
        let bad = json!({"page": 0, "page_size": 20});
        assert_eq!(call(&bench, "get_sharer_list", &bad)["errcode"], 40097);
    }

    #[test]
    fn invitations_fail_for_the_documented_reasons() {
        let bench = Bench::new();
        bench.control("POST", "clock", r#"{"freeze":true,"at":"2090-01-01T04:00:00Z"}"#);
        bench.set(&json!({"sharer_answer": "wait"}));
        assert_eq!((invite(&bench, ANNA), invite(&bench, ANNA)), ((0, 0), (1, 204)));
        let later = [600, 600, 600].map(|seconds| {
            wait(&bench, seconds);
            invite(&bench, ANNA)
        });
        assert_eq!(later, [(0, 0), (0, 0), (1, 204)], "three a day");
        wait(&bench, 86_400);
        bench.set(&json!({"sharer_answer": "refuse"}));
        assert_eq!(invite(&bench, ANNA), (0, 0));
        wait(&bench, 60);
        assert_eq!((status(&bench, ANNA), invite(&bench, ANNA)), (json!("2"), (2, 203)));
        bench.set(&json!({"sharers_busy": true}));
        assert_eq!(invite(&bench, BEN), (1, 100));
        bench.set(&json!({"sharers_busy": false, "sharer_limit": 0}));
        assert_eq!(invite(&bench, BEN), (2, 200));
        assert_eq!(call(&bench, "bind", &json!({"openids": []}))["errcode"], 40097);
    }

    #[test]
    fn an_invitation_is_answered_once() {
        let bench = Bench::new();
        bench.set(&json!({"sharer_answer": "expire"}));
        invite(&bench, ANNA);
        let account = bench.platform.account("shop").unwrap();
        let answer = |status| {
            let state = &mut *account.state();
            let mut world = World { account: &account, state, now_ms: account.now_ms() };
            sharer::answer(&mut world, ANNA, status)
        };
        assert!(!answer(BindStatus::Invited) && answer(BindStatus::Bound));
        assert!(!answer(BindStatus::Refused));
        wait(&bench, 100);
        assert_eq!(status(&bench, ANNA), "1", "the expiry came too late");
        assert_eq!(BindStatus::find(4), Some(BindStatus::Expired));
        assert_eq!(BindStatus::find(5), None);
    }

    #[test]
    fn a_binding_lasts_thirty_days_at_least() {
        let bench = Bench::new();
        bench.set(&json!({"sharer_answer_delay_s": 0}));
        invite(&bench, ANNA);
        let unbind = || call(&bench, "unbind", &json!({"openids": [ANNA]}));
        assert_eq!(unbind()["refuse_list"], json!([ANNA]));
        wait(&bench, 30 * 86_400);
        assert_eq!(unbind()["success_list"], json!([ANNA]));
        assert_eq!(unbind()["refuse_list"], json!([ANNA]), "nobody is bound");
        assert_eq!(call(&bench, "search_sharer", &json!({"openid": ANNA}))["errcode"], 40097);
        assert_eq!(call(&bench, "unbind", &json!({"openids": []}))["errcode"], 40097);
    }

    #[test]
    fn the_share_mode_is_any_number() {
        let bench = Bench::new();
        assert_eq!(call(&bench, "set_share_mode", &json!({"share_mode": 1}))["errcode"], 0);
        assert_eq!(call(&bench, "set_share_mode", &json!({}))["errcode"], 40097);
    }

    /// Two paid orders of one buyer in one live, and one that was not paid.
    fn shop_with_sales() -> Shop {
        let shop = Shop::new();
        invite(&shop.bench, ANNA);
        for (id, is_paid) in [("SO1", true), ("SO2", true), ("SO3", false)] {
            shop.order(id, 1);
            if is_paid {
                shop.pay(id);
            }
            let account = shop.bench.platform.account("shop").unwrap();
            let state = &mut *account.state();
            let order_id = state.shop.orders.by_out_order_id(id).unwrap().order_id;
            let order = state.shop.orders.order_mut(order_id).unwrap();
            order.promotion = json!({"sharer_openid": ANNA, "finder_nickname": "茶铺",
                "live_start_time": "2026-01-01 00:00:00"})
            .as_object()
            .unwrap()
            .clone();
        }
        shop
    }

    #[test]
    fn sales_are_those_of_paid_orders_credited_to_the_sharer() {
        let shop = shop_with_sales();
        let price_fen = shop.shown("SO1")["order_detail"]["price_info"]["order_price"].as_u64();
        let sum = call(&shop.bench, "get_sharer_data_summary", &json!({"openid": ANNA}));
        assert_eq!(sum["gmv"].as_u64(), price_fen.map(|fen| 2 * fen));
        assert_eq!((&sum["order_cnt"], &sum["user_cnt"]), (&json!("2"), &json!(1)));
        let nobody = json!({"openid": BEN, "page": 1, "page_size": 5, "live_export_id": "x"});
        for name in ["data_summary", "live_summary_list", "live_order_list"] {
            let answer = call(&shop.bench, &format!("get_sharer_{name}"), &nobody);
            assert_eq!(answer["errcode"], 40097, "{name}");
        }
    }

    #[test]
    fn lives_are_summed_up_and_their_orders_listed() {
        let shop = shop_with_sales();
        let body = json!({"openid": ANNA, "page": 1, "page_size": 5});
        let lives = call(&shop.bench, "get_sharer_live_summary_list", &body);
        let live = &lives["lives"][0];
        assert_eq!((&lives["total_num"], &live["order_cnt"]), (&json!(1), &json!(2)));
        assert_eq!(live["live_start_time"], 1_767_196_800);
        let mut body = body.clone();
        body["live_export_id"] = live["live_export_id"].clone();
        let orders = call(&shop.bench, "get_sharer_live_order_list", &body);
        assert_eq!(orders["total_num"], 2);
        assert_eq!(orders["orders"][0]["out_order_id"], "SO1");
        body["live_export_id"] = json!("export/other");
        assert_eq!(call(&shop.bench, "get_sharer_live_order_list", &body)["total_num"], 0);
    }
}
