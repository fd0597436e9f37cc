//! Keys from their making to their end, in memory and on disk.

mod change;
mod look_up;
mod subject;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{AccessMetrics, Key, KeyError, KeyRing, KeyText, key::NewKey};
use crate::{
    base::{
        clock::{Clock, MovableClock},
        code::ErrorCode,
        permission::{ErrorStyle, Lane, Role},
    },
    config::model::FixedKey,
    store::{Database, Durability, GATEWAY_SCHEMA},
};

/// A data folder, and a clock that can be moved.
struct Home {
    dir: tempfile::TempDir,
    clock: Arc<MovableClock>,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::default() }
    }

    fn db(&self) -> Arc<Database> {
        let path = self.dir.path().join("wxgate.db");
        Arc::new(Database::open(&path, GATEWAY_SCHEMA, Durability::Full).unwrap())
    }

    fn try_ring(&self, fixed: &[FixedKey]) -> Result<Arc<KeyRing>, KeyError> {
        KeyRing::load(self.db(), fixed, self.clock.clone(), AccessMetrics::default())
    }

    fn ring(&self) -> Arc<KeyRing> {
        self.try_ring(&[]).unwrap()
    }

    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    fn check(&self, ring: &KeyRing, text: &KeyText) -> Result<Arc<Key>, ErrorCode> {
        ring.check(text.reveal(), self.now()).map_err(|refusal| refusal.code())
    }
}

fn new(name: &str) -> NewKey {
    NewKey { name: name.parse().unwrap(), ..NewKey::first() }
}

fn fixed(name: &str, text: &KeyText) -> FixedKey {
    FixedKey {
        name: name.parse().unwrap(),
        sha256: Some(text.sha256()),
        subject: None,
        role: Role::Developer,
        accounts: vec!["shop".parse().unwrap()],
        lane: Lane::ReadOnly,
        allow_danger: false,
        errors: ErrorStyle::Wechat,
        paths: vec!["/shop".into()],
        networks: Vec::new(),
        rate: None,
    }
}

/// The same key with another secret and a checksum that fits: what a guesser would send.
fn with_other_secret(text: &KeyText) -> String {
    let (own, other) = (text.reveal(), KeyText::generate());
    let body = format!("{}{}", &own[..16], &other.reveal()[16..59]);
    let sum = super::base62::encode::<6>(u64::from(crc32fast::hash(body.as_bytes())));
    body + std::str::from_utf8(&sum).unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);
