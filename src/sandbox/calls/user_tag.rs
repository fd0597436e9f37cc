//! Tags of followers, and the blacklist.

use serde_json::{Value, json};

use super::user::{openids, page, with_audience};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Official accounts use these.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/tags/create", create),
    CallSpec::get("/cgi-bin/tags/get", list),
    CallSpec::post("/cgi-bin/tags/update", rename),
    CallSpec::post("/cgi-bin/tags/delete", delete),
    CallSpec::post("/cgi-bin/user/tag/get", members),
    CallSpec::post("/cgi-bin/tags/members/batchtagging", tag),
    CallSpec::post("/cgi-bin/tags/members/batchuntagging", untag),
    CallSpec::post("/cgi-bin/tags/getidlist", tags_of),
    CallSpec::post("/cgi-bin/tags/members/getblacklist", blacklist),
    CallSpec::post("/cgi-bin/tags/members/batchblacklist", block),
    CallSpec::post("/cgi-bin/tags/members/batchunblacklist", unblock),
];

/// `{"tag": {"id", "name"}}`.
fn part<'a>(cx: &'a Cx<'_>, name: &str) -> Option<&'a Value> {
    cx.form.field("tag").and_then(|tag| tag.get(name))
}

fn id(cx: &Cx<'_>) -> Result<i64, Refusal> {
    part(cx, "id").and_then(Value::as_i64).ok_or_else(|| Refusal::new(45159))
}

fn name<'a>(cx: &'a Cx<'_>) -> &'a str {
    part(cx, "name").and_then(Value::as_str).unwrap_or_default()
}

fn create(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = with_audience(cx, |audience, _| audience.tags.create(name(cx)))?;
    Ok(Answer::json(&json!({ "tag": { "id": id, "name": name(cx) } })))
}

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    with_audience(cx, |audience, _| {
        let tags: Vec<Value> = audience
            .tags
            .iter()
            .map(|(id, name)| json!({ "id": id, "name": name, "count": audience.tagged(id) }))
            .collect();
        Ok(Answer::json(&json!({ "tags": tags })))
    })
}

fn rename(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = id(cx)?;
    with_audience(cx, |audience, _| audience.tags.rename(id, name(cx)))?;
    Ok(Answer::done())
}

/// Those who had the tag have it no more.
fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = id(cx)?;
    with_audience(cx, |audience, _| audience.delete_tag(id))?;
    Ok(Answer::done())
}

fn members(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let tag = tagid(cx)?;
    let after = cx.form.text("next_openid").unwrap_or_default();
    with_audience(cx, |audience, _| {
        audience.tags.check_known(tag)?;
        let tagged = audience.chosen(|follower| follower.tags.contains(&tag));
        Ok(Answer::json(&page(tagged, after, false)))
    })
}

fn tagid(cx: &Cx<'_>) -> Result<i64, Refusal> {
    cx.form.integer("tagid").ok_or_else(|| Refusal::new(45159))
}

fn tag(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (openids, tag) = (openids(cx, "openid_list", MOST_TAGGED)?, tagid(cx)?);
    with_audience(cx, |audience, settings| {
        audience.tags.check_known(tag)?;
        for openid in openids {
            audience.meet(Some(openid), settings, cx.now_ms)?.tag(tag)?;
        }
        Ok(Answer::done())
    })
}

fn untag(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (openids, tag) = (openids(cx, "openid_list", MOST_TAGGED)?, tagid(cx)?);
    with_audience(cx, |audience, settings| {
        audience.tags.check_known(tag)?;
        for openid in openids {
            let follower = audience.meet(Some(openid), settings, cx.now_ms)?;
            follower.tags.retain(|own| *own != tag);
        }
        Ok(Answer::done())
    })
}

fn tags_of(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    with_audience(cx, |audience, settings| {
        let follower = audience.meet(cx.form.text("openid"), settings, cx.now_ms)?;
        Ok(Answer::json(&json!({ "tagid_list": follower.tags })))
    })
}

fn blacklist(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let after = cx.form.text("begin_openid").unwrap_or_default();
    with_audience(cx, |audience, _| {
        let blocked = audience.chosen(|follower| follower.is_blocked);
        Ok(Answer::json(&page(blocked, after, true)))
    })
}

fn block(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    set_blocked(cx, true)
}

fn unblock(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    set_blocked(cx, false)
}

fn set_blocked(cx: &Cx<'_>, is_blocked: bool) -> Result<Answer, Refusal> {
    let openids = openids(cx, "openid_list", MOST_BLOCKED)?;
    with_audience(cx, |audience, settings| {
        for openid in openids {
            audience.meet(Some(openid), settings, cx.now_ms)?.is_blocked = is_blocked;
        }
        Ok(Answer::done())
    })
}

/// Documented lengths of lists.
const MOST_TAGGED: usize = 50;
const MOST_BLOCKED: usize = 20;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    fn post(bench: &Bench, rest: &str, body: &Value) -> Value {
        bench.post(&format!("/cgi-bin/{rest}"), body).json()
    }

    #[test]
    fn a_tag_is_made_given_counted_and_deleted() {
        let bench = Bench::new();
        let made = post(&bench, "tags/create", &json!({"tag": {"name": "广东"}}));
        assert_eq!(made, json!({"tag": {"id": 100, "name": "广东"}}));
        let both = json!({"openid_list": ["oA", "oB"], "tagid": 100});
        assert_eq!(post(&bench, "tags/members/batchtagging", &both)["errcode"], 0);
        let members = post(&bench, "user/tag/get", &json!({"tagid": 100}));
        assert_eq!(members["data"]["openid"], json!(["oA", "oB"]));
        assert_eq!(members.get("total"), None);
        let one = json!({"openid_list": ["oB"], "tagid": 100});
        assert_eq!(post(&bench, "tags/members/batchuntagging", &one)["errcode"], 0);
        let tags = bench.get_with_token("/cgi-bin/tags/get", "").json();
        assert_eq!(tags["tags"][1], json!({"id": 100, "name": "广东", "count": 1}));
        let of = |openid: &str| post(&bench, "tags/getidlist", &json!({"openid": openid}));
        assert_eq!(of("oA"), json!({"tagid_list": [100]}));
        let renamed = json!({"tag": {"id": 100, "name": "广东人"}});
        assert_eq!(post(&bench, "tags/update", &renamed)["errcode"], 0);
        assert_eq!(post(&bench, "tags/delete", &json!({"tag": {"id": 100}}))["errcode"], 0);
        assert_eq!(of("oA"), json!({"tagid_list": []}));
    }

    #[test]
    fn bad_tags_and_lists_have_their_errcodes() {
        let bench = Bench::new();
        let openids: Vec<String> = (0..51).map(|n| format!("o{n}")).collect();
        for (rest, body, errcode) in [
            ("tags/create", json!({"tag": {"name": ""}}), 45157),
            ("tags/create", json!({"tag": {"name": "x".repeat(31)}}), 45158),
            ("tags/update", json!({"tag": {"id": 1, "name": "x"}}), 45058),
            ("tags/delete", json!({"tag": {"id": 100}}), 45159),
            ("user/tag/get", json!({"tagid": 5}), 45159),
            ("tags/members/batchtagging", json!({"openid_list": openids, "tagid": 2}), 40032),
            ("tags/members/batchtagging", json!({"openid_list": ["oA"], "tagid": 9}), 45159),
            ("tags/members/batchtagging", json!({"openid_list": 1, "tagid": 2}), 40031),
            ("tags/members/batchuntagging", json!({"openid_list": [], "tagid": 2}), 40032),
            ("tags/getidlist", json!({}), 40003),
            ("tags/members/batchblacklist", json!({"openid_list": openids}), 40032),
            ("tags/members/batchunblacklist", json!({"openid_list": [""]}), 40003),
        ] {
            assert_eq!(post(&bench, rest, &body)["errcode"], errcode, "{rest} {body}");
        }
    }

    #[test]
    fn blocked_users_are_listed_until_they_are_let_go() {
        let bench = Bench::new();
        let list = || post(&bench, "tags/members/getblacklist", &json!({"begin_openid": ""}));
        let one = json!({"openid_list": ["oA"]});
        assert_eq!(post(&bench, "tags/members/batchblacklist", &one)["errcode"], 0);
        assert_eq!(list()["data"]["openid"], json!(["oA"]));
        assert_eq!(post(&bench, "tags/members/batchunblacklist", &one)["errcode"], 0);
        assert_eq!(list(), json!({"total": 0, "count": 0, "next_openid": ""}));
    }
}
