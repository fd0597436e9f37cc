//! A recorded multipart form, as a scenario writes it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{FutureExt as _, future, stream};
use serde_json::{Map, Value, json};

/// The fields by name; none where the body is no such form.
pub(super) fn read(content_type: &str, body: &[u8]) -> Option<Map<String, Value>> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let body = Bytes::copy_from_slice(body);
    let whole = stream::once(future::ready(Ok::<_, std::convert::Infallible>(body)));
    let mut form = multer::Multipart::new(whole, boundary);
    let mut fields = Map::new();
    // All of the body is here, so each future is ready at once, or the form is not complete.
    while let Some(field) = form.next_field().now_or_never()?.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(ToOwned::to_owned);
        let bytes = field.bytes().now_or_never()?.ok()?;
        let text = std::str::from_utf8(&bytes).ok();
        let value = match (file_name, text) {
            (None, text) => Value::from(text?),
            (Some(file), Some(text)) => json!({ "file": file, "text": text }),
            (Some(file), None) => json!({ "file": file, "base64": BASE64_STANDARD.encode(&bytes) }),
        };
        fields.insert(name, value);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts_and_files_keep_their_bytes() {
        let body = b"--X\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\r\n\xff\0\r\n\
                     --X\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nimage\r\n--X--\r\n";
        let fields = read("multipart/form-data; boundary=X", body).unwrap();
        assert_eq!(
            Value::from(fields),
            json!({"media": {"file": "a.png", "base64": "/wA="}, "type": "image"})
        );
        assert!(read("multipart/form-data; boundary=X", &body[..60]).is_none());
        assert!(read("multipart/form-data", body).is_none());
    }
}
