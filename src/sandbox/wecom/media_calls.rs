//! Temporary media of WeCom.

use serde_json::json;

use crate::sandbox::{
    call::Answer,
    calls,
    dispatch::{CallSpec, Cx},
    form::FormKind,
    media_store::{MediaKind, Medium},
    refusal::Refusal,
};

/// Up as a form, down as bytes.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/media/upload", upload).form(FormKind::Multipart),
    CallSpec::get("/cgi-bin/media/get", download),
];

/// As WeChat's, with files too, errcode 0, and the time as text.
fn upload(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let name = cx.query.value("type").unwrap_or_default();
    let kind = MediaKind::parse_corp(name).ok_or_else(|| Refusal::new(40004))?;
    let part = cx.form.part("media").filter(|part| part.file_name.is_some());
    let part = part.filter(|part| part.bytes.len() >= LEAST_BYTES);
    let part = part.ok_or_else(|| Refusal::new(44001))?;
    let state = &mut *cx.state();
    let limit_bytes = state.settings.media_limit_bytes.unwrap_or_else(|| kind.limit_bytes());
    if part.bytes.len() as u64 > limit_bytes {
        return Err(Refusal::new(45001));
    }
    let media_id = cx.account.ids.text(64);
    state.media.keep(Medium {
        media_id: media_id.clone(),
        kind,
        bytes: part.bytes.clone(),
        expires_ms: cx.now_ms.saturating_add(i64::from(state.settings.media_life_s) * 1000),
    });
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "type": name,
        "media_id": media_id,
        "created_at": (cx.now_ms / 1000).to_string(),
    })))
}

/// The very bytes, of every kind.
fn download(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let media_id = cx.query.value("media_id").ok_or_else(|| Refusal::new(41006))?;
    let found = cx.state().media.find(media_id, cx.now_ms);
    let found = found.ok_or_else(|| Refusal::new(40007))?;
    Ok(calls::file(media_id, found.bytes))
}

/// An empty file, and one of a few bytes, is refused.
const LEAST_BYTES: usize = 5;

#[cfg(test)]
mod tests {
    use crate::{
        base::kind::AccountKind,
        sandbox::calls::bench::{Bench, Seen, form},
    };

    fn upload(bench: &Bench, kind: &str, content: &[u8]) -> Seen {
        let body = form(&[("media", Some("a.pdf"), content)]);
        bench.upload("/cgi-bin/media/upload", &format!("type={kind}"), body)
    }

    #[test]
    fn a_file_goes_up_and_comes_down() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        let up = upload(&bench, "file", b"%PDF-1.7");
        assert_eq!(up.errcode, Some(0));
        assert!(up.json()["created_at"].is_string());
        let query = format!("media_id={}", up.json()["media_id"].as_str().unwrap());
        let down = bench.get_with_token("/cgi-bin/media/get", &query);
        assert_eq!(&down.body[..], b"%PDF-1.7");
        assert!(down.disposition.is_some());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        assert_eq!(upload(&bench, "thumb", b"12345").errcode, Some(40004));
        assert_eq!(upload(&bench, "image", b"1234").errcode, Some(44001));
        assert_eq!(upload(&bench, "voice", &[0; (2 << 20) + 1]).errcode, Some(45001));
        let get = |query: &str| bench.get_with_token("/cgi-bin/media/get", query).errcode;
        assert_eq!((get(""), get("media_id=x")), (Some(41006), Some(40007)));
    }
}
