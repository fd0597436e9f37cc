//! A multipart form that is already here as a whole.

use bytes::Bytes;
use futures_util::{FutureExt as _, future, stream};

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The field's name.
    pub(super) name: String,
    /// The name of the file, for a file.
    pub(super) file_name: Option<String>,
    /// The content; shares the memory of the body where multer lets it.
    pub(super) bytes: Bytes,
}

/// The parts of `body`; none where it is not a well-formed form with that content type.
pub(super) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let whole = stream::once(future::ready(Ok::<_, std::convert::Infallible>(body.clone())));
    let mut form = multer::Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    // The body never makes multer wait, so each of its futures is ready at the first poll; one
    // that is not means that the form is not complete.
    while let Some(field) = form.next_field().now_or_never()?.ok()? {
        if parts.len() == MOST_PARTS {
            return None;
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(ToOwned::to_owned);
        let bytes = field.bytes().now_or_never()?.ok()?;
        parts.push(Part { name, file_name, bytes });
    }
    Some(parts)
}

/// No call has more than five.
const MOST_PARTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    fn form(content: &str) -> Bytes {
        format!(
            "--XX\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\
             Content-Type: image/png\r\n\r\n{content}\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"resp_type\"\r\n\r\n1\r\n--XX--\r\n"
        )
        .into()
    }

    #[test]
    fn a_form_gives_its_very_bytes_and_names() {
        let found = parts(TYPE, &form("\u{1}\r\n--X\r\n")).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].file_name.as_deref(), Some("a.png"));
        assert_eq!(&found[0].bytes[..], b"\x01\r\n--X\r\n");
        assert_eq!((found[1].name.as_str(), &found[1].bytes[..]), ("resp_type", &b"1"[..]));
    }

    #[test]
    fn a_form_cut_short_or_with_a_foreign_boundary_has_no_parts() {
        let whole = form("abc");
        for cut in [0, 10, whole.len() / 2, whole.len() - 8] {
            assert_eq!(parts(TYPE, &whole.slice(..cut)), None, "{cut}");
        }
        assert_eq!(parts("application/json", &whole), None);
        assert_eq!(parts("multipart/form-data; boundary=YY", &whole), None);
    }
}
