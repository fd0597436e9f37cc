//! Lists of payments, and what is set for their shipping as a whole.

use serde_json::{Value, json};

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    shipping::Payment,
    state::State,
};

/// The first answers page by page.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/wxa/sec/order/get_order_list", list),
    CallSpec::post("/wxa/sec/order/set_msg_jump_path", set_jump_path),
    CallSpec::post("/wxa/sec/order/update_order_detail_path", set_detail_path),
    CallSpec::post("/wxa/sec/order/get_order_detail_path", tell_detail_path),
    CallSpec::post("/wxa/sec/order/is_trade_managed", is_managed),
    CallSpec::post("/wxa/sec/order/is_trade_management_confirmation_completed", is_confirmed),
];

/// `last_index` is the transaction id of the last payment of the page before: 10060011 for
/// anything else.
fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let size = cx.form.integer("page_size").unwrap_or(MOST_A_PAGE);
    let size = usize::try_from(size.clamp(1, MOST_A_PAGE)).unwrap_or(1);
    let State { shipping, settings, .. } = &mut *cx.state();
    shipping.take_listed(settings, cx.now_ms)?;
    let mut after = shipping.iter().filter(|payment| is_wanted(cx, payment));
    if let Some(last) = cx.form.text("last_index") {
        let found = after.by_ref().find(|payment| payment.transaction_id == last);
        found.ok_or_else(|| Refusal::new(10_060_011))?;
    }
    let page: Vec<&Payment> = after.by_ref().take(size).collect();
    let has_more = after.next().is_some();
    let last_index = page.last().map(|payment| payment.transaction_id.as_str());
    let told: Vec<Value> = page.iter().map(|payment| payment.to_json()).collect();
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "order_list": told,
        "last_index": last_index.unwrap_or_default(),
        "has_more": has_more,
    })))
}

/// By time of payment, state and buyer, as far as they are given.
fn is_wanted(cx: &Cx<'_>, payment: &Payment) -> bool {
    let range = cx.form.field("pay_time_range");
    let end = |name: &str| range.and_then(|range| range.get(name)).and_then(Value::as_i64);
    let paid_s = payment.paid_ms / 1000;
    end("begin_time").is_none_or(|begin| begin <= paid_s)
        && end("end_time").is_none_or(|end| paid_s <= end)
        && cx.form.integer("order_state").is_none_or(|state| state == payment.state.number())
        && cx.form.text("openid").is_none_or(|openid| openid == payment.openid)
}

/// An empty path takes the old one away.
fn path(cx: &Cx<'_>) -> Result<String, Refusal> {
    let path = cx.form.field("path").and_then(Value::as_str);
    let path = path.filter(|path| path.len() <= MOST_PATH_BYTES);
    path.map(ToOwned::to_owned).ok_or_else(|| Refusal::with(40097, "path"))
}

fn set_jump_path(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().shipping.jump_path = path(cx)?;
    Ok(Answer::done())
}

fn set_detail_path(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().shipping.detail_path = path(cx)?;
    Ok(Answer::done())
}

fn tell_detail_path(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::ok("path", &cx.state().shipping.detail_path))
}

/// An account asks for itself: 40013 for any other.
fn check_app_id(cx: &Cx<'_>) -> Result<(), Refusal> {
    let app_id = cx.form.text("appid").ok_or_else(|| Refusal::with(40097, "appid"))?;
    if app_id == cx.account.identity.app_id { Ok(()) } else { Err(Refusal::new(40013)) }
}

fn is_managed(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_app_id(cx)?;
    Ok(Answer::ok("is_trade_managed", &cx.state().settings.trade_managed))
}

fn is_confirmed(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_app_id(cx)?;
    Ok(Answer::ok("completed", &cx.state().settings.trade_confirmed))
}

/// The documented size of a page that names none.
const MOST_A_PAGE: i64 = 100;
const MOST_PATH_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn post(bench: &Bench, rest: &str, body: &Value) -> Value {
        bench.post(&format!("/wxa/sec/order/{rest}"), body).json()
    }

    #[test]
    fn payments_are_listed_page_by_page_and_filtered() {
        let bench = Bench::new();
        let paid = json!([
            {"transaction_id": "T1", "openid": "oA"},
            {"transaction_id": "T2", "openid": "oB", "state": "refunded"},
            {"transaction_id": "T3", "openid": "oA"},
        ]);
        bench.set(&json!({"paid_orders": paid}));
        let list = |body: Value| post(&bench, "get_order_list", &body);
        let first = list(json!({"page_size": 2}));
        assert_eq!((&first["last_index"], &first["has_more"]), (&json!("T2"), &json!(true)));
        let rest = list(json!({"page_size": 2, "last_index": "T2"}));
        assert_eq!(
            (&rest["order_list"][0]["transaction_id"], &rest["has_more"]),
            (&json!("T3"), &json!(false))
        );
        assert_eq!(list(json!({"last_index": "x"}))["errcode"], 10_060_011);
        assert_eq!(list(json!({"openid": "oA"}))["order_list"].as_array().unwrap().len(), 2);
        assert_eq!(list(json!({"order_state": 5}))["order_list"][0]["openid"], "oB");
        let past = json!({"pay_time_range": {"begin_time": 1, "end_time": 2}});
        assert_eq!(list(past)["order_list"], json!([]));
    }

    #[test]
    fn paths_are_set_and_told() {
        let bench = Bench::new();
        let path = json!({"path": "pages/order/detail"});
        assert_eq!(post(&bench, "set_msg_jump_path", &path)["errcode"], 0);
        assert_eq!(post(&bench, "set_msg_jump_path", &json!({}))["errcode"], 40097);
        assert_eq!(post(&bench, "update_order_detail_path", &path)["errcode"], 0);
        assert_eq!(post(&bench, "get_order_detail_path", &json!({}))["path"], path["path"]);
    }

    #[test]
    fn an_account_asks_about_itself_only() {
        let bench = Bench::new();
        bench.set(&json!({"trade_confirmed": false}));
        let own = json!({"appid": "wx1"});
        assert_eq!(post(&bench, "is_trade_managed", &own)["is_trade_managed"], true);
        let path = "is_trade_management_confirmation_completed";
        assert_eq!(post(&bench, path, &own)["completed"], false);
        assert_eq!(post(&bench, path, &json!({"appid": "wx2"}))["errcode"], 40013);
        assert_eq!(post(&bench, "is_trade_managed", &json!({}))["errcode"], 40097);
    }
}
