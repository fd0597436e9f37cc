//! Finds the spellings of secrets in bytes, however many there are.
//!
//! Every answer, header and recorded body passes through here, so the cost counts per byte. An
//! automaton looks at each of them; this looks at eight bytes out of every [`STRIDE_MOST`] or
//! fewer. Any spelling that stands in the text covers one such sample as a whole, and all samples
//! that a spelling can give are known. A bitmap tells almost every other sample apart; what it
//! lets through is compared.

use std::ops::Range;

/// Knows a set of spellings, and the shapes of our own credentials. Built anew when it changes.
pub(super) struct Matcher {
    /// Sorted.
    forms: Vec<Vec<u8>>,
    /// Each sample that a form can give.
    samples: Vec<Sample>,
    /// One bit a hash of a sample.
    bitmap: Vec<u64>,
    /// How far to shift a hash to get a place in the bitmap.
    shift: u32,
    /// Distance of the places looked at.
    stride: usize,
    /// Which two bytes a form or shape may begin with: a bit each.
    beginnings: Vec<u64>,
    longest: usize,
    shortest: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    bytes: u64,
    form: u32,
    /// Where in the form it stands.
    offset: u32,
}

impl Matcher {
    /// `forms` are at least [`FORM_LEAST_BYTES`] long; others are left out.
    pub(super) fn new(mut forms: Vec<Vec<u8>>) -> Self {
        forms.retain(|form| form.len() >= FORM_LEAST_BYTES);
        forms.sort_unstable();
        forms.dedup();
        let shortest = forms.iter().map(Vec::len).min().unwrap_or(usize::MAX);
        let stride = stride(shortest, forms.len());
        let mut samples: Vec<Sample> = forms
            .iter()
            .zip(0..)
            .flat_map(|(form, number)| {
                let windows = form.windows(SAMPLE_BYTES).take(stride).zip(0..);
                windows.map(move |(bytes, offset)| Sample {
                    bytes: sample(bytes).unwrap_or_default(),
                    form: number,
                    offset,
                })
            })
            .collect();
        samples.sort_unstable();
        let bits = (samples.len() * BITS_A_SAMPLE).next_power_of_two().max(u64::BITS as usize);
        let mut matcher = Self {
            longest: forms.iter().map(Vec::len).max().unwrap_or(0).max(SHAPE_MOST_BYTES),
            beginnings: beginnings(&forms),
            bitmap: vec![0; bits / u64::BITS as usize],
            shift: u64::BITS - bits.trailing_zeros(),
            samples: Vec::new(),
            forms,
            stride,
            shortest,
        };
        for sample in &samples {
            let (word, bit) = matcher.place(sample.bytes);
            matcher.bitmap[word] |= bit;
        }
        matcher.samples = samples;
        matcher
    }

    /// Where secrets stand in `bytes`, in order.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if bytes.len() >= SHAPE_START_BYTES + SHAPE_LEAST_BYTES {
            find_shapes(bytes, &mut found);
        }
        self.find_forms(bytes, &mut found);
        if found.len() > 1 {
            found.sort_unstable_by_key(|range| (range.start, range.end));
        }
        found
    }

    /// Adds where spellings stand, without the shapes.
    pub(super) fn find_forms(&self, bytes: &[u8], found: &mut Vec<Range<usize>>) {
        if bytes.len() < self.shortest {
            return;
        }
        let mut at = 0;
        while let Some(sample) = bytes.get(at..).and_then(sample) {
            let (word, bit) = self.place(sample);
            if self.bitmap.get(word).is_some_and(|bits| bits & bit != 0) {
                self.compare(sample, at, bytes, found);
            }
            at += self.stride;
        }
    }

    /// The bitmap has let a sample through: compares the forms that can give it.
    fn compare(&self, bytes: u64, at: usize, text: &[u8], found: &mut Vec<Range<usize>>) {
        let first = self.samples.partition_point(|sample| sample.bytes < bytes);
        let of_bytes = self.samples.iter().skip(first).take_while(|sample| sample.bytes == bytes);
        found.extend(of_bytes.filter_map(|sample| {
            let form = self.forms.get(sample.form as usize)?;
            let start = at.checked_sub(sample.offset as usize)?;
            text.get(start..)?.starts_with(form).then(|| start..start + form.len())
        }));
    }

    fn place(&self, sample: u64) -> (usize, u64) {
        let hash = sample.wrapping_mul(MULTIPLIER) >> self.shift;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    /// Where the earliest secret begins that runs beyond the end of `bytes`.
    pub(super) fn begun_at_end(&self, bytes: &[u8]) -> Option<usize> {
        let earliest = bytes.len().saturating_sub(self.longest);
        (earliest..bytes.len()).find(|start| {
            let rest = bytes.get(*start..).unwrap_or_default();
            self.may_begin(rest) && (self.begins_form(rest) || begins_shape(rest))
        })
    }

    /// Rules out almost every place by its first two bytes. The very last byte is no pair.
    fn may_begin(&self, rest: &[u8]) -> bool {
        let Some([first, second]) = rest.first_chunk() else { return true };
        let pair = usize::from(u16::from_be_bytes([*first, *second]));
        self.beginnings.get(pair / 64).is_some_and(|bits| bits >> (pair % 64) & 1 != 0)
    }

    /// Whether a form begins with `rest` and goes on. The forms are sorted, so those that begin
    /// with it stand together, right behind those that are smaller.
    fn begins_form(&self, rest: &[u8]) -> bool {
        let first = self.forms.partition_point(|form| form.as_slice() <= rest);
        self.forms.get(first).is_some_and(|form| form.starts_with(rest))
    }
}

/// How far apart the samples may lie: every form must cover one of them as a whole. With many
/// forms they lie closer, because each form is in the table once for each byte of the stride.
fn stride(shortest: usize, forms: usize) -> usize {
    let covered = shortest.min(FORM_COVERED_BYTES) - SAMPLE_BYTES + 1;
    let affordable = SAMPLES_MOST / forms.max(1);
    covered.min(STRIDE_MOST).min(affordable.max(FORM_LEAST_BYTES - SAMPLE_BYTES + 1))
}

fn sample(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

fn beginnings(forms: &[Vec<u8>]) -> Vec<u64> {
    let mut bits = vec![0_u64; (1 << 16) / 64];
    let shapes = SHAPES.iter().map(|shape| &shape[..]);
    for begin in forms.iter().map(Vec::as_slice).chain(shapes) {
        if let [first, second, ..] = begin {
            let pair = usize::from(u16::from_be_bytes([*first, *second]));
            bits[pair / 64] |= 1 << (pair % 64);
        }
    }
    bits
}

/// Keys, surrogates and handles are found without being known.
fn find_shapes(bytes: &[u8], found: &mut Vec<Range<usize>>) {
    // A shape inside of the one before is part of it: each byte is looked at once.
    let mut end = 0;
    for start in memchr::memchr_iter(b'x', bytes).filter_map(|at| at.checked_sub(1)) {
        let rest = bytes.get(start..).unwrap_or_default();
        if start < end || !SHAPES.iter().any(|shape| rest.starts_with(*shape)) {
            continue;
        }
        let body = start + SHAPE_START_BYTES;
        let length = bytes[body..]
            .iter()
            .take(SHAPE_MOST_BYTES)
            .take_while(|byte| is_shape_byte(**byte))
            .count();
        if length >= SHAPE_LEAST_BYTES {
            end = body + length;
            found.push(body..end);
        }
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

fn is_shape_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What keys, surrogates and handles begin with. The prefix itself stays readable.
const SHAPES: [&[u8; SHAPE_START_BYTES]; 3] = [b"wxgk_", b"wxgt_", b"wxgr_"];
const SHAPE_START_BYTES: usize = 5;

/// Shorter than this behind a prefix is a word in a text, not a credential.
const SHAPE_LEAST_BYTES: usize = 8;

/// The longest surrogate.
const SHAPE_MOST_BYTES: usize = 520;

/// The shortest secret that is protected; its spellings are no shorter.
pub(super) const FORM_LEAST_BYTES: usize = 12;

/// What is compared with the bitmap at once.
const SAMPLE_BYTES: usize = 8;

/// More than an AppSecret has makes the table larger and the search no faster.
const FORM_COVERED_BYTES: usize = 32;

/// The longest stride that [`FORM_COVERED_BYTES`] allow.
const STRIDE_MOST: usize = FORM_COVERED_BYTES - SAMPLE_BYTES + 1;

/// About 4 MiB of samples; what a thousand accounts need beyond that, they get with a shorter
/// stride.
const SAMPLES_MOST: usize = 1 << 18;

/// One sample in this many is let through by mistake.
const BITS_A_SAMPLE: usize = 64;

/// Odd, and its bits spread well: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the matcher must find, the slow way.
    fn slow(forms: &[Vec<u8>], bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<_> = (0..bytes.len())
            .flat_map(|start| {
                let here = forms.iter().filter(move |form| bytes[start..].starts_with(form));
                here.map(move |form| start..start + form.len())
            })
            .collect();
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found.dedup();
        found
    }

    proptest! {
        #[test]
        fn every_form_is_found_wherever_it_stands(
            forms in proptest::collection::vec("[ab]{12,40}", 1..40),
            before in "[abc]{0,70}", behind in "[abc]{0,70}", which in any::<prop::sample::Index>(),
        ) {
            let forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
            let form: &Vec<u8> = which.get(&forms);
            let text = [before.as_bytes(), form, behind.as_bytes()].concat();
            let expected = slow(&forms, &text);
            prop_assert!(!expected.is_empty());
            prop_assert_eq!(Matcher::new(forms).find(&text), expected);
        }

        #[test]
        fn what_begins_at_the_end_is_the_earliest_beginning(
            forms in proptest::collection::vec("[ab]{12,20}", 1..5), text in "[abc]{0,30}",
        ) {
            let forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
            let begins = |start: &usize| {
                let rest = &text.as_bytes()[*start..];
                forms.iter().any(|form| form.len() > rest.len() && form.starts_with(rest))
            };
            let expected = (0..text.len()).find(begins);
            prop_assert_eq!(Matcher::new(forms).begun_at_end(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_table_of_thousands_of_secrets_stays_small_and_finds_them_all() {
        let form = |n: u32| format!("{n:08x}-secret-of-an-account-with-a-long-token").into_bytes();
        let matcher = Matcher::new((0..100_000).map(form).collect());
        assert!(matcher.samples.len() <= 5 * 100_000, "{}", matcher.samples.len());
        for n in [0, 1, 4711, 99_999] {
            let text = [b"x".repeat(n as usize % 7), form(n), b" ".to_vec()].concat();
            assert_eq!(matcher.find(&text).len(), 1, "{n}");
        }
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing_to_find() {
        let matcher = Matcher::new(Vec::new());
        assert!(matcher.find(&[0; 1000]).is_empty() && matcher.find(b"").is_empty());
        assert_eq!(matcher.begun_at_end(b"abc"), None);
        assert_eq!(matcher.begun_at_end(b"abc wx"), Some(4));
    }
}
