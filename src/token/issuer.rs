//! WeChat's token calls as a provider: stable or classic, at the first origin that can be reached.

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
        crypto::{classic_query, stable_request},
        grant::{CLASSIC_TOKEN_PATH, STABLE_TOKEN_PATH, parse_grant},
    },
};

/// `POST /cgi-bin/stable_token`. In normal mode any number of holders may ask without hurting
/// each other: all get the same token.
pub struct StableIssuer {
    line: IssuerLine,
    credential: Credential,
}

impl StableIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    #[must_use]
    pub fn new(slot: SlotId, app_id: String, app_secret: Secret, origins: Origins) -> Self {
        let credential = Credential { app_id, app_secret };
        Self { line: IssuerLine::new(slot, origins), credential }
    }
}

impl TokenProvider for StableIssuer {
    fn fetch(&self, renewal: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let is_forced = renewal == Renewal::Forced;
        let Credential { app_id, app_secret } = &self.credential;
        let call = IssuerCall::post(
            STABLE_TOKEN_PATH.to_owned(),
            stable_request(app_id, app_secret, is_forced),
        );
        Box::pin(self.line.grant(call, parse_grant))
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Stable
    }
}

/// `GET /cgi-bin/token`. Every call retires the token of every other holder, whatever the
/// [`Renewal`]: for an account that nothing else uses.
pub struct ClassicIssuer {
    line: IssuerLine,
    credential: Credential,
}

impl ClassicIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    #[must_use]
    pub fn new(slot: SlotId, app_id: String, app_secret: Secret, origins: Origins) -> Self {
        let credential = Credential { app_id, app_secret };
        Self { line: IssuerLine::new(slot, origins), credential }
    }
}

impl TokenProvider for ClassicIssuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let Credential { app_id, app_secret } = &self.credential;
        let target = format!("{CLASSIC_TOKEN_PATH}?{}", classic_query(app_id, app_secret));
        Box::pin(self.line.grant(IssuerCall::get(target), parse_grant))
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Classic
    }
}
