//! Limits as callers meet them, on a clock that only moves when told.

mod calls_a_day;
mod calls_a_second;

use std::{sync::Arc, time::SystemTime};

use governor::clock::FakeRelativeClock;

use super::{LimitSettings, Limited, Limiter, Standing};
use crate::{
    access::{
        AccessMetrics,
        key::{Key, tests::sample},
    },
    base::{name::Name, units::Rate},
    config::model::PathLimit,
    store::{Database, Durability, GATEWAY_SCHEMA},
};

/// A limiter in a folder of its own, with the time in the test's hands.
struct Home {
    dir: tempfile::TempDir,
    clock: FakeRelativeClock,
    now: SystemTime,
    most_keys: usize,
}

impl Home {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: FakeRelativeClock::default(),
            now: at("2026-11-22T09:30:00Z"),
            most_keys: 1000,
        }
    }

    fn limiter(&self, settings: &LimitSettings) -> Limiter<FakeRelativeClock> {
        let path = self.dir.path().join("wxgate.db");
        let db = Arc::new(Database::open(&path, GATEWAY_SCHEMA, Durability::Full).unwrap());
        let metrics = AccessMetrics::default();
        let limiter =
            Limiter::with_clock(self.clock.clone(), self.most_keys, db, self.now, metrics).unwrap();
        limiter.apply(settings);
        limiter
    }

    fn ask(
        &self,
        limiter: &Limiter<FakeRelativeClock>,
        key: &Key,
        path: &str,
    ) -> Result<Standing, Limited> {
        limiter.check(key, &shop(), path, self.now)
    }

    /// How many of `tries` calls get through right now.
    fn admitted(
        &self,
        limiter: &Limiter<FakeRelativeClock>,
        key: &Key,
        path: &str,
        tries: usize,
    ) -> usize {
        (0..tries).filter(|_| self.ask(limiter, key, path).is_ok()).count()
    }
}

fn at(text: &str) -> SystemTime {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn shop() -> Name {
    "shop".parse().unwrap()
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn key(name: &str, own: Option<&str>) -> Key {
    Key { rate: own.map(rate), ..sample(name) }
}

/// `[limits] per_key` and the limits of account `shop`: path, rate, burst.
fn settings(per_key: Option<&str>, paths: &[(&str, &str, Option<u32>)]) -> LimitSettings {
    let mut settings = LimitSettings { per_key: per_key.map(rate), accounts: Vec::new() };
    let limits: Vec<PathLimit> = paths
        .iter()
        .map(|(path, text, burst)| {
            let rate = rate(text);
            let burst = burst.map_or(rate.calls, |burst| burst.try_into().unwrap());
            PathLimit { path: (*path).to_owned(), rate, burst }
        })
        .collect();
    settings.limit_account(&shop(), &limits).unwrap();
    settings
}
