//! A token bucket (GCRA) that can also give a call back.

use std::{hash::Hash, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::StateInformationMiddleware, nanos::Nanos,
    state::StateStore,
};

use super::bucket::{BucketTable, Shared, SingleBucket};
use crate::base::units::Rate;

/// governor's limiter over a store that we hold too. governor cannot take a call back; its
/// state can: it is the time at which the bucket is full again, and a call moves it by
/// `per_call`. A call that another limit refuses moves it back by as much.
pub(super) struct Meter<S: StateStore, C: Clock> {
    limiter: RateLimiter<S::Key, Shared<S>, C, StateInformationMiddleware>,
    store: Arc<S>,
    per_call: Duration,
    burst: u32,
}

/// One bucket for each key.
pub(super) type KeyMeter<C> = Meter<BucketTable, C>;

/// One bucket for a limit of an account.
pub(super) type PathMeter<C> = Meter<SingleBucket, C>;

/// A call that was let in.
pub(super) struct Taken {
    /// How many calls would be let in right behind it.
    pub(super) remaining: u32,
    /// Until the bucket is full again, if nobody calls.
    pub(super) full_in: Duration,
}

impl<S: StateStore, C: Clock> Meter<S, C>
where
    S::Key: Hash + Eq + Clone,
{
    /// A full bucket of `burst` calls that `rate` fills. Not for rates a day.
    pub(super) fn new(rate: Rate, burst: NonZeroU32, store: S, clock: C) -> Self {
        let store = Arc::new(store);
        let per_call = (rate.per.duration() / rate.calls.get()).max(Duration::from_nanos(1));
        // governor counts in nanoseconds and does not check for overflow.
        let most = LONGEST_FILL.as_nanos() / per_call.as_nanos();
        let burst = burst.min(u32::try_from(most).ok().and_then(NonZeroU32::new).unwrap_or(burst));
        let quota = Quota::with_period(per_call).expect("a period of at least 1 ns");
        let state = Shared(store.clone());
        let limiter = RateLimiter::new(quota.allow_burst(burst), state, clock);
        Self { limiter, store, per_call, burst: burst.get() }
    }

    /// Lets one call in, or says how long to wait.
    pub(super) fn take(&self, key: &S::Key) -> Result<Taken, Duration> {
        match self.limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = self.burst.saturating_sub(remaining);
                Ok(Taken { remaining, full_in: self.per_call * missing })
            }
            Err(not_until) => Err(not_until.wait_time_from(self.limiter.clock().now())),
        }
    }

    /// Undoes a `take` that has just succeeded.
    pub(super) fn put_back(&self, key: &S::Key) {
        let per_call = Nanos::from(self.per_call);
        let undo = |full_at: Option<Nanos>| match full_at {
            Some(full_at) => Ok(((), full_at.saturating_sub(per_call))),
            None => Err(AlreadyFull),
        };
        // A bucket that has filled up in the meantime needs nothing back.
        let _: Result<(), AlreadyFull> = self.store.measure_and_replace(key, undo);
    }
}

impl<C: Clock> KeyMeter<C> {
    /// Drops the buckets that are full, and the memory they took.
    pub(super) fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// How many keys have a bucket that is not full, or was not when last swept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// Nothing to undo.
struct AlreadyFull;

/// The longest time in which a bucket fills up; a larger burst is cut to it. Keeps the sums of
/// governor, 64 bits of nanoseconds, far from their end after 584 years.
const LONGEST_FILL: Duration = Duration::from_secs(366 * 86_400);
