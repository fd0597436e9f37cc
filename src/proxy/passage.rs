//! Everything that is known of one request while it passes through.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Method, Uri, Version};
use tokio::time::Instant;

use super::{
    access_log,
    credential_query::CredentialQuery,
    error::ProxyError,
    live::{AccountRuntime, Lanes, Live},
    merchant::Merchant,
    metrics::ProxyMetrics,
    request_body::RequestBody,
    seen_headers::SeenHeaders,
};
use crate::{
    access::{Key, Pass, SlotGuard},
    base::{code::ErrorCode, id::RequestId, kind::AccountKind, outcome::Outcome, permission::Lane},
    capture::{Attempt, Captured, Recorder, TeeEnd},
    edge::ConnInfo,
    token::{Claims, Issued},
    upstream::Endpoint,
    wechat::{Call, Envelope, KnownPath, PlatformRefusal, TokenForm},
    wire::RequestTarget,
};

/// Filled in stage by stage. When it is dropped, the request is over: then the log line is
/// written and the exchange handed over, so a client that leaves at any moment is seen too.
pub(super) struct Passage {
    pub(super) id: RequestId,
    pub(super) time: SystemTime,
    pub(super) started: Instant,
    pub(super) conn: Arc<ConnInfo>,
    pub(super) client: IpAddr,
    pub(super) live: Arc<Live>,
    pub(super) metrics: Arc<ProxyMetrics>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    /// What the caller sent, without our credentials: no stage changes anything else of it, and
    /// each try writes its own from it.
    pub(super) headers: HeaderMap,
    pub(super) seen: SeenHeaders,
    /// What the platform does at the path; nothing for an account of another API.
    pub(super) known: KnownPath,
    /// Where in the path that of the API call begins: behind `/@name`.
    pub(super) path_begins: Option<usize>,
    /// What the present attempt asks for, with its credential.
    pub(super) upstream_target: Option<RequestTarget>,
    pub(super) slot: Option<SlotGuard>,
    pub(super) key: Option<Arc<Key>>,
    /// What the surrogate says that stood in the place of the key.
    pub(super) surrogate: Option<Claims>,
    /// What a call for a token says.
    pub(super) token_form: Option<Result<TokenForm, PlatformRefusal>>,
    /// Whether a call for a token holds a secret that is no key.
    pub(super) has_foreign_secret: bool,
    pub(super) query: Option<CredentialQuery>,
    pub(super) account: Option<Arc<AccountRuntime>>,
    /// For whom a third-party platform acts.
    pub(super) merchant: Option<Merchant>,
    pub(super) call: Option<&'static Call>,
    pub(super) wants_sandbox: bool,
    pub(super) fault: Option<Arc<str>>,
    /// Set when the platform's quota was asked; says whether this call is a probe.
    pub(super) quota_pass: Option<Pass>,
    /// The token that the present attempt carries.
    pub(super) issued: Option<Arc<Issued>>,
    /// How long the present attempt waited for it.
    pub(super) token_wait: Duration,
    pub(super) attempts: Vec<Attempt>,
    /// Endpoints that could not be reached for this request.
    pub(super) avoid: Vec<Arc<Endpoint>>,
    pub(super) envelope: Option<Envelope>,
    pub(super) error: Option<ErrorCode>,
    /// Why it was refused, where the caller is not told.
    pub(super) reason: Option<&'static str>,
    /// Whether the gateway itself wrote the answer, and which errcode stands in it.
    pub(super) own_answer: Option<i64>,
    pub(super) status: Option<u16>,
    pub(super) outcome: Option<Outcome>,
    /// Set once capture has begun: where the exchange goes.
    pub(super) recorder: Option<Recorder>,
    /// The answer's headers as the caller got them, and how its body ended.
    pub(super) answer_headers: Option<HeaderMap>,
    pub(super) answer_end: Option<(TeeEnd, Captured)>,
    pub(super) request_body: RequestBody,
}

impl Passage {
    /// The key, once `authenticate` has let the caller in.
    pub(super) fn key(&self) -> Result<&Arc<Key>, ProxyError> {
        self.key
            .as_ref()
            .ok_or_else(|| ProxyError::Internal { what: "no key behind authentication" })
    }

    /// The account, once it was chosen.
    pub(super) fn account(&self) -> Result<&Arc<AccountRuntime>, ProxyError> {
        self.account
            .as_ref()
            .ok_or_else(|| ProxyError::Internal { what: "no account behind the choice of one" })
    }

    /// The API path, once the account was chosen.
    pub(super) fn path(&self) -> Result<&str, ProxyError> {
        self.api_path()
            .ok_or_else(|| ProxyError::Internal { what: "no path behind the choice of an account" })
    }

    /// The API path; until the account was chosen, what the caller asked for.
    pub(super) fn shown_path(&self) -> &str {
        self.api_path().unwrap_or_else(|| self.uri.path())
    }

    fn api_path(&self) -> Option<&str> {
        let path = self.uri.path().get(self.path_begins?..)?;
        Some(if path.is_empty() { "/" } else { path })
    }

    /// The path as rules count it: another spelling that the platform might take for the same
    /// call (letter case, a trailing slash) has no limit of its own.
    pub(super) fn rule_path(&self) -> Result<&str, ProxyError> {
        let path = self.path()?;
        if self.account()?.config.kind == AccountKind::Generic {
            return Ok(path);
        }
        Ok(match self.known.any_call() {
            Some(call) => call.path,
            None => path.strip_suffix('/').filter(|short| !short.is_empty()).unwrap_or(path),
        })
    }

    /// The lane in force: a request may ask for less than its key's.
    pub(super) fn lane(&self) -> Result<Lane, ProxyError> {
        Ok(if self.wants_sandbox { Lane::Sandbox } else { self.key()?.lane })
    }

    /// Where the call goes and whose token it carries.
    pub(super) fn lanes(&self) -> Result<&Lanes, ProxyError> {
        Ok(self.account()?.lanes(self.key()?.lane, self.wants_sandbox))
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        access_log::finish(self);
    }
}
