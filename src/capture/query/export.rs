//! Walks through everything that passes a filter, oldest first.

use super::{Depth, Reader, scan::Direction};
use crate::capture::{error::CaptureError, filter::Filter, stored::StoredExchange};

/// An iterator over stored exchanges that holds one segment's worth of them in memory.
///
/// It ends after the first error.
pub struct Export<'a> {
    reader: &'a Reader,
    filter: &'a Filter,
    cursor: Option<u64>,
    loaded: std::vec::IntoIter<StoredExchange>,
}

impl<'a> Export<'a> {
    pub(super) fn new(reader: &'a Reader, filter: &'a Filter, from_seq: u64) -> Self {
        let loaded = Vec::new().into_iter();
        Self { reader, filter, cursor: Some(from_seq), loaded }
    }

    /// Loads the hits of the next segment that has any.
    fn load(&mut self, cursor: u64) -> Result<(), CaptureError> {
        let _snapshot = self.reader.snapshot()?;
        // The group ends with the first segment that holds a hit.
        let group = self.reader.group(self.filter, cursor, Direction::OldestFirst, WANTED)?;
        self.cursor = group.next;
        let mut loaded = Vec::new();
        for hits in &group.hits {
            loaded.extend(self.reader.load(hits, Depth::Whole)?);
        }
        if let Some(last) = loaded.last().filter(|_| loaded.len() >= WANTED) {
            self.cursor = Some(last.seq.saturating_add(1));
        }
        self.loaded = loaded.into_iter();
        Ok(())
    }
}

impl Iterator for Export<'_> {
    type Item = Result<StoredExchange, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(exchange) = self.loaded.next() {
                return Some(Ok(exchange));
            }
            let cursor = self.cursor?;
            if let Err(error) = self.load(cursor) {
                self.cursor = None;
                return Some(Err(error));
            }
        }
    }
}

/// Exchanges that are loaded at a time; each may have two bodies of `body_cap` bytes.
const WANTED: usize = 128;
