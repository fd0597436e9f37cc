//! Links that open a mini program from outside WeChat.

use serde_json::{Value, json};

use crate::sandbox::{
    call::Answer,
    content::Link,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Schemes name the page in a part of its own, URL links beside everything else.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/wxa/generatescheme", make_scheme),
    CallSpec::post("/wxa/generate_urllink", make_url),
    CallSpec::post("/wxa/queryscheme", tell_scheme),
    CallSpec::post("/wxa/query_urllink", tell_url),
];

fn make_scheme(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let place = cx.form.field("jump_wxa").unwrap_or(&Value::Null);
    let link = link(cx, |name| place.get(name).and_then(Value::as_str).unwrap_or_default())?;
    let scheme = format!("weixin://dl/business/?t={}", cx.account.ids.text(11));
    cx.state().links.links.put_for_oldest(&scheme, link);
    Ok(Answer::ok("openlink", &scheme))
}

fn make_url(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let link = link(cx, |name| cx.form.text(name).unwrap_or_default())?;
    let url = format!("https://wxaurl.cn/{}", cx.account.ids.text(11));
    cx.state().links.links.put_for_oldest(&url, link);
    Ok(Answer::ok("url_link", &url))
}

/// 40165 for a page that the released version does not have, 40212 for a long query, 85402 for
/// an unknown version.
fn link<'a>(cx: &Cx<'_>, text: impl Fn(&str) -> &'a str) -> Result<Link, Refusal> {
    let (path, query, version) = (text("path"), text("query"), text("env_version"));
    let version = if version.is_empty() { "release" } else { version };
    if !matches!(version, "release" | "trial" | "develop") {
        return Err(Refusal::new(85402));
    }
    if query.len() > MOST_QUERY_BYTES {
        return Err(Refusal::new(40212));
    }
    let plain = path.trim_start_matches('/');
    let is_known = match &cx.state().settings.pages {
        Some(pages) => plain.is_empty() || pages.iter().any(|known| known == plain),
        None => true,
    };
    if !is_known || path.contains('?') || path.len() > MOST_PATH_BYTES {
        return Err(Refusal::new(40165));
    }
    Ok(Link {
        path: path.to_owned(),
        query: query.to_owned(),
        env_version: version.to_owned(),
        created_ms: cx.now_ms,
        expires_ms: expires_ms(cx)?,
    })
}

/// Up to thirty days, as a time or as a number of days; that is also what a link has that
/// names neither.
fn expires_ms(cx: &Cx<'_>) -> Result<i64, Refusal> {
    let bad = || Refusal::new(85401);
    let latest_ms = cx.now_ms.saturating_add(LONGEST_DAYS * DAY_MS);
    match cx.form.integer("expire_type").unwrap_or(0) {
        0 => match cx.form.integer("expire_time") {
            None | Some(0) => Ok(latest_ms),
            Some(time_s) => {
                let at_ms = time_s.saturating_mul(1000);
                let is_good = (cx.now_ms.saturating_add(60_000)..=latest_ms).contains(&at_ms);
                is_good.then_some(at_ms).ok_or_else(bad)
            }
        },
        1 => {
            let days = cx.form.integer("expire_interval");
            let days = days.filter(|days| (1..=LONGEST_DAYS).contains(days)).ok_or_else(bad)?;
            Ok(cx.now_ms.saturating_add(days * DAY_MS))
        }
        _ => Err(Refusal::with(40097, "expire_type is 0 or 1")),
    }
}

fn tell_scheme(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    tell(cx, "scheme", "scheme_info")
}

fn tell_url(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    tell(cx, "url_link", "url_link_info")
}

/// 85403 for a link that was never made.
fn tell(cx: &Cx<'_>, asked: &str, told: &'static str) -> Result<Answer, Refusal> {
    let state = cx.state();
    let link = state.links.links.find(cx.form.text(asked).unwrap_or_default());
    let link = link.ok_or_else(|| Refusal::new(85403))?;
    Ok(Answer::ok(
        told,
        &json!({
            "appid": cx.account.identity.app_id,
            "path": link.path,
            "query": link.query,
            "create_time": link.created_ms / 1000,
            "expire_time": link.expires_ms / 1000,
            "env_version": link.env_version,
        }),
    ))
}

const DAY_MS: i64 = 86_400_000;
/// From public SDKs and error pages; not confirmed.
const LONGEST_DAYS: i64 = 30;
const MOST_QUERY_BYTES: usize = 1024;
const MOST_PATH_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::{Value, json};

    #[test]
    fn links_are_made_and_told_back() {
        let bench = Bench::new();
        let post = |rest: &str, body: &Value| bench.post(&format!("/wxa/{rest}"), body).json();
        let page = json!({"path": "/pages/a", "query": "x=1"});
        let interval =
            json!({"jump_wxa": page, "is_expire": true, "expire_type": 1, "expire_interval": 1});
        let scheme = post("generatescheme", &interval);
        let told = post("queryscheme", &json!({"scheme": scheme["openlink"]}));
        assert_eq!(told["scheme_info"]["query"], "x=1");
        let life = told["scheme_info"]["expire_time"].as_i64().unwrap()
            - told["scheme_info"]["create_time"].as_i64().unwrap();
        assert_eq!(life, 86_400);
        let url = post("generate_urllink", &page);
        let told = post("query_urllink", &json!({"url_link": url["url_link"]}));
        assert_eq!(told["url_link_info"]["path"], "/pages/a");
        assert_eq!(post("query_urllink", &json!({"url_link": "x"}))["errcode"], 85403);
    }

    #[test]
    fn pages_and_lives_have_bounds() {
        let bench = Bench::new();
        bench.set(&json!({"pages": ["pages/a"]}));
        for (body, errcode) in [
            (json!({}), 0),
            (json!({"path": "pages/a"}), 0),
            (json!({"path": "pages/b"}), 40165),
            (json!({"path": "pages/a?x=1"}), 40165),
            (json!({"query": "x".repeat(1025)}), 40212),
            (json!({"env_version": "old"}), 85402),
            (json!({"expire_type": 0, "expire_time": 1}), 85401),
            (json!({"expire_type": 1, "expire_interval": 31}), 85401),
            (json!({"expire_type": 2}), 40097),
        ] {
            let seen = bench.post("/wxa/generate_urllink", &body).errcode;
            assert_eq!(seen, Some(errcode), "{body}");
        }
    }
}
