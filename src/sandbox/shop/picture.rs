//! Whether a picture came from the upload call.

use serde_json::Value;

use crate::sandbox::refusal::Refusal;

/// A URL that `/shop/img/upload` gave, or could have given: 1000035 for what is no URL, 1070010
/// for one from elsewhere.
pub(in crate::sandbox) fn check_url(url: &str) -> Result<(), Refusal> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| Refusal::new(1_000_035))?;
    let is_ours = PLACES.iter().any(|place| rest.starts_with(place));
    is_ours.then_some(()).ok_or_else(|| Refusal::new(1_070_010))
}

/// Pictures of an audit: URLs of the upload call, or its media ids.
pub(in crate::sandbox) fn check_list(list: Option<&Value>) -> Result<(), Refusal> {
    let pictures = list.and_then(Value::as_array).into_iter().flatten();
    for picture in pictures.filter_map(Value::as_str) {
        if picture.contains("://") {
            check_url(picture)?;
        } else if picture.is_empty() {
            return Err(Refusal::new(1_070_010));
        }
    }
    Ok(())
}

/// Where the platform serves exchanged images from.
const PLACES: &[&str] = &["mmecimage.cn/p/", "store.mp.video.tencent-cloud.com/", "mmbizurl.cn/"];
