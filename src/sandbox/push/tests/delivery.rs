//! What happens to a push on its way.

use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Rig, key,
    receiver::{Receiver, ok},
};
use crate::{
    base::kind::AccountKind,
    sandbox::calls::bench::{call, product},
    wechat::push_message,
};

#[tokio::test]
async fn a_dead_url_is_tried_and_logged_and_nobody_waits_for_it() {
    let rig = Rig::start().await;
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    rig.post("state", json!({ "push_retry_wait_ms": 0 })).await;
    rig.push_to(&format!("http://{dead}/"), json!({})).await;
    rig.fire("text").await;
    rig.fire("image").await;
    for id in [1, 2] {
        let push = rig.ended(id).await;
        let attempts = push["attempts"].as_array().unwrap();
        assert_eq!((attempts.len(), &push["outcome"]), (4, &json!("failed")), "{push}");
        assert!(attempts[0]["error"].as_str().unwrap().contains("no connection"), "{push}");
    }
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn a_silent_receiver_is_cut_off_at_the_deadline_and_asked_again() {
    let rig = Rig::start().await;
    let limits = json!({ "push_deadline_ms": 60, "push_retry_wait_ms": 1, "push_retries": 2 });
    rig.post("state", limits).await;
    let receiver = Receiver::start(false, |number, _| (number == 2).then(|| ok(""))).await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.fire("text").await;
    let push = rig.ended(1).await;
    let attempts = push["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &push["outcome"]), (3, &json!("delivered")), "{push}");
    assert!(attempts[0]["error"].as_str().unwrap().contains("60ms"), "{push}");
    assert!(attempts[0]["ms"].as_u64().unwrap() >= 60, "{push}");
    let [first, second] = [receiver.next().await, receiver.next().await];
    assert_eq!(first.body, second.body, "the same message, with its MsgId");
    assert_ne!(first.parameter("nonce"), second.parameter("nonce"));
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn events_keep_their_order_and_an_answer_that_is_not_taken_is_shown() {
    let rig = Rig::start().await;
    rig.post("state", json!({ "push_retry_wait_ms": 1, "push_retries": 1 })).await;
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n";
    let long = "x".repeat(70_000);
    let receiver = Receiver::start(false, move |number, _| {
        Some(match number {
            0 => redirect.to_owned(),
            1 => ok(r#"{"ErrCode":0,"ErrMsg":"success"}"#),
            2 => ok(&long),
            3 => "SSH-2.0-x\r\n".to_owned(),
            _ => ok(r#"{"ret_code":0}"#),
        })
    })
    .await;
    rig.push_to(&receiver.url, json!({})).await;
    for event in ["SCAN", "CLICK", "open_product_receive_coupon"] {
        rig.fire(event).await;
    }
    for wanted in ["SCAN", "SCAN", "CLICK", "CLICK", "open_product_receive_coupon"] {
        assert_eq!(receiver.next().await.message("json")["Event"], wanted);
    }
    let first = rig.ended(1).await;
    assert_eq!(
        (&first["attempts"][0]["status"], &first["outcome"]),
        (&json!(302), &json!("delivered"))
    );
    let second = rig.ended(2).await;
    assert!(second["attempts"][0]["error"].as_str().unwrap().contains("65536"), "{second}");
    assert_eq!(
        (second["attempts"][1]["status"].as_u64(), &second["outcome"]),
        (None, &json!("failed"))
    );
    let third = rig.ended(3).await;
    assert_eq!(third["attempts"][0]["answer"], r#"{"ret_code":0}"#);
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn a_push_can_be_repeated_and_a_reset_forgets_all() {
    let rig = Rig::start().await;
    let receiver = Receiver::saying("success").await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.fire("text").await;
    rig.ended(1).await;
    let again = rig.post("pushes/1/redeliver", Value::Null).await;
    assert_eq!((&again["id"], &again["again_of"]), (&json!(2), &json!(1)));
    assert_eq!(rig.ended(2).await["outcome"], "delivered");
    assert_eq!(receiver.next().await.body, receiver.next().await.body);
    let missing = rig.control(Method::POST, "pushes/9/redeliver", &Value::Null).await;
    assert_eq!(missing.0, 404);
    rig.post("reset", json!({})).await;
    let shown = rig.control(Method::GET, "push", &Value::Null).await.1;
    assert_eq!(shown["url"], Value::Null);
    rig.fire("text").await;
    assert_eq!(rig.ended(1).await["outcome"], "skipped");
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn a_reset_amid_a_delivery_does_not_touch_what_comes_after() {
    let rig = Rig::start().await;
    rig.post("state", json!({ "push_deadline_ms": 200, "push_retries": 0 })).await;
    let silent = Receiver::start(false, |_, _| None).await;
    rig.push_to(&silent.url, json!({})).await;
    rig.fire("text").await;
    silent.next().await;
    rig.post("reset", json!({})).await;
    let receiver = Receiver::saying("success").await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.fire("image").await;
    assert_eq!(receiver.next().await.message("json")["MsgType"], "image");
    let push = rig.ended(1).await;
    assert_eq!((&push["event"], &push["outcome"]), (&json!("image"), &json!("delivered")));
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn an_audit_that_is_decided_by_itself_is_pushed() {
    let rig = Rig::start().await;
    let receiver = Receiver::saying("success").await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.post("state", json!({ "audit_delay_s": 0 })).await;
    let platform = rig.sandbox.platform();
    let ask = |method, path: &str, query: &str, body: String| {
        let answer = platform.handle(&call(method, path, query, body.into())).answer;
        serde_json::from_slice::<Value>(&answer.body).unwrap()
    };
    let query = "grant_type=client_credential&appid=wx1&secret=s1";
    let token = ask(Method::GET, "/cgi-bin/token", query, String::new());
    let query = format!("access_token={}", token["access_token"].as_str().unwrap());
    let added = ask(Method::POST, "/shop/spu/add", &query, product("A").to_string());
    assert_eq!(added["errcode"], 0, "{added}");
    let message = receiver.next().await.message("json");
    assert_eq!(message["Event"], "open_product_spu_audit");
    assert_eq!(message["OpenProductSpuAudit"]["out_product_id"], "A");
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn on_a_clock_that_stands_a_push_leaves_no_trace_of_how_fast_it_was() {
    let rig = Rig::start().await;
    let receiver = Receiver::start(false, |_, _| Some(ok("success"))).await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.fire("text").await;
    let push = rig.ended(1).await;
    assert_eq!(push["attempts"][0]["time"], push["time"], "{push}");
    let snapshot = rig.control(Method::GET, "snapshot", &Value::Null).await;
    assert!(!snapshot.1.to_string().contains("took_ms"));
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn a_third_party_platform_is_pushed_its_tickets() {
    let rig = Rig::start_of(AccountKind::OpenPlatform).await;
    let receiver = Receiver::start(false, |_, _| Some(ok("success"))).await;
    rig.push_to(&receiver.url, json!({ "mode": "secure", "format": "xml" })).await;
    rig.post("clock", json!({ "advance_s": 600 })).await;
    let came = receiver.next().await;
    let sealed = came.message("xml");
    assert_eq!((&sealed["AppId"], came.parameter("openid")), (&json!("wx1"), None));
    assert!(!sealed.contains_key("ToUserName"));
    let encrypt = sealed["Encrypt"].as_str().unwrap();
    assert!(came.is_signed("msg_signature", Some(encrypt)));
    let opened = String::from_utf8(key().decrypt(encrypt, "wx1").unwrap()).unwrap();
    let message = push_message::from_xml(&opened).unwrap();
    assert_eq!(message["InfoType"], "component_verify_ticket");
    assert!(message["ComponentVerifyTicket"].is_string());
    rig.tasks.shutdown().await;
}
