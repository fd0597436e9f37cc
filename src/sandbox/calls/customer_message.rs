//! Customer service messages.

use serde_json::Value;

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    escapes, openid,
    quota::Limits,
    refusal::Refusal,
};

/// The limit is from public SDKs and error pages; not confirmed.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/message/custom/send", send).limited(Limits::new(500_000, None)),
    CallSpec::post("/cgi-bin/message/custom/typing", type_on),
];

/// An openid that ends in `_errcode_45015` is answered with that errcode.
fn send(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    escapes::check(cx)?;
    let openid = openid::well_formed(cx.form.text("touser"))?;
    let kind = cx.form.text("msgtype").ok_or_else(|| Refusal::new(40008))?;
    if !KINDS.contains(&kind) {
        return Err(Refusal::new(40008));
    }
    let content = cx.form.field(kind).filter(|content| content.is_object());
    check_content(cx, kind, content.ok_or_else(|| Refusal::with(40097, kind))?)?;
    openid::checked(Some(openid))?;
    if !cx.state().reply_to(openid) {
        return Err(Refusal::new(45047));
    }
    Ok(Answer::done())
}

/// Tells a user that an answer is being typed, or no more: 45072 for anything else.
fn type_on(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    openid::checked(cx.form.text("touser"))?;
    match cx.form.text("command") {
        Some("Typing" | "CancelTyping") => Ok(Answer::done()),
        Some(_) | None => Err(Refusal::new(45072)),
    }
}

/// The part of the message that its type names; types without a rule here only need an object.
fn check_content(cx: &Cx<'_>, kind: &str, content: &Value) -> Result<(), Refusal> {
    let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
    match kind {
        "text" if text("content").is_empty() => Err(Refusal::new(44004)),
        "text" if text("content").len() > MOST_TEXT_BYTES => Err(Refusal::new(45002)),
        "image" | "voice" | "video" if text("media_id").is_empty() => Err(Refusal::new(41006)),
        "image" | "voice" | "video" => {
            let found = cx.state().media.find(text("media_id"), cx.now_ms);
            found.map(|_| ()).ok_or_else(|| Refusal::new(40007))
        }
        _ => Ok(()),
    }
}

/// Of mini programs, then of official accounts.
const KINDS: &[&str] = &[
    "text",
    "image",
    "link",
    "miniprogrampage",
    "voice",
    "video",
    "music",
    "news",
    "mpnews",
    "mpnewsarticle",
    "msgmenu",
    "wxcard",
];
/// As documented for text messages.
const MOST_TEXT_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn send(bench: &Bench, message: &Value) -> i64 {
        bench.post("/cgi-bin/message/custom/send", message).errcode.unwrap()
    }

    fn text(openid: &str) -> Value {
        json!({"touser": openid, "msgtype": "text", "text": {"content": "你好"}})
    }

    #[test]
    fn messages_are_checked_part_by_part() {
        let bench = Bench::new();
        for (message, errcode) in [
            (text("o1"), 0),
            (text(""), 40003),
            (json!({"msgtype": "text", "text": {"content": "x"}}), 40003),
            (json!({"touser": "o1", "text": {"content": "x"}}), 40008),
            (json!({"touser": "o1", "msgtype": "fax", "fax": {}}), 40008),
            (json!({"touser": "o1", "msgtype": "text"}), 40097),
            (json!({"touser": "o1", "msgtype": "text", "text": {"content": ""}}), 44004),
            (
                json!({"touser": "o1", "msgtype": "text", "text": {"content": "x".repeat(2049)}}),
                45002,
            ),
            (json!({"touser": "o1", "msgtype": "image", "image": {}}), 41006),
            (json!({"touser": "o1", "msgtype": "image", "image": {"media_id": "x"}}), 40007),
            (json!({"touser": "o1", "msgtype": "link", "link": {"title": "x"}}), 0),
            (text("oSome_errcode_45015"), 45015),
            (text("oSome_errcode_45047"), 45047),
            (text("oSome_errcode_x"), 0),
        ] {
            assert_eq!(send(&bench, &message), errcode, "{message}");
        }
    }

    #[test]
    fn typing_is_one_of_two_words() {
        let bench = Bench::new();
        let typing = |command: &str| {
            let body = json!({"touser": "o1", "command": command});
            bench.post("/cgi-bin/message/custom/typing", &body).errcode
        };
        assert_eq!((typing("Typing"), typing("CancelTyping")), (Some(0), Some(0)));
        assert_eq!(typing("Sleeping"), Some(45072));
    }

    #[test]
    fn a_user_gets_so_many_messages_and_no_more() {
        let bench = Bench::new();
        bench.set(&json!({"reply_limit": 2}));
        assert_eq!((send(&bench, &text("o1")), send(&bench, &text("o1"))), (0, 0));
        assert_eq!((send(&bench, &text("o1")), send(&bench, &text("o2"))), (45047, 0));
    }

    #[test]
    fn unicode_escapes_are_refused_when_asked_to() {
        let bench = Bench::new();
        let escaped = r#"{"touser":"o1","msgtype":"text","text":{"content":"\u4f60"}}"#;
        let windows = r#"{"touser":"o1","msgtype":"text","text":{"content":"c:\\users"}}"#;
        let send = |body| bench.post_text("/cgi-bin/message/custom/send", body).errcode;
        assert_eq!(send(escaped), Some(0));
        bench.set(&json!({"refuse_unicode_escapes": true}));
        assert_eq!((send(escaped), send(windows)), (Some(40033), Some(0)));
    }
}
