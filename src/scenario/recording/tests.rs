//! Exchanges that become scenarios, and scenarios that can be read again.

use serde_json::json;

use super::*;
use crate::scenario::read;

// 2026-01-01 00:00:00 at UTC+8.
const TIME_MS: i64 = 1_767_196_800_000;

struct Sample {
    call: (&'static str, &'static str, &'static str),
    body: String,
    answer: String,
    redacted: Vec<String>,
}

fn sample(path: &'static str, body: &Value, answer: &Value) -> Sample {
    Sample {
        call: ("POST", path, "access_token=***"),
        body: body.to_string(),
        answer: answer.to_string(),
        redacted: Vec::new(),
    }
}

fn recorded(sample: &Sample) -> Recorded<'_> {
    Recorded {
        time_ms: TIME_MS,
        method: sample.call.0,
        path: sample.call.1,
        query: sample.call.2,
        content_type: "application/json",
        request: RecordedBody { bytes: Some(sample.body.as_bytes()), is_cut: false },
        response: RecordedBody { bytes: Some(sample.answer.as_bytes()), is_cut: false },
        status: Some(200),
        redacted: &sample.redacted,
    }
}

fn order() -> Vec<Sample> {
    let id = 3_305_216_840_027_791_360_u64;
    vec![
        sample(
            "/shop/order/add",
            &json!({
                "out_order_id": "SO202206150001", "path": "p?no=SO202206150001", "openid": "****",
                "create_time": "2026-01-01 00:00:01", "expire_time": 1_767_197_700, "price": "${x}",
                "items": [{"cnt": 2, "sale_price": 12800}],
            }),
            &json!({"errcode": 0, "errmsg": "ok", "data": {
                "order_id": id, "out_order_id": "SO202206150001", "final_price": 25400,
                "create_time": "2026-01-01 00:00:01"}}),
        ),
        sample(
            "/shop/order/get",
            &json!({"order_id": id, "out_order_id": "SO202206150001", "openid": "****"}),
            &json!({"errcode": 1_010_011, "errmsg": "no rid: x"}),
        ),
    ]
}

fn written(samples: &[Sample], rules: &FieldRules) -> (Value, Vec<String>) {
    let recorded: Vec<_> = samples.iter().map(recorded).collect();
    let writing = write("x", &recorded, rules);
    read(&writing.text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{}", writing.text));
    let file: Value = serde_json::from_str(&writing.text).unwrap();
    assert_eq!(file["steps"].as_array().unwrap().len(), writing.steps);
    (file, writing.remarks)
}

#[test]
fn ids_times_and_masked_values_are_replaced() {
    let (file, remarks) = written(&order(), &FieldRules::default());
    let add = &file["steps"][0];
    assert_eq!(add["call"], "POST /shop/order/add");
    assert_eq!(add["query"], Value::Null, "the token is added by whoever plays it");
    assert_eq!(
        add["body"],
        json!({
            "out_order_id": "${id:SO}", "path": "p?no=${id:SO}", "openid": "${openid}",
            "create_time": "${now}", "expire_time": "${unix+15m}", "price": "$${x}",
            "items": [{"cnt": 2, "sale_price": 12800}],
        })
    );
    assert_eq!(add["save"], json!({"order_id": "data.order_id"}));
    assert_eq!(add["expect"], json!({"errcode": 0}));
    assert!(add["note"].as_str().unwrap().contains("--var"), "{add}");
    let get = &file["steps"][1];
    assert_eq!(get["body"]["order_id"], "${order_id}");
    assert_eq!(get["expect"], json!({"errcode": 1_010_011}));
    assert_eq!(file["vars"], json!({"openid": null}));
    assert!(remarks.iter().any(|remark| remark.contains("--var: openid")), "{remarks:?}");
}

#[test]
fn named_fields_are_expected_ignored_or_echoed() {
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let rules = FieldRules {
        exact: list(&["data"]),
        ignored: list(&["final_price"]),
        echoed: list(&["out_order_id", "errmsg"]),
    };
    let (file, remarks) = written(&order(), &rules);
    let expect = &file["steps"][0]["expect"];
    assert_eq!(
        expect["data"],
        json!({
            "order_id": {"$any": true}, "out_order_id": {"$echo": "body.out_order_id"},
            "final_price": {"$ignore": true}, "create_time": {"$any": true},
        })
    );
    assert_eq!((&expect["errcode"], &expect["errmsg"]), (&json!(0), &json!("ok")));
    assert!(remarks.iter().any(|remark| remark.contains("no `errmsg`")), "{remarks:?}");
}

#[test]
fn what_is_missing_is_told_and_what_fetches_credentials_left_out() {
    let mut samples = order();
    samples[1].body = "<xml/>".to_owned();
    samples.push(sample("/cgi-bin/stable_token", &json!({}), &json!({"access_token": "***"})));
    let mut exchanges: Vec<_> = samples.iter().map(recorded).collect();
    exchanges[0].request.is_cut = true;
    exchanges[0].status = Some(502);
    let writing = write("x", &exchanges, &FieldRules::default());
    let file: Value = serde_json::from_str(&writing.text).unwrap();
    assert_eq!(file["steps"].as_array().unwrap().len(), 2);
    assert_eq!(file["steps"][0]["status"], 502);
    assert!(file["steps"][0]["note"].as_str().unwrap().contains("cut"));
    assert!(file["steps"][1]["note"].as_str().unwrap().contains("no JSON"));
    for wanted in ["step 1: ", "step 2: ", "stable_token"] {
        assert!(
            writing.remarks.iter().any(|remark| remark.contains(wanted)),
            "{:?}",
            writing.remarks
        );
    }
}

#[test]
fn secrets_in_query_and_body_become_variables() {
    let mut login = sample("/sns/jscode2session", &json!({}), &json!({"openid": "o"}));
    login.call = ("GET", "/sns/jscode2session", "appid=wx1&secret=***&js_code=abc&t=1767196800");
    login.body = String::new();
    let mut hole =
        sample("/x", &json!({"text": "a ********** b", "phone": "138****1234"}), &json!({}));
    hole.redacted = vec!["body".to_owned()];
    let (file, _) = written(&[login, hole], &FieldRules::default());
    assert_eq!(
        file["steps"][0]["query"],
        json!({"appid": "wx1", "secret": "${secret}", "js_code": "abc", "t": "${unix}"})
    );
    assert_eq!(file["steps"][1]["body"], json!({"text": "${text}", "phone": "138****1234"}));
    assert_eq!(file["vars"], json!({"secret": null, "text": null}));
}

#[test]
fn an_id_of_an_answer_is_found_again_in_a_query() {
    let upload = sample("/cgi-bin/media/upload", &json!({}), &json!({"media_id": "M1a2b3c4d5"}));
    let make = sample("/shop/x", &json!({}), &json!({"data": [{"order_id": 3_305_216_840_u64}]}));
    let mut get = sample("/cgi-bin/media/get", &json!({}), &json!({}));
    get.call = ("GET", "/cgi-bin/media/get", "media_id=M1a2b3c4d5&order=3305216840");
    get.body = String::new();
    let (file, _) = written(&[upload, make, get], &FieldRules::default());
    assert_eq!(
        file["steps"][2]["query"],
        json!({"media_id": "${media_id}", "order": "${order_id}"})
    );
    assert_eq!(file["steps"][1]["save"], json!({"order_id": "data[0].order_id"}));
}
