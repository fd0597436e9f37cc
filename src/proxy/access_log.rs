//! The end of a request: its outcome, its log line, its counters, its exchange.

use std::time::Duration;

use http::header;

use super::{passage::Passage, retry};
use crate::{
    base::{code::ErrorCode, outcome::Outcome, short_text::ip_text},
    capture::{Captured, Exchange, Marks, Message, TeeEnd},
    wechat::{AnswerForm, Call, Peeked},
};

/// Called once, when the passage is dropped: after the answer's last byte, or when the client left.
pub(super) fn finish(passage: &mut Passage) {
    let outcome = outcome(passage);
    let duration = passage.started.elapsed();
    let account = passage.account.clone();
    account
        .as_ref()
        .map_or(&passage.metrics.without_account, |account| &account.counters)
        .inc(outcome);
    passage.metrics.total.observe(duration.as_secs_f64());
    for attempt in &passage.attempts {
        if let Some(first_byte) = attempt.ms.first_byte {
            passage.metrics.upstream.observe(first_byte.as_secs_f64());
        }
    }
    if may_write_line(passage) {
        write_line(passage, outcome, duration);
    }
    if let Some(recorder) = passage.recorder.take() {
        recorder.record(&exchange(passage, outcome, duration));
    }
}

fn outcome(passage: &Passage) -> Outcome {
    let answered = passage.answer_end.as_ref().is_some_and(|end| end.0 == TeeEnd::Ended);
    if let Some(outcome) = passage.outcome {
        return outcome;
    }
    match (passage.error, passage.status, answered) {
        (Some(code), _, _) => of_error(code),
        (None, None, _) => Outcome::Abandoned,
        (None, Some(_), false) => of_broken_answer(passage),
        (None, Some(status), true) => of_answer(passage, status),
    }
}

/// What the upstream failed at is the network's outcome, all else is the gateway's.
fn of_error(code: ErrorCode) -> Outcome {
    match code {
        ErrorCode::UpstreamConnect
        | ErrorCode::UpstreamTls
        | ErrorCode::UpstreamReset
        | ErrorCode::UpstreamTimeout => Outcome::Network,
        ErrorCode::UpstreamInvalid => Outcome::Upstream,
        ErrorCode::TokenRejected => Outcome::Token,
        _ => Outcome::Gateway,
    }
}

fn of_broken_answer(passage: &Passage) -> Outcome {
    match passage.answer_end.as_ref().map(|end| end.0) {
        Some(TeeEnd::Failed) => Outcome::Network,
        _ => Outcome::Abandoned,
    }
}

fn of_answer(passage: &Passage, status: u16) -> Outcome {
    let code = passage.envelope.as_ref().and_then(|envelope| envelope.errcode);
    match code {
        Some(code) if code != 0 => retry::outcome_of(passage, code),
        Some(_) => Outcome::Ok,
        None if status >= 400 && passage.own_answer.is_none() => Outcome::Upstream,
        None if expects_json(passage) && is_broken(passage) => Outcome::Upstream,
        None => Outcome::Ok,
    }
}

/// Whether the catalogue says that only JSON can come.
fn expects_json(passage: &Passage) -> bool {
    passage.call.is_some_and(|call| call.answer == AnswerForm::Json)
}

fn is_broken(passage: &Passage) -> bool {
    let is_head = passage.method == http::Method::HEAD || passage.method == http::Method::OPTIONS;
    let state = passage.envelope.as_ref().map(|envelope| envelope.state);
    !is_head && matches!(state, Some(Peeked::Broken | Peeked::Binary | Peeked::Empty))
}

/// Callers with a key always get their line, strangers a few a second, our own open doors
/// (a health check every few seconds) none.
fn may_write_line(passage: &Passage) -> bool {
    match (&passage.key, passage.error) {
        (Some(_), _) => true,
        (None, None) => false,
        (None, Some(_)) => {
            passage.metrics.strangers.inc();
            passage.metrics.stranger_log.may_write()
        }
    }
}

/// One line a request, at `info`: no query, no header values, no body.
fn write_line(passage: &Passage, outcome: Outcome, duration: Duration) {
    let path = passage.shown_path();
    let bytes_in = passage.request_body.size();
    let bytes_out = passage.answer_end.as_ref().map_or(0, |end| end.1.size);
    let errcode = passage.own_answer.or_else(|| passage.envelope.as_ref().and_then(|e| e.errcode));
    let key = passage.key.as_ref().map_or("-", |key| key.name.as_str());
    let account = passage.account.as_ref().map_or("-", |account| account.config.name.as_str());
    let fingerprint = passage.issued.as_ref().map(|issued| issued.fingerprint.text());
    tracing::info!(
        target: "wxgate::request",
        {
            request.id = &*passage.id.text(),
            client.addr = &*ip_text(passage.client),
            key,
            account,
            merchant = passage.merchant.as_ref().map(|merchant| &*merchant.app_id),
            http.method = passage.method.as_str(),
            http.path = path,
            http.status = passage.status.unwrap_or(0),
            errcode = errcode.unwrap_or(0),
            outcome = outcome.as_str(),
            error = passage.error.map_or("", ErrorCode::name),
            reason = passage.reason,
            attempts = passage.attempts.len(),
            token.fp = fingerprint.as_deref(),
            duration_ms = millis(duration),
            bytes_in,
            bytes_out
        },
        "{} {path}",
        passage.method.as_str()
    );
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// What is known of the path: an undocumented method answers with the same secrets.
fn any_call(passage: &Passage) -> Option<&'static Call> {
    passage.account.as_ref()?;
    passage.call.or_else(|| passage.known.any_call())
}

/// The size stays; what was refused is not kept.
fn without_bytes(body: &Captured) -> Captured {
    Captured { truncated: body.truncated || body.size > 0, size: body.size, chunks: Vec::new() }
}

fn exchange(passage: &mut Passage, outcome: Outcome, duration: Duration) -> Exchange {
    // A refusal is a line in the list: what was refused is not kept.
    let is_refusal = passage.error.is_some() && passage.attempts.is_empty();
    let request_body = passage.request_body.captured(passage.live.capture_cap);
    let mut headers = std::mem::take(&mut passage.headers);
    // What is left of it is somebody else's credential.
    if passage.seen.authorization {
        headers.remove(header::AUTHORIZATION);
    }
    if passage.seen.cookie {
        headers.remove(header::COOKIE);
    }
    let answer_body = passage.answer_end.take().map(|end| end.1).unwrap_or_default();
    let keep = |body: Captured| if is_refusal { without_bytes(&body) } else { body };
    let (errcode, errmsg, rid) =
        passage.envelope.take().map(|e| (e.errcode, e.errmsg, e.rid)).unwrap_or_default();
    Exchange {
        id: passage.id,
        time: passage.time,
        key: passage.key.as_ref().map(|key| key.name.clone()),
        account: passage.account.as_ref().map(|account| account.config.name.clone()),
        lane: passage.key.as_ref().map(|key| key.lane),
        client: passage.client,
        method: passage.method.clone(),
        path: passage.shown_path().to_owned(),
        query: passage
            .query
            .as_ref()
            .map(super::credential_query::CredentialQuery::for_record)
            .unwrap_or_default(),
        call: passage.call.map(|call| call.names),
        status: passage.status,
        errcode: passage
            .own_answer
            .filter(|code| *code != 0 || passage.error.is_some())
            .or(errcode),
        errmsg: errmsg.or_else(|| passage.reason.map(ToOwned::to_owned)),
        rid,
        outcome,
        error: passage.error,
        attempts: std::mem::take(&mut passage.attempts),
        request: Message { headers, body: keep(request_body) },
        response: Message {
            headers: passage.answer_headers.take().unwrap_or_default(),
            body: keep(answer_body),
        },
        duration,
        marks: Marks {
            fault: passage.fault.as_ref().map(ToString::to_string),
            upstream_override: passage.wants_sandbox,
        },
        replay_of: None,
        note: None,
        extra_redact: any_call(passage).map_or(&[][..], |call| &call.never_store),
    }
}
