//! Judges a filter on the packed lines of segments.

use rusqlite::params;

use super::Reader;
use crate::{
    base::{outcome::Outcome, permission::Lane},
    capture::{
        error::CaptureError,
        filter::{Bodies, Column, Filter, Subject, TextField, TextTest},
        line::{Flags, Line},
        text_table::read_texts,
        unpacked::{Lines, Parts},
    },
};

/// Which way through time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    NewestFirst,
    OldestFirst,
}

/// What a look at some segments found.
pub(super) struct Group {
    pub(super) hits: Vec<Hits>,
    /// Where to go on; `None` at the end.
    pub(super) next: Option<u64>,
}

/// Exchanges of one segment that pass, in the wanted direction.
pub(super) struct Hits {
    pub(super) first_seq: u64,
    /// Of the whole segment.
    pub(super) count: usize,
    /// Their places in the segment.
    pub(super) found: Vec<usize>,
}

/// A row of segment and lines, as it lies in SQLite's memory.
pub(super) struct StoredLines<'a> {
    pub(super) first_seq: u64,
    last_seq: u64,
    count: usize,
    lines: &'a [u8],
    /// Empty when the filter does not ask for any.
    texts: &'a [u8],
    /// The same for bare words.
    rids: &'a [u8],
}

impl<'a> StoredLines<'a> {
    pub(super) fn read(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first_seq: row.get::<_, i64>(0)?.unsigned_abs(),
            last_seq: row.get::<_, i64>(1)?.unsigned_abs(),
            count: row.get::<_, i64>(2)?.unsigned_abs() as usize,
            lines: row.get_ref(3)?.as_blob()?,
            texts: row.get_ref(4)?.as_blob_or_null()?.unwrap_or_default(),
            rids: row.get_ref(5)?.as_blob_or_null()?.unwrap_or_default(),
        })
    }

    /// `None` when the blob is damaged.
    pub(super) fn lines(&self) -> Option<Lines<'a>> {
        Lines::read(self.lines, self.count)
    }

    fn seq(&self, line: &Line) -> u64 {
        self.first_seq + u64::from(line.seq_offset)
    }

    pub(super) fn hits(&self, found: Vec<usize>) -> Hits {
        Hits { first_seq: self.first_seq, count: self.count, found }
    }
}

impl Reader {
    /// Looks through up to [`GROUP_SEGMENTS`] segments, or until `wanted` exchanges are found.
    /// The newest first: of those stored before `cursor`; else of those from `cursor` on.
    pub(super) fn group(
        &self,
        filter: &Filter,
        cursor: u64,
        direction: Direction,
        wanted: usize,
    ) -> Result<Group, CaptureError> {
        let sql = match direction {
            Direction::NewestFirst => NEWEST_FIRST,
            Direction::OldestFirst => OLDEST_FIRST,
        };
        let mut statement = self.connection.prepare_cached(sql).map_err(self.wrap())?;
        let (from_ms, to_ms) = filter.time_bounds();
        let asks_texts = !filter.texts().is_empty();
        let asks_rids = filter.texts().iter().any(|test| test.field == TextField::Word);
        let bounds =
            params![cursor.cast_signed(), from_ms, to_ms, GROUP_SEGMENTS, asks_texts, asks_rids];
        let mut rows = statement.query(bounds).map_err(self.wrap())?;
        let mut group = Group { hits: Vec::new(), next: None };
        let mut count = 0;
        while let Some(row) = rows.next().map_err(self.wrap())? {
            let stored = StoredLines::read(row).map_err(self.wrap())?;
            let found = self.scan(filter, &stored, cursor, direction, wanted - count)?;
            group.next = Some(match direction {
                Direction::NewestFirst => stored.first_seq,
                Direction::OldestFirst => stored.last_seq.saturating_add(1),
            });
            count += found.len();
            if !found.is_empty() {
                group.hits.push(stored.hits(found));
            }
            if count >= wanted {
                break;
            }
        }
        Ok(group)
    }

    /// The places of those that pass in one segment, at most `wanted`.
    fn scan(
        &self,
        filter: &Filter,
        stored: &StoredLines<'_>,
        cursor: u64,
        direction: Direction,
        wanted: usize,
    ) -> Result<Vec<usize>, CaptureError> {
        let damaged = || self.damaged(stored.first_seq);
        let lines = stored.lines().ok_or_else(damaged)?;
        let answers = Answers {
            texts: answers(filter, &read_texts(stored.texts).ok_or_else(damaged)?),
            rids: answers(filter, &read_texts(stored.rids).ok_or_else(damaged)?),
        };
        let mut bodies = SegmentBodies { reader: self, stored, parts: None };
        let mut found = Vec::new();
        for step in 0..lines.len() {
            let (nth, is_near) = match direction {
                Direction::NewestFirst => (lines.len() - 1 - step, u64::lt as fn(&u64, &u64) -> _),
                Direction::OldestFirst => (step, u64::ge as fn(&u64, &u64) -> bool),
            };
            let line = lines.line(nth).ok_or_else(damaged)?;
            let seq = stored.seq(&line);
            if !is_near(&seq, &cursor) {
                continue;
            }
            let mut asked = Asked { line, answers: &answers, bodies: Bodies::Elsewhere };
            let passes = match filter.judge(&asked) {
                Some(passes) => passes,
                None => {
                    asked.bodies = bodies.of(nth)?;
                    filter.judge(&asked) == Some(true)
                }
            };
            if passes {
                found.push(nth);
            }
            if found.len() >= wanted {
                break;
            }
        }
        Ok(found)
    }
}

/// The bodies of one segment, unpacked when the first of them is asked for.
struct SegmentBodies<'a> {
    reader: &'a Reader,
    stored: &'a StoredLines<'a>,
    parts: Option<Option<Parts>>,
}

impl SegmentBodies<'_> {
    fn of(&mut self, nth: usize) -> Result<Bodies<'_>, CaptureError> {
        if self.parts.is_none() {
            self.parts = Some(self.reader.parts(self.stored.first_seq, self.stored.count)?);
        }
        Ok(match &self.parts {
            Some(Some(parts)) => Bodies::Here(parts.bodies(nth)),
            Some(None) | None => Bodies::Gone,
        })
    }
}

/// Which texts and rids fit which test.
struct Answers {
    texts: Vec<Vec<bool>>,
    rids: Vec<Vec<bool>>,
}

/// For each text test of the filter, which of the segment's texts fit: each text is looked at
/// once, however many lines share it.
fn answers(filter: &Filter, texts: &[&str]) -> Vec<Vec<bool>> {
    let fitting = |test: &TextTest| {
        // Number 0 is no text at all.
        let texts = texts.iter().skip(1).map(|text| test.fits(text));
        std::iter::once(false).chain(texts).collect()
    };
    filter.texts().iter().map(fitting).collect()
}

/// A line as the subject of a filter.
struct Asked<'a> {
    line: Line,
    answers: &'a Answers,
    bodies: Bodies<'a>,
}

impl Subject for Asked<'_> {
    fn text(&self, nth: usize, test: &TextTest) -> bool {
        let answer = |answers: &[Vec<bool>], text: u16| {
            answers.get(nth).and_then(|fit| fit.get(usize::from(text))).copied().unwrap_or(false)
        };
        let fits = |text| answer(&self.answers.texts, text);
        let texts = &self.line.texts;
        match test.field {
            TextField::Word => {
                fits(texts.path)
                    || fits(texts.call)
                    || answer(&self.answers.rids, texts.rid)
                    || test.fits_id(self.line.id)
            }
            TextField::Key => fits(texts.key),
            TextField::Account => fits(texts.account),
            TextField::Path => fits(texts.path),
            TextField::Method => fits(texts.method),
        }
    }

    fn number(&self, column: Column) -> Option<i64> {
        match column {
            Column::Status => self.line.status.map(i64::from),
            Column::Errcode => self.line.errcode,
            Column::SizeBytes => Some(i64::try_from(self.line.size).unwrap_or(i64::MAX)),
            Column::DurationUs => Some(i64::from(self.line.duration_us)),
            Column::TimeMs => Some(self.line.time_ms),
        }
    }

    fn outcome(&self) -> Outcome {
        self.line.outcome
    }

    fn lane(&self) -> Option<Lane> {
        self.line.lane
    }

    fn flags(&self) -> Flags {
        self.line.flags
    }

    fn bodies(&self) -> Bodies<'_> {
        self.bodies
    }
}

const NEWEST_FIRST: &str = "SELECT first_seq, last_seq, count, data, CASE WHEN ?5 THEN texts END, CASE WHEN ?6 THEN rids END \
    FROM segment JOIN segment_lines USING (first_seq) \
    WHERE first_seq < ?1 AND last_ms >= ?2 AND first_ms <= ?3 ORDER BY first_seq DESC LIMIT ?4";

const OLDEST_FIRST: &str = "SELECT first_seq, last_seq, count, data, CASE WHEN ?5 THEN texts END, CASE WHEN ?6 THEN rids END \
    FROM segment JOIN segment_lines USING (first_seq) \
    WHERE last_seq >= ?1 AND last_ms >= ?2 AND first_ms <= ?3 ORDER BY first_seq LIMIT ?4";

/// Segments that one statement looks through: some milliseconds.
const GROUP_SEGMENTS: i64 = 32;
