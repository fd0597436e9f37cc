//! `api_authorizer_token` as a provider: a token with which a platform acts for a merchant.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;

use super::{
    error::TokenError,
    issued::Issued,
    issuer_call::{FETCH_LIMIT, IssuerCall, IssuerLine, Origins},
    merchant::Merchant,
    provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot::Slot,
    slot_id::SlotId,
};
use crate::{
    base::secret::Secret,
    wechat::{
        self,
        authorizer::{
            AUTHORIZER_INFO_PATH, AUTHORIZER_TOKEN_PATH, NOT_AUTHORIZED, REFRESH_TOKEN_DEAD,
            parse_authorizer_info, parse_authorizer_token,
        },
        credential::COMPONENT_TOKEN_PARAMETER,
        crypto::{authorizer_info_request, authorizer_request},
        envelope, errcode,
    },
};

/// `POST /cgi-bin/component/api_authorizer_token`, with the platform's component token.
///
/// A refresh token that is missing or dead is asked for once with `api_get_authorizer_info`:
/// the merchant may have authorized again elsewhere.
pub(super) struct AuthorizerIssuer {
    slot: SlotId,
    line: IssuerLine,
    component: Arc<Slot>,
    /// The platform's: a change of it discards the merchants' tokens too.
    credential: Credential,
    component_app_id: String,
    merchant: Arc<Merchant>,
}

impl AuthorizerIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`]. `platform` is the component's
    /// own credential.
    pub(super) fn new(
        slot: SlotId,
        origins: Origins,
        component: Arc<Slot>,
        platform: &Credential,
        merchant: Arc<Merchant>,
    ) -> Self {
        let line = IssuerLine::new(slot.clone(), origins);
        let credential = Credential {
            app_id: merchant.app_id.to_string(),
            app_secret: platform.app_secret.clone(),
        };
        let component_app_id = platform.app_id.clone();
        Self { slot, line, component, credential, component_app_id, merchant }
    }

    async fn ask(&self) -> Result<TokenGrant, TokenError> {
        let Some(known) = self.merchant.refresh_token() else {
            return self.ask_with(&self.found_again(None).await?).await;
        };
        match self.ask_with(&known).await {
            Err(TokenError::Unauthorized { errcode: REFRESH_TOKEN_DEAD, errmsg, account }) => {
                let found = self.found_again(Some(&known)).await?;
                if found.matches(known.expose().as_bytes()) {
                    let errcode = REFRESH_TOKEN_DEAD;
                    return Err(TokenError::Unauthorized { account, errcode, errmsg });
                }
                self.ask_with(&found).await
            }
            other => other,
        }
    }

    async fn ask_with(&self, refresh_token: &Secret) -> Result<TokenGrant, TokenError> {
        let body = authorizer_request(&self.component_app_id, &self.merchant.app_id, refresh_token);
        let answer = self.call(AUTHORIZER_TOKEN_PATH, &body).await?;
        let read = parse_authorizer_token(answer.body());
        let read = read.map_err(|error| self.named(self.line.refused(error, answer.status())))?;
        let newest = read.refresh_token.as_ref().unwrap_or(refresh_token);
        self.merchant.keep_in_place_of(Some(refresh_token), newest);
        Ok(TokenGrant { token: read.grant.token, valid_for: read.grant.expires_in })
    }

    /// The refresh token as the platform has it now.
    async fn found_again(&self, before: Option<&Secret>) -> Result<Secret, TokenError> {
        let body = authorizer_info_request(&self.component_app_id, &self.merchant.app_id);
        let answer = self.call(AUTHORIZER_INFO_PATH, &body).await?;
        let found = parse_authorizer_info(answer.body());
        let found = found.map_err(|error| self.named(self.line.refused(error, answer.status())))?;
        self.merchant.keep_in_place_of(before, &found);
        Ok(found)
    }

    /// A call with the component token; a dead one is reported and replaced, once.
    async fn call(&self, path: &str, body: &Bytes) -> Result<Response<Bytes>, TokenError> {
        let token = self.component.token(FETCH_LIMIT).await.map_err(|e| self.without(e))?;
        let answer = self.line.ask(self.request(path, body, &token)).await?;
        let found = envelope::peek(answer.body(), true).errcode.unwrap_or(0);
        let credential = wechat::Credential::ComponentToken;
        if found == 0 || !errcode::names_dead_token(credential, found) {
            self.component.note_good(&token);
            return Ok(answer);
        }
        self.component.report_dead(&token, found);
        let token = self.component.after(&token, FETCH_LIMIT).await.map_err(|e| self.without(e))?;
        self.line.ask(self.request(path, body, &token)).await
    }

    fn request(&self, path: &str, body: &Bytes, token: &Issued) -> IssuerCall {
        let token = token.query_value.expose();
        IssuerCall::post(format!("{path}?{COMPONENT_TOKEN_PARAMETER}={token}"), body.clone())
    }

    fn without(&self, source: TokenError) -> TokenError {
        TokenError::Component { account: self.slot.clone(), source: Arc::new(source) }
    }

    /// A refusal that says that the authorization is gone gets that name.
    fn named(&self, error: TokenError) -> TokenError {
        match error {
            TokenError::Refused { account, errcode, errmsg, .. }
                if matches!(errcode, NOT_AUTHORIZED | REFRESH_TOKEN_DEAD) =>
            {
                TokenError::Unauthorized { account, errcode, errmsg }
            }
            other => other,
        }
    }
}

impl TokenProvider for AuthorizerIssuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        Box::pin(self.ask())
    }

    fn credential(&self) -> &Credential {
        &self.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Authorizer
    }
}
