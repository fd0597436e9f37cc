//! How an issuer is called: at the first origin that can be reached, and how its answer is read.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header::CONTENT_TYPE};
use tokio::time::Instant;

use super::{error::TokenError, provider::TokenGrant, slot_id::SlotId};
use crate::{
    wechat::{
        grant::{Grant, GrantError},
        refusal::refused_ip,
    },
    wire::{Client, WireError},
};

/// Where tokens are asked for: origins in order of preference, each with its way there.
pub type Origins = Vec<(Uri, Client)>;

/// The way to the issuer of one slot.
#[derive(Clone)]
pub(super) struct IssuerLine {
    slot: SlotId,
    origins: Origins,
}

/// A call of the issuer, before it is known which origin gets it.
pub(super) struct IssuerCall {
    method: Method,
    /// Path and query, with the credential.
    target: String,
    body: Bytes,
}

impl IssuerCall {
    /// Everything stands in the query.
    pub(super) fn get(target: String) -> Self {
        Self { method: Method::GET, target, body: Bytes::new() }
    }

    /// A JSON body.
    pub(super) fn post(target: String, body: Bytes) -> Self {
        Self { method: Method::POST, target, body }
    }

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

impl IssuerLine {
    pub(super) fn new(slot: SlotId, origins: Origins) -> Self {
        Self { slot, origins }
    }

    /// Asks for a grant and reads it with `parse`.
    pub(super) async fn grant(
        &self,
        call: IssuerCall,
        parse: fn(&[u8]) -> Result<Grant, GrantError>,
    ) -> Result<TokenGrant, TokenError> {
        let answer = self.ask(call).await?;
        self.read(&answer, parse)
    }

    /// The next origin is asked only if nothing was sent to the one before: a classic call that
    /// went out may have retired a token, whether or not its answer came.
    pub(super) async fn ask(&self, call: IssuerCall) -> Result<Response<Bytes>, TokenError> {
        let end = Instant::now() + FETCH_LIMIT;
        let mut last = TokenError::NotConfigured { account: self.slot.clone() };
        for (index, (base, client)) in self.origins.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            let origins_left = u32::try_from(self.origins.len() - index).unwrap_or(1).max(1);
            let request = call.request_to(base).map_err(|reason| self.malformed(reason))?;
            match client.call(request, left / origins_left).await {
                Ok(answer) => return Ok(answer),
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

    /// What an answer of the issuer says; a grant counts with status 200 only.
    fn read(
        &self,
        answer: &Response<Bytes>,
        parse: fn(&[u8]) -> Result<Grant, GrantError>,
    ) -> Result<TokenGrant, TokenError> {
        match parse(answer.body()) {
            Ok(grant) if answer.status() == StatusCode::OK => {
                Ok(TokenGrant { token: grant.token, valid_for: grant.expires_in })
            }
            Ok(_) => Err(self.malformed(format!("a token with HTTP {}", answer.status()))),
            Err(error) => Err(self.refused(error, answer.status())),
        }
    }

    /// The error for an answer that is no grant.
    pub(super) fn refused(&self, error: GrantError, status: StatusCode) -> TokenError {
        match error {
            GrantError::Refused { errcode, errmsg } => {
                let refused_ip = refused_ip(errcode, &errmsg);
                TokenError::Refused { account: self.slot.clone(), errcode, errmsg, refused_ip }
            }
            GrantError::Malformed { reason } => {
                self.malformed(format!("{reason}, with HTTP {status}"))
            }
        }
    }

    fn unreachable(&self, source: WireError) -> TokenError {
        TokenError::Connect { account: self.slot.clone(), source: Arc::new(source) }
    }

    fn malformed(&self, reason: String) -> TokenError {
        TokenError::Malformed { account: self.slot.clone(), reason }
    }
}

/// One fetch, all origins together.
pub(super) const FETCH_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::grant::{STABLE_TOKEN_PATH, parse_grant};

    fn line() -> IssuerLine {
        IssuerLine::new(SlotId::real("shop".parse().unwrap()), Vec::new())
    }

    fn read(answer: &Response<Bytes>) -> Result<TokenGrant, TokenError> {
        line().read(answer, parse_grant)
    }

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_grant_counts_with_status_200_only_and_a_refusal_with_any() {
        let good = r#"{"access_token":"75_abcdefghijklmnop","expires_in":345}"#;
        let grant = read(&answer(200, good)).unwrap();
        assert_eq!(grant.valid_for, Duration::from_secs(345));
        assert!(matches!(read(&answer(502, good)), Err(TokenError::Malformed { .. })));

        let refusal = r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist"}"#;
        let error = read(&answer(403, refusal)).unwrap_err();
        assert_eq!(error.errcode(), Some(40164));
        assert_eq!(error.refused_ip(), "1.2.3.4".parse().ok());
    }

    #[test]
    fn a_nonsense_answer_is_named_with_its_status_but_not_repeated() {
        let error = read(&answer(500, "<html>the-app-secret-itself")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("JSON") && text.contains("500"), "{text}");
        assert!(!text.contains("the-app-secret-itself"), "{text}");
    }

    #[tokio::test]
    async fn an_account_without_an_origin_is_not_configured() {
        let error = line().ask(IssuerCall::get("/".into())).await.unwrap_err();
        assert!(matches!(error, TokenError::NotConfigured { .. }));
    }

    #[test]
    fn a_request_goes_to_the_origin_and_to_the_known_path() {
        let call = IssuerCall::post(STABLE_TOKEN_PATH.into(), Bytes::from("{}"));
        let base = Uri::from_static("https://api.weixin.qq.com:8443/ignored");
        let request = call.request_to(&base).unwrap();
        assert_eq!(request.uri(), "https://api.weixin.qq.com:8443/cgi-bin/stable_token");
        assert!(call.request_to(&Uri::from_static("/no-origin")).is_err());
    }
}
