//! Messages of an app to members.

use serde_json::{Map, Value, json};

use super::directory::{TAGS, is_department, member};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Nothing is delivered; who would have got it is told.
pub(super) const CALLS: &[CallSpec] = &[CallSpec::post("/cgi-bin/message/send", send)];

/// App, kind, content, receivers: the first that is wrong refuses.
fn send(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_agent(cx)?;
    check_content(cx)?;
    let receivers = Receivers::read(cx)?;
    let mut answer = Map::from_iter([
        ("errcode".to_owned(), json!(0)),
        ("errmsg".to_owned(), json!("ok")),
        ("msgid".to_owned(), json!(cx.account.ids.text(64))),
    ]);
    for (name, invalid) in receivers.invalid {
        if !invalid.is_empty() {
            answer.insert(name.to_owned(), invalid.join("|").into());
        }
    }
    Ok(Answer::json(&Value::Object(answer)))
}

/// A token is for one app.
fn check_agent(cx: &Cx<'_>) -> Result<(), Refusal> {
    if cx.form.field("agentid").is_none() {
        return Err(Refusal::new(41011));
    }
    let agent_id = cx.form.integer("agentid").ok_or_else(|| Refusal::new(40056))?;
    let is_own = agent_id == cx.state().settings.agent_id;
    if is_own { Ok(()) } else { Err(Refusal::new(301_002)) }
}

/// The object that is named as the kind, with what that kind cannot do without.
fn check_content(cx: &Cx<'_>) -> Result<(), Refusal> {
    let kind = cx.form.text("msgtype").filter(|kind| KINDS.contains(kind));
    let kind = kind.ok_or_else(|| Refusal::new(40008))?;
    let content = cx.form.field(kind).and_then(Value::as_object);
    let content = content.ok_or_else(|| Refusal::new(40058))?;
    let text =
        |name: &str| content.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match kind {
        "text" | "markdown" => text("content").map(drop).ok_or_else(|| Refusal::new(44004)),
        "image" | "voice" | "video" | "file" => {
            let media_id = text("media_id").ok_or_else(|| Refusal::new(41006))?;
            let is_known = cx.state().media.find(media_id, cx.now_ms).is_some();
            if is_known { Ok(()) } else { Err(Refusal::new(40007)) }
        }
        _ => Ok(()),
    }
}

/// Who is meant, each list apart.
struct Receivers {
    /// Under the name of the answer's field: those that nobody is called.
    invalid: [(&'static str, Vec<String>); 3],
}

impl Receivers {
    /// 82001 if nobody is named at all, 81013 if nobody of them exists.
    fn read(cx: &Cx<'_>) -> Result<Self, Refusal> {
        let names = |field: &str| -> Vec<String> {
            let text = cx.form.text(field).unwrap_or_default();
            text.split('|').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let lists = [
            ("invaliduser", names("touser")),
            ("invalidparty", names("toparty")),
            ("invalidtag", names("totag")),
        ];
        let named: usize = lists.iter().map(|(_, names)| names.len()).sum();
        if named == 0 {
            return Err(Refusal::new(82001));
        }
        let invalid = lists.map(|(field, names)| {
            (field, names.into_iter().filter(|name| !is_receiver(field, name)).collect())
        });
        if invalid.iter().map(|(_, names): &(_, Vec<String>)| names.len()).sum::<usize>() == named {
            return Err(Refusal::new(81013));
        }
        Ok(Self { invalid })
    }
}

/// Everybody is called `@all`.
fn is_receiver(field: &str, name: &str) -> bool {
    let number = name.parse().ok();
    match field {
        "invaliduser" => name == "@all" || member(name).is_some(),
        "invalidparty" => number.is_some_and(is_department),
        _ => number.is_some_and(|number| TAGS.contains(&number)),
    }
}

const KINDS: &[&str] = &[
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "markdown",
    "miniprogram_notice",
    "template_card",
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        base::kind::AccountKind,
        sandbox::calls::bench::{Bench, Seen},
    };

    fn send(bench: &Bench, change: Value) -> Seen {
        let mut message = json!({
            "touser": "ZhangSan", "msgtype": "text", "agentid": 1_000_002,
            "text": { "content": "hello" },
        });
        let Value::Object(change) = change else { panic!("no object") };
        message.as_object_mut().unwrap().extend(change);
        bench.post("/cgi-bin/message/send", &message)
    }

    #[test]
    fn a_message_names_those_whom_it_cannot_reach() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        let sent = send(&bench, json!({"touser": "ZhangSan|nobody", "toparty": "2|9"})).json();
        assert_eq!((&sent["errcode"], &sent["invaliduser"]), (&json!(0), &json!("nobody")));
        assert_eq!(sent["invalidparty"], "9");
        assert!(sent["msgid"].is_string() && sent["invalidtag"].is_null());
        let sent = send(&bench, json!({"touser": "@all"})).json();
        assert!(sent["invaliduser"].is_null());
    }

    #[test]
    fn a_bad_message_is_refused_with_its_code() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        for (change, errcode) in [
            (json!({"agentid": null}), 41011),
            (json!({"agentid": "x"}), 40056),
            (json!({"agentid": 7}), 301_002),
            (json!({"msgtype": "fax"}), 40008),
            (json!({"msgtype": "news"}), 40058),
            (json!({"text": {"content": ""}}), 44004),
            (json!({"msgtype": "image", "image": {}}), 41006),
            (json!({"msgtype": "image", "image": {"media_id": "x"}}), 40007),
            (json!({"touser": ""}), 82001),
            (json!({"touser": "nobody"}), 81013),
        ] {
            assert_eq!(send(&bench, change.clone()).errcode, Some(errcode), "{change}");
        }
        bench.set(&json!({"agent_id": 7}));
        assert_eq!(send(&bench, json!({"agentid": "7"})).errcode, Some(0));
    }
}
