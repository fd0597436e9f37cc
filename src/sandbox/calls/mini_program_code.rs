//! Mini program codes.

use serde_json::Value;

use super::code_picture::{Look, draw};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    quota::Limits,
    refusal::Refusal,
    settings::CodeType,
};

/// 5000 a minute as documented (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/wxa/getwxacodeunlimit", unlimited)
        .limited(Limits::new(10_000_000, Some(5000))),
    CallSpec::post("/wxa/getwxacode", counted),
    CallSpec::post("/cgi-bin/wxaapp/createwxaqrcode", counted),
];

/// Success is a picture, failure is JSON: the call that a client must tell apart by content.
fn unlimited(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let scene = cx.form.field("scene").and_then(Value::as_str).unwrap_or_default();
    if scene.is_empty() || scene.chars().count() > MOST_SCENE_CHARACTERS {
        return Err(Refusal::new(40169));
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || SCENE_SIGNS.contains(&byte);
    if !scene.bytes().all(is_allowed) {
        return Err(Refusal::new(40129));
    }
    let page = cx.form.text("page").unwrap_or_default();
    check_page(cx, page)?;
    if let Some(version) = cx.form.field("env_version")
        && !matches!(version.as_str(), Some("release" | "trial" | "develop"))
    {
        return Err(Refusal::with(40097, "env_version is release, trial or develop"));
    }
    picture(cx, &format!("{page}?scene={scene}"))
}

/// Codes for whole paths, of which an account gets only so many: `Num-Used` tells how many.
fn counted(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let path = cx.form.text("path").filter(|path| path.len() <= MOST_PATH_BYTES);
    let path = path.ok_or_else(|| Refusal::new(40159))?;
    let page = path.split_once('?').map_or(path, |(page, _)| page);
    let is_known = match &cx.state().settings.pages {
        Some(pages) => pages.iter().any(|known| known == page),
        None => true,
    };
    if path.contains("scancode_time") {
        return Err(Refusal::new(85096));
    }
    if !is_known {
        return Err(Refusal::new(41030));
    }
    let answer = picture(cx, path)?;
    let used = cx.state().links.count_code()?;
    Ok(Answer { extra: Some(("Num-Used", used.to_string())), ..answer })
}

fn picture(cx: &Cx<'_>, text: &str) -> Result<Answer, Refusal> {
    let look = look(cx)?;
    // Outside of every lock: drawing takes a millisecond.
    let picture = draw(text, look).ok_or_else(|| Refusal::with(40097, "page is too long"))?;
    let content_type = match cx.state().settings.code_type {
        CodeType::Jpeg if !look.is_transparent => "image/jpeg",
        CodeType::Jpeg | CodeType::Png => "image/png",
    };
    Ok(Answer::binary(content_type, picture))
}

/// With `check_path` (the default) the page must be one of the released version.
fn check_page(cx: &Cx<'_>, page: &str) -> Result<(), Refusal> {
    if page.contains("scancode_time") {
        return Err(Refusal::new(85096));
    }
    if page.starts_with('/') || page.contains('?') || page.len() > MOST_PAGE_BYTES {
        return Err(Refusal::new(41030));
    }
    let is_checked = cx.form.field("check_path") != Some(&Value::Bool(false));
    if page.is_empty() || !is_checked {
        return Ok(());
    }
    match &cx.state().settings.pages {
        Some(pages) if !pages.iter().any(|known| known == page) => Err(Refusal::new(41030)),
        Some(_) | None => Ok(()),
    }
}

/// Size and colours; what is missing has the documented default.
fn look(cx: &Cx<'_>) -> Result<Look, Refusal> {
    let bad = |name: &'static str| Refusal::with(40097, name);
    let width = match cx.form.field("width") {
        None => 430,
        Some(width) => width
            .as_u64()
            .filter(|width| (280..=1280).contains(width))
            .and_then(|width| u32::try_from(width).ok())
            .ok_or_else(|| bad("width is 280 to 1280"))?,
    };
    let flag = |name: &'static str| match cx.form.field(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| bad(name)),
    };
    let mut line = [0; 3];
    if !flag("auto_color")?
        && let Some(color) = cx.form.field("line_color")
    {
        for (part, name) in line.iter_mut().zip(["r", "g", "b"]) {
            *part = color_part(color.get(name)).ok_or_else(|| bad("line_color has r, g, b"))?;
        }
    }
    Ok(Look { width, line, is_transparent: flag("is_hyaline")? })
}

/// 0 to 255, also as text, as the documents' own example has it.
fn color_part(value: Option<&Value>) -> Option<u8> {
    let value = value?;
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    u8::try_from(number?).ok()
}

const MOST_SCENE_CHARACTERS: usize = 32;
const MOST_PATH_BYTES: usize = 1024;
/// What the documents allow beside letters and digits.
const SCENE_SIGNS: &[u8] = b"!#$&'()*+,/:;=?@-._~%";
const MOST_PAGE_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::json;

    const PATH: &str = "/wxa/getwxacodeunlimit";

    #[test]
    fn a_code_is_a_real_picture() {
        let bench = Bench::new();
        let drawn = bench.post(PATH, &json!({"scene": "id=1", "page": "pages/a"}));
        assert_eq!((drawn.content_type, drawn.errcode), ("image/png", None));
        let decoder = png::Decoder::new(std::io::Cursor::new(&drawn.body));
        assert_eq!(decoder.read_info().unwrap().info().width, 430);
        bench.set(&json!({"code_type": "image/jpeg"}));
        assert_eq!(bench.post(PATH, &json!({"scene": "a"})).content_type, "image/jpeg");
        let hyaline =
            json!({"scene": "a", "is_hyaline": true, "line_color": {"r": "1", "g": 2, "b": 3}});
        assert_eq!(bench.post(PATH, &hyaline).content_type, "image/png");
    }

    #[test]
    fn what_is_wrong_has_its_errcode() {
        let bench = Bench::new();
        bench.set(&json!({"pages": ["pages/a"]}));
        for (body, errcode) in [
            (json!({}), 40169),
            (json!({"scene": ""}), 40169),
            (json!({"scene": "x".repeat(33)}), 40169),
            (json!({"scene": "店"}), 40129),
            (json!({"scene": "a b"}), 40129),
            (json!({"scene": "a", "page": "/pages/a"}), 41030),
            (json!({"scene": "a", "page": "pages/b"}), 41030),
            (json!({"scene": "a", "page": "pages/a?scancode_time=1"}), 85096),
            (json!({"scene": "a", "width": 279}), 40097),
            (json!({"scene": "a", "width": "430"}), 40097),
            (json!({"scene": "a", "env_version": "beta"}), 40097),
            (json!({"scene": "a", "is_hyaline": 1}), 40097),
            (json!({"scene": "a", "line_color": {"r": 256, "g": 0, "b": 0}}), 40097),
        ] {
            let seen = bench.post(PATH, &body);
            assert_eq!(seen.errcode, Some(errcode), "{body}");
            assert!(seen.content_type.starts_with("application/json"));
        }
        let unchecked = json!({"scene": "a", "page": "pages/b", "check_path": false});
        assert_eq!(bench.post(PATH, &unchecked).errcode, None);
    }

    #[test]
    fn codes_for_whole_paths_are_counted() {
        let bench = Bench::new();
        for (path, used) in [("/wxa/getwxacode", 1), ("/cgi-bin/wxaapp/createwxaqrcode", 2)] {
            let seen = bench.post(path, &json!({"path": "pages/a?x=1"}));
            assert_eq!(seen.content_type, "image/png");
            assert_eq!(seen.extra, Some(("Num-Used", used.to_string())));
        }
        let errcode = |body| bench.post("/wxa/getwxacode", &body).errcode;
        assert_eq!(errcode(json!({})), Some(40159));
        assert_eq!(errcode(json!({"path": "a?scancode_time=1"})), Some(85096));
        bench.set(&json!({"pages": []}));
        assert_eq!(errcode(json!({"path": "pages/a"})), Some(41030));
    }
}
