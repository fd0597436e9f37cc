//! Accounts of kind `wecom`: another platform with its own token, calls and errors.

use std::process::Command;

use http::{HeaderValue, Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::{
    support::{
        Client, Gateway,
        client::{Reply, Speak},
        eventually,
        gateway::{Builder, DEMO},
        origin::{Origin, Received, Say},
    },
    tools::{self, base_url, tool},
};

const WORK: &str = r#"
[[account]]
name = "work"
kind = "wecom"
app_id = "ww0123456789abcdef"
upstream = "sandbox"
"#;

const SEND: &str = "/cgi-bin/message/send";
const USER: &str = "/cgi-bin/user/get?userid=zhangsan";

fn message() -> String {
    json!({
        "touser": "ZhangSan", "agentid": 1_000_002, "msgtype": "text", "text": {"content": "你好"},
    })
    .to_string()
}

/// A gateway before an origin that answers token calls as WeCom does.
async fn before(origin: &Origin) -> Gateway {
    let account = origin
        .account("work")
        .replace("mini-program", "wecom")
        .replace("wx0123456789abcdef", "ww0123456789abcdef");
    Builder::new(&account)
        .secret_file("secrets/work", "the-secret_of-an-app-0123456789")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await
}

/// Answers token calls, counted by the token, and everything else as `say` does.
async fn origin(say: impl Fn(&Received, usize) -> String + Send + Sync + 'static) -> Origin {
    Origin::start(move |asked, number| {
        Say::Json(if asked.target().starts_with("/cgi-bin/gettoken") {
            format!(
                r#"{{"errcode":0,"errmsg":"ok","access_token":"corp-token-number-{number:0>4}","expires_in":7200}}"#
            )
        } else {
            say(asked, number)
        })
    })
    .await
}

fn history(gateway: &Gateway) -> Value {
    gateway.cli_json(&["token", "history", "work"])
}

#[tokio::test]
async fn a_key_opens_the_calls_of_a_wecom_app_with_one_fetch_for_all() {
    let gateway = Gateway::with(WORK).await;
    let user = gateway.client.get(USER).await.json();
    assert_eq!((&user["errcode"], &user["userid"]), (&json!(0), &json!("ZhangSan")));
    let sent = gateway.client.post(SEND, message()).await;
    assert_eq!(sent.errcode(), 0, "{}", sent.text());
    assert!(sent.json()["msgid"].is_string(), "{}", sent.text());
    let refused = gateway.client.get("/cgi-bin/user/get?userid=nobody").await;
    assert_eq!((refused.status.as_u16(), refused.errcode()), (200, 60111));
    assert_eq!(gateway.counters("work").await["token_fetches"], 1);
    assert!(history(&gateway).to_string().contains("\"corp\""), "{:#}", history(&gateway));
}

#[tokio::test]
async fn media_go_up_and_come_down_byte_for_byte() {
    let gateway = Gateway::with(WORK).await;
    let file: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let head =
        "--XyZ\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.pdf\"\r\n\r\n";
    let body = [head.as_bytes(), &file, b"\r\n--XyZ--\r\n"].concat();
    let mut request = gateway.client.request(Method::POST, "/cgi-bin/media/upload?type=file", body);
    let form = HeaderValue::from_static("multipart/form-data; boundary=XyZ");
    request.headers_mut().insert(CONTENT_TYPE, form);
    let up = gateway.client.send(Speak::Http1, request).await;
    assert_eq!(up.errcode(), 0, "{}", up.text());
    let media_id = up.json()["media_id"].as_str().unwrap().to_owned();
    let down = gateway.client.get(&format!("/cgi-bin/media/get?media_id={media_id}")).await;
    assert_eq!(&down.body[..], &file[..]);
}

#[tokio::test]
async fn a_dead_token_is_replaced_within_the_request_and_accuses_nobody() {
    let gateway = Gateway::with(WORK).await;
    gateway.client.get(USER).await;
    gateway.fault("work", json!({"kind": "expire_token"})).await;
    let sent = gateway.client.post(SEND, message()).await;
    assert_eq!(sent.errcode(), 0, "{}", sent.text());
    assert_eq!(sent.headers["x-wxgate-attempts"], "2");
    let counters = gateway.counters("work").await;
    assert_eq!((&counters["token_fetches"], &counters["forced"]), (&json!(2), &json!(0)));
    let history = history(&gateway).to_string();
    let accuses = |verdict: &str| history.contains(&format!("\"verdict\":\"{verdict}\""));
    assert!(!accuses("foreign_fetch") && !accuses("issuer_disagrees"), "{history}");
}

#[tokio::test]
async fn an_address_off_the_list_is_told_with_wecoms_menu() {
    let gateway = Gateway::with(WORK).await;
    let list = json!({"ip_list": ["203.0.113.9"], "caller_ip": "198.51.100.4"});
    gateway.sandbox("work", "state", list).await;
    let reply = gateway.client.get(USER).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (502, "token_unavailable"));
    let body = reply.json();
    assert_eq!(body["wxgate"]["upstream"]["errcode"], 60020, "{body}");
    assert!(body["errmsg"].as_str().unwrap().contains("198.51.100.4"), "{body}");
    assert!(body["wxgate"]["hint"].as_str().unwrap().contains("企业可信IP"), "{body}");
    gateway.sandbox("work", "state", json!({"ip_list": []})).await;
    gateway.cli(&["token", "refresh", "work"]);
    eventually("a token again", || async { gateway.client.get(USER).await.errcode() == 0 }).await;
}

#[tokio::test]
async fn the_read_only_lane_passes_what_wecoms_own_table_calls_a_read() {
    let gateway = Gateway::with(WORK).await;
    let reader = gateway.key("reader", &["--account", "work", "--lane", "read-only"]);
    assert_eq!(reader.get(USER).await.errcode(), 0);
    for (method, path) in [
        (Method::POST, SEND),
        (Method::GET, "/cgi-bin/unheard/get"),
        // WeChat has a call there that reads; of WeCom nothing is known.
        (Method::GET, "/cgi-bin/user/info"),
        (Method::GET, "/cgi-bin/user/delete?userid=zhangsan"),
    ] {
        let reply = reader.send(Speak::Http1, reader.request(method, path, "")).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (403, "lane_read_only"), "{path}");
    }
}

#[tokio::test]
async fn what_deletes_needs_a_key_that_may_and_the_app_secret_never_leaves_for_a_client() {
    let origin = origin(|_, _| r#"{"errcode":0,"errmsg":"deleted"}"#.into()).await;
    let gateway = before(&origin).await;
    let alice = gateway.key("alice", &["--account", "work", "--lane", "live"]);
    for path in ["/cgi-bin/user/delete?userid=a", "/cgi-bin/message/mass/send"] {
        let reply = alice.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (403, "danger_not_allowed"), "{path}");
    }
    let flags = ["--account", "work", "--lane", "live", "--allow-danger"];
    let bob = gateway.key("bob", &flags);
    assert_eq!(bob.get("/cgi-bin/user/delete?userid=a").await.errcode(), 0);
    let targets: Vec<String> =
        origin.received().iter().map(|asked| asked.target().to_owned()).collect();
    assert_eq!(
        targets,
        [
            "/cgi-bin/gettoken?corpid=ww0123456789abcdef&corpsecret=the-secret_of-an-app-0123456789",
            "/cgi-bin/user/delete?userid=a&access_token=corp-token-number-0000",
        ]
    );
    for (place, bytes) in gateway.everything_written() {
        let found = bytes.windows(13).any(|part| part == b"the-secret_of");
        assert!(!found, "the secret of the app is in {place}");
    }
}

#[tokio::test]
async fn a_code_that_names_the_token_dead_fetches_another_and_one_of_the_secret_does_not() {
    let origin = origin(|asked, _| {
        let errcode = match asked.target() {
            target if target.contains("number-0000") && target.starts_with(USER) => 40014,
            target if target.starts_with("/cgi-bin/agent/list") => 40001,
            target if target.starts_with("/cgi-bin/tag/list") => 45009,
            _ => 0,
        };
        format!(r#"{{"errcode":{errcode},"errmsg":"said"}}"#)
    })
    .await;
    let gateway = before(&origin).await;
    let reply = gateway.client.get(USER).await;
    assert_eq!((reply.errcode(), reply.headers["x-wxgate-attempts"].to_str().unwrap()), (0, "2"));
    let passed = |reply: &Reply| (reply.status.as_u16(), reply.errcode());
    assert_eq!(passed(&gateway.client.get("/cgi-bin/agent/list").await), (200, 40001));
    // Nobody says when WeCom's limit turns: the next call is WeCom's to answer again.
    for _ in 0..3 {
        assert_eq!(passed(&gateway.client.get("/cgi-bin/tag/list").await), (200, 45009));
    }
    let asked = origin.received();
    let count = |path: &str| asked.iter().filter(|a| a.target().starts_with(path)).count();
    assert_eq!((count("/cgi-bin/gettoken"), count("/cgi-bin/tag/list")), (2, 3));
}

#[tokio::test]
async fn the_sandbox_lane_of_a_real_app_is_a_company_of_its_own() {
    let origin = origin(|_, _| r#"{"errcode":0,"errmsg":"real"}"#.into()).await;
    let gateway = before(&origin).await;
    let toy = gateway.key("toy", &["--account", "work", "--lane", "sandbox"]);
    let user = toy.get(USER).await.json();
    assert_eq!(user["name"], "张三", "{user}");
    assert_eq!(toy.post(SEND, message()).await.errcode(), 0);
    assert!(origin.received().is_empty(), "nothing reached the real one");
    assert_eq!(gateway.client.get(USER).await.json()["errmsg"], "real");
}

#[test]
fn everything_that_a_wecom_account_lacks_is_told_before_the_start() {
    let (code, said) = Builder::new(
        "[[account]]\nname = \"work\"\nkind = \"wecom\"\ntoken = \"classic\"\n\
         force_refresh = \"auto\"\nupstream = \"https://qyapi.weixin.qq.com\"\n",
    )
    .fail();
    assert_eq!(code, 78, "{said}");
    for part in ["app_id is missing", "app_secret is missing", "gettoken", "cannot be forced"] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[tokio::test]
async fn an_sdk_gets_a_surrogate_for_the_corp_id_and_a_key() {
    let gateway = Gateway::with(WORK).await;
    let made = gateway.cli_json(&["key", "create", "sdk", "--account", "work"]);
    let key = made["key"].as_str().unwrap();
    let stranger: Client = gateway.client.without_key();
    let ask = |query: String| {
        let stranger = &stranger;
        async move { stranger.get(&format!("/cgi-bin/gettoken?{query}")).await }
    };
    let given = ask(format!("corpid=ww0123456789abcdef&corpsecret={key}")).await;
    let body = given.json();
    assert_eq!((given.status.as_u16(), &body["errcode"]), (200, &json!(0)), "{body}");
    assert_eq!(body["expires_in"], 7200);
    let token = body["access_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("wxgt_"), "{body}");
    let sent = stranger.post(&format!("{SEND}?access_token={token}"), message()).await;
    assert_eq!(sent.errcode(), 0, "{}", sent.text());
    gateway.fault("work", json!({"kind": "expire_token"})).await;
    let sent = stranger.post(&format!("{SEND}?access_token={token}"), message()).await;
    assert_eq!((sent.errcode(), &sent.headers["x-wxgate-attempts"]), (0, &"2".parse().unwrap()));
    let counters = gateway.counters("work").await;
    assert_eq!(counters["token_fetches"], 2, "by the gateway alone");

    let by_name = ask(format!("corpid=work&corpsecret={key}")).await;
    assert_eq!(by_name.errcode(), 0, "{}", by_name.text());
    let wrong = ask("corpid=ww0123456789abcdef&corpsecret=no-key".into()).await;
    assert_eq!(wrong.status.as_u16(), 200, "{}", wrong.text());
    assert_ne!(wrong.errcode(), 0, "{}", wrong.text());

    gateway.cli_json(&["key", "revoke", "sdk"]);
    let refused = stranger.post(&format!("{SEND}?access_token={token}"), message()).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (401, "surrogate_refused"));
}

#[tokio::test]
async fn a_token_call_of_the_other_platform_is_refused_in_the_platforms_words() {
    let gateway = Gateway::with(&format!("{}{WORK}", DEMO)).await;
    let key = gateway.client.key.clone().unwrap();
    let stranger = gateway.client.without_key();
    for target in [
        format!("/@work/cgi-bin/token?grant_type=client_credential&appid=work&secret={key}"),
        format!("/@demo/cgi-bin/gettoken?corpid=demo&corpsecret={key}"),
    ] {
        let reply = stranger.get(&target).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
        assert_ne!(reply.errcode(), 0, "{}", reply.text());
        assert!(reply.json()["access_token"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wechatpy_works_through_a_gateway_with_its_address_and_a_key() {
    let is_there = ["-c", "import wechatpy.enterprise, wechatpy.crypto"];
    let Some(python) = tool("WXGATE_TEST_PYTHON", "python3", &is_there) else { return };
    let gateway = Gateway::with(WORK).await;
    let made = gateway.cli_json(&["key", "create", "sdk", "--account", "work"]);
    let url = base_url(&gateway);
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/wechatpy_corp.py"))
        .args([&url, "ww0123456789abcdef", made["key"].as_str().unwrap()])
        .arg(format!("{url}/-/sandbox/work/faults"))
        .env("WXGATE_KEY", gateway.client.key.as_ref().unwrap())
        .env("REQUESTS_CA_BUNDLE", gateway.folder().join("certs/ca.pem"))
        .env_remove("CURL_CA_BUNDLE")
        .env("NO_PROXY", "*") // A proxy would stand between the script and loopback.
        .env("no_proxy", "*")
        .output()
        .unwrap();
    let said = tools::text(&output);
    assert!(output.status.success() && said.lines().any(|line| line.ends_with("done")), "{said}");
    let counters = gateway.counters("work").await;
    assert_eq!((&counters["token_fetches"], &counters["forced"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn the_apps_of_a_company_are_told_apart_by_the_key_or_by_name() {
    let other = WORK.replace("\"work\"", "\"hr\"");
    let gateway = Gateway::with(&format!("{WORK}{other}")).await;
    let made = gateway.cli_json(&["key", "create", "sdk", "--account", "hr"]);
    let ask = |way: &str, key: &str| {
        let query = format!("corpid=ww0123456789abcdef&corpsecret={key}");
        let (stranger, target) =
            (gateway.client.without_key(), format!("{way}/cgi-bin/gettoken?{query}"));
        async move { stranger.get(&target).await }
    };
    let own = ask("", made["key"].as_str().unwrap()).await;
    assert_eq!((own.status.as_u16(), own.errcode()), (200, 0), "{}", own.text());
    let operator = gateway.client.key.clone().unwrap();
    let both = ask("", &operator).await;
    assert_eq!((both.status.as_u16(), both.code()), (400, "account_ambiguous"), "{}", both.text());
    assert!(both.text().contains("hr") && both.text().contains("work"), "{}", both.text());
    assert_eq!(ask("/@work", &operator).await.errcode(), 0);
}
