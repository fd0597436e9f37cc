//! All secrets that are searched for, in one table or two, and the escapes in front of them.

use std::{ops::Range, sync::Arc};

use super::{
    redact_alphabet::Alphabet,
    redact_escapes::{Escape, View},
    redact_forms::Form,
    redact_matcher::Matcher,
    redact_shapes,
};

/// Nearly all in one table, and beside it a small one of those that came last.
pub(super) struct Known {
    most: Arc<Matcher>,
    latest: Option<Matcher>,
    /// What a spelling or a shape may consist of.
    alphabet: Alphabet,
    shortest: usize,
    longest: usize,
}

impl Known {
    /// One table of all spellings.
    pub(super) fn all(forms: Vec<Form>) -> Self {
        Self::of(Arc::new(Matcher::new(forms)), None)
    }

    /// The same large table, another small one.
    pub(super) fn with_latest(&self, forms: Vec<Form>) -> Self {
        Self::of(Arc::clone(&self.most), Some(Matcher::new(forms)))
    }

    fn of(most: Arc<Matcher>, latest: Option<Matcher>) -> Self {
        let tables = || [Some(&*most), latest.as_ref()].into_iter().flatten();
        let mut alphabet = Alphabet::of((0..=u8::MAX).filter(|b| redact_shapes::is_shape_byte(*b)));
        tables().for_each(|table| alphabet.join(table.alphabet()));
        let shortest = tables().map(Matcher::shortest).min().unwrap_or(usize::MAX);
        let longest = tables().map(Matcher::longest).max().unwrap_or(0);
        Self {
            alphabet,
            shortest: shortest.min(redact_shapes::LEAST_BYTES),
            longest: longest.max(redact_shapes::MOST_BYTES),
            most,
            latest,
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Matcher> {
        [Some(&*self.most), self.latest.as_ref()].into_iter().flatten()
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
        let mut found = Vec::new();
        self.find_at(bytes, LEVELS, &mut found);
        in_order(found)
    }

    /// The same without escapes and shapes.
    pub(super) fn find_plain(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.tables().for_each(|table| table.find(bytes, false, &mut found));
        in_order(found)
    }

    /// One way through the text for shapes and escapes, and one for each table.
    ///
    /// An escape that says a quote, a line break or a character of Chinese is in no secret, so
    /// almost all texts with escapes are passed over from one to the next. Around any other the
    /// run of bytes that may be a secret is read, and what it says is searched like a text.
    fn find_at(&self, bytes: &[u8], levels: usize, found: &mut Vec<Range<usize>>) {
        self.tables().for_each(|table| table.find(bytes, false, found));
        let (mut shape_end, mut read) = (0, 0);
        for at in memchr::memchr3_iter(b'x', b'%', b'\\', bytes) {
            if bytes.get(at) == Some(&b'x') {
                // One inside of the one before is part of it: each byte is looked at once.
                if at > shape_end
                    && let Some(shape) = redact_shapes::around(bytes, at)
                {
                    shape_end = shape.end;
                    found.push(shape);
                }
            } else if at >= read
                && let Escape::Of { says, length } = Escape::at(bytes, at)
            {
                read = match levels.checked_sub(1) {
                    Some(levels) if self.goes_on(says) => {
                        self.find_escaped(bytes, read..at, levels, found)
                    }
                    _ => at + length,
                };
            }
        }
    }

    /// Searches what the run says that holds the escape behind `before`; tells where it ends.
    fn find_escaped(
        &self,
        bytes: &[u8],
        before: Range<usize>,
        levels: usize,
        found: &mut Vec<Range<usize>>,
    ) -> usize {
        let begin = before.end - self.run_at_end(bytes.get(before.clone()).unwrap_or_default());
        let view = View::read(bytes, begin, |byte| self.goes_on(byte));
        if view.bytes.len() >= self.shortest {
            let known = found.len();
            self.find_at(&view.bytes, levels, found);
            found.iter_mut().skip(known).for_each(|range| *range = view.in_text(range));
        }
        view.end
    }

    /// Whether a secret may go on with this byte, or with the escape that it may begin.
    fn goes_on(&self, byte: u8) -> bool {
        self.alphabet.has(byte) || matches!(byte, b'%' | b'\\')
    }

    /// Whether a secret stands in `name`, in whatever letter case.
    pub(super) fn is_in_name(&self, name: &[u8]) -> bool {
        let mut found = Vec::new();
        self.tables().for_each(|table| table.find(name, true, &mut found));
        !found.is_empty()
    }

    /// Where the earliest secret begins that runs beyond the end of `bytes`.
    pub(super) fn begun_at_end(&self, bytes: &[u8]) -> Option<usize> {
        self.begun_at(bytes, LEVELS)
    }

    fn begun_at(&self, bytes: &[u8], levels: usize) -> Option<usize> {
        // Most texts end with a quote or a brace, which is in no secret.
        let plain = self.run_before(bytes, bytes.len(), self.longest);
        let tail = bytes.get(plain..)?;
        let of_tables = self.tables().filter_map(|table| table.begun_at_end(tail)).min();
        let begun = of_tables.into_iter().chain(redact_shapes::begun_at_end(tail)).min();
        let begun = begun.map(|at| plain + at);
        let Some(levels) = levels.checked_sub(1) else { return begun };
        begun.into_iter().chain(self.begun_escaped(bytes, plain, levels)).min()
    }

    /// The same for spellings with escapes, which are longer.
    fn begun_escaped(&self, bytes: &[u8], plain: usize, levels: usize) -> Option<usize> {
        let most = self.longest.saturating_mul(ESCAPE_MOST_BYTES);
        let is_longer = bytes.len() - plain >= self.longest;
        let floor = bytes.len().saturating_sub(most);
        let within = bytes.get(if is_longer { floor } else { plain }..)?;
        memchr::memrchr2(b'%', b'\\', within)?;
        let begin = if is_longer { self.run_before(bytes, plain, most) } else { plain };
        let view = View::read(bytes, begin, |_| true);
        let begun = self.begun_at(&view.bytes, levels).map(|at| view.place(at));
        begun.or_else(|| view.is_cut.then_some(view.end))
    }

    /// Where the bytes before `end` begin that may all be of one secret; at most the last `most`
    /// of all bytes are looked at.
    fn run_before(&self, bytes: &[u8], end: usize, most: usize) -> usize {
        let floor = bytes.len().saturating_sub(most).min(end);
        end - self.run_at_end(bytes.get(floor..end).unwrap_or_default())
    }

    /// How many bytes at the end may all be of one secret.
    fn run_at_end(&self, bytes: &[u8]) -> usize {
        bytes.iter().rev().take_while(|byte| self.goes_on(**byte)).count()
    }
}

/// One secret may stand in both tables, or be found once more behind an escape.
fn in_order(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    if found.len() > 1 {
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found.dedup();
    }
    found
}

/// So often what escapes say is read as a text with escapes: a URL in a JSON string in a JSON
/// string has three, and a log of JSON lines adds one.
const LEVELS: usize = 4;

/// A stream waits for a secret with so many bytes for each of its own: a JSON escape that is
/// escaped once more as a whole has 32. Longer ones are found only where they are whole.
const ESCAPE_MOST_BYTES: usize = 32;
