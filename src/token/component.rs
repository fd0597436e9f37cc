//! `api_component_token` as a provider: a third-party platform's own token, for its verify ticket.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    error::TokenError,
    issuer_call::{IssuerCall, IssuerLine, Origins},
    provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot_id::SlotId,
    verify_ticket::{TicketFault, VerifyTicket},
};
use crate::{
    base::clock::SharedClock,
    wechat::{
        crypto::component_request,
        grant::{COMPONENT_TOKEN_PATH, parse_component_grant},
    },
};

/// `POST /cgi-bin/component/api_component_token`.
pub(super) struct ComponentIssuer {
    pub(super) slot: SlotId,
    pub(super) credential: Credential,
    line: IssuerLine,
    ticket: Arc<VerifyTicket>,
    callback: Arc<str>,
    clock: SharedClock,
}

impl ComponentIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    pub(super) fn new(
        slot: SlotId,
        credential: Credential,
        origins: Origins,
        ticket: Arc<VerifyTicket>,
        (callback, clock): (Arc<str>, SharedClock),
    ) -> Self {
        let line = IssuerLine::new(slot.clone(), origins);
        Self { slot, credential, line, ticket, callback, clock }
    }

    async fn ask(&self) -> Result<TokenGrant, TokenError> {
        let ticket = self.ticket.present(self.clock.now()).await;
        let ticket = ticket.map_err(|fault| self.without(fault))?;
        let Credential { app_id, app_secret } = &self.credential;
        let body = component_request(app_id, app_secret, &ticket);
        let call = IssuerCall::post(COMPONENT_TOKEN_PATH.to_owned(), body);
        match self.line.grant(call, parse_component_grant).await {
            Err(TokenError::Refused { errcode, errmsg, account, refused_ip }) => {
                Err(match TicketFault::of(errcode, &errmsg) {
                    Some(fault) => self.without(fault),
                    None => TokenError::Refused { errcode, errmsg, account, refused_ip },
                })
            }
            other => other,
        }
    }

    fn without(&self, fault: TicketFault) -> TokenError {
        TokenError::Ticket { account: self.slot.clone(), fault, callback: self.callback.clone() }
    }
}

impl TokenProvider for ComponentIssuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        Box::pin(self.ask())
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Component
    }
}
