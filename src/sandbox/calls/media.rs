//! Temporary media, up and down.

use bytes::Bytes;
use serde_json::json;

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    form::FormKind,
    media_store::{MediaKind, Medium},
    multipart::Part,
    quota::Limits,
    refusal::Refusal,
};

/// Uploads answer in `text/plain`, as SDKs report.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/media/upload", upload)
        .form(FormKind::Multipart)
        .limited(Limits::new(100_000, None))
        .plain(),
    CallSpec::get("/cgi-bin/media/get", download).limited(Limits::new(200_000, None)),
    CallSpec::get("/cgi-bin/media/get/jssdk", download_voice),
];

/// The file in the form: 41005 without one, and a part without a file name is not a file; 44001
/// for an empty one.
pub(super) fn uploaded<'a>(cx: &'a Cx<'_>) -> Result<&'a Part, Refusal> {
    let part = cx.form.part("media").filter(|part| part.file_name.is_some());
    let part = part.ok_or_else(|| Refusal::new(41005))?;
    if part.bytes.is_empty() { Err(Refusal::new(44001)) } else { Ok(part) }
}

/// The `documented` limit, unless the account's switch says otherwise.
pub(super) fn limit_bytes(cx: &Cx<'_>, documented: u64) -> u64 {
    cx.state().settings.media_limit_bytes.unwrap_or(documented)
}

/// `type` stands in the query, or in the form as some SDKs have it.
fn upload(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let name = cx.query.value("type").or_else(|| cx.form.text("type")).unwrap_or_default();
    let kind = MediaKind::parse(name).ok_or_else(|| Refusal::new(40004))?;
    let part = uploaded(cx)?;
    if part.bytes.len() as u64 > limit_bytes(cx, kind.limit_bytes()) {
        return Err(Refusal::new(45001));
    }
    let state = &mut *cx.state();
    let media_id = cx.account.ids.text(64);
    state.media.keep(Medium {
        media_id: media_id.clone(),
        kind,
        bytes: part.bytes.clone(),
        expires_ms: cx.now_ms.saturating_add(i64::from(state.settings.media_life_s) * 1000),
    });
    let created_at = cx.now_ms / 1000;
    Ok(Answer::json(&json!({ "type": name, "media_id": media_id, "created_at": created_at })))
}

/// The very bytes; for a video JSON with a URL, unless the account's switch asks for bytes.
fn download(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let media_id = cx.query.value("media_id").ok_or_else(|| Refusal::new(41006))?;
    let state = cx.state();
    let found = state.media.find(media_id, cx.now_ms).ok_or_else(|| Refusal::new(40007))?;
    if found.kind == MediaKind::Video && state.settings.video_as_url {
        let url = format!("http://mp.weixin.qq.com/mp/mp/video?media_id={media_id}");
        return Ok(Answer::json(&json!({ "video_url": url })));
    }
    Ok(file(media_id, found.bytes))
}

/// A download under the name of its medium.
pub(in crate::sandbox) fn file(media_id: &str, bytes: Bytes) -> Answer {
    let (content_type, ending) = type_of(&bytes);
    let disposition = Some(format!("attachment; filename=\"{media_id}.{ending}\""));
    Answer { disposition, ..Answer::binary(content_type, bytes) }
}

/// Voices that pages recorded. Whatever was uploaded under that id comes back.
fn download_voice(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let media_id = cx.query.value("media_id").ok_or_else(|| Refusal::new(41006))?;
    let found = cx.state().media.find(media_id, cx.now_ms).ok_or_else(|| Refusal::new(40007))?;
    let disposition = Some(format!("attachment; filename=\"{media_id}.speex\""));
    Ok(Answer { disposition, ..Answer::binary("voice/speex", found.bytes) })
}

/// What the first bytes say.
pub(super) fn type_of(bytes: &[u8]) -> (&'static str, &'static str) {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => ("image/jpeg", "jpg"),
        [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
        [b'G', b'I', b'F', b'8', ..] => ("image/gif", "gif"),
        [b'#', b'!', b'A', b'M', b'R', ..] => ("audio/amr", "amr"),
        [b'I', b'D', b'3', ..] | [0xff, 0xfb, ..] => ("audio/mp3", "mp3"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => ("video/mp4", "mp4"),
        _ => ("application/octet-stream", "bin"),
    }
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, Seen, form};
    use serde_json::json;

    fn upload(bench: &Bench, kind: &str, content: &[u8]) -> Seen {
        let body = form(&[("media", Some("a.jpg"), content)]);
        bench.upload("/cgi-bin/media/upload", &format!("type={kind}"), body)
    }

    fn download(bench: &Bench, media_id: &str) -> Seen {
        bench.get_with_token("/cgi-bin/media/get", &format!("media_id={media_id}"))
    }

    #[test]
    fn what_goes_up_comes_down_byte_for_byte_for_three_days() {
        let bench = Bench::new();
        let content = [&b"\xff\xd8\xff"[..], &[0, 13, 10, 45, 45, 88, 255].repeat(999)].concat();
        let up = upload(&bench, "image", &content);
        assert_eq!((up.content_type, up.errcode), ("text/plain", None));
        let media_id = up.json()["media_id"].as_str().unwrap().to_owned();
        let down = download(&bench, &media_id);
        assert!(down.body == content);
        assert_eq!(down.content_type, "image/jpeg");
        let wanted = format!("attachment; filename=\"{media_id}.jpg\"");
        assert_eq!(down.disposition, Some(wanted));
        bench.control("POST", "clock", r#"{"advance_s":259201}"#);
        assert_eq!(download(&bench, &media_id).errcode, Some(40007));
    }

    #[test]
    fn uploads_are_checked_for_type_part_and_size() {
        let bench = Bench::new();
        assert_eq!(upload(&bench, "fax", b"x").errcode, Some(40004));
        assert_eq!(upload(&bench, "image", b"").errcode, Some(44001));
        assert_eq!(upload(&bench, "thumb", &[0; 65_537]).errcode, Some(45001));
        assert_eq!(upload(&bench, "thumb", &[0; 65_536]).errcode, None);
        let no_file = form(&[("media", None, b"x")]);
        let seen = bench.upload("/cgi-bin/media/upload", "type=image", no_file);
        assert_eq!(seen.errcode, Some(41005));
        let seen = bench.upload("/cgi-bin/media/upload", "type=image", b"nonsense".to_vec());
        assert_eq!(seen.errcode, Some(41005));
    }

    #[test]
    fn limits_can_be_raised_and_a_video_has_a_url() {
        let bench = Bench::new();
        let large = vec![7; 20 << 20];
        assert_eq!(upload(&bench, "image", &large).errcode, Some(45001));
        bench.set(&json!({"media_limit_bytes": 64 << 20}));
        let up = upload(&bench, "image", &large);
        let down = download(&bench, up.json()["media_id"].as_str().unwrap());
        assert!(down.body == large);
        let up = upload(&bench, "video", b"\0\0\0\x18ftypmp42");
        let media_id = up.json()["media_id"].as_str().unwrap().to_owned();
        assert!(download(&bench, &media_id).json()["video_url"].is_string());
        bench.set(&json!({"video_as_url": false}));
        assert_eq!(download(&bench, &media_id).content_type, "video/mp4");
    }

    #[test]
    fn a_voice_of_a_page_comes_as_speex() {
        let bench = Bench::new();
        let up = upload(&bench, "voice", b"#!AMR");
        let query = format!("media_id={}", up.json()["media_id"].as_str().unwrap());
        let down = bench.get_with_token("/cgi-bin/media/get/jssdk", &query);
        assert_eq!((down.content_type, &down.body[..]), ("voice/speex", &b"#!AMR"[..]));
        let down = bench.get_with_token("/cgi-bin/media/get/jssdk", "media_id=x");
        assert_eq!(down.errcode, Some(40007));
    }

    #[test]
    fn an_unknown_medium_is_refused() {
        let bench = Bench::new();
        assert_eq!(download(&bench, "x").errcode, Some(40007));
        assert_eq!(bench.get_with_token("/cgi-bin/media/get", "").errcode, Some(41006));
    }
}
