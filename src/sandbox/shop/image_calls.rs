//! Images exchanged for ones that products and audits accept.

use serde_json::{Value, json};

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    form::FormKind,
    refusal::Refusal,
};

/// Takes a form with the image, or JSON with its URL.
pub(in crate::sandbox) const CALLS: &[CallSpec] =
    &[CallSpec::shop("/shop/img/upload", upload).form(FormKind::JsonOrMultipart)];

/// Parameters stand in the form, the JSON body or the query; all three are seen in use.
fn upload(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let settings = cx.state().settings.clone();
    let resp_type = parameter(cx, "resp_type").unwrap_or(settings.component.img_resp_type);
    match parameter(cx, "upload_type").unwrap_or(settings.component.img_upload_type) {
        0 => {
            let part = cx.form.part("media").filter(|part| !part.bytes.is_empty());
            let part = part.ok_or_else(|| Refusal::new(1_070_001))?;
            let limit_bytes = settings.media_limit_bytes.unwrap_or(LIMIT_BYTES);
            if part.bytes.len() as u64 > limit_bytes {
                return Err(Refusal::new(settings.component.image_too_large_errcode));
            }
        }
        1 => check_url(cx.form.text("img_url").or_else(|| cx.query.value("img_url")))?,
        _ => return Err(Refusal::with(40097, "upload_type is 0 or 1")),
    }
    let (name, value) = match resp_type {
        0 => ("media_id", cx.account.ids.text(64)),
        1 => {
            let name = cx.account.ids.text(27);
            (
                "temp_img_url",
                format!("https://mmecimage.cn/p/{}/{name}", cx.account.identity.app_id),
            )
        }
        2 => ("pay_media_id", cx.account.ids.text(64)),
        _ => return Err(Refusal::with(40097, "resp_type is 0, 1 or 2")),
    };
    let mut info = Value::Object(serde_json::Map::new());
    info[name] = Value::String(value);
    Ok(Answer::json(&json!({ "errcode": 0, "errmsg": "ok", "img_info": info })))
}

/// A number from wherever it stands.
fn parameter(cx: &Cx<'_>, name: &str) -> Option<i64> {
    let in_query = || cx.query.value(name).and_then(|text| text.parse().ok());
    cx.form.integer(name).or_else(in_query)
}

/// The sandbox fetches nothing from anywhere: every public-looking URL counts as fetched.
fn check_url(url: Option<&str>) -> Result<(), Refusal> {
    let url = url.ok_or_else(|| Refusal::new(1_070_001))?;
    let uri = url.parse::<http::Uri>().ok();
    let is_public = uri.is_some_and(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        is_web && uri.host().is_some_and(|host| host.contains('.') && host != "127.0.0.1")
    });
    is_public.then_some(()).ok_or_else(|| Refusal::new(1_070_008))
}

/// "Images of audits: under 2 MB".
const LIMIT_BYTES: u64 = 2 << 20;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, form};
    use serde_json::json;

    const PATH: &str = "/shop/img/upload";

    #[test]
    fn resp_type_chooses_what_comes_back() {
        let bench = Bench::new();
        for (resp_type, field) in
            [("", "media_id"), ("0", "media_id"), ("1", "temp_img_url"), ("2", "pay_media_id")]
        {
            let body = form(&[
                ("media", Some("a.png"), b"png"),
                ("resp_type", None, resp_type.as_bytes()),
            ]);
            let seen = bench.upload(PATH, "", body);
            assert_eq!(seen.errcode, Some(0), "{resp_type}");
            let info = &seen.json()["img_info"];
            assert!(info[field].is_string() && info.as_object().unwrap().len() == 1, "{info}");
        }
        let body = form(&[("media", Some("a.png"), b"png"), ("resp_type", None, b"3")]);
        assert_eq!(bench.upload(PATH, "", body).errcode, Some(40097));
    }

    #[test]
    fn a_url_is_taken_as_fetched_unless_it_cannot_be_public() {
        let bench = Bench::new();
        let post = |url: &str| {
            bench.post(PATH, &json!({"upload_type": 1, "resp_type": 1, "img_url": url})).errcode
        };
        assert_eq!(post("https://cdn.longjing-demo.example/goods/tea.jpg"), Some(0));
        for bad in ["ftp://a.example/x", "x", "http://localhost/a.png", "http://127.0.0.1/a.png"] {
            assert_eq!(post(bad), Some(1_070_008), "{bad}");
        }
        assert_eq!(post(""), Some(1_070_001));
        assert_eq!(bench.post(PATH, &json!({"upload_type": 2})).errcode, Some(40097));
    }

    #[test]
    fn an_image_must_be_there_and_not_too_large() {
        let bench = Bench::new();
        let upload = |size: usize| {
            bench.upload(PATH, "", form(&[("media", Some("a"), &vec![1; size])])).errcode
        };
        assert_eq!(upload(0), Some(1_070_001));
        assert_eq!((upload(2 << 20), upload((2 << 20) + 1)), (Some(0), Some(40009)));
        bench.set(&json!({"image_too_large_errcode": 45001}));
        assert_eq!(upload((2 << 20) + 1), Some(45001));
        bench.set(&json!({"media_limit_bytes": 32 << 20}));
        assert_eq!(upload(20 << 20), Some(0));
        assert_eq!(bench.upload(PATH, "", b"x".to_vec()).errcode, Some(1_070_001));
    }
}
