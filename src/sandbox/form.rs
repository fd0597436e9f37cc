//! The body of a call, read as the call's form asks.

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::{multipart, multipart::Part, refusal::Refusal};

/// What a call expects in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormKind {
    /// Nothing; whatever comes is ignored.
    None,
    /// A JSON object.
    Json,
    /// A JSON object, or nothing at all.
    OptionalJson,
    /// `multipart/form-data`.
    Multipart,
    /// Either, told apart by `Content-Type`.
    JsonOrMultipart,
}

/// What came.
#[derive(Debug)]
pub(super) enum Form {
    /// Nothing, or nothing that is looked at.
    None,
    /// A JSON object.
    Json(Value),
    /// The parts of a form.
    Parts(Vec<Part>),
    /// Not what the call expects. Kept, because the token is judged before the body.
    Bad(Refusal),
}

impl Form {
    /// Reads `body` for a call that expects `kind`.
    pub(super) fn read(kind: FormKind, headers: &HeaderMap, body: &Bytes) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_multipart = content_type.trim_start().to_ascii_lowercase().starts_with("multipart/");
        match kind {
            FormKind::None => Self::None,
            FormKind::OptionalJson if body.is_empty() => Self::None,
            FormKind::Multipart => Self::parts(content_type, body),
            FormKind::JsonOrMultipart if is_multipart => Self::parts(content_type, body),
            FormKind::Json | FormKind::OptionalJson | FormKind::JsonOrMultipart => Self::json(body),
        }
    }

    fn json(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Bad(Refusal::new(44002));
        }
        if body.len() > JSON_CAP_BYTES {
            return Self::Bad(Refusal::new(45002));
        }
        match serde_json::from_slice(body) {
            Ok(value @ Value::Object(_)) => Self::Json(value),
            Ok(_) => Self::Bad(Refusal::with(47001, "the body is not a JSON object")),
            Err(error) => Self::Bad(Refusal::with(47001, error)),
        }
    }

    /// A broken form counts as one without parts: each upload call has its own code for that.
    fn parts(content_type: &str, body: &Bytes) -> Self {
        Self::Parts(multipart::parts(content_type, body).unwrap_or_default())
    }

    /// The JSON object, where that is what came.
    pub(super) fn object(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Json(value) => value.as_object(),
            Self::None | Self::Parts(_) | Self::Bad(_) => None,
        }
    }

    /// The whole JSON object.
    pub(super) fn whole(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::None | Self::Parts(_) | Self::Bad(_) => None,
        }
    }

    /// A field of the JSON object, or a text part of the form; `null` counts as missing.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Json(value) => value.get(name).filter(|value| !value.is_null()),
            Self::None | Self::Parts(_) | Self::Bad(_) => None,
        }
    }

    /// A field that is text; an empty one counts as missing.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self {
            Self::Parts(_) => {
                self.part(name).and_then(|part| std::str::from_utf8(&part.bytes).ok())
            }
            Self::Json(_) | Self::None | Self::Bad(_) => self.field(name).and_then(Value::as_str),
        }
        .filter(|text| !text.is_empty())
    }

    /// A field that is a whole number, also one written as text, as forms have it.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        let number = self.field(name).and_then(Value::as_i64);
        number.or_else(|| self.text(name).and_then(|text| text.trim().parse().ok()))
    }

    /// A part of the form.
    pub(super) fn part(&self, name: &str) -> Option<&Part> {
        match self {
            Self::Parts(parts) => parts.iter().find(|part| part.name == name),
            Self::None | Self::Json(_) | Self::Bad(_) => None,
        }
    }
}

/// No JSON call needs more; the platform's own limit is not known.
const JSON_CAP_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: FormKind, body: &'static str) -> Form {
        Form::read(kind, &HeaderMap::new(), &Bytes::from_static(body.as_bytes()))
    }

    fn code(form: &Form) -> i64 {
        match form {
            Form::Bad(refusal) => refusal.errcode,
            Form::None | Form::Json(_) | Form::Parts(_) => 0,
        }
    }

    #[test]
    fn bodies_that_are_not_what_the_call_expects_have_their_errcode() {
        for (body, errcode) in
            [("", 44002), ("{", 47001), ("[]", 47001), ("null", 47001), ("{\"a\":1,}", 47001)]
        {
            assert_eq!(code(&read(FormKind::Json, body)), errcode, "{body}");
        }
        assert_eq!(code(&read(FormKind::OptionalJson, "")), 0);
        assert_eq!(code(&read(FormKind::None, "{")), 0);
        let deep: &'static str = "[".repeat(100_000).leak();
        assert_eq!(code(&read(FormKind::Json, deep)), 47001, "no recursion without end");
    }

    #[test]
    fn fields_are_found_and_null_or_empty_ones_are_missing() {
        let form =
            read(FormKind::Json, r#"{"a":"x","b":"","c":null,"d":"7","e":18446744073709551615}"#);
        assert_eq!(form.text("a"), Some("x"));
        assert_eq!((form.text("b"), form.text("c"), form.field("c")), (None, None, None));
        assert_eq!(form.integer("d"), Some(7));
        assert_eq!(form.field("e").and_then(Value::as_u64), Some(u64::MAX));
    }
}
