//! A multipart form as it is sent.

use serde_json::{Map, Value};

use crate::scenario::{FileContent, FormField, FormValue, Scope, fill_text};

/// The content type and the body.
///
/// # Errors
/// What a text asks for and nobody knows.
pub(super) fn encode(fields: &[FormField], scope: &Scope) -> Result<(String, Vec<u8>), String> {
    let mut body = Vec::new();
    for field in fields {
        let name = quoted(&field.name);
        body.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        body.extend_from_slice(head.as_bytes());
        match &field.value {
            FormValue::Text(text) => {
                body.extend_from_slice(format!("\r\n\r\n{}", fill_text(text, scope)?).as_bytes());
            }
            FormValue::File { file_name, content } => {
                let kind = content_type(file_name);
                let file_name = quoted(file_name);
                let head = format!("; filename=\"{file_name}\"\r\nContent-Type: {kind}\r\n\r\n");
                body.extend_from_slice(head.as_bytes());
                match content {
                    FileContent::Text(text) => {
                        body.extend_from_slice(fill_text(text, scope)?.as_bytes());
                    }
                    FileContent::Bytes(bytes) => body.extend_from_slice(bytes),
                }
            }
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={BOUNDARY}"), body))
}

/// The form without its files, for whoever compares an answer with it.
///
/// # Errors
/// What a text asks for and nobody knows.
pub(super) fn texts(fields: &[FormField], scope: &Scope) -> Result<Value, String> {
    let mut texts = Map::new();
    for field in fields {
        if let FormValue::Text(text) = &field.value {
            texts.insert(field.name.clone(), fill_text(text, scope)?.into());
        }
    }
    Ok(texts.into())
}

/// As browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn content_type(file_name: &str) -> &'static str {
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "mp3" => "audio/mpeg",
        "amr" => "audio/amr",
        "mp4" => "video/mp4",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

/// Long and odd enough to stand in no file.
const BOUNDARY: &str = "----wxgate-scenario-7b1f0c5e94a2d638";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_its_texts_and_files() {
        let scope = Scope::new("R".to_owned(), 0);
        let fields = [
            FormField { name: "type".to_owned(), value: FormValue::Text("${id:x}".to_owned()) },
            FormField {
                name: "media".to_owned(),
                value: FormValue::File {
                    file_name: "a\".png".to_owned(),
                    content: FileContent::Bytes(vec![0, 255]),
                },
            },
        ];
        assert_eq!(texts(&fields, &scope).unwrap(), serde_json::json!({"type": "xR"}));
        let (kind, body) = encode(&fields, &scope).unwrap();
        assert!(kind.ends_with(BOUNDARY));
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("name=\"type\"\r\n\r\nxR\r\n"), "{text}");
        assert!(
            text.contains("filename=\"a%22.png\"\r\nContent-Type: image/png\r\n\r\n\0"),
            "{text}"
        );
        assert!(text.ends_with(&format!("\r\n--{BOUNDARY}--\r\n")));
    }
}
