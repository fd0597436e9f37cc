//! The life of each token generation, as rows of the table `generation`.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params, types::Type};
use serde::{Deserialize, Serialize};

use super::{issued::Issued, provider::FetchedBy};
use crate::base::{
    clock::unix_ms,
    permission::{UnknownWord, words},
};

/// One generation of a slot's tokens. Times are RFC 3339 in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Generation {
    /// Counts the tokens of this installation, of all accounts.
    pub generation: u64,
    /// `shop/token`.
    pub slot: String,
    /// Stands for the token.
    pub fingerprint: String,
    /// How it came here.
    pub fetched_by: FetchedBy,
    /// When it came here.
    pub born: jiff::Timestamp,
    /// When the issuer said it would end.
    pub planned_end: jiff::Timestamp,
    /// When it ended; none while it lives.
    pub ended: Option<jiff::Timestamp>,
    /// What ended it.
    pub end_reason: Option<EndReason>,
    /// The last call that the platform accepted with it, at most a minute behind.
    pub last_good: Option<jiff::Timestamp>,
    /// The first call that the platform refused because of it.
    pub first_refusal: Option<jiff::Timestamp>,
    /// What an early death means.
    pub verdict: Option<Verdict>,
}

impl Generation {
    /// In which interval another holder of the AppSecret fetched a token, if that is what
    /// ended this one: after the last call that went well, before the first refusal.
    #[must_use]
    pub fn foreign_fetch(&self) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
        if self.verdict != Some(Verdict::ForeignFetch) {
            return None;
        }
        let (good, refused) = (self.last_good.unwrap_or(self.born), self.first_refusal?);
        // An answer that was under way may be stamped after the first refusal.
        Some((good.min(refused), good.max(refused)))
    }

    /// The verdict as a sentence for people.
    #[must_use]
    pub fn explanation(&self) -> Option<String> {
        match self.verdict? {
            Verdict::ForeignFetch => {
                let (after, before) = self.foreign_fetch()?;
                Some(format!(
                    "nobody here refreshed: another holder of the AppSecret fetched a token \
                     between {after} and {before}"
                ))
            }
            Verdict::IssuerDisagrees => Some(
                "the platform refused it while the issuer still gave it out: forced refresh is \
                 off or used up, or the token is of another app or environment"
                    .to_owned(),
            ),
        }
    }
}

words! {
    /// What ended a generation.
    EndReason {
        /// The next one was fetched in time.
        Renewed = "renewed",
        /// Its time was over.
        Expired = "expired",
        /// The platform refused it.
        Refused = "refused",
        /// An operator forced a new one.
        Forced = "forced",
        /// The account's AppID, AppSecret or provider changed.
        Discarded = "discarded",
        /// The account was removed.
        Retired = "retired",
        /// A restart did not find it, or could not use it.
        Lost = "lost",
    }
}

words! {
    /// What an early death means.
    Verdict {
        /// The issuer had another token, and this gateway did not ask for it.
        ForeignFetch = "foreign_fetch",
        /// The issuer still gave out the token that the platform refused.
        IssuerDisagrees = "issuer_disagrees",
    }
}

/// How a generation ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) at_ms: i64,
    pub(super) reason: EndReason,
    pub(super) verdict: Option<Verdict>,
}

/// Writes the birth of a generation, closes what an earlier run left open, and drops what is
/// older than [`KEPT_PER_SLOT`]. The birth of a restored generation is already there.
pub(super) fn begin(t: &Transaction<'_>, slot: &str, issued: &Issued) -> rusqlite::Result<()> {
    let id = row_id(issued);
    let (born_ms, planned_end_ms) = (unix_ms(issued.born_at), unix_ms(issued.expires_at));
    t.execute(
        "INSERT INTO generation (id, slot, fingerprint, fetched_by, born_ms, planned_end_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET ended_ms = NULL, end_reason = NULL, verdict = NULL
         WHERE slot = excluded.slot",
        params![
            id,
            slot,
            issued.fingerprint.to_string(),
            issued.fetched_by.as_str(),
            born_ms,
            planned_end_ms
        ],
    )?;
    t.execute(
        "UPDATE generation SET ended_ms = min(planned_end_ms, max(born_ms, ?3)), end_reason = ?4
         WHERE slot = ?1 AND id < ?2 AND ended_ms IS NULL",
        params![slot, id, born_ms, EndReason::Lost.as_str()],
    )?;
    t.execute(
        "DELETE FROM generation WHERE slot = ?1 AND id <=
         (SELECT id FROM generation WHERE slot = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![slot, KEPT_PER_SLOT],
    )?;
    Ok(())
}

/// Moves the planned end: the issuer gave the same token out again.
pub(super) fn extend(t: &Transaction<'_>, issued: &Issued) -> rusqlite::Result<()> {
    t.execute(
        "UPDATE generation SET planned_end_ms = ?2 WHERE id = ?1",
        params![row_id(issued), unix_ms(issued.expires_at)],
    )?;
    Ok(())
}

/// Writes when the token was last accepted and first refused.
pub(super) fn stamp(t: &Transaction<'_>, issued: &Issued) -> rusqlite::Result<()> {
    t.execute(
        "UPDATE generation SET
            last_good_ms = nullif(max(coalesce(last_good_ms, 0), coalesce(?2, 0)), 0),
            first_refusal_ms = CASE
                WHEN ?3 IS NULL THEN first_refusal_ms
                WHEN first_refusal_ms IS NULL OR first_refusal_ms < ?2 THEN ?3
                ELSE first_refusal_ms END
         WHERE id = ?1",
        params![row_id(issued), issued.last_good_ms(), issued.first_refusal_ms()],
    )?;
    Ok(())
}

/// Writes how a generation ended.
pub(super) fn end(t: &Transaction<'_>, issued: &Issued, end: End) -> rusqlite::Result<()> {
    stamp(t, issued)?;
    t.execute(
        "UPDATE generation SET ended_ms = ?2, end_reason = ?3, verdict = ?4 WHERE id = ?1",
        params![row_id(issued), end.at_ms, end.reason.as_str(), end.verdict.map(Verdict::as_str)],
    )?;
    Ok(())
}

/// The newest `limit` generations of `slot`, newest first.
///
/// # Errors
/// When the table cannot be read or holds a word that this version does not know.
pub fn history(
    connection: &Connection,
    slot: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Generation>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT id, slot, fingerprint, fetched_by, born_ms, planned_end_ms, ended_ms,
                    end_reason, last_good_ms, first_refusal_ms, verdict
             FROM generation WHERE slot = ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![slot, limit], read)?
        .collect()
}

/// The highest number that was ever given to a generation.
pub(super) fn newest_id(connection: &Connection) -> rusqlite::Result<i64> {
    let newest = connection
        .query_row("SELECT max(id) FROM generation", [], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(newest.flatten().unwrap_or(0))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Generation> {
    Ok(Generation {
        generation: row.get::<_, i64>(0)?.unsigned_abs(),
        slot: row.get(1)?,
        fingerprint: row.get(2)?,
        fetched_by: word(row, 3)?.unwrap_or(FetchedBy::Restored),
        born: time(row, 4)?.unwrap_or_default(),
        planned_end: time(row, 5)?.unwrap_or_default(),
        ended: time(row, 6)?,
        end_reason: word(row, 7)?,
        last_good: time(row, 8)?,
        first_refusal: time(row, 9)?,
        verdict: word(row, 10)?,
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
    i64::try_from(issued.generation).unwrap_or(i64::MAX)
}

/// At one token each two hours: almost three months.
const KEPT_PER_SLOT: i64 = 1000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        base::{clock::from_unix_ms, secret::Secret},
        store::GATEWAY_SCHEMA,
        token::issued::Birth,
    };

    fn issued(generation: u64) -> Issued {
        let birth = Birth {
            secret: Secret::new(format!("75_token_number_{generation}")),
            generation,
            edition: generation,
            fetched_by: FetchedBy::Stable,
            born_at: from_unix_ms(1_000_000),
            life: Duration::from_secs(7200),
        };
        Issued::new(birth, Duration::ZERO, from_unix_ms(1_000_000))
    }

    fn in_memory() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        GATEWAY_SCHEMA.iter().for_each(|batch| connection.execute_batch(batch).unwrap());
        connection
    }

    #[test]
    fn an_early_death_names_the_interval_of_the_foreign_fetch() {
        let mut connection = in_memory();
        let t = connection.transaction().unwrap();
        let token = issued(7);
        begin(&t, "shop/token", &token).unwrap();
        token.stamp_good(1_060_000);
        token.stamp_refused(1_090_000);
        let verdict = Some(Verdict::ForeignFetch);
        end(&t, &token, End { at_ms: 1_090_000, reason: EndReason::Refused, verdict }).unwrap();
        t.commit().unwrap();

        let life = history(&connection, "shop/token", 10).unwrap().remove(0);
        let (after, before) = life.foreign_fetch().unwrap();
        assert_eq!((after.as_millisecond(), before.as_millisecond()), (1_060_000, 1_090_000));
        let text = life.explanation().unwrap();
        assert!(text.contains("1970-01-01T00:17:40Z and 1970-01-01T00:18:10Z"), "{text}");
        assert_eq!(life.end_reason, Some(EndReason::Refused));
        assert_eq!(newest_id(&connection).unwrap(), 7);
    }

    #[test]
    fn the_newest_thousand_are_kept_for_each_slot() {
        let mut connection = in_memory();
        let t = connection.transaction().unwrap();
        begin(&t, "other/token", &issued(1)).unwrap();
        for generation in 2..=1102 {
            begin(&t, "shop/token", &issued(generation)).unwrap();
        }
        t.commit().unwrap();
        let kept = history(&connection, "shop/token", usize::MAX).unwrap();
        assert_eq!(kept.len(), 1000);
        assert_eq!((kept[0].generation, kept[999].generation), (1102, 103));
        assert_eq!(kept[1].end_reason, Some(EndReason::Lost), "nobody wrote its end");
        assert_eq!(history(&connection, "other/token", 10).unwrap().len(), 1);
    }

    #[test]
    fn a_stamp_never_goes_back_and_the_first_refusal_stays() {
        let mut connection = in_memory();
        let t = connection.transaction().unwrap();
        begin(&t, "shop/token", &issued(1)).unwrap();
        let (first, second) = (issued(1), issued(1));
        first.stamp_good(9_000_000);
        first.stamp_refused(9_500_000);
        second.stamp_good(8_000_000);
        second.stamp_refused(9_900_000);
        stamp(&t, &first).unwrap();
        stamp(&t, &second).unwrap();
        t.commit().unwrap();
        let life = history(&connection, "shop/token", 1).unwrap().remove(0);
        assert_eq!(life.last_good.unwrap().as_millisecond(), 9_000_000);
        assert_eq!(life.first_refusal.unwrap().as_millisecond(), 9_500_000);
    }
}
