//! Quota blocks, from the platform's refusal to the turn of its day.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Blocked, DAY_QUOTA, MINUTE_QUOTA, Pass, QuotaGate};
use crate::{
    access::AccessMetrics,
    base::{code::ErrorCode, name::Name},
    store::{Database, Durability, GATEWAY_SCHEMA},
};

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn gate(&self, now: SystemTime) -> Arc<QuotaGate> {
        let path = self.dir.path().join("wxgate.db");
        let db = Arc::new(Database::open(&path, GATEWAY_SCHEMA, Durability::Full).unwrap());
        QuotaGate::load(db, now, AccessMetrics::default()).unwrap()
    }
}

fn at(text: &str) -> SystemTime {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn shop() -> Name {
    "shop".parse().unwrap()
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

const FREE: Pass = Pass { is_probe: false };
const PROBE: Pass = Pass { is_probe: true };
const ADD: &str = "/shop/spu/add";

#[test]
fn a_used_up_day_blocks_one_path_until_midnight_in_beijing() {
    let now = at("2026-11-22T15:55:30Z");
    let gate = Home::new().gate(now);
    assert_eq!(gate.check(&shop(), ADD, now), Ok(FREE));

    gate.note(&shop(), ADD, DAY_QUOTA, now);
    let until = at("2026-11-22T16:00:00Z");
    let blocked = gate.check(&shop(), ADD, now).unwrap_err();
    assert_eq!(blocked, Blocked { errcode: DAY_QUOTA, until });
    assert_eq!(blocked.code(), ErrorCode::QuotaExhausted);
    assert_eq!(blocked.retry_after(now), Duration::from_secs(270));
    assert_eq!(gate.check(&shop(), "/shop/spu/get", now), Ok(FREE), "another path");
    assert_eq!(gate.check(&"bank".parse().unwrap(), ADD, now), Ok(FREE), "another account");

    assert!(gate.check(&shop(), ADD, until - Duration::from_millis(1)).is_err());
    assert_eq!(gate.check(&shop(), ADD, until), Ok(FREE));
}

#[test]
fn a_used_up_minute_blocks_until_the_minute_turns() {
    let now = at("2026-11-22T09:30:20Z");
    let gate = Home::new().gate(now);
    gate.note(&shop(), ADD, MINUTE_QUOTA, now);
    assert_eq!(gate.check(&shop(), ADD, now).unwrap_err().until, at("2026-11-22T09:31:00Z"));
    assert_eq!(gate.check(&shop(), ADD, at("2026-11-22T09:31:00Z")), Ok(FREE));
}

#[test]
fn other_errcodes_block_nothing() {
    let now = at("2026-11-22T09:30:20Z");
    let gate = Home::new().gate(now);
    for errcode in [0, -1, 40001, 45002, 45035, 48006] {
        gate.note(&shop(), ADD, errcode, now);
        assert_eq!(gate.check(&shop(), ADD, now), Ok(FREE), "{errcode}");
    }
}

#[test]
fn one_probe_passes_each_ten_minutes_and_frees_the_path_when_it_goes_well() {
    let now = at("2026-11-22T01:00:00Z");
    let gate = Home::new().gate(now);
    gate.note(&shop(), ADD, DAY_QUOTA, now);
    assert!(gate.check(&shop(), ADD, now + minutes(9)).is_err());
    assert_eq!(gate.check(&shop(), ADD, now + minutes(10)), Ok(PROBE));
    assert!(gate.check(&shop(), ADD, now + minutes(10)).is_err(), "one at a time");

    // The probe was refused too: the next one comes ten minutes after it, not at once.
    gate.note(&shop(), ADD, DAY_QUOTA, now + minutes(10));
    assert!(gate.check(&shop(), ADD, now + minutes(19)).is_err());
    assert_eq!(gate.check(&shop(), ADD, now + minutes(20)), Ok(PROBE));

    gate.note_ok(&shop(), ADD, FREE);
    assert!(gate.check(&shop(), ADD, now + minutes(20)).is_err(), "an older call proves nothing");
    gate.note_ok(&shop(), ADD, PROBE);
    assert_eq!(gate.check(&shop(), ADD, now + minutes(20)), Ok(FREE));
}

#[test]
fn a_block_of_the_day_is_not_shortened_by_one_of_a_minute() {
    let now = at("2026-11-22T01:00:00Z");
    let gate = Home::new().gate(now);
    gate.note(&shop(), ADD, MINUTE_QUOTA, now);
    gate.note(&shop(), ADD, DAY_QUOTA, now);
    gate.note(&shop(), ADD, MINUTE_QUOTA, now);
    let blocked = gate.check(&shop(), ADD, now + minutes(2)).unwrap_err();
    assert_eq!(blocked.until, at("2026-11-22T16:00:00Z"));
}

#[test]
fn clearing_an_account_frees_its_paths_and_no_others() {
    let now = at("2026-11-22T01:00:00Z");
    let gate = Home::new().gate(now);
    let bank: Name = "bank".parse().unwrap();
    for (account, path) in [(&shop(), ADD), (&shop(), "/shop/spu/get"), (&bank, ADD)] {
        gate.note(account, path, DAY_QUOTA, now);
    }
    assert_eq!(gate.clear(&shop()), 2);
    assert_eq!(gate.clear(&shop()), 0);
    assert_eq!(gate.check(&shop(), ADD, now), Ok(FREE));
    assert!(gate.check(&bank, ADD, now).is_err());
}

#[tokio::test]
async fn blocks_and_the_rhythm_of_probes_survive_a_restart() {
    let home = Home::new();
    let now = at("2026-11-22T01:00:00Z");
    let gate = home.gate(now);
    gate.note(&shop(), ADD, DAY_QUOTA, now);
    gate.note(&shop(), "/freed", DAY_QUOTA, now);
    gate.flush(now).await.unwrap();
    gate.check(&shop(), "/freed", now + minutes(10)).unwrap();
    gate.note_ok(&shop(), "/freed", PROBE);
    gate.flush(now).await.unwrap();
    drop(gate);

    let gate = home.gate(now + minutes(25));
    assert!(gate.check(&shop(), ADD, now + minutes(29)).is_err());
    assert_eq!(gate.check(&shop(), ADD, now + minutes(30)), Ok(PROBE));
    assert_eq!(gate.check(&shop(), "/freed", now + minutes(25)), Ok(FREE));

    gate.clear(&shop());
    gate.flush(now).await.unwrap();
    drop(gate);
    assert_eq!(home.gate(now).check(&shop(), ADD, now), Ok(FREE), "a reset survives too");
}

#[tokio::test]
async fn past_blocks_are_forgotten_and_the_gate_is_empty_again() {
    let home = Home::new();
    let now = at("2026-11-22T01:00:00Z");
    let gate = home.gate(now);
    gate.note(&shop(), ADD, MINUTE_QUOTA, now);
    assert!(format!("{gate:?}").contains("blocks: 1"));
    gate.flush(now + minutes(2)).await.unwrap();
    assert!(format!("{gate:?}").contains("blocks: 0"));
    drop(gate);
    assert!(home.gate(now).check(&shop(), ADD, now).is_ok());
}

#[test]
fn a_flood_of_paths_is_bounded() {
    let now = at("2026-11-22T01:00:00Z");
    let gate = Home::new().gate(now);
    gate.note(&shop(), &format!("/{}", "x".repeat(600)), DAY_QUOTA, now);
    assert!(format!("{gate:?}").contains("blocks: 0"), "no real path is so long");
    for n in 0..10_100 {
        gate.note(&shop(), &format!("/p/{n}"), DAY_QUOTA, now);
    }
    assert!(gate.check(&shop(), "/p/9999", now).is_err());
    assert_eq!(gate.check(&shop(), "/p/10000", now), Ok(FREE), "passed on, not blocked");
    gate.note(&shop(), "/p/0", DAY_QUOTA, now + minutes(60 * 24));
    assert!(gate.check(&shop(), "/p/0", now + minutes(60 * 24)).is_err(), "a known one renews");
}

#[test]
fn many_threads_get_one_probe() {
    let now = at("2026-11-22T01:00:00Z");
    let gate = Home::new().gate(now);
    gate.note(&shop(), ADD, DAY_QUOTA, now);
    let later = now + minutes(11);
    let probes: usize = std::thread::scope(|scope| {
        let ask = || (0..200).filter(|_| gate.check(&shop(), ADD, later) == Ok(PROBE)).count();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(probes, 1);
}
