//! Followers: who they are, lists of them, notes on them.

use serde_json::{Value, json};

use crate::sandbox::{
    audience::Audience,
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    settings::Settings,
    state::State,
};

/// Official accounts use these.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::get("/cgi-bin/user/info", one),
    CallSpec::post("/cgi-bin/user/info/batchget", several),
    CallSpec::get("/cgi-bin/user/get", list),
    CallSpec::post("/cgi-bin/user/info/updateremark", remark),
];

/// Lets `act` work on the account's followers.
pub(super) fn with_audience<T>(
    cx: &Cx<'_>,
    act: impl FnOnce(&mut Audience, &Settings) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let State { audience, settings, .. } = &mut *cx.state();
    audience.found(&cx.account.identity.app_id, cx.now_ms);
    act(audience, settings)
}

/// A page of openids with the shape that all lists of followers have. `after` is the last
/// openid of the page before; the page's own last one is the next `after`.
pub(super) fn page<'a>(
    openids: impl Iterator<Item = &'a str>,
    after: &str,
    has_total: bool,
) -> Value {
    let all: Vec<&str> = openids.collect();
    let from = all.partition_point(|openid| *openid <= after);
    let chosen: Vec<&str> = all.iter().skip(from).take(PAGE_SIZE).copied().collect();
    let mut page = json!({
        "count": chosen.len(),
        "next_openid": chosen.last().copied().unwrap_or_default(),
    });
    if has_total {
        page["total"] = all.len().into();
    }
    if !chosen.is_empty() {
        page["data"] = json!({ "openid": chosen });
    }
    page
}

/// The openids of a list in the body: 40031 for what is no such list, 40032 for one that is
/// empty or too long.
pub(super) fn openids<'a>(
    cx: &'a Cx<'_>,
    name: &str,
    most: usize,
) -> Result<Vec<&'a str>, Refusal> {
    let list = cx.form.field(name).and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::new(40031))?;
    if list.is_empty() || list.len() > most {
        return Err(Refusal::new(40032));
    }
    list.iter().map(|openid| openid.as_str().ok_or_else(|| Refusal::new(40031))).collect()
}

fn one(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let openid = cx.query.value("openid").ok_or_else(|| Refusal::new(41009))?;
    let lang = cx.query.value("lang").unwrap_or(USUAL_LANGUAGE);
    with_audience(cx, |audience, settings| {
        let follower = audience.meet(Some(openid), settings, cx.now_ms)?;
        Ok(Answer::json(&follower.to_json(openid, lang)))
    })
}

/// At most a hundred at a time.
fn several(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let list = cx.form.field("user_list").and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::new(40031))?;
    if list.is_empty() || list.len() > MOST_AT_ONCE {
        return Err(Refusal::new(40032));
    }
    let found: Vec<Value> = with_audience(cx, |audience, settings| {
        let found = list.iter().map(|wanted| {
            let openid = wanted.get("openid").and_then(Value::as_str);
            let lang = wanted.get("lang").and_then(Value::as_str).unwrap_or(USUAL_LANGUAGE);
            let follower = audience.meet(openid, settings, cx.now_ms)?;
            Ok(follower.to_json(openid.unwrap_or_default(), lang))
        });
        found.collect()
    })?;
    Ok(Answer::json(&json!({ "user_info_list": found })))
}

/// All who follow, the blocked ones too.
fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let after = cx.query.value("next_openid").unwrap_or_default();
    with_audience(cx, |audience, _| Ok(Answer::json(&page(audience.chosen(|_| true), after, true))))
}

/// An empty remark takes the old one away.
fn remark(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let remark = cx.form.field("remark").and_then(Value::as_str);
    let remark = remark.filter(|remark| remark.chars().count() < MOST_REMARK_CHARACTERS);
    let remark = remark.ok_or_else(|| Refusal::new(40092))?;
    with_audience(cx, |audience, settings| {
        audience.meet(cx.form.text("openid"), settings, cx.now_ms)?.remark = remark.to_owned();
        Ok(Answer::done())
    })
}

const USUAL_LANGUAGE: &str = "zh_CN";
/// Documented sizes: of a page, of a batch, and "shorter than 30 characters".
const PAGE_SIZE: usize = 10_000;
const MOST_AT_ONCE: usize = 100;
const MOST_REMARK_CHARACTERS: usize = 30;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, Seen};
    use serde_json::json;

    fn info(bench: &Bench, openid: &str) -> Seen {
        bench.get_with_token("/cgi-bin/user/info", &format!("openid={openid}"))
    }

    fn list(bench: &Bench, after: &str) -> serde_json::Value {
        bench.get_with_token("/cgi-bin/user/get", &format!("next_openid={after}")).json()
    }

    #[test]
    fn the_first_followers_are_listed_in_pages() {
        let bench = Bench::new();
        let all = list(&bench, "");
        assert_eq!((&all["total"], &all["count"]), (&json!(20), &json!(20)));
        let openids = all["data"]["openid"].as_array().unwrap();
        assert_eq!(all["next_openid"], openids[19]);
        let rest = list(&bench, openids[17].as_str().unwrap());
        assert_eq!(rest["data"]["openid"], json!(openids[18..]));
        let end = list(&bench, openids[19].as_str().unwrap());
        assert_eq!(end, json!({"total": 20, "count": 0, "next_openid": ""}));
    }

    #[test]
    fn users_are_told_one_by_one_or_together() {
        let bench = Bench::new();
        let one = info(&bench, "oA").json();
        assert_eq!((&one["subscribe"], &one["openid"]), (&json!(1), &json!("oA")));
        let body = json!({"user_list": [{"openid": "oA"}, {"openid": "oB", "lang": "en"}]});
        let several = bench.post("/cgi-bin/user/info/batchget", &body).json();
        assert_eq!(several["user_info_list"][1]["language"], "en");
        let none = bench.post("/cgi-bin/user/info/batchget", &json!({"user_list": []}));
        assert_eq!(none.errcode, Some(40032));
        let none = bench.post("/cgi-bin/user/info/batchget", &json!({}));
        assert_eq!(none.errcode, Some(40031));
        assert_eq!(info(&bench, "").errcode, Some(41009));
        assert_eq!(info(&bench, "oA_errcode_48001").errcode, Some(48001));
        bench.set(&json!({"strict_users": true}));
        assert_eq!((info(&bench, "oA").errcode, info(&bench, "oC").errcode), (None, Some(40003)));
    }

    #[test]
    fn remarks_are_kept_and_have_an_end() {
        let bench = Bench::new();
        let remark = |text: &str| {
            let body = json!({"openid": "oA", "remark": text});
            bench.post("/cgi-bin/user/info/updateremark", &body).errcode
        };
        assert_eq!((remark("老客户"), remark(&"长".repeat(30))), (Some(0), Some(40092)));
        assert_eq!(info(&bench, "oA").json()["remark"], "老客户");
    }
}
