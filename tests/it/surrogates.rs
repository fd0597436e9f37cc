//! Tokens for laptops: same shape to an SDK, worthless elsewhere, dead with their key.

use http::Method;
use serde_json::{Value, json};

use crate::{
    capture::exported,
    support::{
        Client, Gateway,
        client::{Reply, Speak},
        eventually,
        gateway::{Builder, TWO},
        origin::{Origin, Say},
    },
};

const APP_ID: &str = "wx0123456789abcdef";
const CALL: &str = "/cgi-bin/getcallbackip";

/// Asks for a token as an SDK does, without any header of ours.
async fn fetch(client: &Client, app_id: &str) -> Reply {
    let key = client.key.clone().unwrap();
    let query = format!("grant_type=client_credential&appid={app_id}&secret={key}");
    client.without_key().get(&format!("/cgi-bin/token?{query}")).await
}

async fn surrogate(client: &Client, app_id: &str) -> String {
    let reply = fetch(client, app_id).await;
    let text = reply.json()["access_token"].as_str().unwrap_or_default().to_owned();
    assert!(text.starts_with("wxgt_"), "{}", reply.text());
    text
}

/// A call as an SDK makes it: the token in the query, no other credential.
async fn call(client: &Client, path: &str, token: &str) -> Reply {
    client.without_key().get(&format!("{path}?access_token={token}")).await
}

#[tokio::test]
async fn an_sdk_that_fetches_a_token_gets_a_surrogate_that_works() {
    let gateway = Gateway::start().await;
    let client = &gateway.client;
    for app_id in [APP_ID, "demo"] {
        let reply = fetch(client, app_id).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["expires_in"]), (200, &json!(7200)));
        assert!(reply.json().get("errcode").is_none(), "as the platform: {}", reply.text());
        assert!(reply.headers.contains_key("x-request-id"));
        let token = surrogate(client, app_id).await;
        assert!(token.len() <= 512);
        let good = call(client, CALL, &token).await;
        assert_eq!(good.errcode(), 0, "{}", good.text());
    }
    let key = client.key.clone().unwrap();
    let body = json!({"grant_type": "client_credential", "appid": APP_ID, "secret": key, "force_refresh": true});
    let reply = client.without_key().post("/cgi-bin/stable_token", body.to_string()).await;
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(call(client, CALL, &token).await.errcode(), 0);
    let mut bearer = client.without_key().request(Method::GET, CALL, "");
    bearer.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(client.send(Speak::Http2, bearer).await.errcode(), 0);
    let counters = gateway.counters("demo").await;
    assert_eq!(counters["token_fetches"], 1, "the broker's own, and no other");
    assert_eq!(counters["forced"], 0);
}

#[tokio::test]
async fn a_wrong_token_call_is_refused_in_the_platforms_words() {
    let gateway = Gateway::with(TWO).await;
    let client = gateway.key("dev", &["--account", "shop"]);
    let (key, bare) = (client.key.clone().unwrap(), client.without_key());
    let damaged = key.replace(&key[20..24], "AAAA");
    for (query, errcode) in [
        (format!("grant_type=client_credential&appid=wx0000000000000001&secret={key}"), 0),
        (format!("grant_type=x&appid=wx0000000000000001&secret={key}"), 40_002),
        (format!("appid=wx0000000000000001&secret={key}"), 40_002),
        (format!("grant_type=client_credential&secret={key}"), 41_002),
        ("grant_type=client_credential".into(), 41_002),
        ("grant_type=client_credential&appid=wx0000000000000001".into(), 41_004),
        (format!("grant_type=client_credential&appid=wx9&secret={key}"), 40_013),
        (format!("grant_type=client_credential&appid=WX0000000000000001&secret={key}"), 40_013),
        (format!("grant_type=client_credential&appid=wx0000000000000002&secret={key}"), 40_013),
        (
            "grant_type=client_credential&appid=shop&secret=0123456789abcdef0123456789abcdef"
                .into(),
            40_125,
        ),
        (format!("grant_type=client_credential&appid=shop&secret={damaged}"), 40_125),
    ] {
        let reply = bare.get(&format!("/cgi-bin/token?{query}")).await;
        assert_eq!(reply.status.as_u16(), 200, "{query}: {}", reply.text());
        let found = reply.json()["errcode"].as_i64().unwrap_or(0);
        assert_eq!(found, errcode, "{query}: {}", reply.text());
        let errmsg = reply.json()["errmsg"].as_str().unwrap_or_default().to_owned();
        assert!(errcode == 0 || errmsg.contains(" rid: "), "{errmsg}");
    }
    eventually("a wrong form is the caller's mistake", || async {
        exported(&gateway, &["errcode:40002 outcome:request"]).len() == 2
    })
    .await;
    let stable = |body: &str| bare.post("/cgi-bin/stable_token", body.to_owned());
    for (body, errcode) in [
        ("", 44_002),
        ("{", 47_001),
        ("{}", 41_002),
        (r#"{"appid":"shop"}"#, 41_004),
        (r#"{"appid":"shop","secret":"no key"}"#, 40_125),
    ] {
        assert_eq!(stable(body).await.errcode(), errcode, "{body}");
    }
    assert_eq!(bare.get("/cgi-bin/stable_token").await.errcode(), 43_002);
    let of_wecom = format!("/@shop/cgi-bin/gettoken?corpid=shop&corpsecret={key}");
    assert_eq!(bare.get(&of_wecom).await.errcode(), 40_066);
    assert_eq!(gateway.counters("shop").await["token_fetches"], 0);
}

#[tokio::test]
async fn a_token_call_of_another_api_is_none_of_ours() {
    let origin = Origin::start(|_, _| Say::Json(r#"{"token":"of the bank"}"#.into())).await;
    let bank = origin.account("bank").replace("mini-program", "generic");
    let gateway = Builder::new(&bank)
        .secret_file("secrets/bank", "0123456789abcdef0123456789abcdef")
        .secret_file("origin-ca.pem", &origin.ca_pem)
        .start()
        .await;
    for path in ["/cgi-bin/token?user=alice", "/@bank/cgi-bin/token", "/cgi-bin/gettoken?a=b"] {
        let reply = gateway.client.get(path).await;
        assert_eq!(reply.json()["token"], "of the bank", "{path}: {}", reply.text());
    }
    assert_eq!(origin.received().len(), 3);
}

#[tokio::test]
async fn the_real_secret_in_a_token_call_goes_nowhere_and_is_not_recorded() {
    let gateway = Gateway::start().await;
    let secret = "fedcba9876543210fedcba9876543210";
    let query = format!("grant_type=client_credential&appid={APP_ID}&secret={secret}");
    let reply = gateway.client.get(&format!("/cgi-bin/token?{query}")).await;
    assert_eq!(reply.errcode(), 40_125, "{}", reply.text());
    let bare = gateway.client.without_key().get(&format!("/cgi-bin/token?{query}")).await;
    assert_eq!(bare.errcode(), 40_125, "{}", bare.text());
    let journal = gateway.client.get("/-/sandbox/demo/journal").await.text();
    assert!(!journal.contains("cgi-bin/token"), "{journal}");
    let log = gateway.log();
    assert!(
        !log.contains(secret) && !reply.text().contains(secret) && !bare.text().contains(secret)
    );
}

#[tokio::test]
async fn a_forged_cut_or_foreign_surrogate_makes_an_sdk_fetch_another() {
    let (gateway, other) = (Gateway::start().await, Gateway::start().await);
    let token = surrogate(&gateway.client, APP_ID).await;
    let foreign = surrogate(&other.client, APP_ID).await;
    let mut changed = token.clone();
    changed.replace_range(60..61, if &token[60..61] == "A" { "B" } else { "A" });
    for bad in [&token[..token.len() - 4], &changed, &foreign, "wxgt_", "wxgt_abc"] {
        let reply = call(&gateway.client, CALL, bad).await;
        assert_eq!((reply.status.as_u16(), reply.errcode()), (200, 40_001), "{}", reply.text());
        assert_eq!(reply.code(), "surrogate_refused");
        assert!(!reply.text().contains("seal") && !reply.text().contains("forged"));
    }
    assert_eq!(gateway.counters("demo").await["calls"].get(CALL), None, "nothing was sent");
    let reasons = ["forged or changed", "sealed elsewhere", "not whole"];
    eventually("the log names each reason", || async {
        reasons.iter().all(|reason| gateway.log().contains(reason))
    })
    .await;
}

#[tokio::test]
async fn an_expired_surrogate_is_42001_and_the_next_fetch_heals_it() {
    let gateway = Gateway::with(&format!(
        "[token]\nsurrogate_life = \"1s\"\n{}",
        crate::support::gateway::DEMO
    ))
    .await;
    let reply = fetch(&gateway.client, APP_ID).await;
    assert_eq!(reply.json()["expires_in"], 1);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let mut last = call(&gateway.client, CALL, &token).await;
    while last.errcode() == 0 {
        last = call(&gateway.client, CALL, &token).await;
    }
    assert_eq!((last.status.as_u16(), last.errcode()), (200, 42_001), "{}", last.text());
    let newer = surrogate(&gateway.client, APP_ID).await;
    assert_eq!(call(&gateway.client, CALL, &newer).await.errcode(), 0);
    let kept = || exported(&gateway, &["errcode:42001"]);
    eventually("it is recorded", || async { !kept().is_empty() }).await;
    let kept = kept().remove(0);
    assert_eq!(kept["errmsg"], "surrogate: expired", "the record tells why: {kept:#}");
}

#[tokio::test]
async fn a_surrogate_dies_with_its_key_and_opens_nothing_but_its_account() {
    let gateway = Gateway::with(TWO).await;
    let both = gateway.key("both", &["--account", "shop", "--account", "blog"]);
    let token = surrogate(&both, "shop").await;
    assert_eq!(call(&both, CALL, &token).await.errcode(), 0, "its account needs no name");
    assert_eq!(call(&both, &format!("/@shop{CALL}"), &token).await.errcode(), 0);
    let elsewhere = call(&both, &format!("/@blog{CALL}"), &token).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.errcode()), (401, -94_015));
    assert!(!elsewhere.text().contains("blog"), "why is not told: {}", elsewhere.text());
    eventually("a leaked surrogate cries out", || async { gateway.log().contains("ALARM") }).await;
    assert!(gateway.log().contains("surrogate: for another account"));

    let mixed = format!("{CALL}?access_token={}", surrogate(&gateway.client, "shop").await);
    assert_eq!(both.get(&mixed).await.code(), "ambiguous_key");
    let own = both.get(&format!("{CALL}?access_token={token}")).await;
    assert_eq!(own.errcode(), 0, "key and surrogate of one key: {}", own.text());

    assert!(gateway.cli(&["key", "revoke", "both"]).status.success());
    let dead = call(&both, CALL, &token).await;
    assert_eq!((dead.status.as_u16(), dead.code()), (401, "surrogate_refused"));
    eventually("who revoked it learns of it", || async {
        gateway.log().contains("surrogate of the revoked key both")
    })
    .await;
    let again = fetch(&both, "shop").await;
    assert_eq!(again.errcode(), 40_125, "no loop: {}", again.text());
}

#[tokio::test]
async fn a_surrogate_keeps_to_its_lane() {
    let real = "[[account]]\nname = \"shop\"\napp_id = \"wx0000000000000001\"\n\
        app_secret = \"file:secrets/shop\"\nupstream = \"https://127.0.0.1:9\"\nca = \"bundled\"\n";
    let gateway = Builder::new(real)
        .secret_file("secrets/shop", "0123456789abcdef0123456789abcdef")
        .start()
        .await;
    let sandbox = gateway.key("boxed", &["--account", "shop", "--lane", "sandbox"]);
    let token = surrogate(&sandbox, "shop").await;
    assert_eq!(call(&sandbox, CALL, &token).await.errcode(), 0, "the shadow answers");
    let reader = gateway.key("reader", &["--account", "shop", "--lane", "read-only"]);
    let token = surrogate(&reader, "shop").await;
    let write = reader
        .without_key()
        .post(&format!("/cgi-bin/message/custom/send?access_token={token}"), "{}")
        .await;
    assert_eq!(write.code(), "lane_read_only", "{}", write.text());
    let less = |token: String| {
        let mut request =
            reader.without_key().request(Method::GET, &format!("{CALL}?access_token={token}"), "");
        request.headers_mut().insert("x-wxgate-upstream", "sandbox".parse().unwrap());
        request
    };
    let reply = reader.send(Speak::Http1, less(token)).await;
    assert_eq!(reply.errcode(), 0, "a request may ask for less: {}", reply.text());

    let key = reader.key.clone().unwrap();
    let query = format!("grant_type=client_credential&appid=shop&secret={key}");
    let mut boxed =
        reader.without_key().request(Method::GET, &format!("/cgi-bin/token?{query}"), "");
    boxed.headers_mut().insert("x-wxgate-upstream", "sandbox".parse().unwrap());
    let boxed = reader.send(Speak::Http1, boxed).await.json();
    let boxed = boxed["access_token"].as_str().unwrap().to_owned();
    let more = call(&reader, CALL, &boxed).await;
    assert_eq!(more.code(), "surrogate_refused", "not for more: {}", more.text());
    assert_eq!(reader.send(Speak::Http1, less(boxed)).await.errcode(), 0);
}

#[tokio::test]
async fn a_surrogate_from_a_foreign_network_is_refused_like_its_key() {
    let tables = format!(
        "{}\n[[key]]\nname = \"office\"\nsha256 = \"{}\"\nrole = \"developer\"\naccounts = [\"demo\"]\nlane = \"live\"\nnetworks = [\"127.0.0.1\"]\n",
        crate::support::gateway::DEMO,
        OFFICE_SHA256
    );
    let tables = format!("trusted_proxies = [\"127.0.0.1\"]\n{tables}");
    let gateway = Gateway::with(&tables).await;
    let office = gateway.client.with_key(OFFICE);
    let token = surrogate(&office, "demo").await;
    assert_eq!(call(&office, CALL, &token).await.errcode(), 0);
    let mut elsewhere =
        office.without_key().request(Method::GET, &format!("{CALL}?access_token={token}"), "");
    elsewhere.headers_mut().insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
    let reply = office.send(Speak::Http1, elsewhere).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "surrogate_refused"));
    eventually("the alarm names the address", || async {
        gateway.log().contains("ALARM") && gateway.log().contains("203.0.113.9")
    })
    .await;
}

#[tokio::test]
async fn head_has_the_length_of_the_answer_and_nothing_else_on_both_protocols() {
    let gateway = Gateway::start().await;
    for path in ["/-/healthz", "/-/readyz", "/cgi-bin/nothing?access_token=wxgt_x"] {
        let whole = gateway.client.get(path).await;
        for speak in [Speak::Http1, Speak::Http2] {
            let request = gateway.client.request(Method::HEAD, path, "");
            let reply = gateway.client.send(speak, request).await;
            assert_eq!(reply.status, whole.status, "{path}");
            assert!(reply.body.is_empty(), "{path}");
            assert_eq!(reply.headers["content-length"], whole.body.len().to_string(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_surrogate_fetches_no_other_and_opens_no_door_of_ours() {
    let gateway = Gateway::start().await;
    let token = surrogate(&gateway.client, APP_ID).await;
    let bare = gateway.client.without_key();
    let query = format!("grant_type=client_credential&appid={APP_ID}&secret={token}");
    assert_eq!(bare.get(&format!("/cgi-bin/token?{query}")).await.errcode(), 40_125);
    let with_bearer = gateway.client.with_key(&token);
    let query = format!("grant_type=client_credential&appid={APP_ID}");
    assert_eq!(with_bearer.get(&format!("/cgi-bin/token?{query}")).await.errcode(), 40_125);
    let door = with_bearer.get("/-/sandbox/demo/counters").await;
    assert_eq!((door.status.as_u16(), door.code()), (401, "surrogate_refused"));
}

#[tokio::test]
async fn a_rotated_installation_key_takes_no_surrogate_back() {
    let gateway = Gateway::start().await;
    let token = surrogate(&gateway.client, APP_ID).await;
    let told = gateway.cli_json(&["token", "rotate"]);
    assert_eq!(told["keys"], 2, "{told}");
    assert_eq!(call(&gateway.client, CALL, &token).await.errcode(), 0);
    let newer = surrogate(&gateway.client, APP_ID).await;
    let gateway = gateway.restart().await;
    for token in [token, newer] {
        assert_eq!(call(&gateway.client, CALL, &token).await.errcode(), 0);
    }
}

#[tokio::test]
async fn a_ticket_is_fetched_once_for_all_and_kept() {
    let gateway = Gateway::start().await;
    let token = surrogate(&gateway.client, APP_ID).await;
    let ask = |kind: &str| {
        let path = format!("/cgi-bin/ticket/getticket?type={kind}&access_token={token}");
        let client = gateway.client.without_key();
        async move { client.get(&path).await }
    };
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(ask("jsapi"));
    }
    let replies = futures_util::future::join_all(all).await;
    let first = replies[0].json();
    assert_eq!((&first["errcode"], &first["errmsg"]), (&json!(0), &json!("ok")), "{first}");
    let same = |reply: &Reply| reply.json()["ticket"] == first["ticket"];
    assert!(replies.iter().all(same) && first["ticket"].as_str().is_some_and(|t| t.len() > 20));
    assert_ne!(ask("wx_card").await.json()["ticket"], first["ticket"]);
    let calls = gateway.counters("demo").await["calls"]["/cgi-bin/ticket/getticket"].clone();
    assert_eq!(calls, Value::from(2), "one for each kind");
    gateway.fault("demo", json!({"kind": "foreign_fetch"})).await;
    assert_eq!(ask("jsapi").await.json()["ticket"], first["ticket"]);
    let everything = gateway.everything_written();
    let ticket = first["ticket"].as_str().unwrap();
    for (name, bytes) in everything {
        assert!(memchr::memmem::find(&bytes, ticket.as_bytes()).is_none(), "{name} holds it");
    }
}

/// A key that no database knows, and its hash.
const OFFICE: &str = "wxgk_0123456789_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1rh02u";
const OFFICE_SHA256: &str = "08edad1e51bb72bd10c680b299c685e17ed399713407272d44036f2d134f42bf";
