//! What a third-party platform is told of at its own URL.

use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Rig, key,
    receiver::{Came, Receiver},
};
use crate::{base::kind::AccountKind, sandbox::calls::bench::account};

/// The message of a push: sealed XML that names the platform by its AppID.
fn opened(came: &Came) -> Map<String, Value> {
    let sealed = came.message("xml");
    assert_eq!(sealed.keys().collect::<Vec<_>>(), ["AppId", "Encrypt"]);
    assert_eq!((&sealed["AppId"], came.parameter("openid")), (&json!("wx1"), None));
    assert_eq!(came.parameter("encrypt_type").as_deref(), Some("aes"));
    let encrypt = sealed["Encrypt"].as_str().unwrap();
    assert!(came.is_signed("msg_signature", Some(encrypt)));
    let body = String::from_utf8(key().decrypt(encrypt, "wx1").unwrap()).unwrap();
    Came { head: came.head.clone(), body }.message("xml")
}

#[tokio::test]
async fn tickets_and_authorizations_reach_the_platform_sealed_with_its_own_app_id() {
    let rig = Rig::start_of(AccountKind::OpenPlatform).await;
    rig.sandbox.platform().add_account(account("merchant", "wx2", "s2")).unwrap();
    let receiver = Receiver::saying("success").await;
    rig.push_to(&receiver.url, json!({})).await;
    rig.post("clock", json!({ "advance_s": 600 })).await;
    let known = rig.control(Method::GET, "component", &Value::Null).await.1.to_string();
    let ticket = loop {
        // The account's first ticket may have waited for the URL.
        let ticket = opened(&receiver.next().await);
        if known.contains(ticket["ComponentVerifyTicket"].as_str().unwrap()) {
            break ticket;
        }
    };
    let names = ["AppId", "ComponentVerifyTicket", "CreateTime", "InfoType"];
    let mut told: Vec<&str> = ticket.keys().map(String::as_str).collect();
    told.sort_unstable();
    assert_eq!(told, names);
    assert_eq!(
        (&ticket["AppId"], &ticket["InfoType"]),
        (&json!("wx1"), &json!("component_verify_ticket"))
    );
    let authorize = json!({ "appid": "wx2" });
    for (noun, info_type) in [
        ("authorize", "authorized"),
        ("authorize", "updateauthorized"),
        ("unauthorize", "unauthorized"),
    ] {
        rig.post(noun, authorize.clone()).await;
        let told = opened(&receiver.next().await);
        assert_eq!(
            (&told["InfoType"], &told["AuthorizerAppid"]),
            (&json!(info_type), &json!("wx2"))
        );
        assert_eq!((told.get("ToUserName"), told.get("Event")), (None, None), "{told:?}");
    }
    rig.tasks.shutdown().await;
}
