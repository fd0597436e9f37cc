//! The buttons of a menu.

use serde_json::{Value, json};

use crate::sandbox::refusal::Refusal;

/// The buttons in `given`, checked as the platform does: one to three, each with an action or
/// with one to five buttons below it.
pub(in crate::sandbox) fn checked(given: Option<&Value>) -> Result<&Value, Refusal> {
    let list = given.and_then(Value::as_array).filter(|list| (1..=3).contains(&list.len()));
    for button in list.ok_or_else(|| Refusal::new(40016))? {
        match below(button) {
            Some([]) | None => check(button, &TOP)?,
            Some(below) if below.len() > MOST_BELOW => return Err(Refusal::new(40023)),
            Some(below) => {
                check_name(button, &TOP)?;
                below.iter().try_for_each(check_below)?;
            }
        }
    }
    given.ok_or_else(|| Refusal::new(40016))
}

/// The same buttons as `get_current_selfmenu_info` tells them: those below stand in a `list`.
pub(in crate::sandbox) fn as_self_menu(buttons: &Value) -> Value {
    let all = buttons.as_array().into_iter().flatten();
    let told = all.map(|button| match below(button) {
        Some([]) | None => button.clone(),
        Some(below) => json!({ "name": button.get("name"), "sub_button": { "list": below } }),
    });
    told.collect()
}

fn below(button: &Value) -> Option<&[Value]> {
    button.get("sub_button").and_then(Value::as_array).map(Vec::as_slice)
}

/// There are two levels and no third.
fn check_below(button: &Value) -> Result<(), Refusal> {
    if below(button).is_some_and(|below| !below.is_empty()) {
        return Err(Refusal::new(40022));
    }
    check(button, &BELOW)
}

/// Name, type, and what the type needs.
fn check(button: &Value, level: &Level) -> Result<(), Refusal> {
    check_name(button, level)?;
    let text = |name: &str| button.get(name).and_then(Value::as_str).unwrap_or_default();
    let fits = |name: &str, most: usize| (1..=most).contains(&text(name).len());
    let (needs, errcode) = match text("type") {
        "view" => (fits("url", MOST_URL_BYTES), level.bad_url),
        "miniprogram" if !fits("appid", MOST_KEY_BYTES) => (false, 40166),
        "miniprogram" if !fits("pagepath", MOST_URL_BYTES) => (false, 40165),
        "miniprogram" => (fits("url", MOST_URL_BYTES), level.bad_url),
        "media_id" | "view_limited" => (fits("media_id", MOST_KEY_BYTES), level.bad_media_id),
        "article_id" | "article_view_limited" => (fits("article_id", MOST_KEY_BYTES), 40097),
        "click" | "scancode_push" | "scancode_waitmsg" | "pic_sysphoto" | "pic_photo_or_album"
        | "pic_weixin" | "location_select" => (fits("key", MOST_KEY_BYTES), level.bad_key),
        _ => (false, level.bad_type),
    };
    if needs { Ok(()) } else { Err(Refusal::new(errcode)) }
}

fn check_name(button: &Value, level: &Level) -> Result<(), Refusal> {
    let name = button.get("name").and_then(Value::as_str).unwrap_or_default();
    let fits = (1..=level.most_name_bytes).contains(&name.len());
    if fits { Ok(()) } else { Err(Refusal::new(level.bad_name)) }
}

/// The same rules have other errcodes on each level.
struct Level {
    most_name_bytes: usize,
    bad_name: i64,
    bad_type: i64,
    bad_key: i64,
    bad_url: i64,
    bad_media_id: i64,
}

/// Lengths are from public SDKs and error pages; not confirmed.
const TOP: Level = Level {
    most_name_bytes: 16,
    bad_name: 40018,
    bad_type: 40017,
    bad_key: 40019,
    bad_url: 40020,
    bad_media_id: 40117,
};
const BELOW: Level = Level {
    most_name_bytes: 60,
    bad_name: 40025,
    bad_type: 40024,
    bad_key: 40026,
    bad_url: 40027,
    bad_media_id: 40118,
};
const MOST_BELOW: usize = 5;
const MOST_KEY_BYTES: usize = 128;
const MOST_URL_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn click(name: &str) -> Value {
        json!({"type": "click", "name": name, "key": "K"})
    }

    #[test]
    fn buttons_are_checked_on_both_levels() {
        let under = |button: Value| json!([{"name": "更多", "sub_button": [button]}]);
        for (buttons, errcode) in [
            (json!([click("一"), {"type": "view", "name": "二", "url": "https://a.cn"}]), 0),
            (json!([{"type": "click", "name": "一", "key": "K", "sub_button": []}]), 0),
            (under(click("一")), 0),
            (json!([]), 40016),
            (json!([click("1"), click("2"), click("3"), click("4")]), 40016),
            (json!([{"type": "fax", "name": "一"}]), 40017),
            (json!([click("很长很长的名字")]), 40018),
            (json!([{"type": "click", "name": "一"}]), 40019),
            (json!([{"type": "view", "name": "一"}]), 40020),
            (json!([{"type": "media_id", "name": "一"}]), 40117),
            (json!([{"type": "miniprogram", "name": "一", "url": "u"}]), 40166),
            (under(json!({"name": "二", "sub_button": [click("三")]})), 40022),
            (json!([{"name": "更多", "sub_button": vec![click("一"); 6]}]), 40023),
            (under(json!({"name": "一"})), 40024),
            (under(click("")), 40025),
            (under(json!({"type": "click", "name": "一", "key": "K".repeat(129)})), 40026),
            (under(json!({"type": "view", "name": "一"})), 40027),
        ] {
            let seen = checked(Some(&buttons)).map_or_else(|refusal| refusal.errcode, |_| 0);
            assert_eq!(seen, errcode, "{buttons}");
        }
    }
}
