//! Puts the credential that a call takes into the upstream request.
//!
//! Runs inside `retry`, so that a second attempt carries a second token, and inside `capture`,
//! so that no credential is ever recorded.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::header;
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::{
    authenticate::{holds_key, is_ours},
    credential_query::{CredentialQuery, SECRET_NAMES, TOKEN_NAMES},
    error::ProxyError,
    json_secret, merchant,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::{body::Body, kind::AccountKind, percent::query_value},
    token::{Issued, TokenError},
    wechat::{
        credential::{self, Credential, SecretPlace},
        placeholder,
    },
    wire::RequestTarget,
};

/// See the module.
pub(super) struct Inject;

impl Inject {
    pub(super) fn new(_: &Parts) -> Self {
        Self
    }
}

impl Stage for Inject {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        // Most calls take the token, and it is there: nothing has to be waited for.
        match direct(passage) {
            Ok(true) => next.run(passage, body),
            Ok(false) => Box::pin(async move {
                let body = fetched(passage, body).await?;
                next.run(passage, body).await
            }),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// Tells what to ask for, if that is known at once.
fn direct(passage: &mut Passage) -> Result<bool, ProxyError> {
    refuse_stray_keys(passage)?;
    match needed(passage)? {
        Credential::AppToken | Credential::ComponentToken => {
            if let Some(name) = foreign(query(passage)?) {
                if !passage.account()?.config.own_tokens {
                    return Err(ProxyError::ForeignToken { name });
                }
                return pass(passage).map(|()| true);
            }
            let slot = merchant::slot(passage)?;
            let Some(issued) = slot.and_then(|slot| slot.current()) else { return Ok(false) };
            passage.token_wait = Duration::ZERO;
            carry(passage, issued)?;
        }
        Credential::AppSecret => return Ok(false),
        Credential::UserToken | Credential::None => pass(passage)?,
    }
    Ok(true)
}

/// What has to be waited for: a token that is being fetched, or a body that holds the secret.
async fn fetched(passage: &mut Passage, body: Body) -> Result<Body, ProxyError> {
    if needed(passage)? == Credential::AppSecret {
        return secret(passage, body).await;
    }
    let issued = issue(passage).await?;
    carry(passage, issued)?;
    Ok(body)
}

/// The credential that the call takes.
pub(super) fn needed(passage: &Passage) -> Result<Credential, ProxyError> {
    Ok(match passage.account()?.config.kind {
        AccountKind::Generic => Credential::None,
        AccountKind::MiniProgram
        | AccountKind::OfficialAccount
        | AccountKind::Wecom
        | AccountKind::OpenPlatform => passage.known.needed(&passage.method),
    })
}

/// Puts the token in place of a key or placeholder, or adds it.
fn carry(passage: &mut Passage, issued: Arc<Issued>) -> Result<(), ProxyError> {
    let name = merchant::parameter(passage)?;
    let query = query_with(passage, &[(name, issued.query_value.expose())])?;
    passage.issued = Some(issued);
    ask_for(passage, &query)
}

async fn issue(passage: &mut Passage) -> Result<Arc<Issued>, ProxyError> {
    let account = passage.account()?.config.name.clone();
    let slot = merchant::slot(passage)?.cloned();
    let slot = slot.ok_or(ProxyError::NoCredential { account })?;
    let asked = Instant::now();
    let issued = slot.token(TOKEN_LIMIT).await;
    passage.token_wait = asked.elapsed();
    issued.map_err(|source| token_error(passage, source))
}

/// Why there is no token, with what its cure depends on.
pub(super) fn token_error(passage: &Passage, source: TokenError) -> ProxyError {
    let (account, lanes) = match (passage.account(), passage.lanes()) {
        (Ok(account), Ok(lanes)) => (&account.config, lanes),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    match source {
        TokenError::Rejected { errcode, .. } => ProxyError::TokenRejected {
            kind: account.kind,
            errcode,
            body: Bytes::new(),
            source: Some(Arc::new(source)),
        },
        _ => ProxyError::Token {
            account: account.name.clone(),
            kind: account.kind,
            egress: if lanes.is_sandbox { None } else { account.egress.bind },
            source: Arc::new(source),
        },
    }
}

/// AppID and AppSecret where the caller put a key, a placeholder or nothing.
async fn secret(passage: &mut Passage, body: Body) -> Result<Body, ProxyError> {
    let path = passage.path()?;
    let lanes = passage.lanes()?;
    let account = passage.account()?.config.clone();
    let no_credential = || ProxyError::NoCredential { account: account.name.clone() };
    let secret = lanes.secret.clone().ok_or_else(no_credential)?;
    let place = credential::secret_place(path);
    let query = query(passage)?;
    for name in SECRET_NAMES {
        if query.value(name).is_some_and(|value| !is_open(&value)) {
            return Err(ProxyError::ForeignToken { name });
        }
    }
    let app_id_name = credential::app_id_name(path);
    let has_body = body.as_full().is_some();
    let in_query = match place {
        SecretPlace::Query(name) => Some(name),
        SecretPlace::Json(_) => None,
        SecretPlace::Either { query: name, .. } => {
            (query.value(name).is_some() || !has_body).then_some(name)
        }
    };
    let (in_place, app_id) = (query_value(secret.expose()), query_value(&account.app_id));
    let mut fill: Vec<(&'static str, &str)> = Vec::new();
    if let Some(name) = in_query {
        fill.push((name, &in_place));
        if query.plain_value(app_id_name).is_none() {
            fill.push((app_id_name, &app_id));
        }
    }
    let query = query_with(passage, &fill)?;
    ask_for(passage, &query)?;
    let field = if in_query.is_none() { place.json() } else { None };
    fill_body(body, field.map(|field| (field, secret.expose())), (app_id_name, &account.app_id))
        .await
}

/// The secret goes into the JSON body, or, where the query has it, at least no key stays there.
async fn fill_body(
    body: Body,
    field: Option<(&'static str, &str)>,
    app_id: (&str, &str),
) -> Result<Body, ProxyError> {
    let body =
        body.collect().await.map_err(|source| ProxyError::RequestBody { source })?.to_bytes();
    if json_secret::values(&body).iter().any(|value| !is_open(value)) {
        return Err(ProxyError::ForeignToken { name: field.map_or("secret", |(name, _)| name) });
    }
    let mut filled = json_secret::fill(&body, field);
    if field.is_some() && !json_secret::has(&filled, app_id.0) {
        filled = json_secret::fill(&filled, Some(app_id));
    }
    Ok(Body::from(filled))
}

/// A key anywhere else than in its places would go upstream.
pub(super) fn refuse_stray_keys(passage: &Passage) -> Result<(), ProxyError> {
    if query(passage)?.has_stray_key() {
        return Err(ProxyError::AmbiguousToken { name: "wxgk_…" });
    }
    let authorizations = || passage.headers.get_all(header::AUTHORIZATION);
    let is_stray = passage.seen.stray_key
        || (passage.seen.authorization
            && authorizations().iter().any(|value| holds_key(value.as_bytes())));
    if is_stray {
        let why = "it stands in a header that is no place for a key";
        return Err(ProxyError::HeaderRefused { name: "wxgk_…", why });
    }
    Ok(())
}

/// Nothing is added. A key has no business in the place of a user's own token.
fn pass(passage: &mut Passage) -> Result<(), ProxyError> {
    let query = query(passage)?;
    if passage.account()?.config.kind != AccountKind::Generic {
        let misplaced =
            query.credentials().find(|(name, value)| TOKEN_NAMES.contains(name) && is_ours(value));
        if let Some((name, _)) = misplaced {
            return Err(ProxyError::ForeignToken { name });
        }
    }
    let query = query_with(passage, &[])?;
    ask_for(passage, &query)
}

/// The name of a token parameter that holds neither a key nor a placeholder.
fn foreign(query: &CredentialQuery) -> Option<&'static str> {
    TOKEN_NAMES.into_iter().find(|name| query.value(name).is_some_and(|value| !is_open(&value)))
}

/// A key, a surrogate or a placeholder: to be replaced.
pub(super) fn is_open(value: &str) -> bool {
    is_ours(value) || placeholder::is_placeholder(value)
}

fn query(passage: &Passage) -> Result<&CredentialQuery, ProxyError> {
    passage
        .query
        .as_ref()
        .ok_or_else(|| ProxyError::Internal { what: "no query behind authentication" })
}

/// The query with `fill`, percent-encoded, put in and every key taken out.
fn query_with(passage: &Passage, fill: &[(&'static str, &str)]) -> Result<String, ProxyError> {
    let query = query(passage)?;
    let is_filled = |name: &str| fill.iter().any(|(filled, _)| *filled == name);
    let is_token_call = fill.iter().any(|(name, _)| TOKEN_NAMES.contains(name));
    let keys: Vec<&str> = query
        .credentials()
        .filter(|(name, value)| {
            !is_filled(name) && (is_ours(value) || (is_token_call && TOKEN_NAMES.contains(name)))
        })
        .map(|(name, _)| name)
        .collect();
    Ok(query.with(fill, &keys))
}

/// The present attempt asks for the call's path with this query.
fn ask_for(passage: &mut Passage, query: &str) -> Result<(), ProxyError> {
    let target =
        RequestTarget::new(passage.path()?, query).ok_or_else(|| ProxyError::TargetRefused)?;
    passage.upstream_target = Some(target);
    Ok(())
}

/// How long a request waits for a token that is being fetched.
pub(super) const TOKEN_LIMIT: Duration = Duration::from_secs(10);
