//! A call as the platform sees it, with the reply that it gives.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// One whole request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its path as sent, without query.
    pub path: String,
    /// Its query as sent, without `?`; empty if there is none.
    pub query: String,
    /// Its headers; only `Content-Type` and those of API signing are looked at.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
    /// Where it comes from, as the socket tells.
    pub peer: IpAddr,
}

/// What is written back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200 unless a fault says otherwise.
    pub status: StatusCode,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Content-disposition` of a download.
    pub disposition: Option<String>,
    /// One more header.
    pub extra: Option<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// The errcode in the body; none where the body has none.
    pub errcode: Option<i64>,
}

impl Answer {
    /// JSON, as nearly every call answers.
    pub(super) fn json(value: &serde_json::Value) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: JSON,
            disposition: None,
            extra: None,
            errcode: value.get("errcode").and_then(serde_json::Value::as_i64),
            body: value.to_string().into(),
        }
    }

    /// errcode 0 and nothing else.
    pub(super) fn done() -> Self {
        Self::json(&serde_json::json!({ "errcode": 0, "errmsg": "ok" }))
    }

    /// errcode 0 with `value` as the field `name`, written without a copy of it.
    pub(super) fn ok(name: &'static str, value: &impl serde::Serialize) -> Self {
        let written = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        let body = format!(r#"{{"errcode":0,"errmsg":"ok","{name}":{written}}}"#);
        let errcode = Some(0);
        let body = body.into();
        Self {
            status: StatusCode::OK,
            content_type: JSON,
            disposition: None,
            extra: None,
            body,
            errcode,
        }
    }

    /// Bytes that are not JSON.
    pub(super) fn binary(content_type: &'static str, body: Bytes) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            disposition: None,
            extra: None,
            body,
            errcode: None,
        }
    }
}

/// An answer with the manner in which it is given.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What is written.
    pub answer: Answer,
    /// How long it is held back. The call has taken effect by then.
    pub delay: Duration,
    /// Whether the connection is reset instead of, or while, answering.
    pub cut: Option<Cut>,
    /// Further headers, their names in the letter case to be used on HTTP/1.1.
    pub headers: Vec<(String, String)>,
    /// How long the body takes from its first byte to its last; zero for a body in one piece.
    pub body_time: Duration,
    /// What the answer's `Date` tells, in Unix milliseconds; none = the machine's time.
    pub date_ms: Option<i64>,
}

/// Where an answer breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the first byte of the head.
    BeforeHead,
    /// After so many bytes of the body.
    InBody(usize),
}

/// The platform writes `encoding` where others write `charset`.
pub(super) const JSON: &str = "application/json; encoding=utf-8";
/// The other type that JSON comes with.
pub(super) const PLAIN: &str = "text/plain";
