//! The menu of an official account.

use serde_json::{Value, json};

use super::user::with_audience;
use crate::sandbox::{
    audience::{Rule, buttons},
    call::Answer,
    dispatch::{CallSpec, Cx},
    escapes,
    refusal::Refusal,
    state::State,
};

/// Calls that take buttons refuse `\u` escapes where the account's switch asks for it.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/menu/create", create).keeping(),
    CallSpec::get("/cgi-bin/menu/get", tell),
    CallSpec::get("/cgi-bin/menu/delete", delete),
    CallSpec::post("/cgi-bin/menu/addconditional", add_conditional).keeping(),
    CallSpec::post("/cgi-bin/menu/delconditional", delete_conditional),
    CallSpec::post("/cgi-bin/menu/trymatch", try_match),
    CallSpec::get("/cgi-bin/get_current_selfmenu_info", tell_current),
];

fn create(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    escapes::check(cx)?;
    let buttons = buttons::checked(cx.form.field("button"))?;
    cx.state().menus.set(buttons.clone());
    Ok(Answer::done())
}

fn tell(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&cx.state().menus.to_json()?))
}

/// The conditional ones go too.
fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().menus.clear();
    Ok(Answer::done())
}

fn add_conditional(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    escapes::check(cx)?;
    let buttons = buttons::checked(cx.form.field("button"))?;
    let rule = Rule::new(cx.form.field("matchrule").unwrap_or(&Value::Null))?;
    let id = cx.state().menus.add(buttons.clone(), rule)?;
    Ok(Answer::json(&json!({ "menuid": id.to_string() })))
}

/// SDKs send the id as text or as a number.
fn delete_conditional(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = cx.form.integer("menuid").ok_or_else(|| Refusal::new(65301))?;
    cx.state().menus.take(&id.to_string())?;
    Ok(Answer::done())
}

/// `user_id` is an openid, or a WeChat name, which the simulator takes for one.
fn try_match(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let follower = with_audience(cx, |audience, settings| {
        let met = audience.meet(cx.form.text("user_id"), settings, cx.now_ms);
        met.map(|follower| follower.clone()).map_err(|refusal| match refusal.errcode {
            40003 => Refusal::new(65302),
            _ => refusal,
        })
    })?;
    let State { menus, .. } = &*cx.state();
    Ok(Answer::json(&json!({ "button": menus.seen_by(&follower)? })))
}

/// The menu in force, however it was made. Here it is always made by calls.
fn tell_current(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let told = match state.menus.usual() {
        None => json!({ "is_menu_open": 0 }),
        Some(usual) => json!({
            "is_menu_open": 1,
            "selfmenu_info": { "button": buttons::as_self_menu(usual) },
        }),
    };
    Ok(Answer::json(&told))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn menu() -> Value {
        json!({"button": [
            {"type": "click", "name": "今日歌曲", "key": "V1001"},
            {"name": "菜单", "sub_button": [{"type": "view", "name": "搜索", "url": "http://a.cn/"}]},
        ]})
    }

    #[test]
    fn a_menu_is_made_told_and_deleted() {
        let bench = Bench::new();
        let get = |path: &str| bench.get_with_token(path, "");
        assert_eq!(get("/cgi-bin/menu/get").errcode, Some(46003));
        assert_eq!(get("/cgi-bin/get_current_selfmenu_info").json(), json!({"is_menu_open": 0}));
        assert_eq!(bench.post("/cgi-bin/menu/create", &menu()).errcode, Some(0));
        assert_eq!(get("/cgi-bin/menu/get").json()["menu"]["button"], menu()["button"]);
        let current = get("/cgi-bin/get_current_selfmenu_info").json();
        let below = &current["selfmenu_info"]["button"][1]["sub_button"]["list"][0];
        assert_eq!(below["name"], "搜索");
        assert_eq!(get("/cgi-bin/menu/delete").errcode, Some(0));
        assert_eq!(get("/cgi-bin/menu/get").errcode, Some(46003));
        assert_eq!(bench.post("/cgi-bin/menu/create", &json!({})).errcode, Some(40016));
    }

    #[test]
    fn unicode_escapes_are_refused_when_asked_to() {
        let bench = Bench::new();
        let escaped = r#"{"button":[{"type":"view","name":"a","url":"http://a.cn/?b\u0026c"}]}"#;
        assert_eq!(bench.post_text("/cgi-bin/menu/create", escaped).errcode, Some(0));
        bench.set(&json!({"refuse_unicode_escapes": true}));
        assert_eq!(bench.post_text("/cgi-bin/menu/create", escaped).errcode, Some(40033));
    }

    #[test]
    fn a_conditional_menu_is_seen_by_those_it_is_for() {
        let bench = Bench::new();
        let post = |rest: &str, body: &Value| bench.post(&format!("/cgi-bin/menu/{rest}"), body);
        let mut conditional = menu();
        conditional["matchrule"] = json!({"tag_id": "2"});
        assert_eq!(post("addconditional", &conditional).errcode, Some(65303));
        assert_eq!(post("create", &menu()).errcode, Some(0));
        assert_eq!(post("addconditional", &menu()).errcode, Some(65304));
        conditional["button"][0]["name"] = "星标".into();
        let id = post("addconditional", &conditional).json()["menuid"].clone();
        let tagging = json!({"openid_list": ["oA"], "tagid": 2});
        bench.post("/cgi-bin/tags/members/batchtagging", &tagging);
        let first_of = |openid: &str| {
            post("trymatch", &json!({"user_id": openid})).json()["button"][0]["name"].clone()
        };
        assert_eq!((first_of("oA"), first_of("oB")), (json!("星标"), json!("今日歌曲")));
        assert_eq!(post("trymatch", &json!({})).errcode, Some(65302));
        assert_eq!(post("delconditional", &json!({"menuid": id})).errcode, Some(0));
        assert_eq!(post("delconditional", &json!({"menuid": id})).errcode, Some(65301));
    }
}
