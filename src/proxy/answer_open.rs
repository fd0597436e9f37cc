//! Credential calls of third-party platforms: merchants' tokens become surrogates, their refresh
//! tokens handles.
//!
//! A handle is a merchant's refresh token to whoever holds a key of the platform's account. It
//! names platform and merchant, has no end of its own, and dies with the refresh token that it
//! stands for: when the merchant authorizes again, or is forgotten. It names no key, because it
//! opens nothing without one.

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, header};
use http_body_util::{BodyExt as _, Limited};
use serde::Serialize;
use serde_json::Value;

use super::{
    content_coding::Encoding,
    credential_query::TOKEN_NAMES,
    error::ProxyError,
    inject,
    json_members::plain,
    json_secret::quoted,
    mask, merchant,
    merchant_answer::{Told, blank, is_app_id, rewritten, told},
    passage::Passage,
    stage::Next,
    token_call,
};
use crate::{
    base::{
        body::{Body, Response},
        code::ErrorCode,
        kind::AccountKind,
        redact::Redactor,
        secret::Secret,
    },
    token::{Handle, OpenPlatform, Surrogates, TokenError, TokenGrant},
    wechat::{
        PlatformRefusal,
        authorizer::{self, is_refresh_token},
        credential::CredentialCall,
        envelope,
        token_form::{
            APP_ID_INVALID, COMPONENT_INVALID, NO_BODY, NO_JSON, NOT_AUTHORIZED, POST_ONLY,
            REFRESH_TOKEN_INVALID, URL_INVALID,
        },
    },
};

/// What answers need beside the passage.
#[derive(Clone)]
pub(super) struct OpenAnswers {
    surrogates: Arc<Surrogates>,
    redactor: Arc<Redactor>,
}

impl OpenAnswers {
    pub(super) fn new(surrogates: Arc<Surrogates>, redactor: Arc<Redactor>) -> Self {
        Self { surrogates, redactor }
    }

    /// One of the calls about merchants.
    pub(super) async fn answer(
        &self,
        passage: &mut Passage,
        body: Body,
        next: Next<'_>,
        call: CredentialCall,
    ) -> Result<Response, ProxyError> {
        let platform = platform(passage)?;
        if call == CredentialCall::AuthorizerToken {
            return self.authorizer_token(passage, body, &platform).await;
        }
        let answer = next.run(passage, body).await?;
        self.edited(passage, answer, &platform).await
    }

    /// A surrogate for a handle. The token itself is fetched, so that an authorization that is
    /// gone is told here, as the platform tells it.
    async fn authorizer_token(
        &self,
        passage: &mut Passage,
        body: Body,
        platform: &Arc<OpenPlatform>,
    ) -> Result<Response, ProxyError> {
        token_call::check_role(passage)?;
        inject::refuse_stray_keys(passage)?;
        // A merchant's surrogate is no component token.
        merchant::slot(passage)?;
        refuse_foreign_token(passage)?;
        let (app_id, given) = read_form(passage, body, platform).await?;
        let handle = self.surrogates.open_handle(&given).ok();
        let mark = handle.as_ref().map(|handle| handle.mark);
        let slot = platform.merchant(&app_id);
        let slot = slot.ok_or_else(|| refused(NOT_AUTHORIZED, ErrorCode::AccountUnknown))?;
        let is_right = handle.is_some_and(|handle| {
            let id = slot.id();
            handle.account == id.account
                && handle.shadow == id.shadow
                && *handle.merchant == *app_id
                && Some(handle.mark) == platform.mark(&app_id)
        });
        if !is_right {
            return Err(refused(REFRESH_TOKEN_INVALID, ErrorCode::SurrogateRefused));
        }
        if let Err(source) = slot.token(inject::TOKEN_LIMIT).await {
            return Err(match source.root() {
                TokenError::Unauthorized { errcode, .. } => {
                    let is_unknown = *errcode == authorizer::NOT_AUTHORIZED;
                    let refusal = if is_unknown { NOT_AUTHORIZED } else { REFRESH_TOKEN_INVALID };
                    refused(refusal, ErrorCode::TokenUnavailable)
                }
                _ => inject::token_error(passage, source),
            });
        }
        let (surrogate, life) = self.surrogate(passage, &app_id)?;
        // The platform may have given another refresh token with the token.
        let handle = match self.handle(platform, &app_id)? {
            Some(newer) if platform.mark(&app_id) != mark => newer,
            Some(_) | None => given,
        };
        let answer = AuthorizerGrant {
            authorizer_access_token: &surrogate,
            expires_in: life.as_secs(),
            authorizer_refresh_token: &handle,
        };
        token_call::json(passage, &answer)
    }

    /// The platform's answer with every token in it stored and replaced. What is no answer of
    /// the documented form goes to nobody: it may hold tokens that are not known here.
    async fn edited(
        &self,
        passage: &Passage,
        answer: Response,
        platform: &Arc<OpenPlatform>,
    ) -> Result<Response, ProxyError> {
        let (mut head, body) = answer.into_parts();
        let unreadable = |why| mask::unreadable(passage, why);
        let whole = Limited::new(body, ANSWER_MOST_BYTES).collect().await;
        let mut whole = whole.map_err(|_| unreadable("longer than such an answer is"))?.to_bytes();
        let coding = Encoding::of(&head.headers);
        if coding != Encoding::Identity {
            let plain = coding.decode(&whole, ANSWER_MOST_BYTES);
            let plain = plain.filter(|plain| plain.len() < ANSWER_MOST_BYTES);
            whole = plain.ok_or_else(|| unreadable("an encoding that was not asked for"))?.into();
            head.headers.remove(header::CONTENT_ENCODING);
        }
        if envelope::peek(&whole, true).errcode.is_some_and(|errcode| errcode != 0) {
            // A refusal, in whatever encoding of text: nothing is told in it.
            head.headers.remove(header::CONTENT_LENGTH);
            let masked = self.redactor.bytes(&whole).into_owned();
            return Ok(Response::from_parts(head, Body::from(masked)));
        }
        if serde_json::from_slice::<serde::de::IgnoredAny>(&whole).is_err() {
            return Err(unreadable("not the JSON that such an answer is"));
        }
        let mut edits = Vec::new();
        let all = told(&whole);
        if all.len() > MERCHANTS_MOST {
            return Err(unreadable("more merchants than such an answer holds"));
        }
        platform.protect_all(all.values().filter_map(|told| secrets_of(&whole, told)).collect());
        for told in all.values() {
            self.take_in(passage, platform, &whole, told, &mut edits)?;
        }
        edits.sort_by_key(|(range, _)| range.start);
        // A refresh token that is handed out as a handle must not be lost with this process.
        platform.flush().await;
        head.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(head, Body::from(rewritten(&whole, &edits, &self.redactor))))
    }

    /// Stores what one object tells of a merchant, and notes what stands there instead.
    fn take_in(
        &self,
        passage: &Passage,
        platform: &Arc<OpenPlatform>,
        whole: &Bytes,
        told: &Told,
        edits: &mut Vec<(Range<usize>, String)>,
    ) -> Result<(), ProxyError> {
        let Some(app_id) = told.app_id.as_deref().filter(|id| is_app_id(id)) else {
            // Whose they are is not said, so nobody can use them: they are blanked.
            edits.extend(told.secrets().map(|range| (range.clone(), blank(range))));
            return Ok(());
        };
        let refresh_token = secret_in(whole, &told.refresh_tokens).filter(is_refresh_token);
        let life_s = told.lives.first().and_then(|range| plain(whole, range)?.parse().ok());
        let grant =
            secret_in(whole, &told.tokens).and_then(|token| authorizer::told_grant(token, life_s?));
        let grant = grant.map(|g| TokenGrant { token: g.token, valid_for: g.expires_in });
        platform.authorized(app_id, refresh_token.as_ref(), grant);
        if let Some(handle) = self.handle(platform, app_id)? {
            edits.extend(told.refresh_tokens.iter().map(|at| (at.clone(), quoted(&handle))));
        } else {
            edits.extend(told.refresh_tokens.iter().map(|at| (at.clone(), blank(at))));
        }
        if !told.tokens.is_empty() {
            let (surrogate, life) = self.surrogate(passage, app_id)?;
            edits.extend(told.tokens.iter().map(|at| (at.clone(), quoted(&surrogate))));
            let life_s = life.as_secs().to_string();
            edits.extend(told.lives.iter().map(|at| {
                let is_text = whole.get(at.start) == Some(&b'"');
                (at.clone(), if is_text { quoted(&life_s) } else { life_s.clone() })
            }));
        }
        Ok(())
    }

    fn surrogate(&self, passage: &Passage, app_id: &str) -> Result<(String, Duration), ProxyError> {
        token_call::surrogate(passage, Some(app_id.into()), &self.surrogates)
    }

    fn handle(
        &self,
        platform: &Arc<OpenPlatform>,
        app_id: &str,
    ) -> Result<Option<String>, ProxyError> {
        let Some(mark) = platform.mark(app_id) else { return Ok(None) };
        let id = platform.component().id();
        let (account, shadow) = (id.account.clone(), id.shadow);
        let handle = Handle { account, shadow, merchant: app_id.into(), mark };
        let sealed = self.surrogates.seal_handle(&handle);
        sealed.map(Some).map_err(|_| ProxyError::Internal { what: "no random bytes for a handle" })
    }
}

/// What the platform answers to `api_authorizer_token`, in its order.
#[derive(Serialize)]
struct AuthorizerGrant<'a> {
    authorizer_access_token: &'a str,
    /// Whole seconds.
    expires_in: u64,
    authorizer_refresh_token: &'a str,
}

/// What one object tells of a merchant that is well-formed, to be protected.
fn secrets_of(whole: &Bytes, told: &Told) -> Option<(Arc<str>, Option<Secret>, Option<Secret>)> {
    let app_id = told.app_id.as_deref().filter(|id| is_app_id(id))?;
    let refresh_token = secret_in(whole, &told.refresh_tokens).filter(is_refresh_token);
    let least_life_s = 1;
    let token = secret_in(whole, &told.tokens)
        .and_then(|token| authorizer::told_grant(token, least_life_s))
        .map(|grant| grant.token);
    Some((app_id.into(), refresh_token, token))
}

fn secret_in(whole: &Bytes, ranges: &[Range<usize>]) -> Option<Secret> {
    let text = ranges.first().and_then(|range| plain(whole, range));
    text.filter(|text| !text.is_empty()).map(Secret::new)
}

fn platform(passage: &Passage) -> Result<Arc<OpenPlatform>, ProxyError> {
    let platform = passage.lanes()?.platform.clone();
    let is_platform = passage.account()?.config.kind == AccountKind::OpenPlatform;
    platform.filter(|_| is_platform).ok_or_else(|| refused(URL_INVALID, ErrorCode::PathNotAllowed))
}

/// The merchant's AppID and what stands in the place of its refresh token.
async fn read_form(
    passage: &Passage,
    body: Body,
    platform: &OpenPlatform,
) -> Result<(String, String), ProxyError> {
    let wrong = |refusal| refused(refusal, ErrorCode::TargetRefused);
    if passage.method != Method::POST {
        return Err(wrong(POST_ONLY));
    }
    let body = body.collect().await.map_err(|source| ProxyError::RequestBody { source })?;
    let body = body.to_bytes();
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong(NO_BODY));
    }
    let form: Value = serde_json::from_slice(&body).map_err(|_| wrong(NO_JSON))?;
    let text = |name: &str| {
        let text = form.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let account = passage.account()?.config.name.as_str();
    let component = text("component_appid");
    let is_own = component.is_some_and(|given| given == platform.app_id() || given == account);
    if !is_own {
        return Err(wrong(COMPONENT_INVALID));
    }
    let app_id = text("authorizer_appid").ok_or_else(|| wrong(APP_ID_INVALID))?;
    let given = text("authorizer_refresh_token")
        .ok_or_else(|| refused(REFRESH_TOKEN_INVALID, ErrorCode::SurrogateRefused))?;
    Ok((app_id, given))
}

/// Nothing is forwarded, so a token of the caller's own could be of no use.
fn refuse_foreign_token(passage: &Passage) -> Result<(), ProxyError> {
    let Some(query) = &passage.query else { return Ok(()) };
    let is_foreign = |name: &&str| query.value(name).is_some_and(|value| !inject::is_open(&value));
    match TOKEN_NAMES.into_iter().find(|name| is_foreign(name)) {
        Some(name) => Err(ProxyError::ForeignToken { name }),
        None => Ok(()),
    }
}

fn refused(refusal: PlatformRefusal, code: ErrorCode) -> ProxyError {
    token_call::refused(refusal, code)
}

/// The page of the list says at most 500.
const MERCHANTS_MOST: usize = 500;

/// Longest answer: a page of 500 merchants has some 100 KiB.
const ANSWER_MOST_BYTES: usize = 1 << 20;
