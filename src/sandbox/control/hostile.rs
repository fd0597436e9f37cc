//! Snapshots with every number at its ends.

use serde_json::{Value, json};

use crate::sandbox::{
    calls::bench::{Bench, form, product},
    shop::testing::order,
};

/// An account in which much has happened.
fn busy() -> Bench {
    let bench = Bench::new();
    bench.token();
    bench.fetch_stable(true);
    bench.post("/shop/register/apply", &json!({}));
    bench.post("/shop/spu/add", &product("A"));
    bench.post("/shop/spu/add", &product("B"));
    let added = bench.post("/shop/order/add", &order(&bench, "SO", 1));
    assert_eq!(added.errcode, Some(0));
    bench.post("/shop/spu/del", &json!({"out_product_id": "B"}));
    bench.upload("/cgi-bin/media/upload", "type=image", form(&[("media", Some("a"), b"\xff\xd8")]));
    bench.control("POST", "faults", r#"{"kind":"busy","path":"/x","count":0,"probability":0.5}"#);
    bench.control("POST", "clock", r#"{"advance_s":61}"#);
    bench.post("/shop/spu/update", &product("A"));
    bench.get("/x", "");
    bench
}

/// A little of everything.
fn go_on(bench: &Bench) {
    bench.token();
    bench.fetch_stable(true);
    bench.get("/x", "");
    bench.post("/shop/spu/get", &json!({"out_product_id": "A"}));
    bench.post("/shop/spu/add", &product("C"));
    bench.post("/shop/order/get_list", &json!({"page": 1, "page_size": 10}));
    bench.post("/shop/order/add", &order(bench, "SP", 1));
    bench.post("/shop/spu/update", &product("A"));
    bench.post("/shop/spu/del", &json!({"out_product_id": "A"}));
    bench.control("POST", "clock", r#"{"advance_s":3600}"#);
    for rest in ["state", "journal", "events", "snapshot", "state/products"] {
        bench.control("GET", rest, "");
    }
}

/// Where the numbers of `value` are.
fn numbers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_owned()),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(n, v)| numbers(v, &format!("{at}/{n}"), found));
        }
        Value::Object(all) => {
            let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
            all.iter().for_each(|(name, v)| numbers(v, &format!("{at}/{}", step(name)), found));
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn numbers_at_their_ends_are_refused_or_lived_with() {
    let good = busy().control("GET", "snapshot", "").1;
    let mut places = Vec::new();
    numbers(&good, "", &mut places);
    assert!(places.len() > 50, "{}", places.len());
    let bench = Bench::new();
    let mut restored = 0;
    for place in &places {
        for end in [json!(0), json!(u32::MAX), json!(i64::MAX), json!(i64::MIN), json!(u64::MAX)] {
            let mut odd = good.clone();
            *odd.pointer_mut(place).unwrap() = end;
            if bench.control("POST", "restore", &odd.to_string()).0 == 200 {
                restored += 1;
                go_on(&bench);
            }
        }
    }
    assert!(restored > places.len(), "{restored} of {}", places.len());
}
