//! Articles: drafts, and what is published of them.

use serde_json::{Value, json};

use super::material::page_asked_for;
use crate::sandbox::{
    call::Answer,
    content::{Draft, Publication, shown},
    dispatch::{CallSpec, Cx},
    due::Due,
    refusal::Refusal,
    state::State,
};

/// Publishing takes its time; how long is the account's switch.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/draft/add", add).keeping(),
    CallSpec::post("/cgi-bin/draft/get", tell),
    CallSpec::post("/cgi-bin/draft/update", update).keeping(),
    CallSpec::post("/cgi-bin/draft/delete", delete),
    CallSpec::get("/cgi-bin/draft/count", count),
    CallSpec::post("/cgi-bin/draft/batchget", page),
    CallSpec::post("/cgi-bin/freepublish/submit", publish),
    CallSpec::post("/cgi-bin/freepublish/get", tell_publication),
    CallSpec::post("/cgi-bin/freepublish/getarticle", tell_article),
    CallSpec::post("/cgi-bin/freepublish/delete", delete_article),
    CallSpec::post("/cgi-bin/freepublish/batchget", publications),
];

fn media_id<'a>(cx: &'a Cx<'_>) -> Result<&'a str, Refusal> {
    cx.form.text("media_id").ok_or_else(|| Refusal::new(41006))
}

/// A cover is a permanent material.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (media_id, page) = (cx.account.ids.text(64), cx.account.ids.text(22));
    let State { materials, drafts, .. } = &mut *cx.state();
    let is_thumb = |id: &str| materials.find(id).is_ok();
    let draft = Draft::new(cx.form.field("articles"), page, cx.now_ms, is_thumb)?;
    drafts.add(&media_id, draft)?;
    Ok(Answer::json(&json!({ "media_id": media_id })))
}

fn tell(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let draft = state.drafts.find(media_id(cx)?)?;
    Ok(Answer::json(&json!({ "news_item": shown(&draft.articles, &draft.page, true) })))
}

/// `articles` is one article here, for the place `index`.
fn update(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let index = cx.form.integer("index").and_then(|index| usize::try_from(index).ok());
    let index = index.ok_or_else(|| Refusal::new(40060))?;
    let article = cx.form.field("articles").ok_or_else(|| Refusal::new(44003))?;
    let State { materials, drafts, .. } = &mut *cx.state();
    let draft = drafts.find_mut(media_id(cx)?)?;
    draft.replace(index, article, cx.now_ms, |id| materials.find(id).is_ok())?;
    Ok(Answer::done())
}

fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().drafts.take(media_id(cx)?)?;
    Ok(Answer::done())
}

fn count(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&json!({ "total_count": cx.state().drafts.len() })))
}

fn page(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (offset, count) = page_asked_for(cx)?;
    let state = cx.state();
    let items = state.drafts.page(offset, count, has_content(cx));
    Ok(told_page(state.drafts.len(), &items))
}

fn has_content(cx: &Cx<'_>) -> bool {
    cx.form.integer("no_content") != Some(1)
}

fn told_page(total: usize, items: &[Value]) -> Answer {
    Answer::json(&json!({ "total_count": total, "item_count": items.len(), "item": items }))
}

/// The event that tells of the end has the number that is answered here.
fn publish(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (publish_id, msg_data_id) = (cx.new_number().to_string(), cx.new_number());
    let mut state = cx.state();
    state.drafts.find(media_id(cx)?)?;
    state.publications.add(&publish_id, Publication::new(media_id(cx)?));
    let delay_ms = i64::from(state.settings.publish_delay_s) * 1000;
    let due = Due::Publication { publish_id: publish_id.clone() };
    cx.world(&mut state).later(delay_ms, due);
    Ok(Answer::json(&json!({
        "errcode": 0, "errmsg": "ok", "publish_id": publish_id, "msg_data_id": msg_data_id,
    })))
}

/// SDKs send the id as text or as a number.
fn tell_publication(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let publish_id = cx.form.field("publish_id").map(|id| match id {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    });
    let publish_id = publish_id.unwrap_or_default();
    let state = cx.state();
    let publication = state.publications.find(&publish_id)?;
    Ok(Answer::json(&publication.to_json(&publish_id)))
}

fn tell_article(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let draft = state.publications.article(cx.form.text("article_id").unwrap_or_default())?;
    Ok(Answer::json(&json!({ "news_item": shown(&draft.articles, &draft.page, true) })))
}

/// Without an index, or with 0, all of it.
fn delete_article(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let index = usize::try_from(cx.form.integer("index").unwrap_or(0));
    let index = index.map_err(|_| Refusal::new(40060))?;
    let article_id = cx.form.text("article_id").unwrap_or_default();
    cx.state().publications.delete(article_id, index)?;
    Ok(Answer::done())
}

fn publications(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (offset, count) = page_asked_for(cx)?;
    let state = cx.state();
    let items = state.publications.page(offset, count, has_content(cx));
    Ok(told_page(state.publications.len(), &items))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, form};
    use serde_json::{Value, json};

    fn post(bench: &Bench, rest: &str, body: &Value) -> Value {
        bench.post(&format!("/cgi-bin/{rest}"), body).json()
    }

    fn thumb(bench: &Bench) -> Value {
        let body = form(&[("media", Some("a.jpg"), b"\xff\xd8\xff")]);
        let added = bench.upload("/cgi-bin/material/add_material", "type=thumb", body);
        added.json()["media_id"].clone()
    }

    fn draft(bench: &Bench) -> (Value, Value) {
        let article = json!({"title": "标题", "content": "文", "thumb_media_id": thumb(bench)});
        let articles = json!({"articles": [article, article]});
        (post(bench, "draft/add", &articles)["media_id"].clone(), article)
    }

    #[test]
    fn a_draft_is_kept_changed_and_deleted() {
        let bench = Bench::new();
        let (id, mut article) = draft(&bench);
        article["title"] = "新".into();
        let change = |index: i64| json!({"media_id": id, "index": index, "articles": article});
        assert_eq!(post(&bench, "draft/update", &change(1))["errcode"], 0);
        assert_eq!(post(&bench, "draft/update", &change(2))["errcode"], 40060);
        let told = post(&bench, "draft/get", &json!({"media_id": id}));
        assert_eq!(told["news_item"][1]["title"], "新");
        let asked = json!({"offset": 0, "count": 1, "no_content": 1});
        let page = post(&bench, "draft/batchget", &asked);
        assert_eq!(page["item"][0]["content"]["news_item"][0].get("content"), None);
        let count = || bench.get_with_token("/cgi-bin/draft/count", "").json();
        assert_eq!(count(), json!({"total_count": 1}));
        assert_eq!(post(&bench, "draft/delete", &json!({"media_id": id}))["errcode"], 0);
        assert_eq!(post(&bench, "draft/get", &json!({"media_id": id}))["errcode"], 40007);
        assert_eq!(post(&bench, "draft/add", &json!({"articles": []}))["errcode"], 44003);
    }

    #[test]
    fn a_draft_is_published_told_of_and_taken_back() {
        let bench = Bench::new();
        let (id, _) = draft(&bench);
        let handed_in = post(&bench, "freepublish/submit", &json!({"media_id": id}));
        let state =
            || post(&bench, "freepublish/get", &json!({"publish_id": handed_in["publish_id"]}));
        assert_eq!(state()["publish_status"], 1);
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        let out = state();
        assert_eq!(
            (&out["publish_status"], &out["article_detail"]["count"]),
            (&json!(0), &json!(2))
        );
        assert_eq!(post(&bench, "draft/get", &json!({"media_id": id}))["errcode"], 40007);
        let events = bench.control("GET", "events", "").1;
        assert_eq!(events["events"][0]["message"]["PublishEventInfo"], out);
        let article = json!({"article_id": out["article_id"]});
        assert_eq!(
            post(&bench, "freepublish/getarticle", &article)["news_item"][0]["title"],
            "标题"
        );
        let list = || post(&bench, "freepublish/batchget", &json!({"offset": 0, "count": 20}));
        assert_eq!(list()["total_count"], 1);
        let delete = |index: i64| {
            let body = json!({"article_id": out["article_id"], "index": index});
            post(&bench, "freepublish/delete", &body)["errcode"].clone()
        };
        assert_eq!((delete(3), delete(2)), (json!(40060), json!(0)));
        assert_eq!(state()["article_detail"]["count"], 1);
        assert_eq!((delete(0), delete(0)), (json!(0), json!(40097)));
        assert_eq!((&state()["publish_status"], &list()["total_count"]), (&json!(5), &json!(0)));
    }

    #[test]
    fn what_does_not_exist_is_refused_or_fails() {
        let bench = Bench::new();
        assert_eq!(post(&bench, "freepublish/submit", &json!({"media_id": "x"}))["errcode"], 40007);
        assert_eq!(post(&bench, "freepublish/get", &json!({"publish_id": 7}))["errcode"], 40097);
        let (id, _) = draft(&bench);
        let handed_in = post(&bench, "freepublish/submit", &json!({"media_id": id}));
        post(&bench, "draft/delete", &json!({"media_id": id}));
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        let body = json!({"publish_id": handed_in["publish_id"]});
        assert_eq!(post(&bench, "freepublish/get", &body)["publish_status"], 3);
    }
}
