//! Messages to many users at once.

use serde_json::{Value, json};

use super::user::{openids, with_audience};
use crate::sandbox::{
    audience::{Audience, Broadcast, Earlier},
    call::Answer,
    dispatch::{CallSpec, Cx},
    moment, openid,
    quota::Limits,
    refusal::Refusal,
    state::State,
    world::World,
};

/// Limits are from public SDKs and error pages; not confirmed. How many messages a user gets is the account's switch.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/message/mass/sendall", send_by_tag).limited(Limits::new(100, None)),
    CallSpec::post("/cgi-bin/message/mass/send", send_to_list).limited(Limits::new(1000, None)),
    CallSpec::post("/cgi-bin/message/mass/preview", preview).limited(Limits::new(100, None)),
    CallSpec::post("/cgi-bin/message/mass/delete", delete),
    CallSpec::post("/cgi-bin/message/mass/get", tell),
];

/// To all, or to those with a tag.
fn send_by_tag(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let filter = cx.form.field("filter");
    let is_to_all = filter.and_then(|filter| filter.get("is_to_all")).and_then(Value::as_bool);
    with_audience(cx, |audience, _| match (is_to_all, tag_asked_for(cx)) {
        (Some(true), _) => Ok(()),
        (_, Some(tag)) => audience.tags.check_known(tag),
        (_, None) => Err(Refusal::new(45159)),
    })?;
    send(cx)
}

/// `filter.tag_id`, as a number or as text; none for a message to all.
fn tag_asked_for(cx: &Cx<'_>) -> Option<i64> {
    let filter = cx.form.field("filter")?;
    if filter.get("is_to_all") == Some(&Value::Bool(true)) {
        return None;
    }
    let tag = filter.get("tag_id")?;
    tag.as_i64().or_else(|| tag.as_str()?.parse().ok())
}

/// To two users or more: 40130.
fn send_to_list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let openids = openids(cx, "touser", MOST_USERS)?;
    if openids.len() < 2 {
        return Err(Refusal::new(40130));
    }
    with_audience(cx, |audience, settings| {
        openids
            .into_iter()
            .try_for_each(|openid| audience.meet(Some(openid), settings, cx.now_ms).map(|_| ()))
    })?;
    send(cx)
}

fn send(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_message(cx)?;
    let client_id = cx.form.text("clientmsgid").unwrap_or_default();
    if client_id.len() > MOST_CLIENT_ID_BYTES {
        return Err(Refusal::new(45067));
    }
    let (msg_id, msg_data_id) = (cx.new_number(), cx.new_number());
    let state = &mut *cx.state();
    let State { broadcasts, settings, audience, .. } = &mut *state;
    match broadcasts.earlier(client_id, cx.now_ms) {
        Earlier::JustNow if !client_id.is_empty() => return Err(Refusal::new(45066)),
        Earlier::Sent(msg_id) if !client_id.is_empty() => return Ok(sent_before(msg_id)),
        Earlier::Nothing | Earlier::JustNow | Earlier::Sent(_) => (),
    }
    let today = broadcasts.sent_on(moment::day(cx.now_ms));
    if settings.mass_a_day.is_some_and(|most| today >= most as usize) {
        return Err(Refusal::new(45028));
    }
    let client_id = client_id.to_owned();
    broadcasts.keep(msg_id, Broadcast { client_id, sent_ms: cx.now_ms, is_deleted: false });
    let reached = reached(cx, audience);
    tell_finished(&mut cx.world(state), msg_id, reached);
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "send job submission success",
        "msg_id": msg_id,
        "msg_data_id": msg_data_id,
    })))
}

/// How many users a message is for.
fn reached(cx: &Cx<'_>, audience: &Audience) -> usize {
    let tag = tag_asked_for(cx);
    match cx.form.field("touser").and_then(Value::as_array) {
        Some(openids) => openids.len(),
        None => {
            audience.chosen(|follower| tag.is_none_or(|tag| follower.tags.contains(&tag))).count()
        }
    }
}

/// A simulated message is with its users as soon as it is sent.
fn tell_finished(world: &mut World<'_>, msg_id: u64, reached: usize) {
    let fields = json!({
        "MsgID": msg_id,
        "Status": "send success",
        "TotalCount": reached,
        "FilterCount": reached,
        "SentCount": reached,
        "ErrorCount": 0,
    });
    world.tell("MASSSENDJOBFINISH", fields.as_object().cloned().unwrap_or_default());
}

/// 45065 comes with the number of the message that was sent.
fn sent_before(msg_id: u64) -> Answer {
    let refusal = Refusal::new(45065);
    Answer::json(&json!({
        "errcode": refusal.errcode, "errmsg": refusal.errmsg, "msg_id": msg_id,
    }))
}

/// The part that `msgtype` names must be there, and not be empty.
fn check_message(cx: &Cx<'_>) -> Result<(), Refusal> {
    let kind = cx.form.text("msgtype").ok_or_else(|| Refusal::new(40008))?;
    let (part, inner, empty) = match kind {
        "text" => ("text", "content", 44004),
        "mpnews" | "voice" | "mpvideo" | "video" => (kind, "media_id", 41006),
        "image" if cx.form.field("images").is_some() => ("images", "media_ids", 41006),
        "image" => ("image", "media_id", 41006),
        "wxcard" => ("wxcard", "card_id", 41012),
        _ => return Err(Refusal::new(40008)),
    };
    let content = cx.form.field(part).and_then(|part| part.get(inner));
    let is_there = match content {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) | None => false,
    };
    if is_there { Ok(()) } else { Err(Refusal::new(empty)) }
}

/// To one user, by openid or by WeChat name.
fn preview(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    openid::checked(cx.form.text("towxname").or_else(|| cx.form.text("touser")))?;
    check_message(cx)?;
    Ok(Answer::json(&json!({
        "errcode": 0, "errmsg": "preview success", "msg_id": cx.new_number(),
    })))
}

/// Only what was sent can be taken back.
fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let msg_id = cx.form.integer("msg_id").ok_or_else(|| Refusal::new(40059))?;
    cx.state().broadcasts.find(msg_id)?.is_deleted = true;
    Ok(Answer::done())
}

fn tell(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let msg_id = cx.form.integer("msg_id").ok_or_else(|| Refusal::new(40059))?;
    let is_deleted = cx.state().broadcasts.find(msg_id)?.is_deleted;
    let status = if is_deleted { "DELETE" } else { "SEND_SUCCESS" };
    Ok(Answer::json(&json!({ "msg_id": msg_id, "msg_status": status })))
}

/// From public SDKs and error pages; not confirmed.
const MOST_USERS: usize = 10_000;
const MOST_CLIENT_ID_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn post(bench: &Bench, rest: &str, body: &Value) -> Value {
        bench.post(&format!("/cgi-bin/message/mass/{rest}"), body).json()
    }

    fn to_all(client_id: &str) -> Value {
        json!({
            "filter": {"is_to_all": true}, "text": {"content": "你好"}, "msgtype": "text",
            "clientmsgid": client_id,
        })
    }

    #[test]
    fn a_message_is_sent_once_for_each_id_of_its_sender() {
        let bench = Bench::new();
        let sent = post(&bench, "sendall", &to_all("a"));
        assert_eq!(sent["errmsg"], "send job submission success");
        let told = &bench.control("GET", "events", "").1["events"][0]["message"];
        assert_eq!((&told["MsgID"], &told["SentCount"]), (&sent["msg_id"], &json!(20)));
        assert_eq!(post(&bench, "sendall", &to_all("a"))["errcode"], 45066);
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        let again = post(&bench, "sendall", &to_all("a"));
        assert_eq!((&again["errcode"], &again["msg_id"]), (&json!(45065), &sent["msg_id"]));
        assert_eq!(post(&bench, "sendall", &to_all(""))["errcode"], 0);
        assert_eq!(post(&bench, "sendall", &to_all(""))["errcode"], 0, "no id, no comparison");
        let one = json!({"msg_id": sent["msg_id"]});
        assert_eq!(post(&bench, "get", &one)["msg_status"], "SEND_SUCCESS");
        assert_eq!(post(&bench, "delete", &one)["errcode"], 0);
        assert_eq!(post(&bench, "get", &one)["msg_status"], "DELETE");
        assert_eq!(post(&bench, "get", &json!({"msg_id": 1}))["errcode"], 40059);
        bench.set(&json!({"mass_a_day": 3}));
        assert_eq!(post(&bench, "sendall", &to_all("b"))["errcode"], 45028);
    }

    #[test]
    fn bad_messages_have_their_errcodes() {
        let bench = Bench::new();
        let text = json!({"content": "x"});
        for (rest, body, errcode) in [
            ("send", json!({"touser": ["oA", "oB"], "msgtype": "text", "text": text}), 0),
            ("send", json!({"touser": ["oA"], "msgtype": "text", "text": text}), 40130),
            ("send", json!({"touser": "oA", "msgtype": "text", "text": text}), 40031),
            ("send", json!({"touser": ["oA", "oB"], "msgtype": "fax"}), 40008),
            ("send", json!({"touser": ["oA", "oB"], "msgtype": "text", "text": {}}), 44004),
            ("sendall", json!({"filter": {"tag_id": 7}, "msgtype": "text", "text": text}), 45159),
            ("sendall", json!({"filter": {"tag_id": 2}, "msgtype": "mpnews", "mpnews": {}}), 41006),
            ("sendall", to_all(&"x".repeat(65)), 45067),
            ("preview", json!({"touser": "oA", "msgtype": "text", "text": text}), 0),
            ("preview", json!({"msgtype": "text", "text": text}), 40003),
            ("delete", json!({}), 40059),
        ] {
            assert_eq!(post(&bench, rest, &body)["errcode"], errcode, "{rest} {body}");
        }
    }
}
