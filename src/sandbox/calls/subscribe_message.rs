//! Subscribe messages, and the templates for them.

use serde_json::{Value, json};

use crate::sandbox::{
    audience::{Template, message_values, template_library, templates},
    call::Answer,
    dispatch::{CallSpec, Cx},
    openid,
    refusal::Refusal,
    state::State,
};

/// Mini programs send with the first call, official accounts with the second.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/message/subscribe/send", send),
    CallSpec::post("/cgi-bin/message/subscribe/bizsend", send),
    CallSpec::get("/wxaapi/newtmpl/getcategory", categories),
    CallSpec::get("/wxaapi/newtmpl/getpubtemplatetitles", titles),
    CallSpec::get("/wxaapi/newtmpl/getpubtemplatekeywords", keywords),
    CallSpec::post("/wxaapi/newtmpl/addtemplate", add),
    CallSpec::get("/wxaapi/newtmpl/gettemplate", list),
    CallSpec::post("/wxaapi/newtmpl/deltemplate", delete),
];

/// 43101 unless the user agreed: all did, unless the account's switch names those who did. A
/// message that is refused uses nothing up.
fn send(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let openid = openid::well_formed(cx.form.text("touser"))?;
    let id = cx.form.text("template_id").unwrap_or_default();
    let State { templates, settings, .. } = &mut *cx.state();
    let keys = match templates.subscribe.find(id) {
        Some(template) => template.keys.as_slice(),
        None if templates::is_template_id(id) && !settings.strict_templates => &[],
        None => return Err(Refusal::new(40037)),
    };
    message_values::check(cx.form.field("data"), keys)?;
    if let (Some(pages), Some(page)) = (&settings.pages, cx.form.text("page")) {
        let path = page.split_once('?').map_or(page, |(path, _)| path);
        if !pages.iter().any(|known| known == path) {
            return Err(Refusal::new(41030));
        }
    }
    openid::checked(Some(openid))?;
    if let Some(granted) = &settings.subscriptions {
        templates.spend(openid, granted)?;
    }
    Ok(Answer::done())
}

fn categories(_: &Cx<'_>) -> Result<Answer, Refusal> {
    let all = template_library::CATEGORIES.iter();
    let all: Vec<Value> = all.map(|(id, name)| json!({ "id": id, "name": name })).collect();
    Ok(Answer::ok("data", &all))
}

/// `ids` are categories with commas between them.
fn titles(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let ids = cx.query.value("ids").ok_or_else(|| Refusal::new(200_018))?;
    let ids: Result<Vec<i64>, _> = ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| Refusal::new(200_019))?;
    let number = |name: &str| cx.query.value(name).and_then(|text| text.parse::<usize>().ok());
    let start = number("start").ok_or_else(|| Refusal::new(200_016))?;
    let limit = number("limit").filter(|limit| *limit <= MOST_TITLES);
    let limit = limit.ok_or_else(|| Refusal::new(200_017))?;
    let found: Vec<Value> = template_library::titles(&ids).map(|title| title.to_json()).collect();
    let page: Vec<&Value> = found.iter().skip(start).take(limit).collect();
    Ok(Answer::json(&json!({
        "errcode": 0, "errmsg": "ok", "count": found.len(), "data": page,
    })))
}

fn keywords(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let tid = cx.query.value("tid").and_then(|tid| tid.parse().ok());
    let title = tid.and_then(template_library::find).ok_or_else(|| Refusal::new(200_014))?;
    let all = title.keywords();
    Ok(Answer::json(&json!({ "errcode": 0, "errmsg": "ok", "count": all.len(), "data": all })))
}

/// Two to five keywords, in the order in which they will stand.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let title = cx.form.integer("tid").and_then(template_library::find);
    let title = title.ok_or_else(|| Refusal::new(200_014))?;
    let kids = cx.form.field("kidList").and_then(Value::as_array);
    let kids = kids.filter(|kids| (2..=5).contains(&kids.len()));
    let kids = kids.ok_or_else(|| Refusal::new(200_020))?;
    let keyword = |kid: &Value| kid.as_i64().and_then(|kid| title.keyword(kid));
    let keywords: Option<Vec<_>> = kids.iter().map(keyword).collect();
    let keywords = keywords.ok_or_else(|| Refusal::new(200_020))?;
    let scene = cx.form.text("sceneDesc").unwrap_or_default();
    if scene.chars().count() > MOST_SCENE_CHARACTERS {
        return Err(Refusal::new(200_021));
    }
    let template = Template {
        library_id: title.tid.to_string(),
        title: title.title.to_owned(),
        content: keywords.iter().map(|k| k.line(&format!("{{{{{}.DATA}}}}", k.key()))).collect(),
        example: keywords.iter().map(|keyword| keyword.line(keyword.example())).collect(),
        keys: keywords.iter().map(|keyword| keyword.key()).collect(),
    };
    let id = cx.account.ids.text(templates::ID_LENGTH);
    let own = &mut cx.state().templates.subscribe;
    if own.iter().any(|(_, known)| *known == template) {
        return Err(Refusal::new(200_022));
    }
    if own.len() >= templates::MOST_TEMPLATES {
        return Err(Refusal::new(200_012));
    }
    own.put(&id, template)?;
    Ok(Answer::ok("priTmplId", &id))
}

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let all = state.templates.subscribe.iter().map(|(id, template)| {
        let library = template.library_id.parse().ok().and_then(template_library::find);
        json!({
            "priTmplId": id,
            "title": template.title,
            "content": template.content,
            "example": template.example,
            "type": library.map_or(2, |title| title.kind),
        })
    });
    let all: Vec<Value> = all.collect();
    Ok(Answer::ok("data", &all))
}

fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = cx.form.text("priTmplId").unwrap_or_default();
    cx.state().templates.subscribe.take(id).ok_or_else(|| Refusal::new(40037))?;
    Ok(Answer::done())
}

/// From public SDKs and error pages; not confirmed.
const MOST_TITLES: usize = 30;
const MOST_SCENE_CHARACTERS: usize = 15;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    const SEND: &str = "/cgi-bin/message/subscribe/send";
    const ADD: &str = "/wxaapi/newtmpl/addtemplate";

    fn message(openid: &str, id: &Value) -> Value {
        let data = json!({"thing1": {"value": "雨伞"}, "amount2": {"value": "9.90元"}});
        json!({"touser": openid, "template_id": id, "page": "pages/a?x=1", "data": data})
    }

    #[test]
    fn a_template_is_picked_used_and_given_back() {
        let bench = Bench::new();
        let body = json!({"tid": "99", "kidList": [1, 2], "sceneDesc": "付款"});
        let id = bench.post(ADD, &body).json()["priTmplId"].clone();
        assert_eq!(bench.post(ADD, &body).errcode, Some(200_022));
        let listed = bench.get_with_token("/wxaapi/newtmpl/gettemplate", "").json();
        assert_eq!(
            listed["data"][0]["content"],
            "物品名称:{{thing1.DATA}}\n付款金额:{{amount2.DATA}}\n"
        );
        bench.set(&json!({"strict_templates": true}));
        assert_eq!(bench.post(SEND, &message("oA", &id)).errcode, Some(0));
        let mut bad = message("oA", &id);
        bad["data"] = json!({"thing1": {"value": "雨伞"}});
        assert_eq!(bench.post(SEND, &bad).errcode, Some(47003));
        let delete =
            || bench.post("/wxaapi/newtmpl/deltemplate", &json!({"priTmplId": id})).errcode;
        assert_eq!((delete(), delete()), (Some(0), Some(40037)));
        assert_eq!(bench.post(SEND, &message("oA", &id)).errcode, Some(40037));
    }

    #[test]
    fn only_users_who_agreed_are_reached() {
        let bench = Bench::new();
        let id = json!("9Aw5ZV1j9xdWTFEkRpZ7S1uJtcpSLUEs6LRPy4d5r1E");
        let send = |openid: &str| bench.post(SEND, &message(openid, &id)).errcode;
        assert_eq!((send("oA"), send("")), (Some(0), Some(40003)));
        assert_eq!(send("oA_errcode_43108"), Some(43108));
        bench.set(&json!({"subscriptions": {"oA": 1}}));
        assert_eq!((send("oA"), send("oA"), send("oB")), (Some(0), Some(43101), Some(43101)));
        bench.set(&json!({"subscriptions": null, "pages": ["pages/b"]}));
        assert_eq!(send("oA"), Some(41030));
    }

    #[test]
    fn the_library_is_read_in_pages() {
        let bench = Bench::new();
        let titles = |query: &str| {
            bench.get_with_token("/wxaapi/newtmpl/getpubtemplatetitles", query).json()
        };
        let page = titles("ids=616,307&start=1&limit=1");
        assert_eq!((&page["count"], page["data"].as_array().unwrap().len()), (&json!(3), 1));
        assert_eq!(titles("start=0&limit=1")["errcode"], 200_018);
        assert_eq!(titles("ids=x&start=0&limit=1")["errcode"], 200_019);
        assert_eq!(titles("ids=616&limit=1")["errcode"], 200_016);
        assert_eq!(titles("ids=616&start=0&limit=31")["errcode"], 200_017);
        let keywords =
            |tid: &str| bench.get_with_token("/wxaapi/newtmpl/getpubtemplatekeywords", tid).json();
        assert_eq!(keywords("tid=99")["count"], 4);
        assert_eq!(keywords("tid=1")["errcode"], 200_014);
        let categories = bench.get_with_token("/wxaapi/newtmpl/getcategory", "").json();
        assert_eq!(categories["data"][0]["id"], 616);
        for (body, errcode) in [
            (json!({"tid": 1, "kidList": [1, 2]}), 200_014),
            (json!({"tid": 99, "kidList": [1]}), 200_020),
            (json!({"tid": 99, "kidList": [1, 9]}), 200_020),
            (json!({"tid": 99, "kidList": [1, 2], "sceneDesc": "长".repeat(16)}), 200_021),
        ] {
            assert_eq!(bench.post(ADD, &body).errcode, Some(errcode), "{body}");
        }
    }
}
