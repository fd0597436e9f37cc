//! One call of an account, from its arrival to the journal.

use std::{borrow::Cow, sync::LazyLock};

use serde_json::Value;

use crate::base::{cidr::plain, redact::Redactor};

use super::{
    account::Account,
    call::{Answer, Call, Reply},
    credential::{Claim, refusal_to},
    dispatch::{CallSpec, Cx},
    envelope::{self, Mark},
    fault_list::{Strike, TokenFault},
    form::Form,
    journal::Entry,
    judge::Case,
    query::Query,
    refusal::Refusal,
    rid_log::{self, Record},
    roster::Roster,
    shop,
    signing::{self, Seal},
    state::State,
};

/// A call with its account.
pub(super) struct Exchange<'a> {
    /// Whose call it is.
    pub(super) account: &'a Account,
    /// Everybody.
    pub(super) roster: &'a Roster,
    /// The call.
    pub(super) call: &'a Call,
    /// Its line in the table; none for an unknown path.
    pub(super) spec: Option<&'static CallSpec>,
    /// Its query, decoded.
    pub(super) query: Query<'a>,
    /// Its body, read.
    pub(super) form: Form,
    /// What its answer is sealed for; none where it came unsealed.
    pub(super) seal: Option<Seal>,
}

impl Exchange<'_> {
    /// Counts, strikes, judges, performs and writes down. The account's lock is free while the
    /// call's handler works.
    pub(super) fn run(&self, claim: &Claim) -> Reply {
        let now_ms = self.account.tick();
        let case = Case {
            spec: self.spec,
            kind: self.account.identity.kind,
            method: &self.call.method,
            proof: &claim.proof,
            form: &self.form,
            peer: self.call.peer,
            now_ms,
        };
        let mut state = self.account.state_at(now_ms);
        let strike = self.arrive(&mut state, now_ms);
        let peer = state.settings.caller_ip.unwrap_or(self.call.peer);
        let outcome = match strike.instead {
            Some(instead) => {
                drop(state);
                envelope::instead(instead).map_err(|errcode| refusal_to(errcode, peer))
            }
            None => {
                let judged = case.judge(&mut state);
                drop(state);
                judged.and_then(|spec| self.perform(spec, now_ms))
            }
        };
        self.close(outcome, &strike, now_ms)
    }

    /// Counts the call and lets faults strike.
    fn arrive(&self, state: &mut State, now_ms: i64) -> Strike {
        let is_token_call = self.spec.is_some_and(|spec| spec.is_token_call);
        if is_token_call {
            let is_forced = self.form.field("force_refresh") == Some(&Value::Bool(true));
            state.counters.note_token_call(is_forced);
        } else {
            state.counters.note_call(&self.path());
        }
        let strike = state.faults.strike(&self.call.path, is_token_call);
        if let Some(fault) = strike.tokens {
            strike_tokens(state, self.account, fault, now_ms);
        }
        strike
    }

    /// What the call is there for.
    fn perform(&self, spec: &CallSpec, now_ms: i64) -> Result<Answer, Refusal> {
        let Self { account, roster, call, query, form, .. } = self;
        let cx = Cx { account, roster, call, query, form, now_ms };
        if spec.is_shop {
            shop::admit(&cx, spec)?;
        }
        if !spec.is_keeping {
            return (spec.handler)(&cx);
        }
        let bytes = call.body.len();
        account.state().kept.check(bytes)?;
        let answer = (spec.handler)(&cx)?;
        account.state().kept.add(bytes);
        Ok(answer)
    }

    /// The call for its rid. A call with the AppSecret is kept without what it carried:
    /// snapshots hold these records.
    fn record(&self, rid: &str, answer: &Answer, client_ip: String, time_ms: i64) -> Record {
        let is_secret = self.spec.is_some_and(|spec| spec.credential.is_secret());
        let (query, body) = match is_secret {
            true => ("", &[][..]),
            false => (self.call.query.as_str(), rid_log::start(&self.call.body)),
        };
        Record {
            rid: rid.to_owned(),
            time_ms,
            cost_ms: 0,
            query: self.without_secrets(query.to_owned()),
            request_body: self.without_secrets(String::from_utf8_lossy(body).into_owned()),
            response_body: String::from_utf8_lossy(rid_log::start(&answer.body)).into_owned(),
            client_ip,
        }
    }

    /// An AppSecret may also stand where no call wants one. A very short one, as in a test, is
    /// part of much else.
    fn without_secrets(&self, mut text: String) -> String {
        for account in self.roster.all() {
            let secret = &account.identity.app_secret;
            if secret.len() >= LEAST_SECRET_BYTES && text.contains(secret) {
                text = text.replace(secret, "***");
            }
        }
        KEYS.text(&text).into_owned()
    }

    /// The path as it is written down.
    fn path(&self) -> Cow<'_, str> {
        KEYS.text(&self.call.path)
    }

    /// What a refusal is marked with.
    fn mark(&self, now_ms: i64) -> Mark {
        let peer = self.account.state().settings.caller_ip.unwrap_or(self.call.peer);
        Mark { kind: self.account.identity.kind, rid: self.account.rid(now_ms), peer }
    }

    /// Writes the answer and the journal.
    fn close(&self, outcome: Result<Answer, Refusal>, strike: &Strike, now_ms: i64) -> Reply {
        let (answer, rid) = match outcome {
            Ok(answer) => (answer, None),
            Err(refusal) => {
                let mark = self.mark(now_ms);
                (envelope::refused(&refusal, &mark), Some(mark.shown()))
            }
        };
        let mut state = self.account.state();
        if let Some(rid) = &rid {
            let peer = state.settings.caller_ip.unwrap_or(self.call.peer);
            let record = self.record(rid, &answer, plain(peer).to_string(), now_ms);
            let cost_ms = u64::try_from(strike.delay.as_millis()).unwrap_or(u64::MAX);
            state.rids.note(Record { cost_ms, ..record });
        }
        state.journal.note(Entry {
            time_ms: now_ms,
            method: self.call.method.to_string(),
            path: self.path().into_owned(),
            status: answer.status.as_u16(),
            errcode: answer.errcode,
            rid,
            is_fault: *strike != Strike::default(),
        });
        let is_plain = self.spec.is_some_and(|spec| spec.is_plain);
        let answer = envelope::dressed(answer, is_plain, &state.settings, strike.oddity);
        let mut headers = state.settings.response_headers.clone();
        headers.extend(answer.extra.clone().map(|(name, value)| (name.to_owned(), value)));
        self.account.announce(&mut state);
        drop(state);
        let answer = match &self.seal {
            None => answer,
            Some(seal) => {
                let (sealed, more) = signing::seal(self.account, seal, answer, now_ms);
                headers.extend(more);
                sealed
            }
        };
        let date_ms = self.account.clock().told_ms(now_ms);
        Reply { headers, date_ms, ..reply(answer, strike) }
    }
}

const LEAST_SECRET_BYTES: usize = 8;

/// A gateway's keys, which a caller may have put where none belongs: told by their shape.
static KEYS: LazyLock<Redactor> = LazyLock::new(Redactor::new);

/// What a token fault does, whether asked for at once or by a call that it waited for.
pub(super) fn strike_tokens(state: &mut State, account: &Account, fault: TokenFault, now_ms: i64) {
    match fault {
        TokenFault::Expire => {
            state.ledger.expire(now_ms);
            state.open.expire_tokens(now_ms);
        }
        TokenFault::ForeignFetch => {
            state.ledger.foreign_fetch(&account.mint(), &state.settings, now_ms);
        }
    }
}

/// An answer in the manner that faults ask for.
pub(super) fn reply(answer: Answer, strike: &Strike) -> Reply {
    let Strike { delay, cut, body_time, .. } = *strike;
    Reply { answer, delay, cut, headers: Vec::new(), body_time, date_ms: None }
}
