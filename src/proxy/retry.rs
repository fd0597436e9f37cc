//! Tries again where that is safe: a dead token, an upstream that was never reached, a busy platform.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    error::ProxyError,
    merchant,
    passage::Passage,
    peek,
    replay::{Caps, Replay},
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    access::QuotaGate,
    base::{
        backoff,
        body::{Body, BodyError, Response},
        clock::SharedClock,
        kind::AccountKind,
        outcome::Outcome,
    },
    token::Issued,
    wechat::{Envelope, Peeked, errcode},
    wire::{Phase, WireError},
};

/// Outside of injection, so that a second try carries a second token. The rules are the table
/// of docs/ARCHITECTURE.md, "what is tried again".
pub(super) struct Retry {
    quota: Arc<QuotaGate>,
    clock: SharedClock,
}

impl Retry {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { quota: parts.quota.clone(), clock: parts.clock.clone() }
    }

    async fn run(
        &self,
        passage: &mut Passage,
        body: Body,
        next: Next<'_>,
    ) -> Result<Response, ProxyError> {
        passage.account()?.retries.deposit();
        let caps = Caps {
            most: passage.live.body_max,
            replay: passage.live.replay_cap,
            capture: passage.live.capture_cap,
        };
        let replay = Replay::begin(body, caps, &mut passage.request_body).await;
        let replay = replay.map_err(|source| ProxyError::RequestBody { source })?;
        let mut done = Done::default();
        loop {
            let Some(body) = replay.body().await else {
                return Err(ProxyError::RetryNeeded { replay_cap: passage.live.replay_cap });
            };
            done.tries += 1;
            passage.issued = None;
            let peeked = match next.run(passage, body).await {
                Ok(response) => peeked(passage, response).await,
                Err(error) => Err(error),
            };
            let verdict = match peeked {
                Ok((response, found)) => {
                    self.judge_answer(passage, response, found, &replay, &mut done)
                }
                Err(error) => judge_failure(passage, error, &replay, &mut done),
            };
            match verdict {
                Verdict::Final(result) => return result,
                Verdict::Again => {}
                Verdict::AgainAfter(pause) => Box::pin(tokio::time::sleep(pause)).await,
                // In a box: it is rare, and what it needs is much.
                Verdict::Replace(dead) => {
                    Box::pin(replace_token(passage, dead, &replay, &mut done)).await?;
                }
            }
        }
    }

    fn judge_answer(
        &self,
        passage: &mut Passage,
        response: Response,
        found: Envelope,
        replay: &Replay,
        done: &mut Done,
    ) -> Verdict {
        if let Some(attempt) = passage.attempts.last_mut() {
            attempt.errcode = found.errcode;
        }
        let code = found.errcode.unwrap_or(0);
        passage.envelope = Some(found);
        if let Some(issued) = &passage.issued
            && is_dead_token(passage, code)
        {
            let body = response.body().as_full().cloned().unwrap_or_default();
            return Verdict::Replace(Dead { issued: issued.clone(), errcode: code, body });
        }
        if code == BUSY && !done.busy && may_repeat(passage, replay, done) {
            done.busy = true;
            return Verdict::AgainAfter(BUSY_PAUSE.mul_f64(1.0 + 2.0 * backoff::jitter()));
        }
        if let (Some(issued), Ok(Some(slot))) = (&passage.issued, merchant::slot(passage))
            && is_proof(passage, &response)
        {
            slot.note_good(issued);
        }
        self.note_quota(passage, code, response.status().is_success());
        Verdict::Final(Ok(response))
    }

    /// What the platform says of its quota rules the next calls; the sandbox counts for itself.
    /// Nobody says when WeCom's limits turn, so they are WeCom's own affair.
    fn note_quota(&self, passage: &Passage, code: i64, is_success: bool) {
        let (Ok(Some(name)), Ok(path), Some(pass)) =
            (merchant::quota_name(passage), passage.rule_path(), passage.quota_pass)
        else {
            return;
        };
        if passage.account().is_ok_and(|account| account.config.kind == AccountKind::Wecom) {
            return;
        }
        let name = &name;
        match code {
            45009 | 45011 => self.quota.note(name, path, code, self.clock.now()),
            0 if is_success
                && passage.known.is_operator_only
                && path.to_ascii_lowercase().contains("quota") =>
            {
                self.quota.clear(name);
            }
            0 if is_success => self.quota.note_ok(name, path, pass),
            _ => {}
        }
    }
}

impl Stage for Retry {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        Box::pin(self.run(passage, body, next))
    }
}

/// What was tried so far.
#[derive(Default)]
struct Done {
    tries: u32,
    token: bool,
    busy: bool,
    sent_again: bool,
}

enum Verdict {
    Final(Result<Response, ProxyError>),
    Again,
    AgainAfter(Duration),
    Replace(Dead),
}

/// A token that the platform refused, and its answer.
struct Dead {
    issued: Arc<Issued>,
    errcode: i64,
    body: Bytes,
}

/// What the beginning of an answer says; most are here as a whole.
async fn peeked(passage: &Passage, response: Response) -> Result<(Response, Envelope), ProxyError> {
    match peek::at_once(&response) {
        Some(found) => Ok((response, found)),
        None => {
            let peeked = Box::pin(peek::peek(response)).await;
            peeked.map_err(|error| broken_off(passage, error))
        }
    }
}

fn is_dead_token(passage: &Passage, code: i64) -> bool {
    let (Ok(account), Ok(needed)) = (passage.account(), merchant::carried(passage)) else {
        return false;
    };
    match account.config.kind {
        _ if code == 0 => false,
        AccountKind::Wecom => errcode::names_dead_wecom_token(needed, code),
        AccountKind::MiniProgram
        | AccountKind::OfficialAccount
        | AccountKind::OpenPlatform
        | AccountKind::Generic => errcode::names_dead_token(needed, code),
    }
}

/// The dead token is replaced in any case; the request goes again once, if its body can.
async fn replace_token(
    passage: &Passage,
    dead: Dead,
    replay: &Replay,
    done: &mut Done,
) -> Result<(), ProxyError> {
    let Dead { issued, errcode, body } = dead;
    let Ok(Some(slot)) = merchant::slot(passage) else {
        return Err(ProxyError::Internal { what: "a token without a slot" });
    };
    let kind = passage.account().map_or(AccountKind::MiniProgram, |account| account.config.kind);
    slot.report_dead(&issued, errcode);
    if done.token {
        return Err(ProxyError::TokenRejected { kind, errcode, body, source: None });
    }
    done.token = true;
    if let Err(source) = slot.after(&issued, super::inject::TOKEN_LIMIT).await {
        let source = Some(Arc::new(source));
        return Err(ProxyError::TokenRejected { kind, errcode, body, source });
    }
    if replay.is_too_long() || done.tries >= MOST_TRIES {
        return Err(ProxyError::RetryNeeded { replay_cap: passage.live.replay_cap });
    }
    Ok(())
}

/// Whether the answer shows that the platform took the token: a page of some machine in
/// between shows nothing.
fn is_proof(passage: &Passage, response: &Response) -> bool {
    let state = passage.envelope.as_ref().map(|envelope| envelope.state);
    response.status().is_success() && matches!(state, Some(Peeked::Json | Peeked::Binary))
}

fn judge_failure(
    passage: &mut Passage,
    error: ProxyError,
    replay: &Replay,
    done: &mut Done,
) -> Verdict {
    let ProxyError::Upstream { source, .. } = &error else { return Verdict::Final(Err(error)) };
    if source.nothing_was_sent() {
        let has_other =
            passage.lanes().is_ok_and(|lanes| passage.avoid.len() < lanes.fleet.endpoints().len());
        if has_other
            && !matches!(source, WireError::Loop { .. })
            && within_budget(passage, replay, done)
        {
            return Verdict::Again;
        }
    } else if !done.sent_again && may_repeat(passage, replay, done) {
        done.sent_again = true;
        return Verdict::Again;
    }
    Verdict::Final(Err(error))
}

/// Only what the catalogue calls repeatable: "GET" does not mean "harmless".
fn may_repeat(passage: &Passage, replay: &Replay, done: &Done) -> bool {
    let is_repeatable = passage.call.is_some_and(|call| call.repeatable);
    is_repeatable && within_budget(passage, replay, done)
}

fn within_budget(passage: &Passage, replay: &Replay, done: &Done) -> bool {
    done.tries < MOST_TRIES
        && !replay.is_too_long()
        && passage.account().is_ok_and(|account| account.retries.withdraw())
}

/// The answer's head came, its beginning did not.
fn broken_off(passage: &Passage, error: BodyError) -> ProxyError {
    let upstream = passage
        .attempts
        .last()
        .map_or_else(|| "upstream".into(), |attempt| attempt.upstream.clone());
    let to = upstream.to_string();
    let source = match error {
        BodyError::Stalled => {
            WireError::Timeout { to, phase: Phase::Body, limit: super::forward::body_idle() }
        }
        other => WireError::Reset { to, source: Box::new(other) },
    };
    ProxyError::Upstream { upstream, source }
}

/// What an errcode amounts to on this account and path.
pub(super) fn outcome_of(passage: &Passage, code: i64) -> Outcome {
    let Some(account) = &passage.account else { return Outcome::Business };
    errcode::classify(errcode::scope_of(account.config.kind, passage.shown_path()), code)
}

/// In all, whatever the reasons.
const MOST_TRIES: u32 = 3;

/// WeChat's "system busy": wait 100 to 300 ms.
const BUSY: i64 = -1;
const BUSY_PAUSE: Duration = Duration::from_millis(100);
