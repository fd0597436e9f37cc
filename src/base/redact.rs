//! Removes live secrets from text and bytes, by value and by shape, keeping the length.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use aho_corasick::{AhoCorasick, MatchKind};
use arc_swap::ArcSwap;

use super::{redact_forms::forms, secret::Secret};

/// Knows every live secret. Shared; a change is in force for the next scan.
///
/// Secrets are found raw, in hex, in base64 at any offset and in both alphabets, and in their
/// percent and JSON spelling. The shapes of keys, surrogates and handles (`wxgk_…`, `wxgt_…`,
/// `wxgr_…`) are found without being known.
pub struct Redactor {
    live: Mutex<HashMap<String, VecDeque<Secret>>>,
    matcher: ArcSwap<Matcher>,
}

impl Redactor {
    /// Knows only the shapes.
    #[must_use]
    pub fn new() -> Self {
        Self { live: Mutex::default(), matcher: ArcSwap::from_pointee(Matcher::new(Vec::new())) }
    }

    /// Protects `secret` from now on, and the last few secrets of the same `slot` (for instance
    /// `shop/token`) too, because an answer may still echo a token that was just replaced.
    pub fn protect(&self, slot: &str, secret: &Secret) {
        if secret.expose().len() < NEEDLE_BYTES {
            // Too short to be found without hiding half of every text.
            return;
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let values = live.entry(slot.to_owned()).or_default();
        if values.iter().any(|known| known.matches(secret.expose().as_bytes())) {
            return;
        }
        if values.len() == KEPT_PER_SLOT {
            values.pop_front();
        }
        values.push_back(secret.clone());
        self.rebuild(&live);
    }

    /// Stops protecting the secrets of a slot whose account is gone.
    pub fn forget(&self, slot: &str) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.remove(slot).is_some() {
            self.rebuild(&live);
        }
    }

    fn rebuild(&self, live: &HashMap<String, VecDeque<Secret>>) {
        let mut all: Vec<Vec<u8>> =
            live.values().flatten().flat_map(|s| forms(s.expose())).collect();
        all.sort_unstable();
        all.dedup();
        let matcher = Matcher::new(all);
        if matcher.starts.is_none() {
            // Cannot happen with needles of twelve bytes; if it does, the old one still knows most.
            tracing::error!(
                "the redactor cannot be rebuilt; the newest secrets are not known to it"
            );
            return;
        }
        self.matcher.store(Arc::new(matcher));
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

    /// `bytes` with every secret masked.
    #[must_use]
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        mask(bytes, &self.matcher.load().find(bytes))
    }

    /// Like [`Redactor::bytes`], for bytes that were cut off at their end: the beginning of a
    /// secret that was cut in two is masked as well.
    #[must_use]
    pub fn cut_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let matcher = self.matcher.load();
        let mut found = matcher.find(bytes);
        if let Some(begun) = matcher.begun_at_end(bytes, BEGUN_BYTES) {
            found.push(begun..bytes.len());
        }
        mask(bytes, &found)
    }

    /// Where secrets stand in `bytes`, in order.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.matcher.load().find(bytes)
    }

    /// How many bytes at the end of `bytes` may be the beginning of a secret: a stream holds
    /// that many back until more has come.
    #[must_use]
    pub fn undecided(&self, bytes: &[u8]) -> usize {
        self.matcher.load().begun_at_end(bytes, 1).map_or(0, |begin| bytes.len() - begin)
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

/// What stands in place of a secret's characters.
pub const MASK: u8 = b'*';

/// The forms of all live secrets, and an automaton that finds where one may begin.
///
/// The automaton knows only the first bytes of each form, which keeps it small with thousands
/// of secrets; the rest is compared.
struct Matcher {
    starts: Option<AhoCorasick>,
    forms: Vec<Vec<u8>>,
    longest: usize,
}

impl Matcher {
    fn new(forms: Vec<Vec<u8>>) -> Self {
        let needles = SHAPES
            .iter()
            .copied()
            .chain(forms.iter().map(|form| &form[..NEEDLE_BYTES.min(form.len())]));
        let starts = AhoCorasick::builder().match_kind(MatchKind::Standard).build(needles).ok();
        let longest = forms.iter().map(Vec::len).max().unwrap_or(0).max(SHAPE_MOST_BYTES);
        Self { starts, forms, longest }
    }

    fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let Some(starts) = &self.starts else { return found };
        // A shape inside of the one before is part of it: each byte is looked at once.
        let mut shape_end = 0;
        for hit in starts.find_overlapping_iter(bytes) {
            let pattern = hit.pattern().as_usize();
            let range = match pattern.checked_sub(SHAPES.len()) {
                None if hit.end() < shape_end => None,
                None => shape_at(bytes, hit.end()).inspect(|range| shape_end = range.end),
                Some(form) => self.form_at(form, bytes, hit.start()),
            };
            found.extend(range);
        }
        found
    }

    fn form_at(&self, form: usize, bytes: &[u8], start: usize) -> Option<Range<usize>> {
        let form = self.forms.get(form)?;
        bytes.get(start..)?.starts_with(form).then(|| start..start + form.len())
    }

    /// Where the earliest secret begins that runs beyond the end of `bytes`, with at least
    /// `least_bytes` of it there.
    fn begun_at_end(&self, bytes: &[u8], least_bytes: usize) -> Option<usize> {
        let earliest = bytes.len().saturating_sub(self.longest);
        (earliest..bytes.len())
            .filter(|start| bytes.len() - start >= least_bytes)
            .find(|start| self.begins_form(&bytes[*start..]) || begins_shape(&bytes[*start..]))
    }

    /// Whether a form begins with `rest` and goes on. The forms are sorted, so those that begin
    /// with it stand together, right behind those that are smaller.
    fn begins_form(&self, rest: &[u8]) -> bool {
        let first = self.forms.partition_point(|form| form.as_slice() <= rest);
        self.forms.get(first).is_some_and(|form| form.starts_with(rest))
    }
}

/// Whether a key, surrogate or handle begins with `rest` and may go on.
fn begins_shape(rest: &[u8]) -> bool {
    SHAPES.iter().any(|shape| match rest.strip_prefix(*shape) {
        Some(body) => {
            rest.len() <= SHAPE_MOST_BYTES && body.iter().all(|byte| is_shape_byte(*byte))
        }
        None => shape.starts_with(rest),
    })
}

fn shape_at(bytes: &[u8], body_start: usize) -> Option<Range<usize>> {
    let length = bytes[body_start..]
        .iter()
        .take(SHAPE_MOST_BYTES)
        .take_while(|byte| is_shape_byte(**byte))
        .count();
    (length >= SHAPE_LEAST_BYTES).then(|| body_start..body_start + length)
}

fn is_shape_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

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

/// What keys, surrogates and handles begin with. The prefix itself stays readable.
const SHAPES: [&[u8]; 3] = [b"wxgk_", b"wxgt_", b"wxgr_"];

/// Shorter than this behind a prefix is a word in a text, not a credential.
const SHAPE_LEAST_BYTES: usize = 8;

/// The longest surrogate.
const SHAPE_MOST_BYTES: usize = 520;

/// How much of each form the automaton knows, and the shortest secret that is protected.
const NEEDLE_BYTES: usize = 12;

/// Fewer bytes of a secret than this at a cut are no loss.
const BEGUN_BYTES: usize = 4;

/// A token stays valid for some minutes after it was replaced, so a few are remembered.
const KEPT_PER_SLOT: usize = 8;
