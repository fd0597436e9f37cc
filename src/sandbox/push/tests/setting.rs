//! What the setting of an account makes of a push.

use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Rig, TOKEN, key,
    receiver::{Came, Receiver, ok},
};
use crate::{
    base::secret::Secret,
    wechat::push_crypto::{EncodingAesKey, signature},
};

#[tokio::test]
async fn each_mode_and_format_delivers_the_same_message() {
    let rig = Rig::start().await;
    let receiver = Receiver::saying("success").await;
    let mut id = 0;
    for (mode, format) in [
        ("plain", "json"),
        ("plain", "xml"),
        ("compatible", "json"),
        ("compatible", "xml"),
        ("secure", "json"),
        ("secure", "xml"),
    ] {
        rig.push_to(&receiver.url, json!({ "mode": mode, "format": format })).await;
        let told = rig.fire("text").await;
        let came = receiver.next().await;
        let case = format!("{mode} {format}: {} {}", came.head, came.body);
        assert!(came.head.starts_with("POST /push?own=1&signature="), "{case}");
        assert!(came.is_signed("signature", None), "{case}");
        assert_eq!(came.parameter("openid").as_deref(), told["FromUserName"].as_str(), "{case}");
        let mut outer = came.message(format);
        let plain = match outer.remove("Encrypt") {
            None => {
                assert_eq!((mode, came.parameter("encrypt_type")), ("plain", None), "{case}");
                outer
            }
            Some(encrypt) => {
                let encrypt = encrypt.as_str().unwrap().to_owned();
                assert_eq!(came.parameter("encrypt_type").as_deref(), Some("aes"), "{case}");
                assert!(came.is_signed("msg_signature", Some(&encrypt)), "{case}");
                assert_eq!(outer.len(), if mode == "secure" { 1 } else { told.len() }, "{case}");
                let body = String::from_utf8(key().decrypt(&encrypt, "wx1").unwrap()).unwrap();
                Came { head: came.head.clone(), body }.message(format)
            }
        };
        // XML has strings only.
        let texts = |message: &Map<String, Value>| -> Vec<(String, String)> {
            let text =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            message.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        };
        assert_eq!(texts(&plain), texts(&told), "{case}");
        id += 1;
        let push = rig.ended(id).await;
        assert_eq!((&push["outcome"], &push["mode"]), (&json!("delivered"), &json!(mode)));
        assert_eq!(push["attempts"][0]["answer"], "success");
    }
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn a_url_is_taken_only_if_it_says_what_it_was_asked_to_say() {
    let rig = Rig::start().await;
    let good = Receiver::saying("success").await;
    let taken = rig.post("push", json!({ "url": good.url })).await;
    assert_eq!((taken["url"].as_str(), &taken["mode"]), (Some(&*good.url), &json!("plain")));
    let asked = good.next().await;
    assert!(asked.head.starts_with("GET /push?own=1&signature="), "{}", asked.head);
    let [given, timestamp, nonce] =
        ["signature", "timestamp", "nonce"].map(|name| asked.parameter(name).unwrap());
    let token = Secret::new(taken["token"].as_str().unwrap().to_owned());
    assert_eq!(given, signature(&token, &timestamp, &nonce, None));

    for answer in [ok("hello"), ok(""), "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".to_owned()] {
        let bad = Receiver::start(false, move |_, _| Some(answer.clone())).await;
        let (status, told) = rig.control(Method::POST, "push", &json!({ "url": bad.url })).await;
        assert_eq!(status, 400, "{told}");
        assert!(told["message"].as_str().unwrap().contains("echostr"), "{told}");
    }
    let shown = rig.control(Method::GET, "push", &Value::Null).await.1;
    assert_eq!(shown["url"], taken["url"], "the one before stays");
    assert!(shown["token"].as_str().unwrap().starts_with("fp:"), "{shown}");
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn only_this_host_is_pushed_to() {
    let rig = Rig::start().await;
    for url in ["http://192.0.2.1/", "http://0.0.0.0:1/", "https://[2001:db8::1]/"] {
        let (status, told) = rig.control(Method::POST, "push", &json!({ "url": url })).await;
        assert_eq!(status, 400, "{told}");
        assert!(told["message"].as_str().unwrap().contains("--allow-push"), "{told}");
    }
    rig.post("state", json!({ "push_retries": 0 })).await;
    rig.push_to("http://169.254.169.254/latest", json!({})).await;
    rig.fire("text").await;
    let push = rig.ended(1).await;
    assert!(push["attempts"][0]["error"].as_str().unwrap().contains("--allow-push"), "{push}");
    assert_eq!(push["outcome"], "failed");
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn after_a_rotation_pushes_and_replies_may_use_the_key_before() {
    let rig = Rig::start().await;
    let receiver = Receiver::start(false, |_, _| {
        let encrypt = key().encrypt([7; 16], b"{\"demo_resp\":\"good luck\"}", "wx1");
        let signature = signature(&Secret::new(TOKEN.into()), "1767225601", "n", Some(&encrypt));
        let reply = json!({
            "Encrypt": encrypt, "MsgSignature": signature, "TimeStamp": 1_767_225_601, "Nonce": "n",
        });
        Some(ok(&reply.to_string()))
    })
    .await;
    rig.push_to(&receiver.url, json!({ "mode": "secure" })).await;
    let other = EncodingAesKey::parse(Secret::new("k".repeat(43))).unwrap();
    for (form, wanted) in [
        (json!({ "aes_key": "k".repeat(43), "verify": false }), &other),
        (json!({ "use_previous": true, "verify": false }), &key()),
        (json!({ "use_previous": false, "verify": false }), &other),
    ] {
        rig.post("push", form).await;
        rig.fire("debug_demo").await;
        let came = receiver.next().await.message("json");
        let opened = wanted.decrypt(came["Encrypt"].as_str().unwrap(), "wx1").unwrap();
        assert!(opened.starts_with(b"{\"ToUserName\":\"gh_"));
    }
    let push = rig.ended(3).await;
    assert_eq!(push["attempts"][0]["answer"], "{\"demo_resp\":\"good luck\"}", "{push}");
    rig.tasks.shutdown().await;
}

#[tokio::test]
async fn tls_on_this_host_needs_no_known_authority() {
    let rig = Rig::start().await;
    let receiver = Receiver::start(true, |_, _| Some(ok("success"))).await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.fire("text").await;
    assert_eq!(rig.ended(1).await["outcome"], "delivered");
    rig.tasks.shutdown().await;
}
