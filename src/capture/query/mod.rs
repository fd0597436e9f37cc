//! Questions to the stored exchanges.
//!
//! A filter is judged on the packed lines of each segment; bodies are unpacked only for
//! exchanges about which the lines leave it open. Each group of segments is read in a short
//! transaction of its own, so that a long export does not hold up the write-ahead log.

mod export;
mod scan;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

pub use self::export::Export;
use self::scan::{Direction, Hits, StoredLines};
use super::{
    error::CaptureError,
    filter::Filter,
    stored::StoredExchange,
    unpacked::{Details, Lines, Parts},
};
use crate::{base::id::RequestId, store::Database};

/// A read connection to `capture.db`. Every method may block on the disk.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// How much of an exchange is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// Without headers and bodies.
    Line,
    Whole,
}

impl Reader {
    /// Opens the file for reading.
    ///
    /// # Errors
    /// [`CaptureError::Store`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let connection = Database::connect_reader(path)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The newest `limit` exchanges that pass, newest first; of those stored before the one
    /// whose `seq` is `before`, if given.
    ///
    /// # Errors
    /// [`CaptureError`] when the file cannot be read.
    pub fn list(
        &self,
        filter: &Filter,
        limit: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredExchange>, CaptureError> {
        self.page(filter, limit, before, Depth::Whole)
    }

    /// [`Reader::list`] without headers and bodies: less work, and what a viewer may see.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn lines(
        &self,
        filter: &Filter,
        limit: usize,
        before: Option<u64>,
    ) -> Result<Vec<StoredExchange>, CaptureError> {
        self.page(filter, limit, before, Depth::Line)
    }

    fn page(
        &self,
        filter: &Filter,
        limit: usize,
        before: Option<u64>,
        depth: Depth,
    ) -> Result<Vec<StoredExchange>, CaptureError> {
        let mut found = Vec::new();
        let mut cursor = Some(before.unwrap_or(u64::MAX >> 1));
        while let Some(at) = cursor.filter(|_| found.len() < limit) {
            let wanted = limit - found.len();
            let _snapshot = self.snapshot()?;
            let group = self.group(filter, at, Direction::NewestFirst, wanted)?;
            for hits in &group.hits {
                found.extend(self.load(hits, depth)?);
            }
            cursor = group.next;
        }
        Ok(found)
    }

    /// Everything that passes, oldest first, of those stored after the one whose `seq` is
    /// `after`; loaded as the iterator goes.
    #[must_use]
    pub fn export<'a>(&'a self, filter: &'a Filter, after: Option<u64>) -> Export<'a> {
        Export::new(self, filter, after.map_or(0, |after| after.saturating_add(1)))
    }

    /// The exchange with this id, or with the only id that begins like this.
    ///
    /// # Errors
    /// [`CaptureError::AmbiguousId`] when several do, else as [`Reader::list`].
    pub fn show(&self, id_or_prefix: &str) -> Result<Option<StoredExchange>, CaptureError> {
        let padded = |filler: &str| {
            let mut id = id_or_prefix.trim().to_owned();
            id.push_str(&filler.repeat(ID_LENGTH.saturating_sub(id.len())));
            id.parse::<RequestId>().ok()
        };
        let Some((least, most)) = padded("0").zip(padded("Z")) else { return Ok(None) };
        let _snapshot = self.snapshot()?;
        let mut statement = self.connection.prepare_cached(BY_ID).map_err(self.wrap())?;
        let mut rows = statement.query([least.to_bytes(), most.to_bytes()]).map_err(self.wrap())?;
        let mut found = None;
        while let Some(row) = rows.next().map_err(self.wrap())? {
            let stored = StoredLines::read(row).map_err(self.wrap())?;
            let lines = stored.lines().ok_or_else(|| self.damaged(stored.first_seq))?;
            for (nth, line) in lines.iter().enumerate() {
                if line.id < least || line.id > most {
                    continue;
                }
                let hit = stored.hits(vec![nth]);
                if found.replace(hit).is_some() {
                    return Err(CaptureError::AmbiguousId { prefix: id_or_prefix.to_owned() });
                }
            }
        }
        let Some(hits) = found else { return Ok(None) };
        Ok(self.load(&hits, Depth::Whole)?.pop())
    }

    /// Retention and merging change nothing under a reader while this lives.
    fn snapshot(&self) -> Result<Transaction<'_>, CaptureError> {
        Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)
            .map_err(self.wrap())
    }

    /// Unpacks the exchanges of one segment, in the order of `hits`.
    fn load(&self, hits: &Hits, depth: Depth) -> Result<Vec<StoredExchange>, CaptureError> {
        let damaged = || self.damaged(hits.first_seq);
        let blob = |sql| self.blob(sql, hits.first_seq)?.ok_or_else(damaged);
        let (lines, details) = (blob(LINES)?, blob(DETAILS)?);
        let (texts, rids) = (blob(TEXTS)?, blob(RIDS)?);
        let details = Lines::read(&lines, hits.count)
            .and_then(|lines| Details::read(hits.first_seq, lines, [&texts, &rids], &details))
            .ok_or_else(damaged)?;
        let parts = match depth {
            Depth::Line => None,
            Depth::Whole => self.parts(hits.first_seq, hits.count)?,
        };
        let load = |nth: &usize| {
            let mut exchange = details.exchange(*nth).ok_or_else(damaged)?;
            exchange.parts = parts.as_ref().map(|parts| parts.of(*nth));
            exchange.to_stored().ok_or_else(damaged)
        };
        hits.found.iter().map(load).collect()
    }

    fn parts(&self, first_seq: u64, count: usize) -> Result<Option<Parts>, CaptureError> {
        match self.blob(PARTS, first_seq)? {
            None => Ok(None),
            Some(blob) => {
                Parts::read(&blob, count).ok_or_else(|| self.damaged(first_seq)).map(Some)
            }
        }
    }

    fn blob(&self, sql: &str, first_seq: u64) -> Result<Option<Vec<u8>>, CaptureError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement.query_row([first_seq.cast_signed()], |row| row.get(0)).optional()
            })
            .map_err(self.wrap())
    }

    fn wrap(&self) -> impl FnOnce(rusqlite::Error) -> CaptureError + use<> {
        let path = self.path.clone();
        move |source| CaptureError::Sqlite { what: "find exchanges", path, source }
    }

    fn damaged(&self, segment: u64) -> CaptureError {
        CaptureError::Damaged { path: self.path.clone(), segment }
    }
}

const LINES: &str = "SELECT data FROM segment_lines WHERE first_seq = ?";
const TEXTS: &str = "SELECT texts FROM segment_lines WHERE first_seq = ?";
const RIDS: &str = "SELECT rids FROM segment_lines WHERE first_seq = ?";
const DETAILS: &str = "SELECT data FROM segment_details WHERE first_seq = ?";
const PARTS: &str = "SELECT data FROM segment_parts WHERE first_seq = ?";
const BY_ID: &str = "SELECT first_seq, last_seq, count, data, NULL, NULL \
    FROM segment JOIN segment_lines USING (first_seq) \
    WHERE first_id <= ?2 AND last_id >= ?1 ORDER BY first_seq DESC";

/// Length of an id as text.
const ID_LENGTH: usize = 26;

#[cfg(test)]
mod tests;
