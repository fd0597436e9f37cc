//! Who may do what, how often: keys, their rules, rate limits, the platform's quotas.
//!
//! Where a key stands in a request, and what a call means to the platform, is known elsewhere.

mod fixed_keys;
mod key;
mod key_change;
mod key_error;
mod key_index;
mod key_ring;
#[cfg(test)]
mod key_ring_tests;
mod key_subject;
mod key_table;
pub mod key_text;
pub mod limits;
mod metrics;
pub mod pattern;
pub mod permit;
pub mod quota;
mod refusal;
pub mod slots;
mod upkeep;

pub use crate::base::key_id::{KeyId, NotAKeyId};
use crate::base::{base62, key_id};
pub use key::{Accounts, Key, NewKey};
pub use key_error::KeyError;
pub use key_ring::KeyRing;
pub use key_text::{KeyText, Malformed, looks_like_key};
pub use limits::{LimitName, LimitSettings, Limited, Limiter, Standing};
pub use metrics::AccessMetrics;
pub use pattern::PathPattern;
pub use permit::Denied;
pub use quota::{Blocked, Pass, QuotaGate};
pub use refusal::KeyRefusal;
pub use slots::{InFlight, SlotGuard};
pub use upkeep::keep;
