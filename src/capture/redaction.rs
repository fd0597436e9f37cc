//! From what went over the wire to what may be stored: credentials go, by place, value, shape.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header::HeaderName};

use super::{
    content_coding,
    exchange::{Attempt, Captured, Exchange, Message},
    field_names::FieldNames,
    json_mask::mask_json,
    query_mask::mask_query,
    stored::{StoredAttempt, StoredExchange, StoredPhases},
    stored_message::StoredMessage,
};
use crate::base::{
    clock::unix_ms,
    redact::{MASK, Redactor},
};

/// What is hidden by its place, and how much of a compressed body is read.
pub(super) struct Rules {
    /// Credential fields of the platform, and configured ones.
    names: FieldNames,
    /// A decoded body is not longer than a plain one may be.
    body_cap: usize,
}

impl Rules {
    /// The credential fields of the platform, and `configured` ones.
    pub(super) fn new(configured: &[String], body_cap: usize) -> Self {
        let configured = configured.iter().map(String::as_str);
        let names = FieldNames::new(CREDENTIAL_FIELDS.iter().copied().chain(configured));
        Self { names, body_cap }
    }

    /// The exchange without its credentials. `seq` is its place in the order of storing.
    pub(super) fn redact(
        &self,
        exchange: Exchange,
        seq: u64,
        redactor: &Redactor,
    ) -> StoredExchange {
        // In any spelling that the platform might take for it.
        let path = exchange.path.trim_end_matches('/').to_ascii_lowercase();
        let is_ticket = path.ends_with(TICKET_PATH);
        let hides = |name: &[u8]| {
            self.names.contains(name)
                || exchange.extra_redact.iter().any(|f| name.eq_ignore_ascii_case(f.as_bytes()))
                || (is_ticket && name.eq_ignore_ascii_case(b"ticket"))
        };
        let mut work = Work { hides, redactor, body_cap: self.body_cap, found: Vec::new() };
        let query = work.query(exchange.query);
        let path = work.path(exchange.path);
        let mut marks = exchange.marks;
        marks.fault = marks.fault.map(|text| masked_text(redactor, text));
        let request = work.message(exchange.request);
        let redacted = std::mem::take(&mut work.found);
        let response = work.message(exchange.response);
        StoredExchange {
            seq,
            id: exchange.id,
            time_ms: unix_ms(exchange.time),
            key: exchange.key,
            account: exchange.account,
            lane: exchange.lane,
            client: exchange.client,
            method: method_name(&exchange.method),
            path,
            query,
            call: exchange.call.map(Cow::Borrowed),
            status: exchange.status,
            errcode: exchange.errcode,
            errmsg: exchange.errmsg.map(|text| masked_text(redactor, text)),
            rid: exchange.rid.map(|text| masked_text(redactor, text)),
            outcome: exchange.outcome,
            error: exchange.error.map(|code| Cow::Borrowed(code.name())),
            attempts: exchange.attempts.into_iter().map(|a| attempt(a, redactor)).collect(),
            request,
            response,
            duration_us: us(exchange.duration),
            marks,
            replay_of: exchange.replay_of,
            note: exchange.note.map(|text| masked_text(redactor, text)),
            redacted,
        }
    }
}

/// Redaction of one exchange; `found` collects what was hidden, each name once.
struct Work<'a, F> {
    hides: F,
    redactor: &'a Redactor,
    body_cap: usize,
    found: Vec<String>,
}

impl<F: Fn(&[u8]) -> bool> Work<'_, F> {
    /// By place, then by value; a replay must know of both.
    fn query(&mut self, query: String) -> String {
        let mut query = query.into_bytes();
        mask_query(&mut query, &self.hides, &mut |name| note(&mut self.found, name));
        if mask_values(self.redactor, &mut query, false).is_some() {
            note(&mut self.found, b"query");
        }
        text_of(query)
    }

    /// By value only: a path has no named fields.
    fn path(&mut self, path: String) -> String {
        let mut path = path.into_bytes();
        if mask_values(self.redactor, &mut path, false).is_some() {
            note(&mut self.found, b"path");
        }
        text_of(path)
    }

    /// Header lines and body in one run of bytes, so that live secrets are searched for once.
    fn message(&mut self, message: Message) -> StoredMessage {
        let Message { headers, body } = message;
        let kept: usize = body.chunks.iter().map(Bytes::len).sum();
        let mut bytes = Vec::with_capacity(headers.len() * HEADER_BYTES + kept);
        for (name, value) in &headers {
            self.header(name, value, &mut bytes);
        }
        let header_bytes = bytes.len();
        let is_cut = append_body(&headers, &body, self.body_cap, &mut bytes);
        if is_cut {
            let end = header_bytes + without_cut_character(&bytes[header_bytes..]);
            bytes.truncate(end);
        }
        let found = &mut self.found;
        mask_json(&mut bytes[header_bytes..], &self.hides, &mut |name| note(found, name));
        if has_type(&headers, b"application/x-www-form-urlencoded") {
            mask_query(&mut bytes[header_bytes..], &self.hides, &mut |name| note(found, name));
        }
        let last_hit = mask_values(self.redactor, &mut bytes, is_cut);
        if last_hit.is_some_and(|hit| hit >= header_bytes) {
            note(&mut self.found, b"body");
        }
        StoredMessage::new(bytes.into(), header_bytes, body.size, is_cut)
    }

    fn header(&self, name: &HeaderName, value: &HeaderValue, out: &mut Vec<u8>) {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        let begin = out.len();
        out.extend_from_slice(value.as_bytes());
        let value = &mut out[begin..];
        if is_credential_header(name) {
            mask_credential(value);
        } else if let Some(mark) = memchr::memchr(b'?', value) {
            // A URL may hold a credential in its query.
            mask_query(&mut value[mark + 1..], &self.hides, &mut |_| {});
        }
        out.push(b'\n');
    }
}

/// Remembers a hidden name once.
fn note(found: &mut Vec<String>, name: &[u8]) {
    let name = String::from_utf8_lossy(name);
    if found.len() < FOUND_MOST && !found.iter().any(|known| **known == *name) {
        found.push(name.into_owned());
    }
}

/// Masks live secrets and the shapes of our own; tells where the last one began.
fn mask_values(redactor: &Redactor, bytes: &mut [u8], is_cut: bool) -> Option<usize> {
    let mut hits = redactor.find(bytes);
    if is_cut {
        let begun = redactor.undecided(bytes);
        if begun > 0 {
            hits.push(bytes.len() - begun..bytes.len());
        }
    }
    for hit in &hits {
        bytes[hit.clone()].fill(MASK);
    }
    hits.iter().map(|hit| hit.start).max()
}

fn masked_text(redactor: &Redactor, text: String) -> String {
    match redactor.text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

/// The scheme of `Authorization: Bearer …` tells what was wrong with it, so it stays.
fn mask_credential(value: &mut [u8]) {
    let schemes = [&b"Bearer "[..], b"Basic "];
    let kept = schemes.iter().find(|scheme| value.starts_with(scheme)).map_or(0, |s| s.len());
    value[kept..].fill(MASK);
}

fn is_credential_header(name: &HeaderName) -> bool {
    CREDENTIAL_HEADERS.contains(&name.as_str())
}

/// Whether the content type is `wanted`, with or without parameters.
fn has_type(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let given = headers.get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    given
        .and_then(|given| given.get(..wanted.len()))
        .is_some_and(|given| given.eq_ignore_ascii_case(wanted))
}

/// Appends the plain body; tells whether it is less than all of it.
fn append_body(headers: &HeaderMap, body: &Captured, cap: usize, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    body.chunks.iter().for_each(|chunk| out.extend_from_slice(chunk));
    let Some(plain) = content_coding::decode(headers, &out[begin..], cap) else {
        return body.truncated;
    };
    out.truncate(begin);
    out.extend_from_slice(&plain.bytes);
    body.truncated || plain.is_cut
}

/// Where the bytes end without the character that the cap cut in two, if they are UTF-8 else.
fn without_cut_character(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

/// Durations become whole microseconds, the fingerprint becomes text.
fn attempt(attempt: Attempt, redactor: &Redactor) -> StoredAttempt {
    let ms = attempt.ms;
    StoredAttempt {
        upstream: attempt.upstream,
        token: attempt.token.map(|token| token.to_string()),
        status: attempt.status,
        errcode: attempt.errcode,
        reused: attempt.reused,
        us: StoredPhases {
            queue: us(ms.queue),
            token: us(ms.token),
            dns: ms.dns.map(us),
            connect: ms.connect.map(us),
            tls: ms.tls.map(us),
            first_byte: ms.first_byte.map(us),
            total: us(ms.total),
        },
        error: attempt.error.map(|text| masked_text(redactor, text)),
    }
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn method_name(method: &Method) -> Cow<'static, str> {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    known
        .iter()
        .find(|name| **name == method.as_str())
        .map_or_else(|| method.as_str().to_owned().into(), |name| Cow::Borrowed(*name))
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// Headers whose whole value is a credential.
const CREDENTIAL_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
];

/// Parameters and JSON fields that carry a credential of the platform, of WeCom, or of OAuth.
const CREDENTIAL_FIELDS: &[&str] = &[
    "access_token",
    "component_access_token",
    "authorizer_access_token",
    "suite_access_token",
    "provider_access_token",
    "refresh_token",
    "authorizer_refresh_token",
    "secret",
    "appsecret",
    "app_secret",
    "corpsecret",
    "component_secret",
    "component_appsecret",
    "suite_secret",
    "provider_secret",
    "client_secret",
    "component_verify_ticket",
    "suite_ticket",
    "permanent_code",
    "encoding_aes_key",
    "encodingaeskey",
    "api_key",
    "password",
];

/// Whose answer holds a ticket in a field of that plain name.
const TICKET_PATH: &str = "/ticket/getticket";

/// A usual header with its name.
const HEADER_BYTES: usize = 40;

/// More hidden names than this make a replay no more incomplete.
const FOUND_MOST: usize = 32;

#[cfg(test)]
mod tests;
