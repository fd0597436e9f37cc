//! How often a refresh may be forced: so many times a day, so far apart, kept across restarts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{cure::until_next_day, error::TokenError, slot_id::SlotId};
use crate::{
    base::{chain::Chain, clock::unix_ms, day::Day},
    store::Database,
};

/// Forced refreshes of all slots, counted in the table `counter`.
pub(super) struct ForceBudget {
    store: Arc<Database>,
    used: Mutex<Used>,
}

/// What the table says of the newest day of each slot, for those who only look. As long as the
/// list of slots.
pub(super) type Used = HashMap<String, (String, u32)>;

/// What one more forced refresh must respect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// Forced refreshes of one day (UTC+8).
    pub(super) a_day: u32,
    /// The least time between two.
    pub(super) apart: Duration,
}

impl Allowance {
    /// When the broker forces by itself.
    pub(super) fn automatic(a_day: u32) -> Self {
        Self { a_day, apart: AUTOMATIC_APART }
    }

    /// When an operator asks: the platform's own limits.
    pub(super) fn by_hand() -> Self {
        Self { a_day: PLATFORM_A_DAY, apart: PLATFORM_APART }
    }
}

impl ForceBudget {
    /// `used` is what [`read_used`] found.
    pub(super) fn new(store: Arc<Database>, used: Used) -> Self {
        Self { store, used: Mutex::new(used) }
    }

    /// Forced refreshes of the day of `now`.
    pub(super) fn used_today(&self, slot: &SlotId, now: SystemTime) -> u32 {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = used.get(&counter_name(slot));
        newest.filter(|(day, _)| *day == Day::of(now).to_string()).map_or(0, |(_, count)| *count)
    }

    /// Takes one forced refresh out of the day's budget. It counts before it is made, so that
    /// a crash in between cannot make one too many.
    ///
    /// # Errors
    /// [`TokenError::ForceBudget`] when there is none left, or the count cannot be written.
    pub(super) async fn claim(
        &self,
        slot: &SlotId,
        allowance: Allowance,
        now: SystemTime,
    ) -> Result<(), TokenError> {
        let name = counter_name(slot);
        let row = name.clone();
        let claimed = self.store.write(move |t| claim(t, &row, allowance, now)).await;
        if let Ok((before, wait)) = &claimed {
            let count = before + u32::from(wait.is_none());
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.insert(name, (Day::of(now).to_string(), count));
        }
        let (used, wait) = claimed.unwrap_or_else(|error| {
            let error = Chain(&error).to_string();
            tracing::warn!(%slot, error, "the budget of forced refreshes cannot be written");
            (0, Some(allowance.apart))
        });
        match wait {
            None => Ok(()),
            Some(wait) => Err(TokenError::ForceBudget {
                account: slot.clone(),
                used,
                most: allowance.a_day,
                wait,
            }),
        }
    }
}

fn counter_name(slot: &SlotId) -> String {
    format!("{PREFIX}{slot}")
}

/// The newest day of each slot.
pub(super) fn read_used(connection: &Connection) -> rusqlite::Result<Used> {
    connection
        .prepare("SELECT name, max(day), count FROM counter WHERE name LIKE ?1 GROUP BY name")?
        .query_map([format!("{PREFIX}%")], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect()
}

/// Tells how many were used before, and how long to wait if the claim was refused.
fn claim(
    t: &Transaction<'_>,
    name: &str,
    allowance: Allowance,
    now: SystemTime,
) -> rusqlite::Result<(u32, Option<Duration>)> {
    let (day, now_ms) = (Day::of(now).to_string(), unix_ms(now));
    let used: Option<u32> = t
        .query_row(
            "SELECT count FROM counter WHERE name = ?1 AND day = ?2",
            params![name, day],
            |row| row.get(0),
        )
        .optional()?;
    let used = used.unwrap_or(0);
    if used >= allowance.a_day {
        return Ok((used, Some(until_next_day(now))));
    }
    // A row from the future was written while the wall clock was wrong.
    let last_ms: Option<i64> = t.query_row(
        "SELECT max(last_ms) FROM counter WHERE name = ?1 AND last_ms <= ?2",
        params![name, now_ms],
        |row| row.get(0),
    )?;
    let passed_ms = last_ms.map_or(u64::MAX, |last| now_ms.abs_diff(last));
    let early = allowance.apart.saturating_sub(Duration::from_millis(passed_ms));
    if !early.is_zero() {
        return Ok((used, Some(early)));
    }
    t.execute(
        "INSERT INTO counter (name, day, count, last_ms) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (name, day) DO UPDATE SET count = count + 1, last_ms = excluded.last_ms",
        params![name, day, now_ms],
    )?;
    t.execute(
        "DELETE FROM counter WHERE name = ?1 AND last_ms < ?2",
        params![name, now_ms - WEEK_MS],
    )?;
    Ok((used, None))
}

/// What the names of these counters begin with.
const PREFIX: &str = "forced/";

/// Half of what the platform allows; each one kills the token of everybody else.
const AUTOMATIC_APART: Duration = Duration::from_secs(5 * 60);

/// The platform's limits of `force_refresh`: 20 a day, 30 s apart.
const PLATFORM_A_DAY: u32 = 20;
const PLATFORM_APART: Duration = Duration::from_secs(30);

const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::clock::from_unix_ms,
        store::{Durability, GATEWAY_SCHEMA},
    };

    fn at(text: &str) -> SystemTime {
        from_unix_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn open(dir: &tempfile::TempDir) -> ForceBudget {
        let path = dir.path().join("wxgate.db");
        let store = Database::open(&path, GATEWAY_SCHEMA, Durability::Full).unwrap();
        let used = store.read_blocking(read_used).unwrap();
        ForceBudget::new(Arc::new(store), used)
    }

    fn slot() -> SlotId {
        SlotId::real("shop".parse().unwrap())
    }

    #[tokio::test]
    async fn a_day_has_a_budget_that_a_restart_does_not_refill() {
        let dir = tempfile::tempdir().unwrap();
        let rule = Allowance::automatic(2);
        for time in ["2026-11-22T10:00:00Z", "2026-11-22T10:05:00Z"] {
            open(&dir).claim(&slot(), rule, at(time)).await.unwrap();
        }
        let error = open(&dir).claim(&slot(), rule, at("2026-11-22T15:59:00Z")).await.unwrap_err();
        let TokenError::ForceBudget { used, most, wait, .. } = error else { panic!("{error}") };
        assert_eq!((used, most), (2, 2));
        assert_eq!(open(&dir).used_today(&slot(), at("2026-11-22T15:59:00Z")), 2);
        assert_eq!(open(&dir).used_today(&slot(), at("2026-11-22T16:00:00Z")), 0, "a new day");
        assert!(wait.as_secs() == 60, "until midnight in Beijing, not {wait:?}");
        let other = SlotId::shadow("shop".parse().unwrap());
        open(&dir).claim(&other, rule, at("2026-11-22T15:59:00Z")).await.unwrap();
        open(&dir).claim(&slot(), rule, at("2026-11-22T16:00:00Z")).await.unwrap();
    }

    #[tokio::test]
    async fn two_are_five_minutes_apart_also_across_midnight_and_a_wrong_clock() {
        let dir = tempfile::tempdir().unwrap();
        let (budget, rule) = (open(&dir), Allowance::automatic(10));
        budget.claim(&slot(), rule, at("2026-11-22T15:58:00Z")).await.unwrap();
        let error = budget.claim(&slot(), rule, at("2026-11-22T16:01:00Z")).await.unwrap_err();
        assert_eq!(error.retry_after(tokio::time::Instant::now()), Some(Duration::from_secs(120)));

        budget.claim(&slot(), rule, at("2099-01-01T00:00:00Z")).await.unwrap();
        budget.claim(&slot(), rule, at("2026-11-22T16:03:00Z")).await.unwrap();
    }

    #[tokio::test]
    async fn an_operator_has_the_platforms_own_limits() {
        let dir = tempfile::tempdir().unwrap();
        let budget = open(&dir);
        budget.claim(&slot(), Allowance::by_hand(), at("2026-11-22T10:00:00Z")).await.unwrap();
        let soon = at("2026-11-22T10:00:29Z");
        assert!(budget.claim(&slot(), Allowance::by_hand(), soon).await.is_err());
        let later = at("2026-11-22T10:00:30Z");
        budget.claim(&slot(), Allowance::by_hand(), later).await.unwrap();
    }
}
