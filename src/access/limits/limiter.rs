//! The gate that every request with a key passes: all its limits, or none of them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::SystemTime,
};

use arc_swap::ArcSwap;
use governor::clock::{Clock, DefaultClock};

use super::{
    bucket::BucketTable,
    counter_table,
    day_book::DayBook,
    meter::KeyMeter,
    rules::{PathLimit, Rules, Wait},
    settings::LimitSettings,
    standing::{Level, LimitName, Limited, Standing},
};
use crate::{
    access::{
        key::Key,
        metrics::{AccessMetrics, LimitKind},
    },
    base::{
        day::Day,
        name::Name,
        units::{Per, Rate},
    },
    store::{Database, StoreError},
};

/// Rate limits of keys and accounts.
///
/// A key's limit is asked first, then those of the account in the order of the file: a caller
/// who is over the own limit must not touch what the others share. A later limit that refuses
/// gives back what the earlier ones took, so a refused call costs nothing; a call that runs at
/// the same moment may see the bucket without it.
///
/// A key's bucket goes by its name, so that a rotated key goes on with it.
///
/// Nothing is allocated where no limit applies. Where one does, asking it costs one look-up and
/// one atomic update; no lock is held across an await, because nothing here awaits.
///
/// `C` is governor's clock, which `tokio::time::pause` does not stop: tests bring a
/// `FakeRelativeClock`.
pub struct Limiter<C: Clock = DefaultClock> {
    clock: C,
    rules: ArcSwap<Rules<C>>,
    /// Buckets of keys, a table for each rate that any key ever had: a governor limiter has
    /// one rate. A table goes back to nothing when swept, so a rate no longer used costs a
    /// kilobyte.
    meters: ArcSwap<HashMap<Rate, Arc<KeyMeter<C>>>>,
    days: DayBook,
    /// The day on which old rows were last removed.
    pruned: AtomicU32,
    most_keys: usize,
    pub(super) db: Arc<Database>,
    metrics: AccessMetrics,
}

impl Limiter {
    /// Reads today's counts and puts `settings` in force. Blocks on the database.
    ///
    /// # Errors
    /// [`StoreError`] when the counts cannot be read.
    pub fn load(
        settings: &LimitSettings,
        db: Arc<Database>,
        now: SystemTime,
        metrics: AccessMetrics,
    ) -> Result<Arc<Self>, StoreError> {
        let limiter = Self::with_clock(DefaultClock::default(), MOST_KEYS, db, now, metrics)?;
        limiter.apply(settings);
        Ok(Arc::new(limiter))
    }
}

impl<C: Clock + Clone> Limiter<C> {
    /// A limiter without limits yet, on a clock of the caller's choice, for `most_keys` keys.
    pub(super) fn with_clock(
        clock: C,
        most_keys: usize,
        db: Arc<Database>,
        now: SystemTime,
        metrics: AccessMetrics,
    ) -> Result<Self, StoreError> {
        let rows =
            db.read_blocking(|connection| counter_table::of_day(connection, Day::of(now)))?;
        Ok(Self {
            clock,
            rules: ArcSwap::from_pointee(Rules::none()),
            meters: ArcSwap::default(),
            days: DayBook::new(rows, most_keys),
            pruned: AtomicU32::new(0),
            most_keys,
            db,
            metrics,
        })
    }

    /// Puts new settings in force. Limits that have not changed keep their state, so a reload
    /// refills nothing; a changed rate a second, minute or hour begins with a full bucket.
    pub fn apply(&self, settings: &LimitSettings) {
        let rules = Rules::new(settings, &self.rules.load(), &self.days, &self.clock);
        self.rules.store(Arc::new(rules));
    }

    /// Asks every limit that applies to a call of `path` at `account`.
    ///
    /// # Errors
    /// [`Limited`], counted; then no limit has been charged.
    pub fn check(
        &self,
        key: &Key,
        account: &Name,
        path: &str,
        now: SystemTime,
    ) -> Result<Standing, Limited> {
        let rules = self.rules.load();
        let mut standing = self.charge_key(&rules, key, now)?;
        let limits = rules.of(account);
        for (at, limit) in limits.iter().enumerate() {
            if !limit.covers(path) {
                continue;
            }
            match limit.take(now) {
                Ok(level) => standing.push(level),
                Err(wait) => {
                    let earlier = limits.iter().take(at).filter(|limit| limit.covers(path));
                    earlier.for_each(|limit| limit.put_back(now));
                    self.put_back_key(&rules, key, now);
                    return Err(self.refuse_path(limit, wait, standing));
                }
            }
        }
        Ok(standing.sorted())
    }

    /// Asks the key's own limit only: for a call that goes to an account's shadow in the
    /// sandbox, which must not use up what the real account's callers share.
    ///
    /// # Errors
    /// [`Limited`], counted.
    pub fn check_key(&self, key: &Key, now: SystemTime) -> Result<Standing, Limited> {
        self.charge_key(&self.rules.load(), key, now)
    }

    fn charge_key(
        &self,
        rules: &Rules<C>,
        key: &Key,
        now: SystemTime,
    ) -> Result<Standing, Limited> {
        let mut standing = Standing::default();
        let Some(rate) = key.rate.or(rules.per_key) else { return Ok(standing) };
        let taken = match rate.per {
            Per::Second | Per::Minute | Per::Hour => {
                let taken = self.with_meter(rate, |meter| meter.take(&key.name));
                taken.map(|taken| (taken.remaining, taken.full_in))
            }
            Per::Day => self.days.of_key(&key.name).take(rate.calls.get(), now),
        };
        match taken {
            Ok((remaining, reset)) => {
                standing.push(Level { name: LimitName::Key, rate, remaining, reset });
                Ok(standing)
            }
            Err(wait) => {
                self.metrics.hit(LimitKind::Key);
                Err(Limited::new(LimitName::Key, rate, wait, standing))
            }
        }
    }

    fn put_back_key(&self, rules: &Rules<C>, key: &Key, now: SystemTime) {
        let Some(rate) = key.rate.or(rules.per_key) else { return };
        match rate.per {
            Per::Second | Per::Minute | Per::Hour => {
                self.with_meter(rate, |meter| meter.put_back(&key.name));
            }
            Per::Day => self.days.of_key(&key.name).put_back(now),
        }
    }

    fn refuse_path(&self, limit: &PathLimit<C>, wait: Wait, asked: Standing) -> Limited {
        self.metrics.hit(LimitKind::Path);
        let (name, rate) = limit.name_and_rate();
        Limited::new(name, rate, wait, asked)
    }

    /// Uses the table of `rate`, made when the first key with this rate calls.
    fn with_meter<T>(&self, rate: Rate, work: impl FnOnce(&KeyMeter<C>) -> T) -> T {
        if let Some(meter) = self.meters.load().get(&rate) {
            return work(meter);
        }
        let table = BucketTable::new(self.most_keys);
        let new = Arc::new(KeyMeter::new(rate, rate.calls, table, self.clock.clone()));
        self.meters.rcu(|meters| {
            let mut meters = HashMap::clone(meters);
            // Another thread may have been quicker: its table has counted already.
            meters.entry(rate).or_insert_with(|| new.clone());
            meters
        });
        work(self.meters.load().get(&rate).unwrap_or(&new))
    }

    /// Drops the state of keys whose buckets are full again, and counters of past days. Locks
    /// parts of the tables one after the other: call it each 30 to 60 s, where it may block.
    pub fn sweep(&self, now: SystemTime) {
        for meter in self.meters.load().values() {
            meter.sweep();
        }
        self.days.sweep(Day::of(now));
    }

    /// Stores the daily counts that have changed, and now and then removes old ones.
    ///
    /// # Errors
    /// [`StoreError`]; what was not stored is stored by the next call.
    pub async fn flush(&self, now: SystemTime) -> Result<(), StoreError> {
        let today = Day::of(now);
        let unsaved = self.days.unsaved();
        let is_new_day = self.pruned.load(Ordering::Relaxed) != today.0;
        if unsaved.is_empty() && !is_new_day {
            return Ok(());
        }
        let rows: Vec<_> = unsaved.iter().map(|(row, _)| row.clone()).collect();
        self.db
            .write(move |transaction| {
                counter_table::store(transaction, &rows, now)?;
                if is_new_day { counter_table::prune(transaction, today) } else { Ok(()) }
            })
            .await?;
        self.pruned.store(today.0, Ordering::Relaxed);
        for (row, count) in unsaved {
            count.note_stored(&row);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn tracked(&self) -> (usize, usize) {
        (self.meters.load().values().map(|meter| meter.len()).sum(), self.days.len())
    }
}

impl<C: Clock> std::fmt::Debug for Limiter<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

/// Keys with a bucket of their own, for each rate: some megabytes.
const MOST_KEYS: usize = 100_000;
