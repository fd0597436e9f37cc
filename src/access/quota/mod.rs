//! The platform's own quotas: a path that it refuses is refused here, until the quota turns.
//!
//! Asking again costs the platform's patience and the caller a round trip, and changes nothing.
//! One probe each ten minutes finds out about a quota that was raised or cleared elsewhere.

mod gate;
mod table;
#[cfg(test)]
mod tests;

pub use gate::{Blocked, DAY_QUOTA, MINUTE_QUOTA, Pass, QuotaGate};
