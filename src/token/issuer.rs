//! WeChat's token calls as a provider: stable or classic, at the first origin that can be reached.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, Uri, header::CONTENT_TYPE};
use tokio::time::Instant;

use super::{
    error::TokenError,
    provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider},
    slot_id::SlotId,
};
use crate::{
    base::secret::Secret,
    wechat::{
        crypto::{classic_query, stable_request},
        grant::{CLASSIC_TOKEN_PATH, GrantError, STABLE_TOKEN_PATH, parse_grant},
        refusal::refused_ip,
    },
    wire::{Client, WireError},
};

/// Where tokens are asked for: origins in order of preference, each with its way there.
pub type Origins = Vec<(Uri, Client)>;

/// `POST /cgi-bin/stable_token`. In normal mode any number of holders may ask without hurting
/// each other: all get the same token.
pub struct StableIssuer(Issuer);

impl StableIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    #[must_use]
    pub fn new(slot: SlotId, app_id: String, app_secret: Secret, origins: Origins) -> Self {
        Self(Issuer { slot, credential: Credential { app_id, app_secret }, origins })
    }
}

impl TokenProvider for StableIssuer {
    fn fetch(&self, renewal: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let is_forced = renewal == Renewal::Forced;
        let credential = &self.0.credential;
        Box::pin(self.0.fetch(Call {
            method: Method::POST,
            target: STABLE_TOKEN_PATH.to_owned(),
            body: stable_request(&credential.app_id, &credential.app_secret, is_forced),
        }))
    }

    fn credential(&self) -> &Credential {
        &self.0.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Stable
    }
}

/// `GET /cgi-bin/token`. Every call retires the token of every other holder, whatever the
/// [`Renewal`]: for an account that nothing else uses.
pub struct ClassicIssuer(Issuer);

impl ClassicIssuer {
    /// Nothing is sent before the first [`TokenProvider::fetch`].
    #[must_use]
    pub fn new(slot: SlotId, app_id: String, app_secret: Secret, origins: Origins) -> Self {
        Self(Issuer { slot, credential: Credential { app_id, app_secret }, origins })
    }
}

impl TokenProvider for ClassicIssuer {
    fn fetch(&self, _: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>> {
        let credential = &self.0.credential;
        Box::pin(self.0.fetch(Call {
            method: Method::GET,
            target: format!(
                "{CLASSIC_TOKEN_PATH}?{}",
                classic_query(&credential.app_id, &credential.app_secret)
            ),
            body: Bytes::new(),
        }))
    }

    fn credential(&self) -> &Credential {
        &self.0.credential
    }

    fn family(&self) -> FetchedBy {
        FetchedBy::Classic
    }
}

/// What both calls have in common.
struct Issuer {
    slot: SlotId,
    credential: Credential,
    origins: Origins,
}

/// A token call, before it is known which origin gets it.
struct Call {
    method: Method,
    target: String,
    body: Bytes,
}

impl Issuer {
    /// The next origin is asked only if nothing was sent to the one before: a classic call that
    /// went out may have retired a token, whether or not its answer came.
    async fn fetch(&self, call: Call) -> Result<TokenGrant, TokenError> {
        let end = Instant::now() + FETCH_LIMIT;
        let mut last = self.not_configured();
        for (index, (base, client)) in self.origins.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            let origins_left = u32::try_from(self.origins.len() - index).unwrap_or(1).max(1);
            let request = call.request_to(base).map_err(|reason| self.malformed(reason))?;
            match client.call(request, left / origins_left).await {
                Ok(answer) => return self.read(&answer),
                Err(error) if error.nothing_was_sent() => last = self.unreachable(error),
                Err(WireError::Timeout { limit, .. }) => {
                    return Err(TokenError::Timeout { account: self.slot.clone(), limit });
                }
                Err(source) => {
                    let account = self.slot.clone();
                    return Err(TokenError::Broken { account, source: Arc::new(source) });
                }
            }
        }
        Err(last)
    }

    fn read(&self, answer: &Response<Bytes>) -> Result<TokenGrant, TokenError> {
        match parse_grant(answer.body()) {
            Ok(grant) if answer.status() == StatusCode::OK => {
                Ok(TokenGrant { token: grant.token, valid_for: grant.expires_in })
            }
            Ok(_) => Err(self.malformed(format!("a token with HTTP {}", answer.status()))),
            Err(GrantError::Refused { errcode, errmsg }) => {
                let refused_ip = refused_ip(errcode, &errmsg);
                Err(TokenError::Refused { account: self.slot.clone(), errcode, errmsg, refused_ip })
            }
            Err(GrantError::Malformed { reason }) => {
                Err(self.malformed(format!("{reason}, with HTTP {}", answer.status())))
            }
        }
    }

    fn unreachable(&self, source: WireError) -> TokenError {
        TokenError::Connect { account: self.slot.clone(), source: Arc::new(source) }
    }

    fn malformed(&self, reason: String) -> TokenError {
        TokenError::Malformed { account: self.slot.clone(), reason }
    }

    fn not_configured(&self) -> TokenError {
        TokenError::NotConfigured { account: self.slot.clone() }
    }
}

impl Call {
    /// The request for one origin; only scheme and authority of `base` count.
    fn request_to(&self, base: &Uri) -> Result<Request<Bytes>, String> {
        let (Some(scheme), Some(authority)) = (base.scheme_str(), base.authority()) else {
            return Err(format!("{base} is no origin"));
        };
        Request::builder()
            .method(self.method.clone())
            .uri(format!("{scheme}://{authority}{}", self.target))
            .header(CONTENT_TYPE, "application/json")
            .body(self.body.clone())
            // The error could only repeat the target, and that holds the secret.
            .map_err(|_| "the token call cannot be written as a request".to_owned())
    }
}

/// One fetch, all origins together.
pub(super) const FETCH_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        let slot = SlotId::real("shop".parse().unwrap());
        let app_secret = Secret::new("the-app-secret-itself".into());
        let credential = Credential { app_id: "wx1".into(), app_secret };
        Issuer { slot, credential, origins: Vec::new() }
    }

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_grant_counts_with_status_200_only_and_a_refusal_with_any() {
        let good = r#"{"access_token":"75_abcdefghijklmnop","expires_in":345}"#;
        let grant = issuer().read(&answer(200, good)).unwrap();
        assert_eq!(grant.valid_for, Duration::from_secs(345));
        assert!(matches!(issuer().read(&answer(502, good)), Err(TokenError::Malformed { .. })));

        let refusal = r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist"}"#;
        let error = issuer().read(&answer(403, refusal)).unwrap_err();
        assert_eq!(error.errcode(), Some(40164));
        assert_eq!(error.refused_ip(), "1.2.3.4".parse().ok());
    }

    #[test]
    fn a_nonsense_answer_is_named_with_its_status_but_not_repeated() {
        let error = issuer().read(&answer(500, "<html>the-app-secret-itself")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("JSON") && text.contains("500"), "{text}");
        assert!(!text.contains("the-app-secret-itself"), "{text}");
    }

    #[tokio::test]
    async fn an_account_without_an_origin_is_not_configured() {
        let call = Call { method: Method::GET, target: "/".into(), body: Bytes::new() };
        let error = issuer().fetch(call).await.unwrap_err();
        assert!(matches!(error, TokenError::NotConfigured { .. }));
    }

    #[test]
    fn a_request_goes_to_the_origin_and_to_the_known_path() {
        let call = Call {
            method: Method::POST,
            target: STABLE_TOKEN_PATH.into(),
            body: Bytes::from("{}"),
        };
        let base = Uri::from_static("https://api.weixin.qq.com:8443/ignored");
        let request = call.request_to(&base).unwrap();
        assert_eq!(request.uri(), "https://api.weixin.qq.com:8443/cgi-bin/stable_token");
        assert!(call.request_to(&Uri::from_static("/no-origin")).is_err());
    }
}
