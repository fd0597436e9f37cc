//! QR codes that lead to an official account, and short keys.

use serde_json::{Value, json};

use super::code_picture::{Look, draw};
use crate::sandbox::{
    call::Answer,
    content::{Scene, ShortText},
    credential::Credential,
    dispatch::{CallSpec, Cx},
    envelope,
    refusal::Refusal,
};

/// The picture needs no access token: its ticket is enough, which tells its account.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/qrcode/create", create),
    CallSpec::get("/cgi-bin/showqrcode", show).with(Credential::Bearer("ticket", 40097)),
    CallSpec::post("/cgi-bin/shorturl", shorten_url),
    CallSpec::post("/cgi-bin/shorten/gen", shorten),
    CallSpec::post("/cgi-bin/shorten/fetch", lengthen),
];

/// 40052 for an unknown sort of code, 40053 for a bad scene.
fn create(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let action = cx.form.text("action_name").unwrap_or_default();
    let scene = cx.form.field("action_info").and_then(|info| info.get("scene"));
    let number = scene.and_then(|scene| scene.get("scene_id")).and_then(Value::as_u64);
    let text = scene.and_then(|scene| scene.get("scene_str")).and_then(Value::as_str);
    let has_text = text.is_some_and(|text| (1..=MOST_SCENE_BYTES).contains(&text.len()));
    let (is_good, is_lasting) = match action {
        "QR_SCENE" => (number.is_some_and(|id| (1..=u64::from(u32::MAX)).contains(&id)), false),
        "QR_STR_SCENE" => (has_text, false),
        "QR_LIMIT_SCENE" => (number.is_some_and(|id| (1..=MOST_LASTING_ID).contains(&id)), true),
        "QR_LIMIT_STR_SCENE" => (has_text, true),
        _ => return Err(Refusal::new(40052)),
    };
    if !is_good {
        return Err(Refusal::new(40053));
    }
    let expires_in_s = cx.form.integer("expire_seconds").unwrap_or(USUAL_LIFE_S);
    if !is_lasting && !(1..=LONGEST_LIFE_S).contains(&expires_in_s) {
        return Err(Refusal::with(40097, "expire_seconds is at most 2592000"));
    }
    let expires_ms = (!is_lasting).then(|| cx.now_ms.saturating_add(expires_in_s * 1000));
    let ticket = cx.account.marked_text(TICKET_LENGTH);
    let url = format!("http://weixin.qq.com/q/{}", cx.account.ids.text(22));
    let mut answer = json!({ "ticket": ticket, "url": url });
    if !is_lasting {
        answer["expire_seconds"] = expires_in_s.into();
    }
    cx.state().links.scenes.put_for_oldest(&ticket, Scene { url, expires_ms });
    Ok(Answer::json(&answer))
}

/// A picture, or the front server's own page: the only call here that knows an HTTP status.
fn show(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let ticket = cx.query.value("ticket").unwrap_or_default();
    let url = cx.state().links.scene(ticket, cx.now_ms).map(|scene| scene.url.clone());
    let look = Look { width: 430, line: [0; 3], is_transparent: false };
    let picture = url.and_then(|url| draw(&url, look));
    Ok(picture.map_or_else(
        || envelope::page(http::StatusCode::NOT_FOUND),
        |picture| Answer::binary("image/png", picture),
    ))
}

fn shorten_url(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    if cx.form.text("action") != Some("long2short") {
        return Err(Refusal::new(40052));
    }
    let url = cx.form.text("long_url").ok_or_else(|| Refusal::new(41010))?;
    let is_known = ["http://", "https://", "weixin://wxpay"].iter().any(|is| url.starts_with(is));
    if !is_known || url.len() > MOST_TEXT_BYTES {
        return Err(Refusal::new(40039));
    }
    Ok(Answer::ok("short_url", &format!("https://w.url.cn/s/{}", cx.account.ids.text(7))))
}

fn shorten(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let text = cx.form.text("long_data").filter(|text| text.len() <= MOST_TEXT_BYTES);
    let text = text.ok_or_else(|| Refusal::with(40097, "long_data"))?.to_owned();
    let expires_in_s = cx.form.integer("expire_seconds").unwrap_or(LONGEST_LIFE_S);
    if !(1..=LONGEST_LIFE_S).contains(&expires_in_s) {
        return Err(Refusal::with(40097, "expire_seconds is at most 2592000"));
    }
    let key = cx.account.ids.text(15);
    let expires_ms = cx.now_ms.saturating_add(expires_in_s * 1000);
    let short = ShortText { text, created_ms: cx.now_ms, expires_ms };
    cx.state().links.shorts.put_for_oldest(&key, short);
    Ok(Answer::ok("short_key", &key))
}

fn lengthen(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let short = state.links.short(cx.form.text("short_key").unwrap_or_default(), cx.now_ms)?;
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "long_data": short.text,
        "create_time": short.created_ms / 1000,
        "expire_seconds": (short.expires_ms - cx.now_ms) / 1000,
    })))
}

const TICKET_LENGTH: usize = 96;
/// From public SDKs and error pages; not confirmed.
const MOST_SCENE_BYTES: usize = 64;
const MOST_LASTING_ID: u64 = 100_000;
const USUAL_LIFE_S: i64 = 60;
const LONGEST_LIFE_S: i64 = 2_592_000;
const MOST_TEXT_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn create(bench: &Bench, action: &str, scene: &Value) -> Value {
        let body = json!({"action_name": action, "action_info": {"scene": scene}});
        bench.post("/cgi-bin/qrcode/create", &body).json()
    }

    #[test]
    fn a_ticket_shows_its_code_until_it_is_old() {
        let bench = Bench::new();
        let made = create(&bench, "QR_STR_SCENE", &json!({"scene_str": "test"}));
        assert_eq!(made["expire_seconds"], 60);
        let query = format!("ticket={}", made["ticket"].as_str().unwrap());
        let show = || bench.reply(http::Method::GET, "/cgi-bin/showqrcode", &query).answer;
        assert_eq!((show().status.as_u16(), show().content_type), (200, "image/png"));
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(show().status.as_u16(), 404);
        let lasting = create(&bench, "QR_LIMIT_SCENE", &json!({"scene_id": 1}));
        assert_eq!(lasting.get("expire_seconds"), None);
    }

    #[test]
    fn scenes_have_bounds() {
        let bench = Bench::new();
        for (action, scene, errcode) in [
            ("QR_FAX", json!({"scene_id": 1}), 40052),
            ("QR_SCENE", json!({"scene_id": 0}), 40053),
            ("QR_LIMIT_SCENE", json!({"scene_id": 100_001}), 40053),
            ("QR_STR_SCENE", json!({"scene_str": "x".repeat(65)}), 40053),
            ("QR_LIMIT_STR_SCENE", json!({}), 40053),
        ] {
            assert_eq!(create(&bench, action, &scene)["errcode"], errcode, "{action}");
        }
    }

    #[test]
    fn texts_are_shortened_and_read_back() {
        let bench = Bench::new();
        let post = |rest: &str, body: &Value| bench.post(&format!("/cgi-bin/{rest}"), body).json();
        let made = post("shorten/gen", &json!({"long_data": "loooong", "expire_seconds": 60}));
        let fetch = || post("shorten/fetch", &json!({"short_key": made["short_key"]}));
        assert_eq!(fetch()["long_data"], "loooong");
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(fetch()["errcode"], 40097);
        assert_eq!(post("shorten/gen", &json!({}))["errcode"], 40097);
        let url = |url: &str| post("shorturl", &json!({"action": "long2short", "long_url": url}));
        assert!(url("http://wap.koudaitong.com/v2/")["short_url"].is_string());
        assert_eq!(
            (&url("ftp://a")["errcode"], &url("")["errcode"]),
            (&json!(40039), &json!(41010))
        );
    }
}
