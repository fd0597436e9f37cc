//! Why a presented key opens nothing.

use std::time::SystemTime;

use super::key_text::Malformed;
use crate::base::{code::ErrorCode, name::Name};

/// Why a presented key opens nothing. Name and end are told only to who holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// No key at all: a typing error.
    #[error("malformed key")]
    Malformed(#[source] Malformed),
    /// Well-formed, but not one of ours. Also a right id with a wrong secret.
    #[error("unknown key")]
    Unknown,
    /// Its time is over.
    #[error("the key `{name}` has expired")]
    Expired {
        /// Whose key it was.
        name: Name,
        /// Since when.
        at: SystemTime,
    },
    /// Somebody took it back.
    #[error("the key `{name}` was revoked")]
    Revoked {
        /// Whose key it was.
        name: Name,
        /// Since when.
        at: SystemTime,
    },
}

impl KeyRefusal {
    /// What the caller is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::KeyMalformed,
            Self::Unknown => ErrorCode::KeyUnknown,
            Self::Expired { .. } => ErrorCode::KeyExpired,
            Self::Revoked { .. } => ErrorCode::KeyRevoked,
        }
    }
}

impl From<Malformed> for KeyRefusal {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}
