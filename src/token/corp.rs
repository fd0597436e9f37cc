//! WeCom's token call as a provider.

use futures_util::future::BoxFuture;

use super::{
    error::TokenError,
    issuer_call::{IssuerCall, IssuerLine, Origins},
    provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot_id::SlotId,
};
use crate::{
    base::secret::Secret,
    wechat::{
        crypto::corp_query,
        grant::{CORP_TOKEN_PATH, parse_corp_grant},
    },
};

/// `GET /cgi-bin/gettoken`. Each app of a company has a secret and a token of its own. While a
/// token lives, every holder of the secret gets the same one: nobody can take it from another,
/// and nobody can force a new one, so a forced renewal is a normal one.
pub struct CorpIssuer {
    line: IssuerLine,
    credential: Credential,
}

impl CorpIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    #[must_use]
    pub fn new(slot: SlotId, corp_id: String, secret: Secret, origins: Origins) -> Self {
        let credential = Credential { app_id: corp_id, app_secret: secret };
        Self { line: IssuerLine::new(slot, origins), credential }
    }
}

impl TokenProvider for CorpIssuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let Credential { app_id, app_secret } = &self.credential;
        let target = format!("{CORP_TOKEN_PATH}?{}", corp_query(app_id, app_secret));
        Box::pin(self.line.grant(IssuerCall::get(target), parse_corp_grant))
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Corp
    }
}
