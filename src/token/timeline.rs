//! The life of each token generation, as rows of the table `generation`.

use std::{str::FromStr, time::Duration};

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, Transaction, params, types::Type};

use super::{
    generation::{AskedBy, End, EndReason, Generation, Verdict, verdict_on},
    issued::Issued,
    provider::FetchedBy,
};
use crate::base::{clock::unix_ms, permission::UnknownWord};

/// Writes the birth of a generation, closes what an earlier run left open, and drops what is too
/// old. The birth of a restored generation is already there. Tells what it closed.
pub(super) fn begin(
    t: &Transaction<'_>,
    slot: &str,
    issued: &Issued,
) -> rusqlite::Result<Vec<Generation>> {
    let id = row_id(issued);
    let (born_ms, planned_end_ms) = (unix_ms(issued.born_at), unix_ms(issued.expires_at));
    let fingerprint = issued.fingerprint.to_string();
    t.execute(
        "INSERT INTO generation
            (id, slot, fingerprint, fetched_by, asked_by, born_ms, planned_end_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET ended_ms = NULL, end_reason = NULL, verdict = NULL
         WHERE slot = excluded.slot",
        params![
            id,
            slot,
            fingerprint,
            issued.fetched_by.as_str(),
            issued.asked_by.map(AskedBy::as_str),
            born_ms,
            planned_end_ms
        ],
    )?;
    let closed = close(t, slot, |life| left_behind(life, &fingerprint, id, born_ms))?;
    t.execute(
        "DELETE FROM generation WHERE slot = ?1 AND id <=
         (SELECT id FROM generation WHERE slot = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![slot, KEPT_PER_SLOT],
    )?;
    t.execute("DELETE FROM generation WHERE id <= ?1", [id.saturating_sub(KEPT_OF_ALL)])?;
    Ok(closed)
}

/// Closes what ran out while no gateway ran. Tells what it closed.
pub(super) fn lapse(
    t: &Transaction<'_>,
    slot: &str,
    now_ms: i64,
) -> rusqlite::Result<Vec<Generation>> {
    close(t, slot, |life| {
        let end_ms = life.planned_end.as_millisecond();
        let is_over = end_ms <= now_ms && life.first_refusal.is_none();
        is_over.then_some(End { at_ms: end_ms, reason: EndReason::Expired, verdict: None })
    })
}

/// Ends each open generation of `slot` as `end_of` says.
fn close(
    t: &Transaction<'_>,
    slot: &str,
    end_of: impl Fn(&Generation) -> Option<End>,
) -> rusqlite::Result<Vec<Generation>> {
    let open = select(t, "WHERE slot = ?1 AND ended_ms IS NULL ORDER BY id", &[&slot])?;
    let mut closed = Vec::new();
    for life in open {
        if let Some(end) = end_of(&life) {
            write_end(t, row(life.generation), end)?;
            let (end_reason, verdict) = (Some(end.reason), end.verdict);
            closed.push(Generation { end_reason, verdict, ..life });
        }
    }
    Ok(closed)
}

/// How a generation ended that an earlier run left open, now that `next` was born: the platform
/// had refused it before the restart, or its time was over, or nobody knows.
fn left_behind(life: &Generation, next: &str, next_id: i64, next_born_ms: i64) -> Option<End> {
    if row(life.generation) >= next_id {
        return None;
    }
    let planned_ms = life.planned_end.as_millisecond();
    let refused = life.first_refusal.filter(|refused| life.last_good <= Some(*refused));
    if let Some(refused_ms) = refused.map(jiff::Timestamp::as_millisecond) {
        let left_ms = planned_ms.saturating_sub(refused_ms).max(0).unsigned_abs();
        let is_again = life.fingerprint == next;
        let left = Duration::from_millis(left_ms);
        let verdict =
            life.errcode.and_then(|errcode| verdict_on(life.fetched_by, errcode, left, is_again));
        return Some(End { at_ms: refused_ms, reason: EndReason::Refused, verdict });
    }
    let reason = if planned_ms <= next_born_ms { EndReason::Expired } else { EndReason::Lost };
    Some(End { at_ms: planned_ms.min(next_born_ms), reason, verdict: None })
}

/// Moves the planned end: the issuer gave the same token out again.
pub(super) fn extend(t: &Transaction<'_>, issued: &Issued) -> rusqlite::Result<()> {
    t.execute(
        "UPDATE generation SET planned_end_ms = ?2 WHERE id = ?1",
        params![row_id(issued), unix_ms(issued.expires_at)],
    )?;
    Ok(())
}

/// Writes when the token was last accepted and first refused, and how.
pub(super) fn stamp(t: &Transaction<'_>, issued: &Issued) -> rusqlite::Result<()> {
    // A good call disproves an earlier refusal.
    let is_news = "?3 IS NOT NULL AND (first_refusal_ms IS NULL
        OR first_refusal_ms < max(coalesce(last_good_ms, 0), coalesce(?2, 0)))";
    t.execute(
        &format!(
            "UPDATE generation SET
                last_good_ms = nullif(max(coalesce(last_good_ms, 0), coalesce(?2, 0)), 0),
                first_refusal_ms = iif({is_news}, ?3, first_refusal_ms),
                errcode = iif({is_news}, ?4, errcode)
             WHERE id = ?1"
        ),
        params![
            row_id(issued),
            issued.last_good_ms(),
            issued.first_refusal_ms(),
            issued.refusal_errcode()
        ],
    )?;
    Ok(())
}

/// Writes how a generation ended.
pub(super) fn end(t: &Transaction<'_>, issued: &Issued, end: End) -> rusqlite::Result<()> {
    stamp(t, issued)?;
    write_end(t, row_id(issued), end)
}

/// Nothing ends before it was born, even if the wall clock was set back meanwhile.
fn write_end(t: &Transaction<'_>, id: i64, end: End) -> rusqlite::Result<()> {
    t.execute(
        "UPDATE generation SET ended_ms = max(born_ms, ?2), end_reason = ?3, verdict = ?4
         WHERE id = ?1",
        params![id, end.at_ms, end.reason.as_str(), end.verdict.map(Verdict::as_str)],
    )?;
    Ok(())
}

/// The newest `limit` generations of `slot`, or of all slots, newest first.
///
/// # Errors
/// When the table cannot be read or holds a word that this version does not know.
pub fn history(
    connection: &Connection,
    slot: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<Generation>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match slot {
        Some(slot) => {
            select(connection, "WHERE slot = ?1 ORDER BY id DESC LIMIT ?2", &[&slot, &limit])
        }
        None => select(connection, "ORDER BY id DESC LIMIT ?1", &[&limit]),
    }
}

/// The newest generation of each slot that has a verdict.
///
/// # Errors
/// As [`history`].
pub fn verdicts(connection: &Connection) -> rusqlite::Result<Vec<Generation>> {
    let newest = "WHERE id IN
        (SELECT max(id) FROM generation WHERE verdict IS NOT NULL GROUP BY slot)";
    select(connection, newest, &[])
}

/// The highest number that was ever given to a generation.
pub(super) fn newest_id(connection: &Connection) -> rusqlite::Result<i64> {
    let newest = connection
        .query_row("SELECT max(id) FROM generation", [], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(newest.flatten().unwrap_or(0))
}

fn select(
    connection: &Connection,
    which: &str,
    values: &[&dyn ToSql],
) -> rusqlite::Result<Vec<Generation>> {
    connection
        .prepare_cached(&format!(
            "SELECT id, slot, fingerprint, fetched_by, asked_by, born_ms, planned_end_ms, ended_ms,
                    end_reason, last_good_ms, first_refusal_ms, errcode, verdict
             FROM generation {which}"
        ))?
        .query_map(values, read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Generation> {
    Ok(Generation {
        generation: row.get::<_, i64>(0)?.unsigned_abs(),
        slot: row.get(1)?,
        fingerprint: row.get(2)?,
        fetched_by: word(row, 3)?.unwrap_or(FetchedBy::Restored),
        asked_by: word(row, 4)?,
        born: time(row, 5)?.unwrap_or_default(),
        planned_end: time(row, 6)?.unwrap_or_default(),
        ended: time(row, 7)?,
        end_reason: word(row, 8)?,
        last_good: time(row, 9)?,
        first_refusal: time(row, 10)?,
        errcode: row.get(11)?,
        verdict: word(row, 12)?,
    })
}

fn word<W>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<W>>
where
    W: FromStr<Err = UnknownWord>,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse()).transpose().map_err(|unknown| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(unknown))
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<jiff::Timestamp>> {
    let ms: Option<i64> = row.get(column)?;
    ms.map(jiff::Timestamp::from_millisecond).transpose().map_err(|out_of_range| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(out_of_range))
    })
}

fn row_id(issued: &Issued) -> i64 {
    row(issued.generation)
}

fn row(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}

/// At one token each two hours: almost three months.
const KEPT_PER_SLOT: i64 = 1000;

/// All slots together; numbers are given in turn, so that the oldest go first.
const KEPT_OF_ALL: i64 = 200_000;

#[cfg(test)]
mod tests;
