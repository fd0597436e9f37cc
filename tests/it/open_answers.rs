//! Third-party platforms: answers that are not what the documents show.

use serde_json::json;

use crate::support::{
    open_platform::{BLOG, Sdk, enter_ticket, platform_at},
    origin::{Origin, Say},
};

/// What a platform might answer to `api_query_auth`, by the code that it is asked with.
fn careless(body: &str) -> Say {
    let answer = |text: &str| Say::Json(text.to_owned());
    let info = |inner: String| format!(r#"{{"authorization_info":{{{inner}}}}}"#);
    let tokens = format!(
        r#""authorizer_access_token":"{TOKEN}","expires_in":"7200","authorizer_refresh_token":"{REFRESH}""#
    );
    if body.contains("no-app-id") {
        answer(&info(tokens))
    } else if body.contains("strange-app-id") {
        answer(&info(format!(r#""authorizer_appid":"wx 1\n",{tokens}"#)))
    } else if body.contains("echo") {
        let echo = format!(r#""authorizer_appid":"{BLOG}",{tokens},"again":"{TOKEN}""#);
        answer(&format!(r#"{{ "x":1e3, "authorization_info" : {{{echo}}},"y":"\u4e2d"}}"#))
    } else if body.contains("html") {
        answer(&format!("<html>{TOKEN}</html>"))
    } else if body.contains("long") {
        answer(&format!(r#"{{"pad":"{}",{tokens}}}"#, "x".repeat(1 << 20)))
    } else {
        answer(&format!(r#"{{"errcode":61009,"errmsg":"code is invalid {TOKEN}"}}"#))
    }
}

const TOKEN: &str = "98_careless-token-0123456789-abcdefghijklmnop";
const REFRESH: &str = "refreshtoken@@@careless-0123456789-abcdefghijklmnop";

// The platform answers while the command line waits.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_form_an_answer_has_no_token_passes() {
    let platform = Origin::start(|request, _| {
        if request.target().contains("api_component_token") {
            let token = "97_component-token-0123456789-abcdefgh";
            return Say::Json(
                json!({"component_access_token": token, "expires_in": 7200}).to_string(),
            );
        }
        careless(&String::from_utf8_lossy(&request.body))
    })
    .await;
    let url = format!("https://{}", platform.address);
    let gateway = platform_at(&url, &platform.ca_pem).start().await;
    enter_ticket(&gateway.folder(), "ticket@@@0123456789abcdef");
    let sdk = Sdk::new(&gateway.client);
    let query = |code: &str| sdk.component("api_query_auth", json!({ "authorization_code": code }));
    let echo = query("echo").await;
    let text = echo.text();
    assert!(
        text.starts_with(r#"{ "x":1e3, "authorization_info" : {"authorizer_appid":"#),
        "{text}"
    );
    assert!(
        text.contains(r#""expires_in":"7200""#) && text.ends_with(r#","y":"\u4e2d"}"#),
        "{text}"
    );
    let stars = "*".repeat(TOKEN.len());
    assert!(text.contains(&format!(r#""again":"{stars}""#)), "{text}");
    for code in ["echo", "no-app-id", "strange-app-id", "html", "long", "refused"] {
        let reply = query(code).await;
        let text = reply.text();
        assert!(!text.contains(TOKEN) && !text.contains(REFRESH), "{code}: {text}");
        let expected = if matches!(code, "html" | "long") { 502 } else { 200 };
        assert_eq!(reply.status.as_u16(), expected, "{code}: {text}");
        assert!(!text.contains("wxgt_") || code == "echo", "{code}: {text}");
    }
    for (name, bytes) in gateway.everything_written() {
        let written = String::from_utf8_lossy(&bytes);
        assert!(!written.contains(TOKEN) && !written.contains(REFRESH), "a token stands in {name}");
    }
}
