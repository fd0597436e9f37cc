//! Permanent materials.

use serde_json::{Value, json};

use super::media::{limit_bytes, type_of, uploaded};
use crate::sandbox::{
    call::Answer,
    content::Material,
    dispatch::{CallSpec, Cx},
    form::FormKind,
    media_store::MediaKind,
    multipart::Part,
    refusal::Refusal,
};

/// Uploads answer in `text/plain`, as those of temporary media do. Pictures for articles have a
/// call of their own and are not counted among the materials.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/material/add_material", add).form(FormKind::Multipart).plain(),
    CallSpec::post("/cgi-bin/material/get_material", download),
    CallSpec::post("/cgi-bin/material/del_material", delete),
    CallSpec::get("/cgi-bin/material/get_materialcount", count),
    CallSpec::post("/cgi-bin/material/batchget_material", page),
    CallSpec::post("/cgi-bin/media/uploadimg", upload_picture).form(FormKind::Multipart).plain(),
];

fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let name = cx.query.value("type").or_else(|| cx.form.text("type")).unwrap_or_default();
    let kind = MediaKind::parse(name).ok_or_else(|| Refusal::new(40004))?;
    let part = uploaded(cx)?;
    if part.bytes.len() as u64 > limit_bytes(cx, kind.limit_bytes()) {
        return Err(Refusal::new(45001));
    }
    let (title, introduction) = match kind {
        MediaKind::Video => description(cx)?,
        MediaKind::Image | MediaKind::Voice | MediaKind::Thumb | MediaKind::File => {
            Default::default()
        }
    };
    let media_id = cx.account.ids.text(64);
    let url = match kind {
        MediaKind::Image | MediaKind::Thumb => picture_url(cx, part),
        MediaKind::Video | MediaKind::Voice | MediaKind::File => String::new(),
    };
    let mut answer = json!({ "media_id": media_id });
    if !url.is_empty() {
        answer["url"] = url.as_str().into();
    }
    let file_name = part.file_name.clone().unwrap_or_default();
    let name = file_name.chars().take(MOST_NAME_CHARACTERS).collect();
    let (updated_ms, bytes) = (cx.now_ms, part.bytes.clone());
    let material = Material { kind, name, url, title, introduction, updated_ms, bytes };
    cx.state().materials.add(&media_id, material)?;
    Ok(Answer::json(&answer))
}

/// `{"title", "introduction"}` of a video, as JSON in a part of its own.
fn description(cx: &Cx<'_>) -> Result<(String, String), Refusal> {
    let text = cx.form.text("description").ok_or_else(|| Refusal::new(41011))?;
    let value: Value = serde_json::from_str(text).map_err(|error| Refusal::with(47001, error))?;
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((part("title"), part("introduction")))
}

fn picture_url(cx: &Cx<'_>, part: &Part) -> String {
    let sort = if type_of(&part.bytes).1 == "png" { "png" } else { "jpeg" };
    let name = cx.account.ids.text(64);
    format!("http://mmbiz.qpic.cn/mmbiz_{sort}/{name}/0?wx_fmt={sort}")
}

/// Bytes; for a video JSON with a URL.
fn download(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let media_id = cx.form.text("media_id").ok_or_else(|| Refusal::new(41006))?;
    let state = cx.state();
    let material = state.materials.find(media_id)?;
    if material.kind == MediaKind::Video {
        return Ok(Answer::json(&json!({
            "title": material.title,
            "description": material.introduction,
            "down_url": format!("http://mp.weixin.qq.com/mp/mp/video?media_id={media_id}"),
        })));
    }
    let (content_type, ending) = type_of(&material.bytes);
    let disposition = Some(format!("attachment; filename=\"{media_id}.{ending}\""));
    Ok(Answer { disposition, ..Answer::binary(content_type, material.bytes.clone()) })
}

fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let media_id = cx.form.text("media_id").ok_or_else(|| Refusal::new(41006))?;
    cx.state().materials.delete(media_id)?;
    Ok(Answer::done())
}

/// Articles are no longer kept among the materials.
fn count(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let count = |kind| state.materials.count(kind);
    Ok(Answer::json(&json!({
        "voice_count": count(MediaKind::Voice),
        "video_count": count(MediaKind::Video),
        "image_count": count(MediaKind::Image),
        "news_count": 0,
    })))
}

fn page(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let kind = match cx.form.text("type") {
        Some("news") => None,
        name => Some(name.and_then(MediaKind::parse).ok_or_else(|| Refusal::new(40004))?),
    };
    let (offset, count) = page_asked_for(cx)?;
    let state = cx.state();
    let total = kind.map_or(0, |kind| state.materials.count(kind));
    let items = kind.map(|kind| state.materials.page(kind, offset, count)).unwrap_or_default();
    Ok(Answer::json(&json!({
        "total_count": total, "item_count": items.len(), "item": items,
    })))
}

/// `offset` from 0, `count` 1 to 20: 40097 for anything else.
pub(super) fn page_asked_for(cx: &Cx<'_>) -> Result<(usize, usize), Refusal> {
    let number = |name: &'static str| {
        let number = cx.form.integer(name).and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| Refusal::with(40097, name))
    };
    let (offset, count) = (number("offset")?, number("count")?);
    if !(1..=20).contains(&count) {
        return Err(Refusal::with(40097, "count is 1 to 20"));
    }
    Ok((offset, count))
}

/// JPEG and PNG under 1 MB.
fn upload_picture(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let part = uploaded(cx)?;
    if !matches!(type_of(&part.bytes).1, "jpg" | "png") {
        return Err(Refusal::new(40137));
    }
    if part.bytes.len() as u64 > limit_bytes(cx, PICTURE_LIMIT_BYTES) {
        return Err(Refusal::new(40009));
    }
    Ok(Answer::json(&json!({ "url": picture_url(cx, part) })))
}

const PICTURE_LIMIT_BYTES: u64 = 1 << 20;
const MOST_NAME_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, Seen, form};
    use serde_json::{Value, json};

    const JPEG: &[u8] = b"\xff\xd8\xff\x00bytes";

    fn add(bench: &Bench, kind: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Seen {
        bench.upload("/cgi-bin/material/add_material", &format!("type={kind}"), form(parts))
    }

    fn post(bench: &Bench, rest: &str, body: &Value) -> Seen {
        bench.post(&format!("/cgi-bin/material/{rest}"), body)
    }

    #[test]
    fn a_material_is_kept_listed_and_deleted() {
        let bench = Bench::new();
        let added = add(&bench, "image", &[("media", Some("茶.jpg"), JPEG)]).json();
        let id = json!({"media_id": added["media_id"]});
        bench.control("POST", "clock", r#"{"advance_s":864000}"#);
        let down = post(&bench, "get_material", &id);
        assert!(down.body == JPEG && down.content_type == "image/jpeg");
        let asked = json!({"type": "image", "offset": 0, "count": 20});
        let page = post(&bench, "batchget_material", &asked).json();
        assert_eq!((&page["total_count"], &page["item_count"]), (&json!(1), &json!(1)));
        assert_eq!(
            (&page["item"][0]["name"], &page["item"][0]["url"]),
            (&json!("茶.jpg"), &added["url"])
        );
        let count = || bench.get_with_token("/cgi-bin/material/get_materialcount", "").json();
        assert_eq!(count()["image_count"], 1);
        assert_eq!(post(&bench, "del_material", &id).errcode, Some(0));
        assert_eq!(post(&bench, "get_material", &id).errcode, Some(40007));
        assert_eq!(post(&bench, "del_material", &json!({})).errcode, Some(41006));
        assert_eq!(count()["image_count"], 0);
    }

    #[test]
    fn a_video_has_a_description_and_a_url() {
        let bench = Bench::new();
        let film: (&str, Option<&str>, &[u8]) = ("media", Some("a.mp4"), b"\0\0\0\x18ftypmp42");
        assert_eq!(add(&bench, "video", &[film]).errcode, Some(41011));
        assert_eq!(add(&bench, "video", &[film, ("description", None, b"{")]).errcode, Some(47001));
        let about = br#"{"title":"t","introduction":"i"}"#;
        let added = add(&bench, "video", &[film, ("description", None, about)]).json();
        let told = post(&bench, "get_material", &json!({"media_id": added["media_id"]})).json();
        assert_eq!((&told["title"], &told["description"]), (&json!("t"), &json!("i")));
        assert_eq!(add(&bench, "fax", &[film]).errcode, Some(40004));
        assert_eq!(add(&bench, "image", &[]).errcode, Some(41005));
        let large = vec![1; 65_537];
        assert_eq!(add(&bench, "thumb", &[("media", Some("a"), &large)]).errcode, Some(45001));
    }

    #[test]
    fn pages_and_pictures_have_bounds() {
        let bench = Bench::new();
        for (body, errcode) in [
            (json!({"type": "news", "offset": 0, "count": 1}), None),
            (json!({"type": "fax", "offset": 0, "count": 1}), Some(40004)),
            (json!({"type": "image", "offset": -1, "count": 1}), Some(40097)),
            (json!({"type": "image", "offset": 0, "count": 21}), Some(40097)),
        ] {
            assert_eq!(post(&bench, "batchget_material", &body).errcode, errcode, "{body}");
        }
        let upload = |bytes: &[u8]| {
            let body = form(&[("media", Some("a.jpg"), bytes)]);
            bench.upload("/cgi-bin/media/uploadimg", "", body)
        };
        assert!(upload(JPEG).json()["url"].as_str().unwrap().contains("mmbiz"));
        assert_eq!(upload(b"GIF89a").errcode, Some(40137));
        assert_eq!(upload(&[JPEG, &vec![0; 1 << 20]].concat()).errcode, Some(40009));
    }
}
