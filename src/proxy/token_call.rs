//! Calls for an access token: read, refused and answered in the platform's shape.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, header};
use serde::Serialize;

use super::{
    credential_query::{CredentialQuery, SECRET_NAMES},
    error::ProxyError,
    json_secret,
    passage::Passage,
};
use crate::{
    access::key_text,
    base::{
        body::{Body, Response},
        clock::from_unix_ms,
        code::ErrorCode,
        kind::AccountKind,
        permission::Role,
    },
    token::{Claims, Surrogates, expiry_ms},
    wechat::{
        PlatformRefusal,
        credential::CredentialCall,
        placeholder,
        token_form::{self, GRANT_TYPE_INVALID, SECRET_MISSING, URL_INVALID},
    },
};

/// Notes what the call says, before anybody asks whether its secret opens anything.
pub(super) fn read_form(passage: &mut Passage, query: &CredentialQuery, body: &Bytes) {
    let Some(call) = passage.known.credential_call.filter(|call| call.is_token()) else { return };
    let value = |name: &str| query.value(name).or_else(|| query.plain_value(name));
    passage.token_form = Some(token_form::read(call, &passage.method, value, body));
    let in_query = SECRET_NAMES.into_iter().filter_map(|name| query.value(name));
    let mut secrets = in_query.chain(json_secret::values(body));
    passage.has_foreign_secret = secrets.any(|secret| !is_key_or_open(&secret));
}

/// A refusal of the caller, as an SDK expects it of a token call; anything else stays as it is.
pub(super) fn as_platform(passage: &Passage, error: ProxyError) -> ProxyError {
    let (Some(form), Some(call)) = (&passage.token_form, passage.known.credential_call) else {
        return error;
    };
    let code = error.code();
    let refusal = match (&error, form) {
        (
            ProxyError::KeyMissing
            | ProxyError::Key { .. }
            | ProxyError::AccountUnknown { .. }
            | ProxyError::AccountAmbiguous { .. },
            Err(form),
        ) => *form,
        (ProxyError::KeyMissing, Ok(form)) if !form.has_secret => SECRET_MISSING,
        (ProxyError::KeyMissing | ProxyError::Key { .. }, Ok(_)) => call.wrong_secret(),
        (ProxyError::AccountUnknown { .. }, _) => call.unknown_app(),
        _ => return error,
    };
    refused(refusal, code)
}

/// A form that the platform would not take.
pub(super) fn check_form(passage: &Passage) -> Result<(), ProxyError> {
    match &passage.token_form {
        Some(Err(refusal)) => Err(refused(*refusal, ErrorCode::TargetRefused)),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// The AppID that the call names.
pub(super) fn app_id(passage: &Passage) -> Option<&str> {
    let form = passage.token_form.as_ref()?.as_ref().ok()?;
    Some(form.app_id.as_str())
}

/// A surrogate for whoever came with a key. Nothing is fetched for it: the broker has a token when
/// the first call needs one.
pub(super) fn answer(
    passage: &mut Passage,
    call: CredentialCall,
    surrogates: &Surrogates,
) -> Result<Response, ProxyError> {
    check(passage, call)?;
    let (surrogate, life) = surrogate(passage, None, surrogates)?;
    let is_wecom = call == CredentialCall::CorpToken;
    let is_component = call == CredentialCall::ComponentToken;
    let grant = Grant {
        errcode: is_wecom.then_some(0),
        errmsg: is_wecom.then_some("ok"),
        access_token: (!is_component).then_some(&surrogate),
        component_access_token: is_component.then_some(&surrogate),
        ticket: None,
        expires_in: life.as_secs(),
    };
    json(passage, &grant)
}

/// A surrogate for the caller's key, and how long it is good: on the account, or for a merchant
/// for whom it acts.
pub(super) fn surrogate(
    passage: &Passage,
    merchant: Option<Arc<str>>,
    surrogates: &Surrogates,
) -> Result<(String, Duration), ProxyError> {
    check_role(passage)?;
    let life = [Some(passage.live.surrogate_life), key_left(passage)?, surrogate_left(passage)];
    let life = life.into_iter().flatten().min().unwrap_or_default().max(LEAST_LIFE);
    let claims = Claims {
        key: passage.key()?.id,
        account: passage.account()?.config.name.clone(),
        lane: passage.lane()?,
        merchant,
        expires_ms: expiry_ms(passage.time, life + linger(life)),
    };
    let sealed = surrogates.seal(&claims, passage.time);
    let sealed =
        sealed.map_err(|_| ProxyError::Internal { what: "no random bytes for a surrogate" })?;
    passage.metrics.surrogates.inc();
    Ok((sealed, life))
}

/// What the platform would look at next, in its order: AppID, secret, grant type.
fn check(passage: &Passage, call: CredentialCall) -> Result<(), ProxyError> {
    let account = &passage.account()?.config;
    let is_wecom = account.kind == AccountKind::Wecom;
    let is_platform = account.kind == AccountKind::OpenPlatform;
    if is_wecom != (call == CredentialCall::CorpToken)
        || is_platform != (call == CredentialCall::ComponentToken)
    {
        return Err(refused(URL_INVALID, ErrorCode::PathNotAllowed));
    }
    let Some(Ok(form)) = &passage.token_form else {
        return Err(ProxyError::Internal { what: "a token call without its form" });
    };
    if form.app_id != account.app_id && form.app_id != account.name.as_str() {
        return Err(refused(call.unknown_app(), ErrorCode::AccountUnknown));
    }
    // A surrogate opens calls. If it gave another surrogate, it would never end.
    if passage.surrogate.is_some() || passage.has_foreign_secret {
        return Err(refused(call.wrong_secret(), ErrorCode::KeyMalformed));
    }
    if !form.has_grant_type {
        return Err(refused(GRANT_TYPE_INVALID, ErrorCode::TargetRefused));
    }
    check_role(passage)
}

/// A viewer calls nothing, so no surrogate is of use to one.
pub(super) fn check_role(passage: &Passage) -> Result<(), ProxyError> {
    match passage.key()?.role {
        Role::Developer | Role::Operator => Ok(()),
        Role::Viewer => {
            let rule = format!("role = \"{}\"", Role::Viewer);
            Err(ProxyError::Denied { code: ErrorCode::PathNotAllowed, rule })
        }
    }
}

/// Anything else in the secret's place may be the real AppSecret, which belongs on the host.
fn is_key_or_open(secret: &str) -> bool {
    key_text::looks_like_key(secret) || placeholder::is_placeholder(secret)
}

/// What is left of the key's own life: its surrogate ends with it.
fn key_left(passage: &Passage) -> Result<Option<Duration>, ProxyError> {
    let key = passage.key()?;
    let ends = [key.expires, key.revoked].into_iter().flatten().min();
    Ok(ends.map(|end| end.duration_since(passage.time).unwrap_or_default()))
}

/// What the platform answers when it grants a token or ticket, in its order.
#[derive(Default, Serialize)]
pub(super) struct Grant<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errmsg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) component_access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ticket: Option<&'a str>,
    /// Whole seconds.
    pub(super) expires_in: u64,
}

/// What is left of the surrogate that was shown: the one of a merchant outlives it not.
fn surrogate_left(passage: &Passage) -> Option<Duration> {
    let claims = passage.surrogate.as_ref()?;
    Some(from_unix_ms(claims.expires_ms).duration_since(passage.time).unwrap_or_default())
}

/// An answer of our own in the platform's shape.
pub(super) fn json(passage: &mut Passage, body: &impl Serialize) -> Result<Response, ProxyError> {
    let body = serde_json::to_string(body)
        .map_err(|_| ProxyError::Internal { what: "an answer that is no JSON" })?;
    passage.own_answer = Some(0);
    let mut response = Response::new(Body::from(body));
    let kind = HeaderValue::from_static("application/json; encoding=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// A refusal in the platform's words.
pub(super) fn refused(refusal: PlatformRefusal, code: ErrorCode) -> ProxyError {
    ProxyError::AsPlatform { refusal, code, reason: refusal.errmsg }
}

/// Beyond `expires_in`: caches that count in whole seconds keep a token up to a second too long,
/// and some SDKs do nothing about 42001. A short life has little of it.
fn linger(life: Duration) -> Duration {
    (life / 60).min(LINGER_MOST)
}

const LINGER_MOST: Duration = Duration::from_secs(2);

/// `expires_in` is in whole seconds, and 0 is no life.
const LEAST_LIFE: Duration = Duration::from_secs(1);
