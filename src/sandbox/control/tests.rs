//! Control, call by call.

use serde_json::json;

use super::*;
use crate::sandbox::calls::bench::{Bench, account, form, product};

const IPS: &str = "/cgi-bin/getcallbackip";

fn stable(bench: &Bench) -> String {
    bench.stable_token()
}

fn ask(bench: &Bench, token: &str) -> Option<i64> {
    bench.get(IPS, &format!("access_token={token}")).errcode
}

#[test]
fn token_faults_kill_the_token_at_once_and_a_normal_fetch_heals() {
    for (kind, errcode) in [("expire_token", 42001), ("foreign_fetch", 40001)] {
        let bench = Bench::new();
        let token = stable(&bench);
        assert_eq!(ask(&bench, &token), None);
        let fault = json!({ "kind": kind }).to_string();
        let (status, told) = bench.control("POST", "faults", &fault);
        assert_eq!((status, &told["struck_at_once"]), (200, &json!(true)));
        assert_eq!(ask(&bench, &token), Some(errcode));
        let fresh = stable(&bench);
        assert_ne!(fresh, token);
        assert_eq!(ask(&bench, &fresh), None, "{kind} strikes once");
    }
}

#[test]
fn a_token_fault_with_a_path_or_count_strikes_later() {
    let bench = Bench::new();
    let token = stable(&bench);
    let fault = format!(r#"{{"kind":"foreign_fetch","path":"{IPS}","count":2}}"#);
    bench.control("POST", "faults", &fault);
    assert_eq!(ask(&bench, &token), Some(40001));
    assert_eq!(ask(&bench, &stable(&bench)), Some(40001), "and again");
    assert_eq!(ask(&bench, &stable(&bench)), None);
}

#[test]
fn counters_have_exactly_the_shape_of_the_contract() {
    let bench = Bench::new();
    let token = stable(&bench);
    bench.fetch_stable(true);
    assert!((0..3).all(|_| ask(&bench, &token).is_none()));
    let (status, counters) = bench.control("GET", "counters", "");
    assert_eq!(status, 200);
    assert_eq!(counters, json!({"token_fetches": 2, "forced": 1, "calls": {IPS: 3}}));
}

#[test]
fn token_calls_are_only_hit_by_faults_that_name_them() {
    let bench = Bench::new();
    bench.control("POST", "faults", r#"{"kind":"errcode","value":45009}"#);
    let token = stable(&bench);
    assert_eq!(ask(&bench, &token), Some(45009));
    let fault = r#"{"kind":"errcode","value":40164,"path":"/cgi-bin/stable_token"}"#;
    bench.control("POST", "faults", fault);
    let refused = bench.fetch_stable(false);
    assert_eq!(refused.errcode, Some(40164));
    assert!(refused.json()["errmsg"].as_str().unwrap().contains("::ffff:127.0.0.1"));
    assert_eq!(bench.fetch_stable(false).errcode, None);
}

#[test]
fn the_clock_moves_one_account_and_tokens_grow_old() {
    let bench = Bench::new();
    let token = stable(&bench);
    assert_eq!(bench.control("POST", "clock", r#"{"advance_s":7200}"#).0, 200);
    assert_eq!(ask(&bench, &token), Some(42001));
    assert_eq!(bench.control("POST", "clock", r#"{"advance_s":-1}"#).0, 400);
    assert_eq!(bench.control("POST", "clock", r#"{"forward_s":1}"#).0, 400);
}

#[test]
fn reset_forgets_everything_and_no_old_token_comes_back() {
    let bench = Bench::unseeded();
    let token = stable(&bench);
    bench.set(&json!({"frozen": true}));
    bench.control("POST", "faults", r#"{"kind":"busy","count":0}"#);
    assert_eq!(bench.control("POST", "reset", "").0, 200);
    assert_eq!(ask(&bench, &token), Some(40001));
    let fresh = stable(&bench);
    assert_ne!(fresh, token);
    assert_eq!(ask(&bench, &fresh), None);
    let state = bench.control("GET", "state", "").1;
    assert_eq!(state["settings"]["frozen"], false);
    assert_eq!(state["live"]["faults"], json!([]));
}

#[test]
fn the_journal_tells_what_was_answered() {
    let bench = Bench::new();
    ask(&bench, "1_x");
    let journal = bench.control("GET", "journal", "").1;
    let call = &journal["calls"][0];
    assert_eq!((&call["path"], &call["errcode"]), (&json!(IPS), &json!(40001)));
    assert_eq!((&call["account"], &call["method"]), (&json!("shop"), &json!("GET")));
    assert!(call["rid"].is_string() && call["time"].is_string());
}

#[test]
fn what_is_unknown_is_refused_with_the_choices() {
    let bench = Bench::new();
    for (method, rest, body, status, hint) in [
        ("POST", "faults", r#"{"kind":"boom"}"#, 400, "foreign_fetch"),
        ("POST", "faults", r#"{"kind":"busy","x":1}"#, 400, "count"),
        ("POST", "state", r#"{"x":1}"#, 400, "ip_list"),
        ("POST", "state", "[]", 400, "object"),
        ("GET", "nothing", "", 404, "journal"),
        ("PUT", "counters", "", 405, "GET counters"),
    ] {
        let (seen, answer) = bench.control(method, rest, body);
        assert_eq!(seen, status, "{rest}");
        assert!(answer["message"].as_str().unwrap().contains(hint), "{answer}");
    }
    let other = answer(&bench.platform, "nobody", &Method::GET, "counters", b"");
    assert_eq!(other.status(), 404);
    assert!(String::from_utf8_lossy(other.body()).contains("shop"));
}

#[test]
fn a_snapshot_restored_gives_the_same_answers_and_the_same_next_ids() {
    let bench = Bench::new();
    let token = stable(&bench);
    for id in ["A", "B"] {
        assert_eq!(bench.post("/shop/spu/add", &product(id)).errcode, Some(0));
    }
    bench.post("/shop/spu/del", &json!({"out_product_id": "B"}));
    bench.upload("/cgi-bin/media/upload", "type=image", form(&[("media", Some("a"), b"\xff\xd8")]));
    bench.control("POST", "faults", r#"{"kind":"busy","path":"/x","probability":0.5}"#);
    let snapshot = bench.control("GET", "snapshot", "").1.to_string();
    let go_on = || {
        let added = bench.post("/shop/spu/add", &product("C")).body;
        let refused = bench.get(IPS, "").body;
        let forced = bench.fetch_stable(true).body;
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        (added, refused, forced, bench.control("GET", "snapshot", "").1)
    };
    let first = go_on();
    let (status, answer) = bench.control("POST", "restore", &snapshot);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(bench.control("GET", "snapshot", "").1.to_string(), snapshot);
    assert_eq!(ask(&bench, &token), None);
    bench.control("POST", "restore", &snapshot);
    assert_eq!(go_on(), first);
}

#[test]
fn a_snapshot_goes_to_another_sandbox_and_its_tokens_with_it() {
    let bench = Bench::unseeded();
    let token = stable(&bench);
    let snapshot = bench.control("GET", "snapshot", "").1;
    assert!(!snapshot.to_string().contains("\"s1\""), "no AppSecret");
    let other = Bench::unseeded();
    assert_eq!(ask(&other, &token), Some(40001));
    assert_eq!(other.control("POST", "restore", &snapshot.to_string()).0, 200);
    assert_eq!(ask(&other, &token), None);
    assert_eq!(stable(&other), token);
}

#[test]
fn a_snapshot_that_is_wrong_changes_nothing() {
    let bench = Bench::new();
    bench.platform.add_account(account("twin", "wx1", "s2")).unwrap();
    bench.set(&json!({"frozen": true}));
    let good = bench.control("GET", "snapshot", "").1;
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed.to_string()
    };
    let mut odd_state = good.clone();
    odd_state["state"]["settings"]["frozen"] = json!("x");
    for (text, hint) in [
        ("{".to_owned(), "line 1 column 1"),
        ("{}".to_owned(), "format"),
        (with("format", json!(99)), "format 99"),
        (with("app_id", json!("wx2")), "wx2"),
        (with("tag", json!("x")), "tag"),
        (with("clock", json!({"frozen": {"at_ms": -1}})), "clock"),
        (with("state", json!({"nonsense": 1})), "nonsense"),
        (odd_state.to_string(), "invalid type"),
    ] {
        let (status, answer) = bench.control("POST", "restore", &text);
        let message = answer["message"].as_str().unwrap();
        assert!(status == 400 && message.contains(hint), "{hint}: {answer}");
    }
    let twin =
        answer(&bench.platform, "twin", &Method::POST, "restore", good.to_string().as_bytes());
    assert_eq!(twin.status(), 400, "two accounts with the same tokens");
    assert_eq!(bench.control("GET", "snapshot", "").1, good);
    assert_eq!(bench.control("POST", "restore", &with("state", json!({}))).0, 200);
    assert_eq!(bench.control("GET", "state", "").1["settings"]["frozen"], false);
}

#[test]
fn the_clock_is_frozen_moved_and_run() {
    let bench = Bench::unseeded();
    let set = |body: &str| bench.control("POST", "clock", body);
    let frozen = set(r#"{"freeze":true}"#).1;
    assert_eq!(frozen["frozen"], true);
    assert_eq!(bench.control("GET", "clock", "").1, frozen);
    let at = set(r#"{"at":"2050-01-01T00:00:00+08:00"}"#).1;
    assert_eq!((&at["now"], &at["frozen"]), (&json!("2049-12-31T16:00:00Z"), &json!(true)));
    assert_eq!(at["unix_ms"], 2_524_579_200_000_i64);
    let reply = bench.reply(Method::GET, IPS, "");
    assert_eq!(reply.date_ms, Some(2_524_579_200_000));
    assert_eq!(set(r#"{"advance_s":1,"run":true}"#).1["frozen"], false);
    for bad in [
        "{}",
        r#"{"freeze":false}"#,
        r#"{"freeze":true,"run":true}"#,
        r#"{"advance_s":1,"at":"2060-01-01T00:00:00Z"}"#,
        r#"{"at":"2049-01-01T00:00:00Z"}"#,
        r#"{"at":"2150-01-01T00:00:00Z"}"#,
        r#"{"at":"soon"}"#,
    ] {
        assert_eq!(set(bad).0, 400, "{bad}");
    }
    bench.control("POST", "reset", "");
    assert_eq!(bench.reply(Method::GET, IPS, "").date_ms, None, "the machine's time");
}

/// Two hundred calls of all sorts, and everything that was answered.
fn mixed_calls(bench: &Bench) -> Vec<Vec<u8>> {
    let mut said = Vec::new();
    bench.control("POST", "faults", r#"{"kind":"busy","probability":0.1}"#);
    for n in 0..40 {
        let id = format!("P{}", n % 30);
        said.push(bench.post("/shop/spu/add", &product(&id)).body.to_vec());
        said.push(bench.post("/shop/spu/get", &json!({"out_product_id": id})).body.to_vec());
        said.push(bench.get(IPS, "access_token=x").body.to_vec());
        said.push(bench.fetch_stable(n % 7 == 0).body.to_vec());
        said.push(bench.post_text("/shop/spu/del", "{").body.to_vec());
        bench.control("POST", "clock", r#"{"advance_s":11}"#);
    }
    let look = |rest| bench.control("GET", rest, "").1.to_string().into_bytes();
    said.extend(["journal", "events", "snapshot"].map(look));
    said
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes_also_after_a_reset() {
    let bench = Bench::new();
    let first = mixed_calls(&bench);
    assert!(first == mixed_calls(&Bench::new()), "another process");
    bench.control("POST", "reset", "");
    assert!(first == mixed_calls(&bench), "after a reset");
    let other = mixed_calls(&Bench::seeded(Some(2)));
    assert!(first.last() != other.last() && first[0] != other[0]);
}

#[test]
fn reset_may_keep_the_switches() {
    let bench = Bench::new();
    bench.set(&json!({"audit_delay_s": 5}));
    assert_eq!(bench.post("/shop/spu/add", &product("A")).errcode, Some(0));
    let state = bench.control("POST", "reset", r#"{"keep_settings":true}"#).1;
    assert_eq!(
        (&state["settings"]["audit_delay_s"], &state["live"]["products"]),
        (&json!(5), &json!(0))
    );
    assert_eq!(bench.control("POST", "reset", r#"{"keep":true}"#).0, 400);
    let state = bench.control("POST", "reset", "{}").1;
    assert_eq!(state["settings"]["audit_delay_s"], 60);
}

#[test]
fn every_part_of_the_state_is_shown_in_pages_and_without_tokens() {
    let bench = Bench::new();
    for id in ["A", "B", "C"] {
        assert_eq!(bench.post("/shop/spu/add", &product(id)).errcode, Some(0));
    }
    bench.upload("/cgi-bin/media/upload", "type=image", form(&[("media", Some("a"), b"\xff\xd8")]));
    let look = |rest: &str| bench.control("GET", rest, "").1;
    let page = look("state/products?limit=2");
    assert_eq!((&page["total"], &page["next"]), (&json!(3), &json!("B")));
    assert_eq!(page["items"]["A"]["product"]["edit_status"], "editing");
    let rest = look("state/products?after=B");
    assert_eq!((rest["items"].as_object().unwrap().len(), &rest["next"]), (1, &Value::Null));
    assert_eq!(look("state/shop/products/A/product/status")["value"], "initial");
    assert_eq!(look("state/media")["items"][0]["size_bytes"], 2);
    let tokens = look("state/tokens").to_string();
    assert!(tokens.contains("fp:") && !tokens.contains(&stable(&bench)), "{tokens}");
    assert_eq!(look("state/journal/entries?limit=1&after=1")["items"].as_array().unwrap().len(), 1);
    for (rest, status) in [
        ("state/nothing", 404),
        ("state/products/X", 404),
        ("state/media/9", 404),
        ("state/media?after=x", 400),
        ("state/products?limit=x", 400),
    ] {
        let (seen, said) = bench.control("GET", rest, "");
        assert!(seen == status && said["message"].is_string(), "{rest}: {said}");
    }
    assert!(look("state/nothing")["message"].as_str().unwrap().contains("products"));
}

#[test]
fn a_fault_is_removed_by_its_id() {
    let bench = Bench::new();
    bench.control("POST", "faults", r#"{"kind":"busy","count":0}"#);
    let armed = bench.control("POST", "faults", r#"{"kind":"plain_json","count":0}"#).1;
    assert_eq!(armed["faults"][1]["id"], 2);
    let left = bench.control("DELETE", "faults/1", "").1;
    assert_eq!(left["faults"].as_array().unwrap().len(), 1);
    assert_eq!(bench.control("DELETE", "faults/1", "").0, 404);
    assert_eq!(bench.get(IPS, "").content_type, "text/plain");
}
