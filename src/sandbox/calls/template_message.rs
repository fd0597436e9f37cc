//! Template messages of official accounts.

use serde_json::{Value, json};

use super::user::with_audience;
use crate::sandbox::{
    audience::{Template, industries, templates},
    call::Answer,
    dispatch::{CallSpec, Cx},
    openid,
    quota::Limits,
    refusal::Refusal,
    state::State,
};

/// The limit of sending is from public SDKs and error pages; not confirmed.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/template/api_set_industry", set_industries),
    CallSpec::get("/cgi-bin/template/get_industry", tell_industries),
    CallSpec::post("/cgi-bin/template/api_add_template", add),
    CallSpec::get("/cgi-bin/template/get_all_private_template", list),
    CallSpec::post("/cgi-bin/template/del_private_template", delete),
    CallSpec::post("/cgi-bin/message/template/send", send).limited(Limits::new(100_000, None)),
];

fn set_industries(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let known = |name: &str| {
        let id = cx.form.integer(name).filter(|id| industries::find(*id).is_some());
        id.ok_or_else(|| Refusal::new(40102))
    };
    let both = (known("industry_id1")?, known("industry_id2")?);
    cx.state().templates.industries = Some(both);
    Ok(Answer::done())
}

/// An account that named none has the last of the list, twice.
fn tell_industries(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (first, second) = cx.state().templates.industries.unwrap_or((41, 41));
    Ok(Answer::json(&json!({
        "primary_industry": industries::find(first),
        "secondary_industry": industries::find(second),
    })))
}

/// The library is not known here: any number of it has a template, with the keywords that the
/// caller names.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let library_id = cx.form.text("template_id_short").unwrap_or_default();
    let is_plain = library_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if library_id.is_empty() || library_id.len() > MOST_ID_BYTES || !is_plain {
        return Err(Refusal::new(40037));
    }
    let names = keyword_names(cx)?;
    let keys: Vec<String> = (1..=names.len()).map(|n| format!("keyword{n}")).collect();
    let lines = |value: fn(&str, &str) -> String| -> String {
        names.iter().zip(&keys).map(|(name, key)| value(name, key)).collect()
    };
    let template = Template {
        title: format!("模板{library_id}"),
        content: lines(|name, key| format!("{name}:{{{{{key}.DATA}}}}\n")),
        example: lines(|name, _| format!("{name}:示例\n")),
        library_id: library_id.to_owned(),
        keys,
    };
    let template_id = cx.account.ids.text(templates::ID_LENGTH);
    let mut state = cx.state();
    let has_room = state.templates.official.len() < templates::MOST_TEMPLATES;
    if !has_room {
        return Err(Refusal::new(45026));
    }
    state.templates.official.put(&template_id, template)?;
    Ok(Answer::ok("template_id", &template_id))
}

/// `keyword_name_list`, which the older form of the call does not have.
fn keyword_names<'a>(cx: &'a Cx<'_>) -> Result<Vec<&'a str>, Refusal> {
    let Some(list) = cx.form.field("keyword_name_list") else { return Ok(vec!["内容"]) };
    let names = list.as_array().filter(|list| list.len() <= MOST_KEYWORDS);
    let names = names.ok_or_else(|| Refusal::with(40097, "keyword_name_list"))?;
    let text = |name: &'a Value| {
        let name = name.as_str().filter(|name| name.len() <= MOST_ID_BYTES);
        name.ok_or_else(|| Refusal::with(40097, "keyword_name_list"))
    };
    names.iter().map(text).collect()
}

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (first, second) = state.templates.industries.unwrap_or((41, 41));
    let name = |id| industries::find(id).map(|industry| industry["first_class"].clone());
    let all = state.templates.official.iter().map(|(id, template)| {
        json!({
            "template_id": id,
            "title": template.title,
            "primary_industry": name(first),
            "deputy_industry": name(second),
            "content": template.content,
            "example": template.example,
        })
    });
    let all: Vec<Value> = all.collect();
    Ok(Answer::json(&json!({ "template_list": all })))
}

fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = cx.form.text("template_id").unwrap_or_default();
    cx.state().templates.official.take(id).ok_or_else(|| Refusal::new(40037))?;
    Ok(Answer::done())
}

/// A blocked user cannot be reached: 43019. Jumps to mini programs need an AppID.
fn send(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let openid = openid::well_formed(cx.form.text("touser"))?;
    check_template(cx, cx.form.text("template_id").unwrap_or_default())?;
    if !cx.form.field("data").is_some_and(Value::is_object) {
        return Err(Refusal::new(47003));
    }
    if cx.form.text("url").is_some_and(|url| url.len() > MOST_URL_BYTES) {
        return Err(Refusal::new(40039));
    }
    let program = cx.form.field("miniprogram");
    if program.is_some_and(|program| program.get("appid").and_then(Value::as_str).is_none()) {
        return Err(Refusal::new(40166));
    }
    with_audience(cx, |audience, settings| {
        let follower = audience.meet(Some(openid), settings, cx.now_ms)?;
        if follower.is_blocked { Err(Refusal::new(43019)) } else { Ok(()) }
    })?;
    let msg_id = cx.new_number();
    let fields = json!({ "MsgID": msg_id, "Status": "success" });
    let fields = fields.as_object().cloned().unwrap_or_default();
    cx.world(&mut cx.state()).tell_from(openid, "TEMPLATESENDJOBFINISH", fields);
    Ok(Answer::ok("msgid", &msg_id))
}

/// What looks like a template id may have been picked in the console, unless the account's
/// switch is strict.
fn check_template(cx: &Cx<'_>, id: &str) -> Result<(), Refusal> {
    let State { templates, settings, .. } = &*cx.state();
    let is_good = templates.official.find(id).is_some()
        || (templates::is_template_id(id) && !settings.strict_templates);
    if is_good { Ok(()) } else { Err(Refusal::new(40037)) }
}

const MOST_ID_BYTES: usize = 64;
const MOST_KEYWORDS: usize = 20;
const MOST_URL_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    const SEND: &str = "/cgi-bin/message/template/send";

    fn add(bench: &Bench) -> Value {
        let body = json!({"template_id_short": "TM00015", "keyword_name_list": ["姓名", "金额"]});
        bench.post("/cgi-bin/template/api_add_template", &body).json()
    }

    #[test]
    fn a_template_is_added_listed_used_and_deleted() {
        let bench = Bench::new();
        let id = add(&bench)["template_id"].clone();
        let list = || bench.get_with_token("/cgi-bin/template/get_all_private_template", "").json();
        let template = &list()["template_list"][0];
        assert_eq!(template["content"], "姓名:{{keyword1.DATA}}\n金额:{{keyword2.DATA}}\n");
        bench.set(&json!({"strict_templates": true}));
        let message = json!({"touser": "oA", "template_id": id, "data": {}});
        assert!(bench.post(SEND, &message).json()["msgid"].is_u64());
        let delete = || {
            let body = json!({"template_id": id});
            bench.post("/cgi-bin/template/del_private_template", &body).errcode
        };
        assert_eq!((delete(), delete()), (Some(0), Some(40037)));
        assert_eq!(bench.post(SEND, &message).errcode, Some(40037));
        assert!((0..25).all(|_| add(&bench)["errcode"] == 0));
        assert_eq!(add(&bench)["errcode"], 45026);
    }

    #[test]
    fn industries_are_set_and_told() {
        let bench = Bench::new();
        let set = |first: &str| {
            let body = json!({"industry_id1": first, "industry_id2": "13"});
            bench.post("/cgi-bin/template/api_set_industry", &body).errcode
        };
        assert_eq!((set("1"), set("77")), (Some(0), Some(40102)));
        let told = bench.get_with_token("/cgi-bin/template/get_industry", "").json();
        assert_eq!(told["secondary_industry"]["second_class"], "快递");
    }

    #[test]
    fn messages_are_checked_part_by_part() {
        let bench = Bench::new();
        let id = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY";
        let blocked = json!({"openid_list": ["oB"]});
        bench.post("/cgi-bin/tags/members/batchblacklist", &blocked);
        let data = json!({"first": {"value": "好", "color": "#173177"}});
        for (message, errcode) in [
            (json!({"touser": "oA", "template_id": id, "data": data}), 0),
            (json!({"touser": "", "template_id": id, "data": data}), 40003),
            (json!({"touser": "oA", "template_id": "x", "data": data}), 40037),
            (json!({"touser": "oA", "template_id": id}), 47003),
            (json!({"touser": "oA", "template_id": id, "data": data, "miniprogram": {}}), 40166),
            (json!({"touser": "oB", "template_id": id, "data": data}), 43019),
            (json!({"touser": "oA_errcode_43004", "template_id": id, "data": data}), 43004),
        ] {
            assert_eq!(bench.post(SEND, &message).errcode, Some(errcode), "{message}");
        }
    }
}
