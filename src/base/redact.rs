//! Removes live secrets from text and bytes, by value and by shape, keeping the length.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, Guard};

use super::{
    redact_forms::forms, redact_known::Known, redact_matcher::FORM_LEAST_BYTES, secret::Secret,
};

/// Knows every live secret. Shared; a change is in force for the next scan.
///
/// Secrets are found raw, in hex, in base64 at any offset and in both alphabets, and in their
/// percent and JSON spelling. The shapes of keys, surrogates and handles (`wxgk_…`, `wxgt_…`,
/// `wxgr_…`) are found without being known.
pub struct Redactor {
    live: Mutex<Live>,
    known: ArcSwap<Known>,
}

#[derive(Default)]
struct Live {
    slots: HashMap<String, VecDeque<Secret>>,
    /// How many there are in all slots.
    count: usize,
    /// Those that came since the large table was made.
    latest: Vec<Secret>,
}

impl Redactor {
    /// Knows only the shapes.
    #[must_use]
    pub fn new() -> Self {
        Self { live: Mutex::default(), known: ArcSwap::from_pointee(Known::all(Vec::new())) }
    }

    /// Protects `secret` from now on, and the last few secrets of the same `slot` (for instance
    /// `shop/token`) too, because an answer may still echo a token that was just replaced.
    pub fn protect(&self, slot: &str, secret: &Secret) {
        if secret.expose().len() < FORM_LEAST_BYTES {
            // Too short to be found without hiding half of every text.
            return;
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let values = live.slots.entry(slot.to_owned()).or_default();
        if values.iter().any(|known| known.matches(secret.expose().as_bytes())) {
            return;
        }
        // One that is let go may be masked a little longer, until the large table is made anew.
        let makes_room = values.len() == KEPT_PER_SLOT;
        if makes_room {
            values.pop_front();
        }
        values.push_back(secret.clone());
        live.count += usize::from(!makes_room);
        live.latest.push(secret.clone());
        if live.is_large_table_due() {
            self.rebuild(&mut live);
        } else {
            let latest = live.latest.iter().flat_map(|secret| forms(secret.expose())).collect();
            self.known.store(Arc::new(self.known.load().with_latest(latest)));
        }
    }

    /// Stops protecting the secrets of a slot whose account is gone.
    pub fn forget(&self, slot: &str) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gone) = live.slots.remove(slot) {
            live.count -= gone.len();
            self.rebuild(&mut live);
        }
    }

    fn rebuild(&self, live: &mut Live) {
        live.latest.clear();
        let secrets = live.slots.values().flatten();
        let all = secrets.flat_map(|secret| forms(secret.expose())).collect();
        self.known.store(Arc::new(Known::all(all)));
    }

    /// `text` with every secret masked.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Masks are ASCII and cover whole matches of ASCII needles.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// What is known at this moment, for several texts in a row.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.known.load())
    }

    /// `bytes` with every secret masked.
    #[must_use]
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        mask(bytes, &self.known.load().find(bytes))
    }

    /// Where secrets stand in `bytes`, in order.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.known.load().find(bytes)
    }

    /// How many bytes at the end of `bytes` may be the beginning of a secret: a stream holds
    /// that many back until more has come.
    #[must_use]
    pub fn undecided(&self, bytes: &[u8]) -> usize {
        self.known.load().begun_at_end(bytes).map_or(0, |begin| bytes.len() - begin)
    }
}

impl Live {
    /// With some thousand secrets a table takes tens of milliseconds to make, and each account
    /// brings some and renews them. So new ones go into a small table first; both are made
    /// seldom enough when the small one holds about the square root of all.
    fn is_large_table_due(&self) -> bool {
        self.count <= ONE_TABLE || self.latest.len().pow(2) > 2 * self.count
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(..)")
    }
}

/// The secrets of one moment. Not to be kept over an `await`: a secret may come meanwhile.
pub struct Snapshot(Guard<Arc<Known>>);

impl Snapshot {
    /// `bytes` with every secret masked.
    #[must_use]
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        mask(bytes, &self.0.find(bytes))
    }
}

/// What stands in place of a secret's characters.
pub const MASK: u8 = b'*';

fn mask<'a>(bytes: &'a [u8], found: &[Range<usize>]) -> Cow<'a, [u8]> {
    if found.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let mut masked = bytes.to_vec();
    for range in found {
        masked[range.clone()].fill(MASK);
    }
    Cow::Owned(masked)
}

/// Up to this many secrets one table is cheap to make, and cheaper to search than two.
const ONE_TABLE: usize = 64;

/// A token stays valid for some minutes after it was replaced, so a few are remembered.
const KEPT_PER_SLOT: usize = 8;

#[cfg(test)]
#[path = "redact_test.rs"]
mod tests;
