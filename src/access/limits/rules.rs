//! The limits in force, with their state.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use governor::clock::Clock;

use super::{
    bucket::SingleBucket,
    day_book::{DayBook, DayCount},
    meter::PathMeter,
    settings::{LimitSettings, PathRule},
    standing::{Level, LimitName},
};
use crate::base::{
    name::Name,
    units::{Per, Rate},
};

/// Made anew by a reload; what has not changed goes over with its state.
pub(super) struct Rules<C: Clock> {
    pub(super) per_key: Option<Rate>,
    accounts: HashMap<Name, Vec<Arc<PathLimit<C>>>>,
}

/// One limit of an account: a pattern of paths that share one bucket or counter.
pub(super) struct PathLimit<C: Clock> {
    rule: PathRule,
    name: LimitName,
    state: State<C>,
}

enum State<C: Clock> {
    Bucket(PathMeter<C>),
    Count(Arc<DayCount>),
}

/// How long to wait.
pub(super) type Wait = std::time::Duration;

impl<C: Clock + Clone> Rules<C> {
    /// No limit at all.
    pub(super) fn none() -> Self {
        Self { per_key: None, accounts: HashMap::new() }
    }

    /// The rules of `settings`. A limit with the same account, path, rate and burst as one of
    /// `before` keeps its bucket; one a day keeps its count also when its number changes.
    pub(super) fn new(settings: &LimitSettings, before: &Self, days: &DayBook, clock: &C) -> Self {
        let mut accounts = HashMap::new();
        for (account, rules) in &settings.accounts {
            let kept = before.of(account);
            let limits = rules.iter().map(|rule| {
                let same = kept.iter().find(|limit| limit.rule == *rule).cloned();
                same.unwrap_or_else(|| Arc::new(PathLimit::new(account, rule, days, clock)))
            });
            accounts.insert(account.clone(), limits.collect());
        }
        Self { per_key: settings.per_key, accounts }
    }

    /// The limits of `account`, in the order of the file.
    pub(super) fn of(&self, account: &Name) -> &[Arc<PathLimit<C>>] {
        self.accounts.get(account).map_or(&[], Vec::as_slice)
    }
}

impl<C: Clock + Clone> PathLimit<C> {
    fn new(account: &Name, rule: &PathRule, days: &DayBook, clock: &C) -> Self {
        let state = match rule.rate.per {
            Per::Second | Per::Minute | Per::Hour => State::Bucket(PathMeter::new(
                rule.rate,
                rule.burst,
                SingleBucket::default(),
                clock.clone(),
            )),
            Per::Day => State::Count(days.of_path(account, &rule.pattern)),
        };
        let name = LimitName::Path(rule.pattern.as_str().into());
        Self { rule: rule.clone(), name, state }
    }

    /// Whether the limit is about `path`.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.rule.pattern.matches(path)
    }

    /// Lets one call in, or says how long to wait.
    pub(super) fn take(&self, now: SystemTime) -> Result<Level, Wait> {
        let rate = self.rule.rate;
        let (remaining, reset) = match &self.state {
            State::Bucket(meter) => {
                let taken = meter.take(&())?;
                (taken.remaining, taken.full_in)
            }
            State::Count(count) => count.take(rate.calls.get(), now)?,
        };
        Ok(Level { name: self.name.clone(), rate, remaining, reset })
    }

    /// Undoes a `take` that has just succeeded.
    pub(super) fn put_back(&self, now: SystemTime) {
        match &self.state {
            State::Bucket(meter) => meter.put_back(&()),
            State::Count(count) => count.put_back(now),
        }
    }

    /// What refuses, for the refusal.
    pub(super) fn name_and_rate(&self) -> (LimitName, Rate) {
        (self.name.clone(), self.rule.rate)
    }
}
