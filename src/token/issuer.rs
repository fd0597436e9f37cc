//! The issuers that take AppID and AppSecret: one way there, three recipes.

use futures_util::future::BoxFuture;

use super::{
    error::TokenError,
    issuer_call::{IssuerCall, IssuerLine, Origins},
    provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot_id::SlotId,
};
use crate::wechat::{
    crypto::{classic_query, corp_query, stable_request},
    grant::{
        CLASSIC_TOKEN_PATH, CORP_TOKEN_PATH, STABLE_TOKEN_PATH, parse_corp_grant, parse_grant,
    },
};

/// Which call issues the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// `POST /cgi-bin/stable_token`. In normal mode any number of holders may ask without hurting
    /// each other: all get the same token.
    Stable,
    /// `GET /cgi-bin/token`. Every call retires the token of every other holder, whatever the
    /// [`Renewal`]: for an account that nothing else uses.
    Classic,
    /// `GET /cgi-bin/gettoken` of WeCom. Each app of a company has a secret and a token of its
    /// own. While a token lives, every holder of the secret gets the same one: nobody can take it
    /// from another, and nobody can force a new one, so a forced renewal is a normal one.
    Corp,
}

/// Asks the issuer with AppID and AppSecret, or with CorpID and the app's secret.
pub struct SecretIssuer {
    recipe: Recipe,
    line: IssuerLine,
    credential: Credential,
}

impl SecretIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    #[must_use]
    pub fn new(recipe: Recipe, slot: SlotId, credential: Credential, origins: Origins) -> Self {
        Self { recipe, line: IssuerLine::new(slot, origins), credential }
    }
}

impl TokenProvider for SecretIssuer {
    fn fetch(&self, renewal: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let Credential { app_id, app_secret } = &self.credential;
        let (call, parse): (_, fn(&[u8]) -> _) = match self.recipe {
            Recipe::Stable => {
                let body = stable_request(app_id, app_secret, renewal == Renewal::Forced);
                (IssuerCall::post(STABLE_TOKEN_PATH.to_owned(), body), parse_grant)
            }
            Recipe::Classic => {
                let query = classic_query(app_id, app_secret);
                (IssuerCall::get(format!("{CLASSIC_TOKEN_PATH}?{query}")), parse_grant)
            }
            Recipe::Corp => {
                let query = corp_query(app_id, app_secret);
                (IssuerCall::get(format!("{CORP_TOKEN_PATH}?{query}")), parse_corp_grant)
            }
        };
        Box::pin(self.line.grant(call, parse))
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        match self.recipe {
            Recipe::Stable => FetchedBy::Stable,
            Recipe::Classic => FetchedBy::Classic,
            Recipe::Corp => FetchedBy::Corp,
        }
    }
}
