//! What a mini program asks about a user: the phone number, and whether a text may be shown.

use serde_json::{Value, json};

use super::login::{is_well_formed, user_of};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    openid,
    refusal::Refusal,
};

/// Of the second call there are two versions: the older answers with an errcode alone.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/wxa/business/getuserphonenumber", phone_number),
    CallSpec::post("/wxa/msg_sec_check", check_text),
];

/// Codes work once and name their user, as login codes do: `alice-1` and `alice-2` have one
/// number. Both a code that was used and one that never was are 40029.
fn phone_number(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let code = cx.form.text("code").filter(|code| is_well_formed(code));
    let code = code.ok_or_else(|| Refusal::new(40029))?;
    // The same text may be a login code too.
    if !cx.state().login_codes.spend(&format!("phone {code}")) {
        return Err(Refusal::new(40029));
    }
    let openid = openid::derived(&cx.account.identity.app_id, user_of(code));
    let digits: String =
        openid.bytes().skip(1).take(8).map(|byte| char::from(b'0' + byte % 10)).collect();
    let number = format!("138{digits}");
    Ok(Answer::ok(
        "phone_info",
        &json!({
            "phoneNumber": number,
            "purePhoneNumber": number,
            "countryCode": "86",
            "watermark": {
                "timestamp": cx.now_ms / 1000, "appid": cx.account.identity.app_id,
            },
        }),
    ))
}

fn check_text(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let content = cx.form.text("content").ok_or_else(|| Refusal::with(40097, "content"))?;
    if content.chars().count() > MOST_CHARACTERS {
        return Err(Refusal::new(45002));
    }
    let is_risky = cx.state().settings.risky_words.iter().any(|word| content.contains(word));
    if cx.form.integer("version") != Some(2) {
        return if is_risky { Err(Refusal::new(87014)) } else { Ok(Answer::done()) };
    }
    let scene = cx.form.field("scene").and_then(Value::as_i64);
    if !scene.is_some_and(|scene| (1..=4).contains(&scene)) {
        return Err(Refusal::new(40129));
    }
    openid::checked(cx.form.text("openid"))?;
    let (suggest, label) = if is_risky { ("risky", 20006) } else { ("pass", 100) };
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "result": { "suggest": suggest, "label": label },
        "detail": [{
            "strategy": "content_model",
            "errcode": 0,
            "suggest": suggest,
            "label": label,
            "prob": 90,
        }],
        "trace_id": cx.account.ids.text(26),
    })))
}

/// From public SDKs and error pages; not confirmed.
const MOST_CHARACTERS: usize = 2500;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    #[test]
    fn a_code_gives_its_users_number_once() {
        let bench = Bench::new();
        let ask = |code: &str| {
            bench.post("/wxa/business/getuserphonenumber", &json!({"code": code})).json()
        };
        let first = ask("alice-1")["phone_info"]["phoneNumber"].clone();
        assert_eq!(first.as_str().unwrap().len(), 11);
        assert_eq!(ask("alice-2")["phone_info"]["phoneNumber"], first);
        assert_eq!(
            (&ask("alice-1")["errcode"], &ask("a b")["errcode"]),
            (&json!(40029), &json!(40029))
        );
    }

    #[test]
    fn texts_are_judged_by_both_versions() {
        let bench = Bench::new();
        bench.set(&json!({"risky_words": ["坏"]}));
        let check = |body: &Value| bench.post("/wxa/msg_sec_check", body).json();
        let new = |content: &str, scene: i64| {
            check(&json!({"version": 2, "scene": scene, "openid": "oA", "content": content}))
        };
        assert_eq!(new("好", 1)["result"], json!({"suggest": "pass", "label": 100}));
        assert_eq!(new("坏", 2)["result"]["suggest"], "risky");
        assert_eq!(new("好", 5)["errcode"], 40129);
        assert_eq!(check(&json!({"content": "好"}))["errcode"], 0);
        assert_eq!(check(&json!({"content": "坏"}))["errcode"], 87014);
        assert_eq!(check(&json!({}))["errcode"], 40097);
        let nobody = json!({"version": 2, "scene": 1, "content": "好"});
        assert_eq!(check(&nobody)["errcode"], 40003);
    }
}
