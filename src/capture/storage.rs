//! The writer's side of `capture.db`.
//!
//! One narrow table of segments for time ranges and ids, three tables of blobs: lines (filters
//! read them all), details (read for what is shown), parts (headers and bodies, gone after
//! `keep`). Texts are numbered within a segment, so no dictionary can be grown by attackers.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{
    error::CaptureError,
    segment::{Sealed, Segment},
    unpacked::{Details, Lines, Parts},
};
use crate::store::{Database, Durability};

/// The open capture; the only writer.
pub(super) struct Storage {
    connection: Connection,
    path: PathBuf,
    page_bytes: u64,
    /// False between letting go of a damaged file and opening a new one.
    is_open: bool,
}

/// A segment's row in the narrow table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) first_seq: u64,
    pub(super) count: usize,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    /// 0 when the parts are gone.
    pub(super) part_bytes: u64,
}

impl Storage {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path) -> Result<Self, CaptureError> {
        let connection = Database::connect(path, SCHEMA, Durability::Process)?;
        let mut storage = Self { connection, path: path.to_owned(), page_bytes: 0, is_open: true };
        storage.set_patience(PATIENCE)?;
        storage.page_bytes = storage.pragma("page_size")?;
        Ok(storage)
    }

    /// Lets go of the file; every use fails until another storage is opened.
    pub(super) fn close(&mut self) -> Result<(), CaptureError> {
        let nowhere = Connection::open_in_memory().map_err(self.wrap("close"))?;
        self.connection = nowhere;
        self.is_open = false;
        Ok(())
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Says what was tried with which file, for an error of SQLite.
    fn wrap(&self, what: &'static str) -> impl FnOnce(rusqlite::Error) -> CaptureError + use<> {
        let path = self.path.clone();
        move |source| CaptureError::Sqlite { what, path, source }
    }

    /// The place for the next exchange.
    pub(super) fn next_seq(&self) -> Result<u64, CaptureError> {
        let next: Option<i64> = self
            .connection
            .query_row("SELECT max(last_seq) + 1 FROM segment", [], |row| row.get(0))
            .map_err(self.wrap("find the end"))?;
        Ok(next.map_or(1, i64::unsigned_abs))
    }

    /// Stores a sealed segment in one commit.
    pub(super) fn insert(&mut self, sealed: &Sealed) -> Result<(), CaptureError> {
        self.replace(&[], sealed)
    }

    /// Stores a sealed segment in place of others.
    pub(super) fn replace(&mut self, old: &[Row], sealed: &Sealed) -> Result<(), CaptureError> {
        let wrap = self.wrap("store a segment");
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                for row in old {
                    delete_row(&transaction, row.first_seq)?;
                }
                insert_row(&transaction, sealed)?;
                transaction.commit()
            })
            .map_err(wrap)
    }

    /// Deletes headers and bodies of a segment; its lines and details stay.
    pub(super) fn delete_parts(&mut self, first_seq: u64) -> Result<(), CaptureError> {
        let wrap = self.wrap("delete bodies");
        let first = first_seq.cast_signed();
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let sql = "UPDATE segment SET part_bytes = 0 WHERE first_seq = ?";
                transaction.prepare_cached(sql)?.execute([first])?;
                let sql = "DELETE FROM segment_parts WHERE first_seq = ?";
                transaction.prepare_cached(sql)?.execute([first])?;
                transaction.commit()
            })
            .map_err(wrap)
    }

    /// Deletes a segment.
    pub(super) fn delete(&mut self, first_seq: u64) -> Result<(), CaptureError> {
        let wrap = self.wrap("delete a segment");
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                delete_row(&transaction, first_seq)?;
                transaction.commit()
            })
            .map_err(wrap)
    }

    /// The oldest segment.
    pub(super) fn oldest(&self) -> Result<Option<Row>, CaptureError> {
        self.row("SELECT first_seq, count, first_ms, last_ms, part_bytes FROM segment ORDER BY first_seq LIMIT 1")
    }

    /// The oldest segment that still has its parts.
    pub(super) fn oldest_with_parts(&self) -> Result<Option<Row>, CaptureError> {
        self.row(
            "SELECT first_seq, count, first_ms, last_ms, part_bytes FROM segment \
             WHERE part_bytes > 0 ORDER BY first_seq LIMIT 1",
        )
    }

    fn row(&self, sql: &str) -> Result<Option<Row>, CaptureError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([], read_row).optional())
            .map_err(self.wrap("find the oldest segment"))
    }

    /// Segments from `from_seq` on, oldest first.
    pub(super) fn rows_from(&self, from_seq: u64, most: usize) -> Result<Vec<Row>, CaptureError> {
        self.connection
            .prepare_cached(
                "SELECT first_seq, count, first_ms, last_ms, part_bytes FROM segment \
                 WHERE first_seq >= ? ORDER BY first_seq LIMIT ?",
            )
            .and_then(|mut statement| {
                let bounds = [from_seq.cast_signed(), most as i64];
                statement.query_map(bounds, read_row)?.collect()
            })
            .map_err(self.wrap("list segments"))
    }

    /// Appends all exchanges of a stored segment to `into`.
    pub(super) fn append(&self, row: &Row, into: &mut Segment) -> Result<(), CaptureError> {
        let damaged = || CaptureError::Damaged { path: self.path.clone(), segment: row.first_seq };
        let blob = |column: &str, table: &str| self.blob(column, table, row.first_seq);
        let lines = blob("data", "segment_lines")?.ok_or_else(damaged)?;
        let texts = blob("texts", "segment_lines")?.ok_or_else(damaged)?;
        let rids = blob("rids", "segment_lines")?.ok_or_else(damaged)?;
        let details = blob("data", "segment_details")?.ok_or_else(damaged)?;
        let details = Lines::read(&lines, row.count)
            .and_then(|lines| Details::read(row.first_seq, lines, [&texts, &rids], &details))
            .ok_or_else(damaged)?;
        let parts = match blob("data", "segment_parts")? {
            Some(blob) => Some(Parts::read(&blob, row.count).ok_or_else(damaged)?),
            None => None,
        };
        for nth in 0..row.count {
            let mut exchange = details.exchange(nth).ok_or_else(damaged)?;
            exchange.parts = parts.as_ref().map(|parts| parts.of(nth));
            into.push(&exchange)?;
        }
        Ok(())
    }

    /// One blob of a segment; `None` where it was deleted.
    fn blob(
        &self,
        column: &str,
        table: &str,
        first_seq: u64,
    ) -> Result<Option<Vec<u8>>, CaptureError> {
        self.connection
            .prepare_cached(&format!("SELECT {column} FROM {table} WHERE first_seq = ?"))
            .and_then(|mut statement| {
                statement.query_row([first_seq.cast_signed()], |row| row.get(0)).optional()
            })
            .map_err(self.wrap("read a segment"))
    }

    /// How many bytes of the file are in use, and how many are free pages.
    pub(super) fn used_and_free_bytes(&self) -> Result<(u64, u64), CaptureError> {
        let free = self.pragma("freelist_count")?;
        let all = self.pragma("page_count")?;
        Ok((all.saturating_sub(free) * self.page_bytes, free * self.page_bytes))
    }

    /// How many bytes the lines and details have, which outlive the parts.
    pub(super) fn part_bytes(&self) -> Result<u64, CaptureError> {
        let sum: i64 = self
            .connection
            .prepare_cached("SELECT ifnull(sum(part_bytes), 0) FROM segment WHERE part_bytes > 0")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(self.wrap("add up sizes"))?;
        Ok(sum.unsigned_abs())
    }

    /// Gives some free pages back to the file system.
    pub(super) fn shrink(&mut self) -> Result<(), CaptureError> {
        self.connection
            .execute_batch(&format!("PRAGMA incremental_vacuum({SHRINK_PAGES})"))
            .map_err(self.wrap("shrink the file"))
    }

    /// Length of the write-ahead log's file in bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        std::fs::metadata(log).map_or(0, |meta| meta.len())
    }

    /// Empties the write-ahead log; `false` when somebody still reads what stands in it. Does
    /// not wait for them.
    pub(super) fn empty_log(&mut self) -> Result<bool, CaptureError> {
        self.set_patience(Duration::ZERO)?;
        let busy: Result<i64, _> =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        self.set_patience(PATIENCE)?;
        Ok(busy.map_err(self.wrap("empty the log"))? == 0)
    }

    fn set_patience(&self, patience: Duration) -> Result<(), CaptureError> {
        self.connection.busy_timeout(patience).map_err(self.wrap("set a time limit"))
    }

    fn pragma(&self, name: &str) -> Result<u64, CaptureError> {
        let value: i64 = self
            .connection
            .prepare_cached(&format!("PRAGMA {name}"))
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(self.wrap("measure the file"))?;
        Ok(value.unsigned_abs())
    }

    /// A disk of this many pages, for tests of a full one.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u64) {
        self.connection.pragma_update(None, "max_page_count", pages.cast_signed()).unwrap();
    }
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        first_seq: row.get::<_, i64>(0)?.unsigned_abs(),
        count: row.get::<_, i64>(1)?.unsigned_abs() as usize,
        first_ms: row.get(2)?,
        last_ms: row.get(3)?,
        part_bytes: row.get::<_, i64>(4)?.unsigned_abs(),
    })
}

fn insert_row(connection: &Connection, sealed: &Sealed) -> rusqlite::Result<()> {
    let first = sealed.span.first_seq.cast_signed();
    let part_bytes = sealed.parts.as_ref().map_or(0, Vec::len) as i64;
    connection.prepare_cached("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
        params![
            first,
            sealed.span.last_seq.cast_signed(),
            sealed.count as i64,
            sealed.span.first_ms,
            sealed.span.last_ms,
            sealed.span.first_id.to_bytes(),
            sealed.span.last_id.to_bytes(),
            part_bytes,
        ],
    )?;
    let blob = |table: &str, data: &[u8]| {
        connection
            .prepare_cached(&format!("INSERT INTO {table} VALUES (?, ?)"))?
            .execute(params![first, data])
    };
    connection
        .prepare_cached("INSERT INTO segment_lines VALUES (?, ?, ?, ?)")?
        .execute(params![first, sealed.lines, sealed.texts, sealed.rids])?;
    blob("segment_details", &sealed.details)?;
    if let Some(parts) = &sealed.parts {
        blob("segment_parts", parts)?;
    }
    Ok(())
}

fn delete_row(connection: &Connection, first_seq: u64) -> rusqlite::Result<()> {
    for table in ["segment", "segment_lines", "segment_details", "segment_parts"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE first_seq = ?"))?
            .execute([first_seq.cast_signed()])?;
    }
    Ok(())
}

/// The tables of `capture.db`, one statement batch a version. Append only.
const SCHEMA: &[&str] = &["
    -- A run of exchanges, see segment.rs. `first_seq` names it in the other tables.
    CREATE TABLE segment (
        first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, count INTEGER NOT NULL,
        first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        first_id BLOB NOT NULL, last_id BLOB NOT NULL, part_bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX segment_with_parts ON segment (first_seq, part_bytes) WHERE part_bytes > 0;
    CREATE TABLE segment_lines (
        first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL, texts BLOB NOT NULL, rids BLOB NOT NULL
    ) STRICT;
    CREATE TABLE segment_details (first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
    CREATE TABLE segment_parts (first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
"];

/// How long a write waits for another process that holds the file, before it says so.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pages that one step of shrinking gives back: a few milliseconds of work.
const SHRINK_PAGES: u64 = 256;
