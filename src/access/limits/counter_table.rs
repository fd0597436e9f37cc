//! Daily counts as rows of `wxgate.db`, in the table `counter`, under names of their own.

use std::time::SystemTime;

use rusqlite::{Connection, Transaction, params};

use crate::base::{clock::unix_ms, day::Day};

/// How often one subject has called on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) subject: String,
    pub(super) day: Day,
    pub(super) count: u32,
}

/// What was counted on `day`.
pub(super) fn of_day(connection: &Connection, day: Day) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(
        "SELECT name, count FROM counter WHERE name > 'limit ' AND name < 'limit!' AND day = ?1",
    )?;
    let rows = statement.query_map([day.to_string()], |row| {
        let (name, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let subject = name.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        let count = u32::try_from(count.max(0)).unwrap_or(u32::MAX);
        Ok(Row { subject, day, count })
    })?;
    rows.collect()
}

/// Stores `rows`.
pub(super) fn store(
    transaction: &Transaction<'_>,
    rows: &[Row],
    now: SystemTime,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO counter (name, day, count, last_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name, day) DO UPDATE SET count = excluded.count, last_ms = excluded.last_ms",
    )?;
    for row in rows {
        let name = format!("{PREFIX}{}", row.subject);
        statement.execute(params![name, row.day.to_string(), row.count, unix_ms(now)])?;
    }
    Ok(())
}

/// Removes what was counted more than a week before `today`.
pub(super) fn prune(transaction: &Transaction<'_>, today: Day) -> rusqlite::Result<()> {
    let oldest = Day(today.0.saturating_sub(KEPT_DAYS));
    transaction.execute(
        "DELETE FROM counter WHERE name > 'limit ' AND name < 'limit!' AND day < ?1",
        [oldest.to_string()],
    )?;
    Ok(())
}

/// Tells our counters from those of other rooms. `!` follows the space in ASCII, which makes
/// the range of the queries above.
const PREFIX: &str = "limit ";
/// Enough to answer "why was I refused on Friday" on Monday.
const KEPT_DAYS: u32 = 7;
