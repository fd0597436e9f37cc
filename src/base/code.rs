//! The gateway's own error codes: one name, one HTTP status, one errcode each.
//!
//! A public contract. errcode = -(9, the HTTP status, one or two more digits), so that it
//! can never be taken for one of the platform's.

use std::fmt;

use http::StatusCode;

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = ($name:literal, $status:literal, $errcode:literal)),+ $(,)?) => {
        /// A refusal or failure of the gateway itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$meta])* $variant),+ }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in `X-Wxgate-Error`, logs, exchanges and documentation.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The number in the body's `errcode`.
            #[must_use]
            pub fn errcode(self) -> i64 {
                match self { $(Self::$variant => $errcode),+ }
            }

            /// The HTTP status of the answer.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Self::$variant => $status),+ };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
}

codes! {
    /// No credential in any of the places.
    KeyMissing = ("key_missing", 401, -94010),
    /// Well-formed, but no such key.
    KeyUnknown = ("key_unknown", 401, -94011),
    /// The checksum or form is wrong: a typing error.
    KeyMalformed = ("key_malformed", 401, -94012),
    /// The key's time is over.
    KeyExpired = ("key_expired", 401, -94013),
    /// Somebody took the key back.
    KeyRevoked = ("key_revoked", 401, -94014),
    /// A surrogate of another account, network or a revoked key.
    SurrogateRefused = ("surrogate_refused", 401, -94015),
    /// The caller's address is outside of the key's networks.
    KeyNetwork = ("key_network", 403, -94030),
    /// The lane lets only known reading calls through.
    LaneReadOnly = ("lane_read_only", 403, -94031),
    /// The key may not call this path.
    PathNotAllowed = ("path_not_allowed", 403, -94032),
    /// A dangerous call without permission.
    DangerNotAllowed = ("danger_not_allowed", 403, -94033),
    /// A key was shipped to end users.
    ClientCall = ("client_call", 403, -94034),
    /// Plain HTTP where only HTTPS is served.
    HttpsOnly = ("https_only", 403, -94035),
    /// For operators.
    OperatorOnly = ("operator_only", 403, -94036),
    /// No such account, or not for this key.
    AccountUnknown = ("account_unknown", 404, -94040),
    /// Nothing under `/-/` at this path.
    NotFound = ("not_found", 404, -94041),
    /// The key has several accounts and the request names none.
    AccountAmbiguous = ("account_ambiguous", 400, -94000),
    /// Credentials of two keys in one request.
    AmbiguousKey = ("ambiguous_key", 400, -94001),
    /// Two access tokens, or a disguised spelling of the name.
    AmbiguousToken = ("ambiguous_token", 400, -94002),
    /// A token that this gateway did not hand out.
    ForeignToken = ("foreign_token", 400, -94003),
    /// A path outside of the allowed alphabet.
    PathRefused = ("path_refused", 400, -94006),
    /// A request target of the wrong form or authority.
    TargetRefused = ("target_refused", 400, -94007),
    /// A header that no honest client sends.
    HeaderRefused = ("header_refused", 400, -94008),
    /// A method outside of the list.
    MethodRefused = ("method_refused", 405, -94050),
    /// A replay of an exchange with redacted or cut parts.
    ReplayIncomplete = ("replay_incomplete", 409, -94090),
    /// A body over `body_max`.
    BodyTooLarge = ("body_too_large", 413, -94130),
    /// An expectation other than `100-continue`.
    ExpectationRefused = ("expectation_refused", 417, -94170),
    /// A Host that is not in `hosts`.
    HostUnknown = ("host_unknown", 421, -94210),
    /// One of the gateway's own limits.
    RateLimited = ("rate_limited", 429, -94290),
    /// The platform's quota for this path is used up.
    QuotaExhausted = ("quota_exhausted", 429, -94291),
    /// Too many or too large headers.
    HeadersTooLarge = ("headers_too_large", 431, -94310),
    /// A bug, or something that the gateway did not foresee.
    Internal = ("internal", 500, -95000),
    /// No token for this account.
    TokenUnavailable = ("token_unavailable", 502, -95020),
    /// The platform refuses the newest token too.
    TokenRejected = ("token_rejected", 502, -95021),
    /// No connection to the upstream.
    UpstreamConnect = ("upstream_connect", 502, -95022),
    /// The upstream's TLS is wrong; nothing was sent.
    UpstreamTls = ("upstream_tls", 502, -95023),
    /// The upstream broke the connection.
    UpstreamReset = ("upstream_reset", 502, -95024),
    /// The upstream's answer is not HTTP.
    UpstreamInvalid = ("upstream_invalid", 502, -95025),
    /// Every slot is taken.
    Overloaded = ("overloaded", 503, -95030),
    /// The token was replaced, but the body is too long to be repeated here.
    RetryNeeded = ("retry_needed", 503, -95031),
    /// The upstream did not answer in time.
    UpstreamTimeout = ("upstream_timeout", 504, -95040),
    /// The upstream is this gateway itself.
    UpstreamLoop = ("upstream_loop", 508, -95080),
}

impl ErrorCode {
    /// The code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The code with this errcode.
    #[must_use]
    pub fn from_errcode(errcode: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.errcode() == errcode)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_number_of_its_own_that_begins_with_its_status() {
        for code in ErrorCode::ALL {
            let digits = code.errcode().unsigned_abs().to_string();
            assert!(digits.starts_with(&format!("9{}", code.status().as_u16())), "{code}");
            assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
            assert_eq!(ErrorCode::from_errcode(code.errcode()), Some(*code));
        }
    }
}
