//! Exchanges as a HAR 1.2 archive, written as they come.
//!
//! Format: <http://www.softwareishard.com/blog/har-12-spec/>, read 2026-11.

use std::io::Write;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::{
    error::CaptureError,
    shape::{rfc3339, tenths_of_ms},
    stored::StoredExchange,
    stored_message::StoredMessage,
};

/// Writes an archive of `exchanges` and tells how many there were. Only one of them is in
/// memory at a time. Mask them first where the reader of the archive may not see all.
///
/// # Errors
/// [`CaptureError::Export`] when `out` fails, or the first error of `exchanges`; the archive is
/// not complete then.
pub fn export<W: Write>(
    exchanges: impl IntoIterator<Item = Result<StoredExchange, CaptureError>>,
    mut out: W,
) -> Result<u64, CaptureError> {
    let failed = |source| CaptureError::Export { source };
    out.write_all(HEAD.as_bytes()).map_err(failed)?;
    let mut count = 0;
    for exchange in exchanges {
        let exchange = exchange?;
        let separator: &[u8] = if count == 0 { b"\n" } else { b",\n" };
        out.write_all(separator).map_err(failed)?;
        serde_json::to_writer(&mut out, &Entry::of(&exchange))
            .map_err(|error| failed(error.into()))?;
        count += 1;
    }
    out.write_all(b"\n]}}\n").and_then(|()| out.flush()).map_err(failed)?;
    Ok(count)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: Request<'a>,
    response: Response<'a>,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "_wxgate")]
    wxgate: super::shape::Shape<'a>,
}

impl<'a> Entry<'a> {
    fn of(exchange: &'a StoredExchange) -> Self {
        Self {
            started_date_time: rfc3339(exchange.time_ms),
            time: tenths_of_ms(exchange.duration_us),
            request: Request::of(exchange),
            response: Response::of(exchange),
            cache: Empty {},
            timings: Timings::of(exchange),
            wxgate: exchange.shape_without_messages(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: &'a str,
    url: String,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair>,
    query_string: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<Content>,
    headers_size: i64,
    body_size: u64,
}

impl<'a> Request<'a> {
    fn of(exchange: &'a StoredExchange) -> Self {
        let message = &exchange.request;
        Self {
            method: &exchange.method,
            url: url(exchange),
            http_version: HTTP_VERSION,
            cookies: [],
            headers: headers(message),
            query_string: query_pairs(&exchange.query),
            post_data: (message.size > 0).then(|| Content::of(message, false)),
            headers_size: UNKNOWN,
            body_size: message.size,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: &'a str,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair>,
    content: Content,
    #[serde(rename = "redirectURL")]
    redirect_url: String,
    headers_size: i64,
    body_size: u64,
}

impl Response<'_> {
    fn of(exchange: &StoredExchange) -> Self {
        let message = &exchange.response;
        let status = exchange.status.and_then(|status| http::StatusCode::from_u16(status).ok());
        Self {
            status: exchange.status.unwrap_or(0),
            status_text: status.and_then(|status| status.canonical_reason()).unwrap_or(""),
            http_version: HTTP_VERSION,
            cookies: [],
            headers: headers(message),
            content: Content::of(message, true),
            redirect_url: text_of(message, "location"),
            headers_size: UNKNOWN,
            body_size: message.size,
        }
    }
}

/// A body. Text as it is, anything else as base64, with a comment where it is not all of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    mime_type: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'static str>,
}

impl Content {
    fn of(message: &StoredMessage, has_size: bool) -> Self {
        let body = message.body().unwrap_or_default();
        let (text, encoding) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), None),
            Err(_) => (BASE64_STANDARD.encode(body), Some("base64")),
        };
        let comment = match (message.body(), message.truncated) {
            (None, _) => Some("the body is no longer kept"),
            (Some(_), true) => Some("only the beginning of the body was kept"),
            (Some(_), false) => None,
        };
        Self {
            size: has_size.then_some(message.size),
            mime_type: text_of(message, "content-type"),
            text,
            encoding,
            comment,
        }
    }
}

/// Milliseconds; -1 for what did not happen. `connect` includes `ssl`, as the format wants.
#[derive(Serialize)]
struct Timings {
    blocked: f64,
    dns: f64,
    connect: f64,
    ssl: f64,
    send: f64,
    wait: f64,
    receive: f64,
}

impl Timings {
    /// Of the last attempt, whose answer it is.
    fn of(exchange: &StoredExchange) -> Self {
        let Some(attempt) = exchange.attempts.last() else {
            let wait = tenths_of_ms(exchange.duration_us);
            return Self {
                blocked: NEVER,
                dns: NEVER,
                connect: NEVER,
                ssl: NEVER,
                send: 0.0,
                wait,
                receive: 0.0,
            };
        };
        let us = &attempt.us;
        let or_never = |phase: Option<u64>| phase.map_or(NEVER, tenths_of_ms);
        let tls = us.tls.unwrap_or(0);
        let before = us.queue + us.dns.unwrap_or(0) + us.connect.unwrap_or(0) + tls;
        let first_byte = us.first_byte.unwrap_or(us.total);
        Self {
            blocked: tenths_of_ms(us.queue + us.token),
            dns: or_never(us.dns),
            connect: or_never(us.connect.map(|connect| connect + tls)),
            ssl: or_never(us.tls),
            send: 0.0,
            wait: tenths_of_ms(first_byte.saturating_sub(before)),
            receive: tenths_of_ms(us.total.saturating_sub(first_byte)),
        }
    }
}

#[derive(Serialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Empty {}

fn headers(message: &StoredMessage) -> Vec<Pair> {
    let pair = |(name, value): (&str, &[u8])| Pair {
        name: name.to_owned(),
        value: String::from_utf8_lossy(value).into_owned(),
    };
    message.headers().map(pair).collect()
}

fn text_of(message: &StoredMessage, header: &str) -> String {
    String::from_utf8_lossy(message.header(header).unwrap_or_default()).into_owned()
}

fn query_pairs(query: &str) -> Vec<Pair> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Pair { name: decode(name), value: decode(value) }
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// Where the request went; without an attempt, where it came to.
fn url(exchange: &StoredExchange) -> String {
    let origin = match exchange.attempts.last() {
        Some(attempt) => attempt.upstream.to_string(),
        None => match text_of(&exchange.request, "host").as_str() {
            "" => "https://localhost".to_owned(),
            host => format!("https://{host}"),
        },
    };
    let mark = if exchange.query.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{}", origin.trim_end_matches('/'), exchange.path, exchange.query)
}

const HEAD: &str = concat!(
    r#"{"log":{"version":"1.2","creator":{"name":"wxgate","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""},"entries":["#
);

/// The version on the wire is not recorded; readers of archives want one.
const HTTP_VERSION: &str = "HTTP/1.1";

/// How the format writes a size that is not known.
const UNKNOWN: i64 = -1;

/// How the format writes a phase that did not happen.
const NEVER: f64 = -1.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing;

    fn archive(exchanges: Vec<StoredExchange>) -> serde_json::Value {
        let mut out = Vec::new();
        let count = exchanges.len() as u64;
        assert_eq!(export(exchanges.into_iter().map(Ok), &mut out).unwrap(), count);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_archive_has_what_the_format_demands() {
        let mut exchange = testing::stored(&testing::documented());
        exchange.query = "a=%E5%BA%97&b".into();
        let har = archive(vec![exchange.clone(), exchange]);
        assert_eq!(har["log"]["version"], "1.2");
        assert_eq!(har["log"]["creator"]["name"], "wxgate");
        let entries = har["log"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        let (request, response) = (&entries[0]["request"], &entries[0]["response"]);
        assert_eq!(entries[0]["startedDateTime"], "2026-11-22T09:30:00.123Z");
        assert_eq!(entries[0]["time"], 42.0);
        assert_eq!(request["url"], "https://api.weixin.qq.com/shop/spu/add?a=%E5%BA%97&b");
        assert_eq!(request["queryString"][0]["value"], "店");
        assert_eq!(request["postData"]["mimeType"], "application/json");
        assert_eq!(request["postData"]["text"], r#"{"id":12345678901234567890}"#);
        assert_eq!(response["status"], 200);
        assert_eq!(response["statusText"], "OK");
        assert_eq!(response["content"]["size"], 13);
        assert_eq!(response["redirectURL"], "");
        assert_eq!(entries[0]["timings"]["dns"], -1.0);
        assert_eq!(entries[0]["timings"]["wait"], 41.2);
        assert_eq!(entries[0]["timings"]["receive"], 0.7);
        assert_eq!(entries[0]["_wxgate"]["outcome"], "ok");
    }

    #[test]
    fn binary_cut_and_missing_bodies_are_marked() {
        let mut exchange = testing::stored(&testing::documented());
        exchange.response = StoredMessage::new(vec![0xff].into(), 0, 9, true);
        let content = &archive(vec![exchange.clone()])["log"]["entries"][0]["response"]["content"];
        assert_eq!((&content["encoding"], &content["text"]), (&"base64".into(), &"/w==".into()));
        assert_eq!(content["comment"], "only the beginning of the body was kept");
        exchange.response = StoredMessage::without_parts(9, false);
        let content = &archive(vec![exchange])["log"]["entries"][0]["response"]["content"];
        assert_eq!(content["comment"], "the body is no longer kept");
        assert_eq!(archive(vec![])["log"]["entries"].as_array().unwrap().len(), 0);
    }
}
