//! Lines about callers that nobody knows: a few a second, whatever they send.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// A scan of the internet must not fill the log; all are counted, few are named.
#[derive(Debug, Default)]
pub struct StrangerLog {
    allowance: Mutex<Allowance>,
}

#[derive(Debug, Default)]
struct Allowance {
    since: Option<Instant>,
    used: u32,
}

impl StrangerLog {
    /// Whether there may be another line now.
    pub fn may_write(&self) -> bool {
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        if allowance.since.is_none_or(|since| since.elapsed().as_secs() >= 1) {
            *allowance = Allowance { since: Some(Instant::now()), used: 0 };
        }
        allowance.used = allowance.used.saturating_add(1);
        allowance.used <= LINES_PER_SECOND
    }
}

const LINES_PER_SECOND: u32 = 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_lines_a_second_are_written_and_no_more() {
        let log = StrangerLog::default();
        assert_eq!((0..100).filter(|_| log.may_write()).count(), 10);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..100).filter(|_| log.may_write()).count(), 10);
    }
}
