//! From what went over the wire to what may be stored: credentials go, by place, value, shape.

use std::{borrow::Cow, ops::Range, time::Duration};

use bytes::Bytes;
use memchr::memchr;

use super::{
    batch::{AttemptRecord, MessageRecord, Pending, Place, Record},
    detail::{AttemptDetail, Detail},
    exchange::Marks,
    field_names::FieldNames,
    json_mask::mask_json,
    query_mask::mask_query,
    redacted::{MessageParts, Redacted},
};
use crate::{
    base::{
        clock::unix_ms,
        redact::{MASK, Redactor},
    },
    wechat::envelope::ERRMSG_MOST_BYTES,
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

    /// The exchange without its credentials, masked where it lies. `seq` is its place in the
    /// order of storing.
    pub(super) fn redact<'a>(
        &self,
        pending: Pending<'a>,
        seq: u64,
        redactor: &Redactor,
    ) -> Redacted<'a> {
        let Pending { record, attempts, bytes, chunks } = pending;
        let is_ticket = is_ticket_path(&bytes[record.path.range()]);
        let hides = |name: &[u8]| {
            self.names.contains(name)
                || record.extra_redact.iter().any(|f| name.eq_ignore_ascii_case(f.as_bytes()))
                || (is_ticket && name.eq_ignore_ascii_case(b"ticket"))
        };
        let mut found = Vec::new();
        mask_query(&mut bytes[record.query.range()], &hides, &mut |n| note(&mut found, n));
        let work = Work { hides, redactor, body_cap: self.body_cap };
        let mut in_body = Vec::new();
        let mut request = work.message(&record.request, chunks[0], bytes, &mut in_body);
        let mut response = work.message(&record.response, chunks[1], bytes, &mut Vec::new());
        // Names of keys and accounts stand first. They are ours, and must stay names.
        let names = record.path.range().start;
        let cut = cut_in_errmsg(record.errmsg, bytes, redactor);
        let hits = mask_values(redactor, &mut bytes[names..]);
        bytes[cut].fill(MASK);
        let is_hit =
            |place: &Range<usize>| hits.iter().any(|hit| place.contains(&(names + hit.start)));
        let is_body_hit = is_hit(&request.place) | request.mask_values(redactor);
        response.mask_values(redactor);
        // A replay must know of all that is missing.
        [(record.query, &b"query"[..]), (record.path, b"path")]
            .iter()
            .filter(|(place, _)| is_hit(&place.range()))
            .for_each(|(_, name)| note(&mut found, name));
        in_body.iter().for_each(|name: &String| note(&mut found, name.as_bytes()));
        if is_body_hit {
            note(&mut found, b"body");
        }
        let bytes: &'a [u8] = bytes;
        let message = |record: &MessageRecord, body: Body| MessageParts {
            headers: &bytes[record.headers.range()],
            body: body.owned.map_or_else(|| Cow::Borrowed(&bytes[body.place]), Cow::Owned),
        };
        let mut detail = detail(record, attempts, bytes, redactor);
        detail.truncated = [request.is_cut, response.is_cut];
        detail.redacted = found.into();
        let parts = [message(&record.request, request), message(&record.response, response)];
        line(record, seq, bytes, detail, parts)
    }
}

/// Redaction of one exchange.
struct Work<'a, F> {
    hides: F,
    redactor: &'a Redactor,
    body_cap: usize,
}

/// A body as it will be stored.
struct Body {
    /// Where it stands among the exchange's bytes, if nothing is `owned`.
    place: Range<usize>,
    /// A long or a decoded one.
    owned: Option<Vec<u8>>,
    /// Whether the end is missing.
    is_cut: bool,
}

impl<F: Fn(&[u8]) -> bool> Work<'_, F> {
    /// Masks by place, and tells `found` the names of what was hidden in the body.
    fn message(
        &self,
        record: &MessageRecord,
        chunks: &[Bytes],
        bytes: &mut [u8],
        found: &mut Vec<String>,
    ) -> Body {
        mask_urls(&mut bytes[record.headers.range()], &self.hides);
        let mut body = Body { place: record.body.range(), owned: None, is_cut: record.truncated };
        if !chunks.is_empty() {
            body.owned = Some(chunks.concat());
        }
        let coded = body.owned.as_deref().unwrap_or_else(|| &bytes[body.place.clone()]);
        if let Some(plain) = record.form.coding.decode(coded, self.body_cap) {
            body.is_cut |= plain.is_cut;
            body.owned = Some(plain.bytes);
        }
        if body.is_cut {
            body.drop_cut_character(bytes);
        }
        let content = match &mut body.owned {
            Some(owned) => &mut owned[..],
            None => &mut bytes[body.place.clone()],
        };
        mask_json(content, &self.hides, &mut |name| note(found, name));
        if record.form.is_form {
            mask_query(content, &self.hides, &mut |name| note(found, name));
        }
        if body.is_cut {
            // A secret may go on behind the cut. Whole ones are looked for before that is hidden:
            // the last byte of one may be the first of another.
            let begun = self.redactor.undecided(content);
            let hits = mask_values(self.redactor, content);
            let begin = content.len() - begun;
            content[begin..].fill(MASK);
            if begun > 0 || !hits.is_empty() {
                note(found, b"body");
            }
        }
        body
    }
}

impl Body {
    /// Ends before a character that the cap cut in two, if it is UTF-8 else.
    fn drop_cut_character(&mut self, bytes: &[u8]) {
        match &mut self.owned {
            Some(owned) => owned.truncate(without_cut_character(owned)),
            None => {
                let length = without_cut_character(&bytes[self.place.clone()]);
                self.place.end = self.place.start + length;
            }
        }
    }

    /// Masks live secrets in what does not stand among the exchange's bytes.
    fn mask_values(&mut self, redactor: &Redactor) -> bool {
        self.owned.as_mut().is_some_and(|owned| !mask_values(redactor, owned).is_empty())
    }
}

/// Masks live secrets and the shapes of our own; tells where they stood.
fn mask_values(redactor: &Redactor, bytes: &mut [u8]) -> Vec<Range<usize>> {
    let hits = redactor.find(bytes);
    hits.iter().for_each(|hit| bytes[hit.clone()].fill(MASK));
    hits
}

/// The platform's text was cut to a length, maybe in the middle of a secret.
fn cut_in_errmsg(errmsg: Place, bytes: &[u8], redactor: &Redactor) -> Range<usize> {
    let Range { start, end } = errmsg.range();
    // A character that did not fit whole has up to four bytes.
    let is_cut = end - start + 4 > ERRMSG_MOST_BYTES;
    let begun = if is_cut { redactor.undecided(&bytes[start..end]) } else { 0 };
    end - begun..end
}

/// A URL in a header may hold a credential in its query.
fn mask_urls(lines: &mut [u8], hides: &impl Fn(&[u8]) -> bool) {
    let mut begin = 0;
    while let Some(mark) = lines.get(begin..).and_then(|rest| memchr(b'?', rest)) {
        let query = begin + mark + 1;
        let end = memchr(b'\n', &lines[query..]).map_or(lines.len(), |length| query + length);
        mask_query(&mut lines[query..end], hides, &mut |_| {});
        begin = end;
    }
}

/// In any spelling that the platform might take for it.
fn is_ticket_path(path: &[u8]) -> bool {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let begin = end.checked_sub(TICKET_PATH.len());
    begin.is_some_and(|begin| path[begin..end].eq_ignore_ascii_case(TICKET_PATH))
}

/// Remembers a hidden name once.
fn note(found: &mut Vec<String>, name: &[u8]) {
    let name = String::from_utf8_lossy(name);
    if found.len() < FOUND_MOST && !found.iter().any(|known| **known == *name) {
        found.push(name.into_owned());
    }
}

/// Where the bytes end without the character that the cap cut in two, if they are UTF-8 else.
fn without_cut_character(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

/// What only a shown exchange needs.
fn detail<'a>(
    record: &'a Record,
    attempts: &[AttemptRecord],
    bytes: &'a [u8],
    redactor: &Redactor,
) -> Detail<'a> {
    let rare = record.rare.as_deref();
    let marks = rare.map_or_else(Marks::default, |rare| Marks {
        fault: rare.marks.fault.as_deref().map(|text| redactor.text(text).into_owned()),
        ..rare.marks.clone()
    });
    Detail {
        client: record.client,
        sizes: [record.request.size, record.response.size],
        truncated: [false; 2],
        query: text(bytes, record.query).unwrap_or_default(),
        errmsg: text(bytes, record.errmsg),
        error: record.error.map(|code| Cow::Borrowed(code.name())),
        attempts: attempts.iter().map(|attempt| attempt_detail(attempt, bytes)).collect(),
        marks: Cow::Owned(marks),
        replay_of: rare.and_then(|rare| rare.replay_of),
        note: rare.and_then(|rare| rare.note.as_deref()).map(|text| redactor.text(text)),
        redacted: Cow::Borrowed(&[]),
    }
}

/// Durations become whole microseconds.
fn attempt_detail<'a>(attempt: &AttemptRecord, bytes: &'a [u8]) -> AttemptDetail<'a> {
    let phases = &attempt.phases;
    let maybe_us = |duration: Option<Duration>| duration.map(us);
    AttemptDetail {
        upstream: text(bytes, attempt.upstream).unwrap_or_default(),
        token: text(bytes, attempt.token),
        status: attempt.status,
        errcode: attempt.errcode,
        reused: attempt.reused,
        always_us: [us(phases.queue), us(phases.token), us(phases.total)],
        phases_us: [phases.dns, phases.connect, phases.tls, phases.first_byte].map(maybe_us),
        error: text(bytes, attempt.error),
    }
}

fn line<'a>(
    record: &'a Record,
    seq: u64,
    bytes: &'a [u8],
    detail: Detail<'a>,
    parts: [MessageParts<'a>; 2],
) -> Redacted<'a> {
    Redacted {
        seq,
        id: record.id,
        time_ms: unix_ms(record.time),
        key: text(bytes, record.key),
        account: text(bytes, record.account),
        lane: record.lane,
        method: record.method.as_str(),
        path: text(bytes, record.path).unwrap_or_default(),
        call: record.call,
        status: record.status,
        errcode: record.errcode,
        rid: text(bytes, record.rid),
        outcome: record.outcome,
        duration_us: us(record.duration),
        detail,
        parts: Some(parts),
    }
}

/// A text that was masked where it stands; masks are ASCII.
fn text(bytes: &[u8], place: Place) -> Option<Cow<'_, str>> {
    (!place.is_none()).then(|| String::from_utf8_lossy(&bytes[place.range()]))
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Whose answer holds a ticket in a field of that plain name.
const TICKET_PATH: &[u8] = b"/ticket/getticket";

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

/// More hidden names than this make a replay no more incomplete.
const FOUND_MOST: usize = 32;

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
