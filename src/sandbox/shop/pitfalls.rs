//! What developers stumbled over, each met here with the platform's own code.
//!
//! Numbers 8, 23 and 28 are about the client and the Channels window, which no server shows.

use serde_json::{Value, json};

use super::testing::{Shop, example, order};
use crate::sandbox::calls::bench::{Bench, Seen, product};

/// Number, what is done, and the errcodes of its calls in order.
type Pitfall = (u8, fn() -> Vec<Seen>, &'static [i64]);

const PITFALLS: &[Pitfall] = &[
    (1, component_closed, &[48001, 48001, 1_040_003]),
    (1, account_missing, &[48001, 48001, 0]),
    (2, prepay_id_missing, &[1_010_004, 0]),
    (3, prices_odd, &[1_010_005, 1_010_005, 1_010_005, 1_010_005, 1_010_005]),
    (4, address_nested, &[1_010_009]),
    (5, repeat_with_another_fund_type, &[0, 0, 1_010_047]),
    (6, upgraded_orders_synced, &[1_010_050, 1_010_050]),
    (7, paid_outside_the_scene, &[990_022, 0]),
    (9, pictures_from_elsewhere, &[1_070_010, 1_070_008, 1_000_035]),
    (10, component_cancelled_in_between, &[0, 1_000_005]),
    (11, scene_not_open, &[1_000_042, 1_000_042, 1_040_035, 0]),
    (12, no_customer_service, &[1_040_042, 0]),
    (13, json_with_a_comma_too_many, &[47001, 990_007, 2_747_002]),
    (14, license_as_text, &[40097, 0]),
    (15, times_in_another_form, &[990_018, 990_018]),
    (16, product_in_no_parcel, &[1_010_042, 0]),
    (17, decimal_stored_as_nothing, &[0, 2_747_009]),
    (18, freight_after_the_delivery, &[0, 2_747_014]),
    (19, the_two_worlds_of_after_sale, &[0, 0]),
    (20, no_push_url, &[]),
    (21, strange_address, &[40164, 61004, 61004]),
    (22, quota_used_up, &[0, 45009, 0, 0]),
    (24, test_words, &[0]),
    (25, coupon_answered_wrongly, &[1_090_020, 1_090_032, 0]),
    (26, trace_of_somebody_else, &[1_010_061, 1_010_061]),
    (27, decided_without_the_merchant, &[1_000_000, 2_747_002]),
];

#[test]
fn every_pitfall_has_the_code_that_developers_saw() {
    for (number, meet, wanted) in PITFALLS {
        let seen = meet();
        let codes: Vec<i64> = seen.iter().map(|seen| seen.errcode.unwrap_or(0)).collect();
        let texts: Vec<Value> = seen.iter().map(Seen::json).collect();
        assert_eq!(codes, *wanted, "pitfall {number}: {texts:?}");
    }
}

fn component_closed() -> Vec<Seen> {
    let bench = Bench::new();
    bench.set(&json!({"require_component": true}));
    let paths = ["/shop/cat/get", "/shop/funds/getbalance", "/shop/register/check"];
    paths.map(|path| bench.post(path, &json!({}))).into()
}

fn account_missing() -> Vec<Seen> {
    let shop = Shop::new();
    shop.bench.set(&json!({"require_merchant_account": true}));
    let paths = ["/shop/ecaftersale/get", "/shop/order/getpaymentparams", "/shop/cat/get"];
    paths.map(|path| shop.bench.post(path, &example(path))).into()
}

/// An order that was changed before it was sent.
fn ordered(shop: &Shop, fund_type: u8, change: impl Fn(&mut Value)) -> Seen {
    let mut body = order(&shop.bench, "SO1", fund_type);
    change(&mut body);
    shop.bench.post("/shop/order/add", &body)
}

/// Takes a field out of one place, to put it into another.
fn taken(body: &mut Value, place: &str, name: &str) -> Value {
    body.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name).unwrap()
}

fn prepay_id_missing() -> Vec<Seen> {
    let shop = Shop::new();
    let without = ordered(&shop, 0, |body| {
        taken(body, "/order_detail/pay_info", "prepay_id");
    });
    vec![without, ordered(&shop, 1, |_| {})]
}

fn prices_odd() -> Vec<Seen> {
    let shop = Shop::new();
    let priced = |price: Value| {
        ordered(&shop, 1, |body| body["order_detail"]["price_info"]["order_price"] = price.clone())
    };
    let old_field = ordered(&shop, 1, |body| {
        let goods = &mut body["order_detail"]["product_infos"][0];
        goods["real_price"] = taken(goods, "", "sku_real_price");
    });
    let nested = ordered(&shop, 1, |body| {
        body["price_info"] = taken(body, "/order_detail", "price_info");
    });
    vec![priced(json!("25400")), priced(json!(691.0)), priced(json!(25401)), old_field, nested]
}

fn address_nested() -> Vec<Seen> {
    let nest = |body: &mut Value| {
        body["order_detail"]["address_info"] = taken(body, "", "address_info");
    };
    vec![ordered(&Shop::new(), 1, nest)]
}

fn repeat_with_another_fund_type() -> Vec<Seen> {
    let shop = Shop::new();
    let (first, repeat) = (ordered(&shop, 0, |_| {}), ordered(&shop, 1, |_| {}));
    vec![first, repeat, shop.call("/shop/order/getpaymentparams", "SO1", json!({}))]
}

fn upgraded_orders_synced() -> Vec<Seen> {
    let shop = Shop::new();
    shop.order("SO1", 1);
    let reported = shop.call("/shop/order/pay", "SO1", json!({"action_type": 2}));
    shop.pay("SO1");
    let mut old = example("/shop/aftersale/add");
    old["out_order_id"] = json!("SO1");
    vec![reported, shop.bench.post("/shop/aftersale/add", &old)]
}

fn paid_outside_the_scene() -> Vec<Seen> {
    let shop = Shop::new();
    let finish =
        || shop.bench.post("/shop/register/finish_access_info", &json!({"access_info_item": 19}));
    ordered(&shop, 1, |body| body["scene"] = json!(1001));
    shop.pay("SO1");
    shop.order("SO2", 0);
    shop.pay("SO2");
    let flags = shop.flags();
    assert_eq!([&flags["ec_order_success"], &flags["pay_order_success"]], [0, 1]);
    let early = finish();
    shop.order("SO3", 1);
    shop.pay("SO3");
    vec![early, finish()]
}

fn pictures_from_elsewhere() -> Vec<Seen> {
    let bench = Bench::new();
    let with = |image: &str| {
        let mut body = product("A");
        body["head_img"] = json!([image]);
        bench.post("/shop/spu/add", &body)
    };
    let unreachable = json!({"resp_type": 1, "upload_type": 1, "img_url": "http://intranet/a.jpg"});
    let fetched = bench.post("/shop/img/upload", &unreachable);
    vec![with("https://cdn.example/a.jpg"), fetched, with("cdn.example/a.jpg")]
}

fn component_cancelled_in_between() -> Vec<Seen> {
    let shop = Shop::new();
    shop.bench.set(&json!({"require_category": true}));
    shop.bench.post("/shop/audit/audit_category", &example("/shop/audit/audit_category"));
    shop.advance(120);
    let mut form = example("/shop/spu/add");
    let before = shop.bench.post("/shop/spu/add", &form);
    for status in [10, 2] {
        shop.fire("open_product_account_register", &json!({ "status": status })).unwrap();
    }
    form["out_product_id"] = json!("B");
    form["skus"][0]["out_product_id"] = json!("B");
    vec![before, shop.bench.post("/shop/spu/add", &form)]
}

fn scene_not_open() -> Vec<Seen> {
    let shop = Shop::new();
    shop.bench.set(&json!({"require_scene_group_list": true}));
    let mut named = product("A");
    named["scene_group_list"] = json!([1]);
    let audit = |groups: Option<Value>| {
        let mut body = example("/shop/audit/audit_category");
        match groups {
            Some(groups) => body["audit_req"]["scene_group_list"] = groups,
            None => drop(taken(&mut body, "/audit_req", "scene_group_list")),
        }
        shop.bench.post("/shop/audit/audit_category", &body)
    };
    let added = shop.bench.post("/shop/spu/add", &named);
    vec![added, audit(Some(json!([1]))), audit(None), audit(Some(json!([])))]
}

fn no_customer_service() -> Vec<Seen> {
    let bench = Bench::new();
    let serve = |kinds: Value| {
        let info = json!({"service_agent_type": kinds, "service_agent_phone": "1"});
        assert_eq!(bench.post("/shop/account/update_info", &info).errcode, Some(0));
        bench.post("/shop/spu/add", &product("A"))
    };
    vec![serve(json!([2])), serve(json!([0, 2]))]
}

fn json_with_a_comma_too_many() -> Vec<Seen> {
    let bench = Bench::new();
    let paths = ["/shop/spu/add", "/shop/audit/audit_brand", "/shop/ecaftersale/add"];
    let seen = paths.map(|path| bench.post_text(path, "{\"openid\":\"o\", // whose\n}"));
    assert_eq!(seen[1].json()["errmsg"], "", "the text is empty");
    seen.into()
}

fn license_as_text() -> Vec<Seen> {
    let bench = Bench::new();
    let good = example("/shop/audit/audit_category");
    let mut bad = good.clone();
    bad["audit_req"]["license"] = good["audit_req"]["license"][0].clone();
    [bad, good].map(|body| bench.post("/shop/audit/audit_category", &body)).into()
}

fn times_in_another_form() -> Vec<Seen> {
    let shop = Shop::new();
    let early = ordered(&shop, 1, |body| body["create_time"] = json!("2022/06/15 10:20"));
    shop.order("SO1", 1);
    shop.pay("SO1");
    let more = json!({"finish_all_delivery": 1, "ship_done_time": "1655341920"});
    vec![early, shop.call("/shop/delivery/send", "SO1", more)]
}

fn product_in_no_parcel() -> Vec<Seen> {
    let shop = Shop::new();
    let all = json!({"finish_all_delivery": 1});
    shop.order("SO1", 1);
    shop.pay("SO1");
    let seen = shop.call("/shop/delivery/send", "SO1", all.clone());
    let mut body = order(&shop.bench, "SO2", 1);
    body["delivery_detail"]["delivery_type"] = json!(2);
    shop.bench.post("/shop/order/add", &body);
    shop.pay("SO2");
    let without = shop.call("/shop/delivery/send", "SO2", all);
    assert_eq!(shop.status("SO2"), 100);
    vec![seen, without]
}

fn decimal_stored_as_nothing() -> Vec<Seen> {
    let shop = Shop::new();
    shop.received("SO1");
    let added = shop.aftersale("SO1", &json!({"type": 1, "orderamt": 123.5}));
    let id = added.json()["aftersale_id"].clone();
    let shown = shop.bench.post("/shop/ecaftersale/get", &json!({ "aftersale_id": id })).json();
    assert_eq!(shown["after_sales_order"]["orderamt"], 0);
    vec![added, shop.bench.post("/shop/ecaftersale/acceptrefund", &json!({ "aftersale_id": id }))]
}

fn freight_after_the_delivery() -> Vec<Seen> {
    let shop = Shop::new();
    let everything = json!({
        "type": 1, "orderamt": 25400, "out_aftersale_id": "AS1",
        "product_info": {"out_product_id": "TEA-2201", "product_cnt": 2},
    });
    shop.order("SO1", 1);
    shop.pay("SO1");
    let before = shop.aftersale("SO1", &everything);
    shop.received("SO2");
    let mut later = everything;
    later["out_aftersale_id"] = json!("AS2");
    vec![before, shop.aftersale("SO2", &later)]
}

fn the_two_worlds_of_after_sale() -> Vec<Seen> {
    let shop = Shop::new();
    shop.received("SO1");
    shop.aftersale("SO1", &json!({"out_aftersale_id": "AS1"}));
    let old = shop.call("/shop/aftersale/get", "SO1", json!({}));
    assert_eq!(old.json()["aftersale_infos"], json!([]));
    vec![old, shop.about("get", "AS1", &json!({}))]
}

fn no_push_url() -> Vec<Seen> {
    let shop = Shop::new();
    shop.order("SO1", 1);
    shop.pay("SO1");
    let pushes = shop.bench.control("GET", "pushes", "").1;
    let newest = pushes["pushes"].as_array().unwrap().last().unwrap().clone();
    assert_eq!([&newest["event"], &newest["outcome"]], ["open_product_order_pay", "skipped"]);
    assert_eq!(shop.status("SO1"), 20, "whoever polls sees it");
    Vec::new()
}

fn strange_address() -> Vec<Seen> {
    let shop = Shop::new();
    shop.order("SO1", 1);
    shop.bench.set(&json!({"ip_list": ["203.0.113.7"]}));
    let query = "grant_type=client_credential&appid=wx1&secret=s1";
    let token = shop.bench.get("/cgi-bin/token", query);
    let text = token.json()["errmsg"].as_str().unwrap().to_owned();
    let wanted = "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ";
    assert!(text.starts_with(wanted), "{text}");
    let params = shop.call("/shop/order/getpaymentparams", "SO1", json!({}));
    let text = params.json()["errmsg"].as_str().unwrap().to_owned();
    let wanted = "access clientip is not registered requestIP: 127.0.0.1 rid: ";
    assert!(text.starts_with(wanted), "{text}");
    vec![token, params, shop.bench.post("/shop/pay/createorder", &example("/shop/pay/createorder"))]
}

fn quota_used_up() -> Vec<Seen> {
    let bench = Bench::new();
    bench.set(&json!({"quotas": {"/shop/cat/get": {"daily": 1}}}));
    let ask = || bench.post("/shop/cat/get", &json!({}));
    let (first, second) = (ask(), ask());
    let path = json!({"cgi_path": "/shop/cat/get"});
    let quota = bench.post("/cgi-bin/openapi/quota/get", &path).json()["quota"].clone();
    assert_eq!(quota, json!({"daily_limit": 1, "used": 1, "remain": 0}));
    let cleared = bench.post("/cgi-bin/clear_quota", &json!({"appid": "wx1"}));
    vec![first, second, cleared, ask()]
}

fn test_words() -> Vec<Seen> {
    let shop = Shop::new();
    shop.bench.set(&json!({"audit_reject_reason": "测试商品或非实物商品"}));
    let added = shop.bench.post("/shop/spu/add", &product("A"));
    shop.advance(120);
    let body = json!({"out_product_id": "A", "need_edit_spu": 1});
    let spu = shop.bench.post("/shop/spu/get", &body).json()["spu"].clone();
    assert_eq!([&spu["edit_status"], &spu["status"]], [3, 0]);
    assert_eq!(spu["audit_info"]["reject_reason"], "测试商品或非实物商品");
    vec![added]
}

fn coupon_answered_wrongly() -> Vec<Seen> {
    let bench = Bench::new();
    let confirm = |answer: &str| {
        bench.set(&json!({ "coupon_confirm": answer }));
        bench.post("/shop/coupon/confirm", &json!({}))
    };
    ["refuse", "unreachable", "accept"].map(confirm).into()
}

fn trace_of_somebody_else() -> Vec<Seen> {
    let shop = Shop::new();
    let openid = order(&shop.bench, "SO1", 1)["openid"].clone();
    let give = |openid: &Value| {
        let (status, given) =
            shop.bench.control("POST", "traces", &json!({ "openid": openid }).to_string());
        assert_eq!(status, 200, "{given}");
        given["traceId"].clone()
    };
    let with = |trace_id: Value| ordered(&shop, 1, |body| body["trace_id"] = trace_id.clone());
    let anothers = with(give(&json!("oX")));
    let late = give(&openid);
    shop.advance(601);
    vec![anothers, with(late)]
}

fn decided_without_the_merchant() -> Vec<Seen> {
    let shop = Shop::new();
    shop.order("SO1", 1);
    shop.fire("open_product_order_cancel", &json!({})).unwrap();
    let close = shop.call("/shop/order/close", "SO1", json!({}));
    shop.received("SO2");
    shop.aftersale("SO2", &json!({"type": 1, "out_aftersale_id": "AS1"}));
    shop.about("reject", "AS1", &json!({}));
    for _ in ["the buyer calls in the platform", "it decides"] {
        shop.fire("aftersale_complaint_update_order_state", &json!({})).unwrap();
    }
    vec![close, shop.about("reject", "AS1", &json!({}))]
}
