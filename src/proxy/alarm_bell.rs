//! Alarms about keys that got into other hands: loud, but not for each request.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::base::name::Name;

/// A key that was shipped or lost may be used by a million phones: once a minute is enough.
#[derive(Debug, Default)]
pub(super) struct AlarmBell {
    /// When each key was last cried out; at most one entry a key.
    rung: Mutex<HashMap<Name, Instant>>,
}

impl AlarmBell {
    /// Whether to cry out about `key` now.
    pub(super) fn may_ring(&self, key: &Name) -> bool {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Instant| at.elapsed() < RING_EVERY;
        if rung.get(key).is_some_and(is_recent) {
            return false;
        }
        rung.retain(|_, at| is_recent(at));
        rung.insert(key.clone(), Instant::now());
        true
    }
}

const RING_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_is_cried_out_once_a_minute() {
        let (bell, alice, bob): (_, Name, Name) =
            (AlarmBell::default(), "alice".parse().unwrap(), "bob".parse().unwrap());
        assert!(bell.may_ring(&alice) && !bell.may_ring(&alice) && bell.may_ring(&bob));
        tokio::time::advance(RING_EVERY).await;
        assert!(bell.may_ring(&alice));
        assert_eq!(bell.rung.lock().unwrap().len(), 1, "what is over is forgotten");
    }
}
