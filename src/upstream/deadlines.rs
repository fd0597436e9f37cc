//! When a try has taken too long.

use std::time::Duration;

use tokio::time::Instant;

use super::SendLimits;

/// When a try began, and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Deadlines<'a> {
    /// When the try began, the queue included.
    pub(super) began: Instant,
    pub(super) limits: &'a SendLimits,
}

impl Deadlines<'_> {
    /// When the answer must have begun, for a request whose body ended at `ended` on a
    /// connection that was there at `connected`; and which limit says so.
    pub(super) fn answer(self, ended: Instant, connected: Instant) -> (Instant, Duration) {
        let header = ended.max(connected) + self.limits.header;
        let total = ended + self.limits.total;
        if header <= total { (header, self.limits.header) } else { (total, self.limits.total) }
    }
}
