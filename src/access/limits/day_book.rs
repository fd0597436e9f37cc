//! Calls a day, counted in memory and written to the database behind the requests' backs.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::counter_table::Row;
use crate::{access::pattern::PathPattern, base::day::Day, base::name::Name};

/// All counters, by subject: a key's name, or account and pattern with a space between them.
/// No name has a space, so the two never meet.
pub(super) struct DayBook {
    counts: RwLock<HashMap<Box<str>, Arc<DayCount>>>,
    most: usize,
}

impl DayBook {
    /// A book of at most `most` counters, with what was counted before a restart.
    pub(super) fn new(rows: Vec<Row>, most: usize) -> Self {
        let mut counts = HashMap::new();
        for row in rows {
            counts.insert(
                row.subject.into_boxed_str(),
                Arc::new(DayCount::stored(row.day, row.count)),
            );
        }
        Self { counts: RwLock::new(counts), most }
    }

    /// The counter of a key. Names and not ids, so that a rotated key goes on counting. Who
    /// comes when the book is full shares a counter with the other late ones.
    pub(super) fn of_key(&self, name: &Name) -> Arc<DayCount> {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get(name.as_str()) {
            return count.clone();
        }
        let subject = if counts.len() < self.most { name.as_str() } else { SHARED };
        drop(counts);
        self.entry(subject)
    }

    /// The counter of a path limit. Never a shared one: the config says how many there are.
    pub(super) fn of_path(&self, account: &Name, pattern: &PathPattern) -> Arc<DayCount> {
        self.entry(&format!("{account} {pattern}"))
    }

    fn entry(&self, subject: &str) -> Arc<DayCount> {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        counts.entry(subject.into()).or_default().clone()
    }

    /// What has changed since it was last stored.
    pub(super) fn unsaved(&self) -> Vec<(Row, Arc<DayCount>)> {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        let changed = counts.iter().filter(|(_, count)| count.is_unsaved());
        changed
            .map(|(subject, count)| {
                let (day, number) = unpack(count.now.load(Ordering::Relaxed));
                (Row { subject: subject.to_string(), day, count: number }, count.clone())
            })
            .collect()
    }

    /// Forgets the counters of past days that nobody holds.
    pub(super) fn sweep(&self, today: Day) {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, count| {
            // Whoever is about to count holds a second reference, taken under this lock.
            let (day, _) = unpack(count.now.load(Ordering::Relaxed));
            Arc::strong_count(count) > 1 || day >= today || count.is_unsaved()
        });
        counts.shrink_to_fit();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.counts.read().unwrap().len()
    }
}

/// The calls of one subject on one day. Day and number are one word, so that they turn together.
#[derive(Debug, Default)]
pub(super) struct DayCount {
    now: AtomicU64,
    stored: AtomicU64,
}

impl DayCount {
    fn stored(day: Day, count: u32) -> Self {
        let packed = pack(day, count);
        Self { now: AtomicU64::new(packed), stored: AtomicU64::new(packed) }
    }

    /// Counts a call, or says how long the day still is. Returns what is left of `most`, and
    /// the time until the count begins anew.
    ///
    /// A clock that was set back goes on with the later day: nobody gets a second helping.
    pub(super) fn take(&self, most: u32, now: SystemTime) -> Result<(u32, Duration), Duration> {
        let today = Day::of(now);
        let next = |packed: u64| {
            let (day, count) = unpack(packed);
            match count {
                _ if day < today => Some(pack(today, 1)),
                count if count < most => Some(pack(day, count + 1)),
                _ => None,
            }
        };
        match self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(before) => {
                let (day, count) = unpack(before);
                let used = if day < today { 1 } else { count.saturating_add(1) };
                Ok((most.saturating_sub(used), day.max(today).left_at(now)))
            }
            Err(packed) => Err(unpack(packed).0.left_at(now)),
        }
    }

    /// Undoes a `take` that has just succeeded.
    pub(super) fn put_back(&self, now: SystemTime) {
        let today = Day::of(now);
        let undo = |packed: u64| {
            let (day, count) = unpack(packed);
            (day >= today && count > 0).then(|| pack(day, count - 1))
        };
        // Where the day has turned in between, there is nothing to give back.
        let _ = self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, undo);
    }

    /// Notes that `row` is in the database.
    pub(super) fn note_stored(&self, row: &Row) {
        self.stored.store(pack(row.day, row.count), Ordering::Relaxed);
    }

    fn is_unsaved(&self) -> bool {
        self.now.load(Ordering::Relaxed) != self.stored.load(Ordering::Relaxed)
    }
}

fn pack(day: Day, count: u32) -> u64 {
    (u64::from(day.0) << 32) | u64::from(count)
}

fn unpack(packed: u64) -> (Day, u32) {
    let high = u32::try_from(packed >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(packed & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    (Day(high), low)
}

/// Neither a name nor account and pattern.
const SHARED: &str = "*";
