//! Calls that issue or reset credentials: never forwarded as the client sent them.

use std::sync::Arc;

use super::{
    answer_open::OpenAnswers,
    credential_query::TOKEN_NAMES,
    error::ProxyError,
    inject,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
    token_call::{self, Grant},
};
use crate::{
    access::permit,
    base::{
        body::{Body, Response},
        kind::AccountKind,
    },
    token::{Surrogates, Tickets},
    wechat::{
        TicketKind,
        credential::{self, CredentialCall},
    },
};

/// Keeps the real token on this host: whoever asks for one gets a surrogate.
pub(super) struct AnswerHere {
    surrogates: Arc<Surrogates>,
    open: OpenAnswers,
}

/// How a call goes on.
enum Plan {
    /// It is none of ours.
    Forward,
    /// A token call.
    Token(CredentialCall),
    /// A call of a third-party platform about its merchants.
    Merchants(CredentialCall),
    /// A ticket that is kept here.
    Ticket(Arc<Tickets>, TicketKind),
}

impl AnswerHere {
    pub(super) fn new(parts: &Parts) -> Self {
        let open = OpenAnswers::new(parts.surrogates.clone(), parts.redactor.clone());
        Self { surrogates: parts.surrogates.clone(), open }
    }

    async fn answer(
        &self,
        passage: &mut Passage,
        body: Body,
        next: Next<'_>,
        plan: Plan,
    ) -> Result<Response, ProxyError> {
        match plan {
            Plan::Forward => next.run(passage, body).await,
            Plan::Token(call) => token_call::answer(passage, call, &self.surrogates),
            Plan::Merchants(call) => self.open.answer(passage, body, next, call).await,
            Plan::Ticket(tickets, kind) => ticket(passage, &tickets, kind).await,
        }
    }
}

impl Stage for AnswerHere {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        match plan(passage) {
            Ok(Plan::Forward) => next.run(passage, body),
            Ok(plan) => Box::pin(self.answer(passage, body, next, plan)),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

fn plan(passage: &Passage) -> Result<Plan, ProxyError> {
    if passage.known.is_operator_only {
        permit::operator(passage.key()?).map_err(ProxyError::denied)?;
        return Ok(Plan::Forward);
    }
    let Some(call) = passage.known.credential_call else {
        let is_wecom = passage.account()?.config.kind == AccountKind::Wecom;
        if is_wecom && credential::may_issue_wecom_token(passage.path()?) {
            permit::operator(passage.key()?).map_err(ProxyError::denied)?;
        }
        return Ok(Plan::Forward);
    };
    match call {
        CredentialCall::ClassicToken
        | CredentialCall::StableToken
        | CredentialCall::CorpToken
        | CredentialCall::ComponentToken => Ok(Plan::Token(call)),
        CredentialCall::Ticket => ticket_plan(passage),
        CredentialCall::AuthorizerToken
        | CredentialCall::QueryAuth
        | CredentialCall::AuthorizerInfo
        | CredentialCall::AuthorizerList => Ok(Plan::Merchants(call)),
    }
}

/// A ticket for somebody's own token, or of a kind that is not known here, is the platform's to
/// answer; it is stored nowhere.
fn ticket_plan(passage: &Passage) -> Result<Plan, ProxyError> {
    let Some(query) = &passage.query else { return Ok(Plan::Forward) };
    let is_own =
        TOKEN_NAMES.iter().any(|name| query.value(name).is_some_and(|v| !inject::is_open(&v)));
    let kind = query.plain_value("type").and_then(|kind| kind.parse().ok());
    Ok(match (passage.lanes()?.tickets.clone(), kind) {
        (Some(tickets), Some(kind)) if !is_own => Plan::Ticket(tickets, kind),
        _ => Plan::Forward,
    })
}

/// The ticket belongs to the caller's web page, so it is the one credential that is handed out.
async fn ticket(
    passage: &mut Passage,
    tickets: &Tickets,
    kind: TicketKind,
) -> Result<Response, ProxyError> {
    inject::refuse_stray_keys(passage)?;
    let slot = tickets.slot(kind);
    let issued = slot.token(inject::TOKEN_LIMIT).await;
    let issued = issued.map_err(|source| inject::token_error(passage, source))?;
    let grant = Grant {
        errcode: Some(0),
        errmsg: Some("ok"),
        ticket: Some(issued.secret.expose()),
        expires_in: slot.left_of(&issued).as_secs().max(1),
        ..Grant::default()
    };
    token_call::json(passage, &grant)
}
