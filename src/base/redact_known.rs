//! All secrets that are searched for, in one table or two.

use std::{ops::Range, sync::Arc};

use super::redact_matcher::Matcher;

/// Nearly all in one table, and beside it a small one of those that came last.
pub(super) struct Known {
    most: Arc<Matcher>,
    latest: Option<Matcher>,
}

impl Known {
    /// One table of all spellings.
    pub(super) fn all(forms: Vec<Vec<u8>>) -> Self {
        Self { most: Arc::new(Matcher::new(forms)), latest: None }
    }

    /// The same large table, another small one.
    pub(super) fn with_latest(&self, forms: Vec<Vec<u8>>) -> Self {
        Self { most: Arc::clone(&self.most), latest: Some(Matcher::new(forms)) }
    }

    #[cfg(test)]
    pub(super) fn has_two_tables(&self) -> bool {
        self.latest.is_some()
    }

    #[cfg(test)]
    pub(super) fn shares_large_table(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.most, &other.most)
    }

    /// Where secrets stand in `bytes`, in order.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = self.most.find(bytes);
        if let Some(latest) = &self.latest {
            let before = found.len();
            latest.find_forms(bytes, &mut found);
            if found.len() > before {
                found.sort_unstable_by_key(|range| (range.start, range.end));
                // One secret may stand in both, for two accounts or once more for the same.
                found.dedup();
            }
        }
        found
    }

    /// Where the earliest secret begins that runs beyond the end of `bytes`.
    pub(super) fn begun_at_end(&self, bytes: &[u8]) -> Option<usize> {
        let of_latest = self.latest.as_ref().and_then(|latest| latest.begun_at_end(bytes));
        self.most.begun_at_end(bytes).into_iter().chain(of_latest).min()
    }
}
