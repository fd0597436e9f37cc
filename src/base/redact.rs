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
/// Secrets are found raw, in hex of either letter case, in base64 at any offset and in both
/// alphabets; any of these also behind percent and JSON escapes, up to three deep. The shapes of
/// keys, surrogates and handles (`wxgk_…`, `wxgt_…`, `wxgr_…`) are found without being known.
///
/// It is one search over all secrets at once, for answers, records and log alike, but no
/// automaton by the book: one that looks at each byte takes ten times as long. And it has two
/// tables, because a change would else make anew what a thousand accounts have, 26 ms each time;
/// up to 64 secrets it has one. docs/PERFORMANCE.md, 4.1, has the figures.
pub struct Redactor {
    live: Mutex<Live>,
    known: ArcSwap<Known>,
}

#[derive(Default)]
struct Live {
    slots: HashMap<String, VecDeque<Secret>>,
    /// Those of accounts that are gone, the latest last.
    retired: VecDeque<Secret>,
    /// How many there are in all slots, and retired.
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
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if !live.take_in(slot, secret) {
            return;
        }
        if live.is_large_table_due() {
            self.rebuild(&mut live);
        } else {
            let latest = live.latest.iter().flat_map(|secret| forms(secret.expose())).collect();
            self.known.store(Arc::new(self.known.load().with_latest(latest)));
        }
    }

    /// The same for many at once: the table is made once for all of them.
    pub fn protect_all(&self, secrets: impl IntoIterator<Item = (String, Secret)>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        for (slot, secret) in secrets {
            is_new |= live.take_in(&slot, &secret);
        }
        if is_new {
            self.rebuild(&mut live);
        }
    }

    /// Takes note that an account is gone, with all slots whose names begin with `owner/`. Its
    /// secrets stay protected, because the platform still takes them and answers that are under
    /// way may echo them; only when many more have gone they are let go.
    pub fn retire(&self, owner: &str) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let Live { slots, retired, count, .. } = &mut *live;
        let is_gone =
            |slot: &str| slot.strip_prefix(owner).is_some_and(|rest| rest.starts_with('/'));
        retired.extend(slots.extract_if(|slot, _| is_gone(slot)).flat_map(|(_, values)| values));
        let too_many = retired.len().saturating_sub(RETIRED_MOST);
        if too_many > 0 {
            retired.drain(..too_many);
            *count -= too_many;
            self.rebuild(&mut live);
        }
    }

    fn rebuild(&self, live: &mut Live) {
        live.latest.clear();
        let secrets = live.slots.values().flatten().chain(&live.retired);
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
        self.snapshot().undecided(bytes)
    }
}

impl Live {
    /// Notes a secret of a slot. False if it was known already, or is too short to be one.
    fn take_in(&mut self, slot: &str, secret: &Secret) -> bool {
        if secret.expose().len() < FORM_LEAST_BYTES {
            // No platform has one so short, and half of every text would be hidden.
            return false;
        }
        let values = self.slots.entry(slot.to_owned()).or_default();
        let known = values.iter().position(|known| known.matches(secret.expose().as_bytes()));
        if let Some(known) = known {
            // It is in use again, so it is not the next to be let go.
            let again = values.remove(known);
            values.extend(again);
            return false;
        }
        // One that is let go may be masked a little longer, until the large table is made anew.
        let makes_room = values.len() == KEPT_PER_SLOT;
        if makes_room {
            values.pop_front();
        }
        values.push_back(secret.clone());
        self.count += usize::from(!makes_room);
        self.latest.push(secret.clone());
        true
    }

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
    /// As [`Redactor::bytes`].
    #[must_use]
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        mask(bytes, &self.0.find(bytes))
    }

    /// As [`Redactor::find`].
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.0.find(bytes)
    }

    /// The same without what only texts have: escapes, and the shapes of our own credentials.
    #[must_use]
    pub fn find_in_picture(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.0.find_plain(bytes)
    }

    /// As [`Redactor::undecided`].
    #[must_use]
    pub fn undecided(&self, bytes: &[u8]) -> usize {
        self.0.begun_at_end(bytes).map_or(0, |begin| bytes.len() - begin)
    }

    /// Whether a secret stands in the name of a header, whose letter case is lost.
    #[must_use]
    pub fn is_in_name(&self, name: &str) -> bool {
        self.0.is_in_name(name.as_bytes())
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

/// A token that was replaced before its end stays valid for five minutes, and there is one such
/// in a token's life; others were replaced because they were dead. So a few are remembered.
const KEPT_PER_SLOT: usize = 8;

/// Secrets of accounts that are gone: those of some thirty.
const RETIRED_MOST: usize = 256;

#[cfg(test)]
#[path = "redact_test.rs"]
mod tests;

#[cfg(test)]
#[path = "redact_property.rs"]
mod property;
