//! Everything that can end a request in the gateway instead of at the platform.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderValue;
use tokio::time::Instant;

use super::{certificate::Unusable, path_rule::BadPath, platform_text};
use crate::{
    access::Denied,
    base::{body::BodyError, code::ErrorCode, kind::AccountKind, name::Name},
    token::{SurrogateFault, TokenError},
    wechat::PlatformRefusal,
    wire::WireError,
};

/// Why a request was refused or failed. `Display` is for the log; what the caller reads is
/// made in `error_text`, in the language of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// No credential in any of the places.
    #[error("no key in the request")]
    KeyMissing,
    /// The key ring refused the key.
    #[error("key refused: {code}")]
    Key {
        /// Missing, unknown, malformed, expired, revoked.
        code: ErrorCode,
    },
    /// The client showed a certificate and no key, and that does not do.
    #[error("the client certificate is no credential: {why:?}")]
    Certificate {
        /// What is the matter with it.
        why: Unusable,
    },
    /// A rule about keys, lanes, paths or networks.
    #[error("not permitted: {rule}")]
    Denied {
        /// Which of the codes.
        code: ErrorCode,
        /// The rule that blocked it, for people.
        rule: String,
    },
    /// Credentials of two keys.
    #[error("credentials of two different keys")]
    AmbiguousKey,
    /// Two tokens, or a disguised one.
    #[error("the parameter {name} stands twice or in disguise")]
    AmbiguousToken {
        /// The parameter.
        name: &'static str,
    },
    /// A token that was not handed out here.
    #[error("a foreign value in {name}")]
    ForeignToken {
        /// The parameter.
        name: &'static str,
    },
    /// A whole surrogate that may not be used so. Why is for the log and the exchange: whoever
    /// found it somewhere shall not learn what is missing.
    #[error("surrogate refused: {fault}")]
    SurrogateRefused {
        /// What does not fit.
        fault: SurrogateFault,
    },
    /// A credential call, or a surrogate that a new fetch replaces: answered in the platform's
    /// shape and with HTTP 200, so that an SDK does what it would do with the platform.
    #[error("answered as the platform does: {} {}", refusal.errcode, refusal.errmsg)]
    AsPlatform {
        /// Its number and text.
        refusal: PlatformRefusal,
        /// What it is here.
        code: ErrorCode,
        /// For the log and the exchange.
        reason: &'static str,
    },
    /// From inside a mini program.
    #[error("called from inside a mini program with key {key}")]
    ClientCall {
        /// The key that was shipped.
        key: Name,
    },
    /// Plain HTTP from elsewhere.
    #[error("plain HTTP on a public listener")]
    HttpsOnly,
    /// The key has several accounts.
    #[error("no account named, and the key has {}", choices.len())]
    AccountAmbiguous {
        /// Their names.
        choices: Vec<Name>,
    },
    /// No such account, or not for this key.
    #[error("no account {name} for this key")]
    AccountUnknown {
        /// As the caller wrote it.
        name: String,
    },
    /// Nothing under `/-/`.
    #[error("no door at {path}")]
    NotFound {
        /// The path.
        path: String,
    },
    /// Outside of the alphabet.
    #[error("path refused: {why:?}")]
    PathRefused {
        /// Which rule.
        why: BadPath,
    },
    /// Absolute-form with another authority, `*`, authority-form.
    #[error("request target refused")]
    TargetRefused,
    /// A header that no honest client sends.
    #[error("header {name} refused: {why}")]
    HeaderRefused {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Outside of the list.
    #[error("method {method} refused")]
    MethodRefused {
        /// As sent.
        method: String,
    },
    /// Too many headers.
    #[error("more than {most} header fields")]
    HeadersTooLarge {
        /// The limit.
        most: usize,
    },
    /// Over `body_max`.
    #[error("request body over {cap_bytes} bytes")]
    BodyTooLarge {
        /// The cap.
        cap_bytes: u64,
    },
    /// Not `100-continue`.
    #[error("expectation refused")]
    ExpectationRefused,
    /// Not in `hosts`, or not the name of the TLS handshake.
    #[error("host {host:?} is not ours")]
    HostUnknown {
        /// As sent, without port.
        host: String,
        /// The TLS name, where it is that which differs.
        sni: Option<String>,
    },
    /// One of our limits.
    #[error("limit {limit} reached")]
    RateLimited {
        /// `key`, or the path pattern.
        limit: String,
        /// When it is worth another try.
        retry_after: Duration,
        /// `RateLimit` and `RateLimit-Policy`.
        headers: Option<(HeaderValue, HeaderValue)>,
    },
    /// The platform's quota is used up.
    #[error("the platform answered {errcode} on this path before")]
    QuotaExhausted {
        /// 45009 or 45011.
        errcode: i64,
        /// Until the platform counts anew.
        retry_after: Duration,
    },
    /// No free slot.
    #[error("every slot is taken")]
    Overloaded,
    /// A third-party platform, on a call that it can only make for a merchant.
    #[error("no merchant named for platform {platform}")]
    MerchantMissing {
        /// The platform's account.
        platform: Name,
    },
    /// The account has no token of the kind that the call takes.
    #[error("account {account} has no credential for this call")]
    NoCredential {
        /// The account.
        account: Name,
    },
    /// The broker has none.
    #[error("no token")]
    Token {
        /// The account.
        account: Name,
        /// Its kind, which tells where an address is entered.
        kind: AccountKind,
        /// Its address as configured, for a refusal by IP.
        egress: Option<IpAddr>,
        /// Why.
        #[source]
        source: Arc<TokenError>,
    },
    /// The platform refuses the new token as well.
    #[error("the platform refused the token: errcode {errcode}")]
    TokenRejected {
        /// The account's kind, which tells where an address is entered.
        kind: AccountKind,
        /// What it said.
        errcode: i64,
        /// Its whole answer.
        body: Bytes,
        /// Why there was no newer token, if that was it.
        #[source]
        source: Option<Arc<TokenError>>,
    },
    /// The body is too long to be sent again from here.
    #[error("the token was replaced, the body is too long for a repeat")]
    RetryNeeded {
        /// The configured cap.
        replay_cap: usize,
    },
    /// No answer from the upstream.
    #[error("no answer from {upstream}")]
    Upstream {
        /// Its label.
        upstream: Arc<str>,
        /// Why.
        #[source]
        source: WireError,
    },
    /// The caller's body broke off or stalled.
    #[error("the request body did not arrive")]
    RequestBody {
        /// Why.
        #[source]
        source: BodyError,
    },
    /// A bug.
    #[error("internal: {what}")]
    Internal {
        /// For the log.
        what: &'static str,
    },
}

impl ProxyError {
    /// A rule of a key said no.
    pub(super) fn denied(denied: Denied) -> Self {
        Self::Denied { code: denied.code, rule: denied.rule }
    }

    /// The public code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::KeyMissing => ErrorCode::KeyMissing,
            Self::Key { code } | Self::Denied { code, .. } | Self::AsPlatform { code, .. } => *code,
            Self::Certificate { why } => why.code(),
            Self::AmbiguousKey => ErrorCode::AmbiguousKey,
            Self::AmbiguousToken { .. } => ErrorCode::AmbiguousToken,
            Self::ForeignToken { .. } => ErrorCode::ForeignToken,
            Self::SurrogateRefused { .. } => ErrorCode::SurrogateRefused,
            Self::ClientCall { .. } => ErrorCode::ClientCall,
            Self::HttpsOnly => ErrorCode::HttpsOnly,
            Self::AccountAmbiguous { .. } | Self::MerchantMissing { .. } => {
                ErrorCode::AccountAmbiguous
            }
            Self::AccountUnknown { .. } => ErrorCode::AccountUnknown,
            Self::NoCredential { .. } => ErrorCode::PathNotAllowed,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::PathRefused { .. } => ErrorCode::PathRefused,
            Self::TargetRefused => ErrorCode::TargetRefused,
            Self::HeaderRefused { .. } => ErrorCode::HeaderRefused,
            Self::MethodRefused { .. } => ErrorCode::MethodRefused,
            Self::HeadersTooLarge { .. } => ErrorCode::HeadersTooLarge,
            Self::BodyTooLarge { .. }
            | Self::RequestBody { source: BodyError::TooLarge { .. } } => ErrorCode::BodyTooLarge,
            Self::ExpectationRefused => ErrorCode::ExpectationRefused,
            Self::HostUnknown { .. } => ErrorCode::HostUnknown,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::QuotaExhausted { .. } => ErrorCode::QuotaExhausted,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::Token { .. } => ErrorCode::TokenUnavailable,
            Self::TokenRejected { .. } => ErrorCode::TokenRejected,
            Self::RetryNeeded { .. } => ErrorCode::RetryNeeded,
            Self::Upstream { source, .. } => upstream_code(source),
            Self::RequestBody { .. } => ErrorCode::UpstreamReset,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// When it is worth another try, for `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::QuotaExhausted { retry_after, .. } => {
                Some(*retry_after)
            }
            Self::RetryNeeded { .. } => Some(Duration::ZERO),
            Self::Overloaded => Some(Duration::from_secs(1)),
            Self::Token { source, .. } => source.retry_after(Instant::now()),
            Self::Upstream { source: WireError::Ejected { retry_after, .. }, .. } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }

    /// The `errcode` of the answer.
    #[must_use]
    pub fn errcode(&self) -> i64 {
        match self {
            Self::AsPlatform { refusal, .. } => refusal.errcode,
            other => other.code().errcode(),
        }
    }

    /// Whether the answer names a code of ours: a form that the platform would not take has none.
    #[must_use]
    pub fn shows_code(&self) -> bool {
        match self {
            Self::AsPlatform { refusal, .. } => !platform_text::is_about_the_form(*refusal),
            _ => true,
        }
    }

    /// What the caller is not told, for the log and the exchange.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::SurrogateRefused { fault } => Some(fault.as_str()),
            Self::AsPlatform { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// Whether the upstream, not the gateway or the caller, is why there is no answer.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Upstream { .. })
    }
}

fn upstream_code(error: &WireError) -> ErrorCode {
    match error {
        WireError::Dns { .. }
        | WireError::Connect { .. }
        | WireError::Proxy { .. }
        | WireError::Ejected { .. } => ErrorCode::UpstreamConnect,
        WireError::Tls { .. } | WireError::Roots { .. } => ErrorCode::UpstreamTls,
        WireError::Reset { .. } | WireError::Request { .. } => ErrorCode::UpstreamReset,
        WireError::Busy { .. } => ErrorCode::Overloaded,
        WireError::Invalid { .. } | WireError::TooLarge { .. } => ErrorCode::UpstreamInvalid,
        WireError::Timeout { .. } => ErrorCode::UpstreamTimeout,
        WireError::Loop { .. } => ErrorCode::UpstreamLoop,
    }
}
