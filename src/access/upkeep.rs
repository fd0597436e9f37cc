//! What limits and quotas need from time to time: storing, and forgetting.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{limits::Limiter, quota::QuotaGate};
use crate::{
    base::{chain::Chain, clock::SharedClock, tasks::Tasks},
    store::StoreError,
};

/// Stores counts and blocks each second, sweeps each half minute, and stores a last time when
/// `tasks` are told to stop. To be spawned once; ends with the tasks.
pub async fn keep(limiter: Arc<Limiter>, quota: Arc<QuotaGate>, clock: SharedClock, tasks: Tasks) {
    let mut tick = interval(STORE_EACH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut swept = Instant::now();
    let mut is_failing = false;
    loop {
        let is_last = tokio::select! {
            () = tasks.stopping() => true,
            _ = tick.tick() => false,
        };
        let stored = store(&limiter, &quota, &clock).await;
        // Once for each outage, not once a second.
        if let (Err(error), false) = (&stored, is_failing) {
            tracing::error!(
                error = %Chain(error),
                "limits cannot be stored and go on in memory; a restart now would forget them"
            );
        }
        is_failing = stored.is_err();
        if is_last {
            return;
        }
        if swept.elapsed() >= SWEEP_EACH {
            swept = Instant::now();
            let (limiter, now) = (limiter.clone(), clock.now());
            // Walks tables of 100,000 keys: not in a thread that serves requests.
            if tokio::task::spawn_blocking(move || limiter.sweep(now)).await.is_err() {
                tracing::error!("the sweep of the limits ended in a panic");
            }
        }
    }
}

async fn store(
    limiter: &Limiter,
    quota: &QuotaGate,
    clock: &SharedClock,
) -> Result<(), StoreError> {
    let now = clock.now();
    // Both are tried: they fail for the same reason, or each for its own.
    let counts = limiter.flush(now).await;
    quota.flush(now).await.and(counts)
}

const STORE_EACH: Duration = Duration::from_secs(1);
const SWEEP_EACH: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{AccessMetrics, limits::LimitSettings},
        base::{clock::Clock, name::Name},
        store::{Database, Durability, GATEWAY_SCHEMA},
    };

    /// Nine in the morning in Beijing, for ever.
    struct Morning;

    impl Clock for Morning {
        fn now(&self) -> std::time::SystemTime {
            crate::base::clock::from_unix_ms(1_795_309_200_000)
        }
    }

    #[tokio::test]
    async fn what_was_noted_last_is_stored_when_the_tasks_stop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wxgate.db");
        let open = || Arc::new(Database::open(&path, GATEWAY_SCHEMA, Durability::Full).unwrap());
        let clock: SharedClock = Arc::new(Morning);
        let account: Name = "shop".parse().unwrap();
        let settings = LimitSettings::default();
        let db = open();
        let metrics = AccessMetrics::default();
        let limiter = Limiter::load(&settings, db.clone(), clock.now(), metrics.clone()).unwrap();
        let quota = QuotaGate::load(db.clone(), clock.now(), metrics.clone()).unwrap();

        let tasks = Tasks::default();
        tasks.spawn(keep(limiter.clone(), quota.clone(), clock.clone(), tasks.clone()));
        quota.note(&account, "/shop/spu/add", 45009, clock.now());
        tasks.shutdown().await;
        drop((limiter, quota, db));

        let quota = QuotaGate::load(open(), clock.now(), metrics).unwrap();
        assert!(quota.check(&account, "/shop/spu/add", clock.now()).is_err());
    }
}
