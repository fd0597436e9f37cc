//! Third-party platforms: tickets, component tokens, merchants; no real token leaves the host.

use http::Method;
use serde_json::{Value, json};

use crate::{
    capture::exported,
    support::{
        Gateway,
        client::Speak,
        eventually,
        gateway::Builder,
        open_platform::{
            BLOG, IPS, PLATFORM, SHOP, STAFF, Sdk, Simulator, authorized, enter_ticket, text,
        },
    },
};

/// A platform, a merchant with a name of its own, and two that only the sandbox knows.
const ALL: &str = r#"
[[account]]
name = "open"
kind = "open-platform"
app_id = "wxopen000000000001"
upstream = "sandbox"

[[account]]
name = "shop"
app_id = "wx0000000000000001"
provider = "open"
upstream = "sandbox"

[[account]]
name = "blog-itself"
kind = "official-account"
app_id = "wx0000000000000002"
upstream = "sandbox"
"#;

/// Every long text of the sandbox's platform: tickets, tokens, refresh tokens.
async fn real_secrets(gateway: &Gateway) -> Vec<String> {
    let snapshot = gateway.client.get("/-/sandbox/open/snapshot").await.json();
    let mut found = Vec::new();
    collect(&snapshot, &mut found);
    assert!(found.iter().any(|text| text.starts_with("refreshtoken@@@")), "{snapshot}");
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 60 && !text.contains(' ') => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        // Codes are for whoever asked for them.
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !name.ends_with("codes"));
            kept.for_each(|(_, item)| collect(item, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_platform_authorizes_calls_and_refreshes_without_a_real_token_leaving_the_host() {
    let gateway = Gateway::with(ALL).await;
    let sdk = Sdk::new(&gateway.client);
    let mut answers = Vec::new();
    let code = sdk.component("api_create_preauthcode", json!({})).await;
    assert!(code.json()["pre_auth_code"].is_string(), "{}", code.text());
    let info = authorized(&gateway, &sdk, BLOG).await;
    assert_eq!((text(&info, "authorizer_appid"), &info["expires_in"]), (BLOG, &json!(7200)));
    assert!(info["func_info"][0]["funcscope_category"]["id"].is_i64(), "{info}");
    let (token, handle) =
        (text(&info, "authorizer_access_token"), text(&info, "authorizer_refresh_token"));
    let good = sdk.call(IPS, token).await;
    assert_eq!(good.errcode(), 0, "{}", good.text());
    assert_eq!(sdk.call(STAFF, token).await.errcode(), 0);
    assert_eq!(gateway.counters("blog-itself").await["calls"][IPS], 1, "it is the merchant's call");
    assert_eq!(gateway.counters("blog-itself").await["token_fetches"], 0);

    let again = sdk.refresh(BLOG, handle).await;
    assert_eq!(text(&again.json(), "authorizer_refresh_token"), handle, "{}", again.text());
    let renewed = again.json();
    assert_eq!(sdk.call(STAFF, text(&renewed, "authorizer_access_token")).await.errcode(), 0);
    let list = sdk.component("api_get_authorizer_list", json!({"offset": 0, "count": 9})).await;
    assert_eq!(
        (&list.json()["total_count"], text(&list.json()["list"][0], "authorizer_appid")),
        (&json!(1), BLOG)
    );
    assert!(text(&list.json()["list"][0], "refresh_token").starts_with("wxgr_"), "{}", list.text());
    let about = json!({ "authorizer_appid": BLOG });
    let shown = sdk.component("api_get_authorizer_info", about).await;
    let found = shown.json()["authorization_info"].clone();
    assert!(text(&found, "authorizer_refresh_token").starts_with("wxgr_"), "{}", shown.text());
    assert_eq!(shown.json()["authorizer_info"]["principal_name"], "wxgate sandbox");
    let lost = sdk.refresh(BLOG, text(&found, "authorizer_refresh_token")).await;
    assert_eq!(lost.errcode(), 0, "a handle that was lost is found again: {}", lost.text());
    let component = sdk.component_token().await;
    let login = format!(
        "/sns/component/jscode2session?component_access_token={component}&component_appid={PLATFORM}\
         &appid={BLOG}&js_code=alice-1&grant_type=authorization_code"
    );
    let session = sdk.client.get(&login).await;
    assert!(session.json()["openid"].is_string(), "{}", session.text());
    answers.extend([code, good, again, list, shown, lost]);

    let real = real_secrets(&gateway).await;
    let record = || format!("{:?}", exported(&gateway, &[]));
    eventually("all calls in the record", || async {
        record().matches("authorizer_token").count() >= 2
    })
    .await;
    let export = record();
    for secret in &real {
        for answer in &answers {
            assert!(!answer.text().contains(secret), "{}", answer.text());
        }
        assert!(!export.contains(secret) && !info.to_string().contains(secret));
    }
    nothing_written_holds(&gateway, &real);
    for of_ours in ["wxgt_", "wxgr_"] {
        let rest = export.split(of_ours).skip(1);
        assert!(rest.into_iter().all(|rest| rest.starts_with('*')), "{of_ours} in the record");
    }
}

/// Neither the log nor a file of the data folder.
fn nothing_written_holds(gateway: &Gateway, secrets: &[String]) {
    for secret in secrets {
        for (name, bytes) in gateway.everything_written() {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "a secret stands in {name}");
        }
    }
}

#[tokio::test]
async fn wrong_calls_are_refused_in_the_platforms_words() {
    let gateway = Gateway::with(ALL).await;
    let sdk = Sdk::new(&gateway.client);
    let key = sdk.key.clone();
    for (body, errcode) in [
        (json!({}), 41_002),
        (json!({"component_appid": PLATFORM}), 41_004),
        (json!({"component_appid": PLATFORM, "component_appsecret": "no key"}), 40_125),
        (json!({"component_appid": "wx9", "component_appsecret": key}), 61_011),
        (json!({"component_appid": SHOP, "component_appsecret": key}), 40_066),
    ] {
        let reply = sdk.fetch_component(body.clone()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.errcode()),
            (200, errcode),
            "{body}: {}",
            reply.text()
        );
    }
    let classic =
        format!("/cgi-bin/token?grant_type=client_credential&appid={PLATFORM}&secret={key}");
    assert_eq!(sdk.client.get(&classic).await.errcode(), 40_066);

    let info = authorized(&gateway, &sdk, BLOG).await;
    let handle = text(&info, "authorizer_refresh_token").to_owned();
    let mut changed = handle.clone();
    changed.replace_range(40..41, if &handle[40..41] == "A" { "B" } else { "A" });
    for (app_id, given, errcode) in [
        (BLOG, "refreshtoken@@@real", 61_023),
        (BLOG, changed.as_str(), 61_023),
        (BLOG, "", 61_023),
        ("wx9", handle.as_str(), 61_003),
        ("", handle.as_str(), 40_013),
    ] {
        let reply = sdk.refresh(app_id, given).await;
        assert_eq!(reply.errcode(), errcode, "{app_id} {}", reply.text());
    }
    let token = text(&info, "authorizer_access_token");
    let reply = sdk
        .client
        .post(
            &format!("/cgi-bin/component/api_get_authorizer_list?component_access_token={token}"),
            json!({"component_appid": PLATFORM, "offset": 0, "count": 1}).to_string(),
        )
        .await;
    assert_eq!(reply.errcode(), 61_014, "a merchant's token: {}", reply.text());
}

#[tokio::test]
async fn a_merchant_is_named_by_app_id_by_surrogate_or_as_an_account() {
    let gateway = Gateway::with(ALL).await;
    let (client, sdk) = (&gateway.client, Sdk::new(&gateway.client));
    authorized(&gateway, &sdk, BLOG).await;
    gateway.sandbox("open", "authorize", json!({ "appid": SHOP })).await;

    // The configured merchant needs no api_query_auth: its refresh token is asked for.
    let reply = client.get(&format!("/@shop{STAFF}")).await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());
    assert_eq!(client.get(&format!("/@{SHOP}{STAFF}")).await.errcode(), 0);
    assert_eq!(gateway.counters("shop").await["token_fetches"], 0, "the platform's tokens only");
    let key = sdk.key.clone();
    let query = format!("grant_type=client_credential&appid={SHOP}&secret={key}");
    let fetched = sdk.client.get(&format!("/cgi-bin/token?{query}")).await.json();
    assert_eq!(sdk.call(STAFF, text(&fetched, "access_token")).await.errcode(), 0);

    // One that only authorized.
    assert_eq!(client.get(&format!("/@{BLOG}{STAFF}")).await.errcode(), 0);
    let mut by_header = client.request(Method::GET, STAFF, "");
    by_header.headers_mut().insert("x-wxgate-account", BLOG.parse().unwrap());
    assert_eq!(client.send(Speak::Http2, by_header).await.errcode(), 0);

    let alone = client.get(&format!("/@open{STAFF}")).await;
    assert_eq!((alone.status.as_u16(), alone.code()), (400, "account_ambiguous"));
    let hint = alone.json()["wxgate"]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("/@") && hint.contains("X-Wxgate-Account"), "{hint}");
    assert_eq!(client.get(&format!("/@open{IPS}")).await.errcode(), 0, "for platforms too");
    assert_eq!(client.get("/@wx0000000000000009/x").await.status.as_u16(), 404);

    // Who may not use the platform cannot tell whether the merchant is there.
    let narrow = gateway.key("narrow", &["--account", "blog-itself"]);
    let refused = narrow.get(&format!("/@{BLOG}{STAFF}")).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "account_unknown"));
    let of_shop = gateway.key("of-shop", &["--account", "shop"]);
    assert_eq!(of_shop.get(STAFF).await.errcode(), 0);
    assert_eq!(of_shop.get(&format!("/@{BLOG}{STAFF}")).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_surrogate_of_a_merchant_opens_nothing_else_and_dies_with_its_key() {
    let gateway = Gateway::with(ALL).await;
    let dev = gateway.key("dev", &["--account", "open"]);
    let sdk = Sdk::new(&dev);
    let info = authorized(&gateway, &sdk, BLOG).await;
    let token = text(&info, "authorizer_access_token");
    gateway.sandbox("open", "authorize", json!({ "appid": SHOP })).await;
    assert_eq!(gateway.client.get(&format!("/@shop{STAFF}")).await.errcode(), 0);
    let other = sdk.call(&format!("/@{SHOP}{STAFF}"), token).await;
    assert_eq!(other.code(), "surrogate_refused", "it is for {BLOG}: {}", other.text());
    let own = sdk.call(&format!("/@{BLOG}{STAFF}"), token).await;
    assert_eq!(own.errcode(), 0, "{}", own.text());
    let all = Sdk::new(&gateway.client);
    let mine = authorized(&gateway, &all, SHOP).await;
    let mine = text(&mine, "authorizer_access_token").to_owned();
    assert_eq!(all.call(&format!("/@shop{STAFF}"), &mine).await.errcode(), 0);
    let stray = all.call(&format!("/@{BLOG}{STAFF}"), &mine).await;
    assert_eq!((stray.status.as_u16(), stray.code()), (401, "surrogate_refused"));
    let component = all.component_token().await;
    let stray = all.call(&format!("/@{BLOG}{STAFF}"), &component).await;
    assert_eq!(stray.code(), "surrogate_refused", "{}", stray.text());

    gateway.cli(&["key", "revoke", "dev"]);
    let dead = sdk.call(STAFF, token).await;
    assert_eq!((dead.status.as_u16(), dead.code()), (401, "surrogate_refused"), "{}", dead.text());
}

#[tokio::test]
async fn dead_tokens_of_both_sorts_are_replaced_within_the_request() {
    let gateway = Gateway::with(ALL).await;
    let sdk = Sdk::new(&gateway.client);
    let info = authorized(&gateway, &sdk, BLOG).await;
    let (token, handle) =
        (text(&info, "authorizer_access_token"), text(&info, "authorizer_refresh_token"));
    // Tokens of the platform and of its merchants are both over.
    gateway.fault("open", json!({"kind": "expire_token"})).await;
    let reply = sdk.call(STAFF, token).await;
    assert_eq!((reply.errcode(), reply.headers["x-wxgate-attempts"].to_str().unwrap()), (0, "2"));
    let list = sdk.component("api_get_authorizer_list", json!({"offset": 0, "count": 9})).await;
    assert_eq!(list.errcode(), 0, "{}", list.text());

    // Authorized again elsewhere: the old handle is dead, as on the platform; the token heals.
    gateway.sandbox("open", "authorize", json!({ "appid": BLOG })).await;
    let reply = sdk.call(STAFF, token).await;
    assert_eq!(reply.errcode(), 0, "the refresh token was asked for: {}", reply.text());
    assert_eq!(sdk.refresh(BLOG, handle).await.errcode(), 61_023);
    let newer = authorized(&gateway, &sdk, BLOG).await;
    let renewed = sdk.refresh(BLOG, text(&newer, "authorizer_refresh_token")).await;
    assert_eq!(renewed.errcode(), 0, "{}", renewed.text());

    gateway.sandbox("open", "unauthorize", json!({ "appid": BLOG })).await;
    let gone = sdk.call(STAFF, token).await;
    assert_eq!((gone.status.as_u16(), gone.code()), (502, "token_rejected"), "{}", gone.text());
    let said = gone.json();
    assert!(said["wxgate"]["hint"].as_str().unwrap().contains("api_query_auth"), "{said}");
    assert_eq!(sdk.refresh(BLOG, text(&newer, "authorizer_refresh_token")).await.errcode(), 61_003);
    let shown = gateway.cli_json(&["token", "show"]);
    let slot = format!("open/merchant/{BLOG}/token");
    let all = shown["tokens"].as_array().unwrap();
    assert!(all.iter().any(|token| token["slot"] == slot.as_str()), "{shown}");
    let history = gateway.cli_json(&["token", "history", &format!("open/{BLOG}")]);
    assert!(history["generations"].as_array().unwrap().len() >= 2, "{history}");
    let forgotten = gateway.cli_json(&["token", "forget", &format!("open/{BLOG}")]);
    assert_eq!(forgotten["forgotten"], slot.as_str());
    assert_eq!(gateway.client.get(&format!("/@{BLOG}{STAFF}")).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_ticket_comes_by_standard_input_and_a_restart_keeps_everything() {
    let platform = Simulator::start().await;
    let gateway = platform.gateway().start().await;
    let sdk = Sdk::new(&gateway.client);
    let reply = sdk.component("api_create_preauthcode", json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (502, "token_unavailable"));
    let hint = reply.json()["wxgate"]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("https://localhost/-/callback/open"), "{hint}");
    assert!(hint.contains("wxgate token ticket open"), "{hint}");

    assert_eq!(enter_ticket(&gateway.folder(), "\n").0, 2);
    let (code, said) = enter_ticket(&gateway.folder(), "ticket@@@of-another-platform-0123456789");
    assert!(code == 0 && said.contains("61006"), "{code} {said}");
    let ticket = platform.ticket().await;
    let (code, said) = enter_ticket(&gateway.folder(), &format!("{ticket}\n"));
    assert!(code == 0 && said.contains("valid"), "{code} {said}");
    let reply = sdk.component("api_create_preauthcode", json!({})).await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());

    let given = platform.post("authorize", json!({ "appid": BLOG })).await;
    let body = json!({ "authorization_code": given["authorization_code"] });
    let info = sdk.component("api_query_auth", body).await.json()["authorization_info"].clone();
    let (token, handle) = (
        text(&info, "authorizer_access_token").to_owned(),
        text(&info, "authorizer_refresh_token").to_owned(),
    );
    assert_eq!(sdk.call(STAFF, &token).await.errcode(), 0);
    let gateway = gateway.restart().await;
    let sdk = Sdk::new(&gateway.client);
    assert_eq!(sdk.call(STAFF, &token).await.errcode(), 0, "the surrogate outlives a restart");
    assert_eq!(sdk.refresh(BLOG, &handle).await.errcode(), 0, "and so does the handle");
    assert_eq!(gateway.client.get(&format!("/@{BLOG}{STAFF}")).await.errcode(), 0);
    let calls = platform.control.get("/-/sandbox/open/counters").await.json();
    let fetches = |call: &str| calls["calls"][format!("/cgi-bin/component/{call}")].clone();
    assert_eq!(fetches("api_authorizer_token"), Value::Null, "{calls}");
    for (name, bytes) in gateway.everything_written() {
        let is_there = bytes.windows(ticket.len()).any(|window| window == ticket.as_bytes());
        assert!(!is_there, "the ticket stands in {name}");
    }
}

#[tokio::test]
async fn a_ticket_that_was_entered_while_nothing_ran_is_there_at_the_start() {
    let platform = Simulator::start().await;
    let mut gateway = platform.gateway().start().await;
    gateway.signal("-TERM");
    assert!(gateway.wait().success());
    let (code, said) = enter_ticket(&gateway.folder(), &platform.ticket().await);
    assert!(code == 0 && said.contains("stored"), "{code} {said}");
    let gateway = gateway.restart().await;
    let sdk = Sdk::new(&gateway.client);
    let reply = sdk.component("api_create_preauthcode", json!({})).await;
    assert_eq!(reply.errcode(), 0, "{}", reply.text());
}

#[tokio::test]
async fn a_provider_that_does_not_fit_stops_the_start_with_all_its_mistakes() {
    let wrong = r#"
[[account]]
name = "open"
kind = "open-platform"
app_id = "wxopen000000000001"
upstream = "https://api.weixin.qq.com"
token = "stable"

[[account]]
name = "shop"
app_id = "wx0000000000000001"
app_secret = "env:NOT_THERE"
provider = "opn"
upstream = "sandbox"
"#;
    let (code, said) = Builder::new(wrong).fail();
    assert_eq!(code, 78, "{said}");
    for part in ["app_secret is missing", "component token", "exclude each other", "`opn` is not"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
