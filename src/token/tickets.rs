//! Tickets for web pages and cards: one fetch for all, like the token that they hang on.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    broker::Broker,
    error::TokenError,
    issuer_call::{FETCH_LIMIT, IssuerCall, IssuerLine, Origins},
    provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot::Slot,
    slot_id::Held,
    state::SlotPolicy,
};
use crate::{
    config::model::ForceRefresh,
    wechat::{
        Credential as Takes, TicketKind, errcode,
        grant::{TICKET_PATH, parse_ticket, ticket_query},
    },
};

/// The tickets of one account. A slot is made when its ticket is first asked for.
pub struct Tickets {
    broker: Arc<Broker>,
    token: Arc<Slot>,
    credential: Credential,
    origins: Origins,
}

impl Tickets {
    /// `token` is what they are asked for with. Slots that an earlier configuration made get
    /// this one's way to the issuer.
    #[must_use]
    pub fn new(
        broker: Arc<Broker>,
        token: Arc<Slot>,
        credential: Credential,
        origins: Origins,
    ) -> Self {
        let tickets = Self { broker, token, credential, origins };
        for kind in TicketKind::ALL {
            let id = tickets.token.id().with(Held::Ticket(*kind));
            if tickets.broker.slot(&id).is_some() {
                tickets.register(*kind);
            }
        }
        tickets
    }

    /// Where the ticket of this kind is kept.
    #[must_use]
    pub fn slot(&self, kind: TicketKind) -> Arc<Slot> {
        let id = self.token.id().with(Held::Ticket(kind));
        self.broker.slot(&id).unwrap_or_else(|| self.register(kind))
    }

    fn register(&self, kind: TicketKind) -> Arc<Slot> {
        let id = self.token.id().with(Held::Ticket(kind));
        let issuer = TicketIssuer {
            line: IssuerLine::new(id.clone(), self.origins.clone()),
            token: self.token.clone(),
            credential: self.credential.clone(),
            kind,
        };
        // Nothing can be forced: the call has no such mode.
        let policy = SlotPolicy { force_refresh: ForceRefresh::Never, forced_per_day: 0 };
        self.broker.register(id, Arc::new(issuer), policy)
    }
}

/// `GET /cgi-bin/ticket/getticket`. The platform gives the same ticket until its end.
struct TicketIssuer {
    line: IssuerLine,
    token: Arc<Slot>,
    credential: Credential,
    kind: TicketKind,
}

impl TicketIssuer {
    /// A token that died meanwhile is replaced, once.
    async fn ask(&self) -> Result<TokenGrant, TokenError> {
        let issued = self.token.token(FETCH_LIMIT).await?;
        let first = self.ask_with(issued.query_value.expose()).await;
        let is_dead = |code: &i64| errcode::names_dead_token(Takes::AppToken, *code);
        let Some(code) = first.as_ref().err().and_then(TokenError::errcode).filter(is_dead) else {
            return first;
        };
        self.token.report_dead(&issued, code);
        let newer = self.token.after(&issued, FETCH_LIMIT).await?;
        self.ask_with(newer.query_value.expose()).await
    }

    async fn ask_with(&self, token: &str) -> Result<TokenGrant, TokenError> {
        let query = ticket_query(self.kind);
        let target = format!("{TICKET_PATH}?access_token={token}&{query}");
        self.line.grant(IssuerCall::get(target), parse_ticket).await
    }
}

impl TokenProvider for TicketIssuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        Box::pin(self.ask())
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Ticket
    }
}
