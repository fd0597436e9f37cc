//! Finds the caller's key in every place where it may stand, and takes it out.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use http_body_util::{BodyExt as _, Limited};
use zeroize::Zeroizing;

use super::{
    alarm_bell::AlarmBell,
    certificate,
    credential_query::{CredentialQuery, TOKEN_NAMES},
    error::ProxyError,
    json_secret,
    passage::Passage,
    path_rule,
    service::Parts,
    stage::{Answering, Next, Stage},
    surrogate_rule, token_call,
};
use crate::{
    access::{Key, KeyRefusal, KeyRing, key_text},
    base::body::{Body, BodyError},
    token::{Claims, SurrogateFault, Surrogates},
    wechat::KnownPath,
};

/// Every place is read, all are emptied, and two different keys are an error.
pub(super) struct Authenticate {
    keys: Arc<KeyRing>,
    surrogates: Arc<Surrogates>,
    lost: AlarmBell,
}

impl Authenticate {
    pub(super) fn new(parts: &Parts) -> Self {
        let (keys, surrogates) = (parts.keys.clone(), parts.surrogates.clone());
        Self { keys, surrogates, lost: AlarmBell::default() }
    }

    /// For most calls: nothing of the body is needed.
    fn admit(&self, passage: &mut Passage) -> Result<(), ProxyError> {
        let (query, found) = look(passage)?;
        passage.query = Some(query);
        self.let_in(passage, &found)
    }

    /// For calls that may carry a secret in their body.
    async fn admit_with_body(&self, passage: &mut Passage, body: Body) -> Result<Body, ProxyError> {
        let (query, mut found) = look(passage)?;
        let bytes = whole(body).await?;
        found.add_json(&bytes)?;
        token_call::read_form(passage, &query, &bytes);
        passage.query = Some(query);
        self.let_in(passage, &found).map_err(|error| token_call::as_platform(passage, error))?;
        Ok(Body::from(bytes))
    }

    fn let_in(&self, passage: &mut Passage, found: &Found) -> Result<(), ProxyError> {
        let key = self.key_in(passage, found);
        passage.key = Some(certificate::join(key, passage, &self.keys)?);
        Ok(())
    }

    /// The key that the request itself names.
    fn key_in(&self, passage: &mut Passage, found: &Found) -> Result<Arc<Key>, ProxyError> {
        let key = match &found.key {
            Some(text) => Some(self.check(text, passage)?),
            None => None,
        };
        let Some(text) = &found.surrogate else { return key.ok_or(ProxyError::KeyMissing) };
        let claims = self.open(text, passage)?;
        let of_surrogate = self.key_of(&claims, passage)?;
        if key.is_some_and(|key| key.id != of_surrogate.id) {
            return Err(ProxyError::AmbiguousKey);
        }
        passage.surrogate = Some(claims);
        Ok(of_surrogate)
    }

    fn check(&self, text: &str, passage: &Passage) -> Result<Arc<Key>, ProxyError> {
        let checked = self.keys.check(text, passage.time);
        checked.map_err(|refusal| ProxyError::Key { code: refusal.code() })
    }

    fn open(&self, text: &str, passage: &Passage) -> Result<Claims, ProxyError> {
        self.surrogates.open(text, passage.time).map_err(surrogate_rule::damaged)
    }

    /// A surrogate dies with its key: that is the one thing that is looked up.
    fn key_of(&self, claims: &Claims, passage: &Passage) -> Result<Arc<Key>, ProxyError> {
        let key = self.keys.check_id(&claims.key, passage.time);
        key.map_err(|refusal| {
            self.cry_out(&refusal, claims, passage);
            ProxyError::SurrogateRefused { fault: SurrogateFault::Key }
        })
    }

    /// Who took a key back wants to know that somebody still uses what it opened. That a key has
    /// expired is no news.
    fn cry_out(&self, refusal: &KeyRefusal, claims: &Claims, passage: &Passage) {
        let KeyRefusal::Revoked { name, .. } = refusal else { return };
        if !self.lost.may_ring(name) {
            return;
        }
        tracing::warn!(
            request.id = %passage.id,
            client.addr = %passage.client,
            key = name.as_str(),
            account = claims.account.as_str(),
            "ALARM: {} still uses a surrogate of the revoked key {name} for account {}; it is refused",
            passage.client, claims.account
        );
    }
}

impl Stage for Authenticate {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        passage.known = KnownPath::of(path_rule::without_account(passage.uri.path()));
        if json_secret::may_hold_secret(passage) {
            return Box::pin(async move {
                let body = self.admit_with_body(passage, body).await?;
                next.run(passage, body).await
            });
        }
        match self.admit(passage) {
            Ok(()) => next.run(passage, body),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// Reads the places that need no body, and empties those in the headers.
fn look(passage: &mut Passage) -> Result<(CredentialQuery, Found), ProxyError> {
    let query = CredentialQuery::parse(passage.uri.query().unwrap_or_default())?;
    let mut found = Found::default();
    take_headers(passage, &mut found)?;
    found.add_query(&query)?;
    Ok((query, found))
}

/// The credentials found so far.
#[derive(Default)]
struct Found {
    key: Option<Zeroizing<String>>,
    /// Where an access token may stand. It opens calls, and never the way to another surrogate.
    surrogate: Option<String>,
}

impl Found {
    fn add(&mut self, text: &str) -> Result<(), ProxyError> {
        match &self.key {
            Some(known) if known.as_str() != text => Err(ProxyError::AmbiguousKey),
            Some(_) => Ok(()),
            None => {
                self.key = Some(Zeroizing::new(text.to_owned()));
                Ok(())
            }
        }
    }

    /// A value in the place of a secret that may be a key, or nothing of ours.
    fn add_if_key(&mut self, text: &str) -> Result<(), ProxyError> {
        if key_text::looks_like_key(text) { self.add(text) } else { Ok(()) }
    }

    /// A value in the place of a token that may be a key, a surrogate, or nothing of ours.
    fn add_if_ours(&mut self, text: &str) -> Result<(), ProxyError> {
        if !text.starts_with(SURROGATE) {
            return self.add_if_key(text);
        }
        match &self.surrogate {
            Some(known) if known != text => Err(ProxyError::AmbiguousKey),
            Some(_) => Ok(()),
            None => {
                self.surrogate = Some(text.to_owned());
                Ok(())
            }
        }
    }

    fn add_query(&mut self, query: &CredentialQuery) -> Result<(), ProxyError> {
        query.credentials().try_for_each(|(name, value)| {
            if TOKEN_NAMES.contains(&name) {
                self.add_if_ours(&value)
            } else {
                self.add_if_key(&value)
            }
        })
    }

    fn add_json(&mut self, bytes: &Bytes) -> Result<(), ProxyError> {
        json_secret::values(bytes).iter().try_for_each(|value| self.add_if_key(value))
    }
}

/// `Authorization: Bearer` and `X-Api-Key`. Our credential goes; a foreign `Authorization`
/// stays until the account is known, because kind `generic` may want it passed on.
fn take_headers(passage: &mut Passage, found: &mut Found) -> Result<(), ProxyError> {
    let (seen, headers) = (passage.seen, &mut passage.headers);
    if seen.authorization {
        let bearers = || headers.get_all(header::AUTHORIZATION).iter().filter_map(bearer);
        bearers().try_for_each(|text| found.add_if_ours(text))?;
        if bearers().any(is_ours) {
            headers.remove(header::AUTHORIZATION);
        }
    }
    if seen.api_key {
        for value in headers.get_all(API_KEY) {
            let text = value.to_str().unwrap_or_default().trim();
            if text.starts_with(SURROGATE) { found.add_if_ours(text)? } else { found.add(text)? }
        }
        headers.remove(API_KEY);
    }
    Ok(())
}

/// RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1), and neither
/// does what stands between the two.
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) =
        value.to_str().ok()?.trim().split_once(|c: char| c.is_ascii_whitespace())?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn whole(body: Body) -> Result<Bytes, ProxyError> {
    match Limited::new(body, SECRET_BODY_CAP_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => match error.downcast::<BodyError>() {
            Ok(source) => Err(ProxyError::RequestBody { source: *source }),
            Err(_) => Err(ProxyError::BodyTooLarge { cap_bytes: SECRET_BODY_CAP_BYTES as u64 }),
        },
    }
}

/// Whether a text is a key or a surrogate.
pub(super) fn is_ours(text: &str) -> bool {
    key_text::looks_like_key(text) || text.starts_with(SURROGATE)
}

/// Whether a key, surrogate or handle stands anywhere in `text`.
pub(super) fn holds_key(text: &[u8]) -> bool {
    let shapes = [&b"wxgk_"[..], b"wxgt_", b"wxgr_"];
    memchr::memchr_iter(b'x', text).any(|at| {
        let begin = at.checked_sub(1).and_then(|begin| text.get(begin..)).unwrap_or_default();
        shapes.iter().any(|shape| begin.starts_with(shape))
    })
}

/// What a surrogate begins with.
const SURROGATE: &str = "wxgt_";

/// Forwarding drops it, whatever it holds.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Credential calls carry a few hundred bytes.
const SECRET_BODY_CAP_BYTES: usize = 64 << 10;
