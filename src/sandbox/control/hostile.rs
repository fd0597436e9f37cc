//! Snapshots with every number at its ends.

use serde_json::{Value, json};

use crate::{
    base::kind::AccountKind,
    sandbox::{
        calls::bench::{Bench, form, product},
        shop::testing::order,
    },
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

#[test]
fn a_platform_that_slept_for_ever_is_given_the_tickets_that_still_count() {
    let bench = Bench::of_kind(AccountKind::OpenPlatform);
    let mut odd = bench.control("GET", "snapshot", "").1;
    for at_ms in [i64::MIN, -1, 0] {
        odd["state"]["agenda"]["due"] = json!([[[at_ms, 1], "component_ticket"]]);
        assert_eq!(bench.control("POST", "restore", &odd.to_string()).0, 200);
        let told = bench.control("GET", "events", "").1["next"].as_u64().unwrap();
        assert!((72..80).contains(&told), "{told} from {at_ms}");
    }
    let far = r#"{"at":"2099-12-30T00:00:00Z"}"#;
    assert_eq!(bench.control("POST", "clock", far).0, 200);
    let told = bench.control("GET", "events", "").1["next"].as_u64().unwrap();
    assert!(told < 200, "{told}");
}

#[test]
fn what_control_would_refuse_is_refused_in_a_snapshot_too() {
    let good = busy().control("GET", "snapshot", "").1;
    let bench = Bench::new();
    let ticket = json!([[0, 1], "component_ticket"]);
    let long = format!("/{}", "a".repeat(1000));
    for (place, value) in [
        ("/state/settings/push_retries", json!(u32::MAX)),
        ("/state/settings/push_deadline_ms", json!(u64::MAX)),
        ("/state/settings/response_headers", json!([["a\r\nb", "c"]])),
        ("/state/faults/waiting/0/delay_ms", json!(u64::MAX)),
        ("/state/faults/waiting/0/path", json!(long)),
        ("/state/agenda/due", json!([ticket, [[0, 2], "component_ticket"]])),
    ] {
        let mut odd = good.clone();
        *odd.pointer_mut(place).unwrap() = value;
        let (status, told) = bench.control("POST", "restore", &odd.to_string());
        assert_eq!(status, 400, "{place}: {told}");
    }
    let fault = json!({"kind": "busy", "path": long}).to_string();
    assert_eq!(bench.control("POST", "faults", &fault).0, 400);
}
