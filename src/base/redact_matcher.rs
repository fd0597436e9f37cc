//! Finds the spellings of secrets in bytes, however many there are.
//!
//! Every answer, header and recorded body passes through here, so the cost counts per byte. An
//! automaton looks at each of them; this looks at eight bytes out of every [`STRIDE_MOST`] or
//! fewer. Any spelling that stands in the text covers one such sample as a whole, and all samples
//! that a spelling can give are known. A bitmap tells almost every other sample apart; what it
//! lets through is compared. Samples are kept without letter case, so that digits of base 16
//! need no second spelling.

use std::ops::Range;

use super::{redact_alphabet::Alphabet, redact_forms::Form};

/// Knows a set of spellings. Built anew when it changes.
pub(super) struct Matcher {
    /// Sorted.
    forms: Vec<Form>,
    /// Each sample that a form can give.
    samples: Vec<Sample>,
    /// One bit a hash of a sample.
    bitmap: Vec<u64>,
    /// How far to shift a hash to get a place in the bitmap.
    shift: u32,
    /// Distance of the places looked at.
    stride: usize,
    /// Which two bytes a form may begin with: a bit each.
    beginnings: Vec<u64>,
    alphabet: Alphabet,
    longest: usize,
    shortest: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    /// Without letter case.
    bytes: u64,
    form: u32,
    /// Where in the form it stands.
    offset: u32,
}

impl Matcher {
    /// `forms` are at least [`FORM_LEAST_BYTES`] long; others are left out.
    pub(super) fn new(mut forms: Vec<Form>) -> Self {
        forms.retain(|form| form.bytes.len() >= FORM_LEAST_BYTES);
        forms.sort_unstable();
        forms.dedup();
        let lengths = || forms.iter().map(|form| form.bytes.len());
        let (shortest, longest) = (lengths().min().unwrap_or(usize::MAX), lengths().max());
        let stride = stride(shortest, forms.len());
        let mut samples: Vec<Sample> = forms
            .iter()
            .zip(0..)
            .flat_map(|(form, number)| {
                let windows = form.bytes.windows(SAMPLE_BYTES).take(stride).zip(0..);
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
            longest: longest.unwrap_or(0),
            beginnings: beginnings(&forms),
            alphabet: alphabet(&forms),
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

    /// Length of the shortest form.
    pub(super) fn shortest(&self) -> usize {
        self.shortest
    }

    /// Length of the longest form.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// What the forms consist of.
    pub(super) fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// Adds where forms stand; in any letter case, if so wished.
    pub(super) fn find(&self, bytes: &[u8], any_case: bool, found: &mut Vec<Range<usize>>) {
        if bytes.len() < self.shortest {
            return;
        }
        let mut at = 0;
        while let Some(sample) = bytes.get(at..).and_then(sample) {
            let (word, bit) = self.place(sample);
            if self.bitmap.get(word).is_some_and(|bits| bits & bit != 0) {
                self.compare(sample, at, (bytes, any_case), found);
            }
            at += self.stride;
        }
    }

    /// The bitmap has let a sample through: compares the forms that can give it.
    fn compare(
        &self,
        bytes: u64,
        at: usize,
        (text, any_case): (&[u8], bool),
        found: &mut Vec<Range<usize>>,
    ) {
        let first = self.samples.partition_point(|sample| sample.bytes < bytes);
        let of_bytes = self.samples.iter().skip(first).take_while(|sample| sample.bytes == bytes);
        found.extend(of_bytes.filter_map(|sample| {
            let form = self.forms.get(sample.form as usize)?;
            let start = at.checked_sub(sample.offset as usize)?;
            form.begins(text.get(start..)?, any_case).then(|| start..start + form.bytes.len())
        }));
    }

    fn place(&self, sample: u64) -> (usize, u64) {
        let hash = sample.wrapping_mul(MULTIPLIER) >> self.shift;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    /// Where the earliest form begins that runs beyond the end of `bytes`.
    pub(super) fn begun_at_end(&self, bytes: &[u8]) -> Option<usize> {
        let earliest = bytes.len().saturating_sub(self.longest);
        (earliest..bytes.len()).find(|start| {
            let rest = bytes.get(*start..).unwrap_or_default();
            self.may_begin(rest) && self.begins_form(rest)
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
        let begins = |rest: &[u8], is_hex: bool| {
            let first = self.forms.partition_point(|form| form.bytes.as_slice() <= rest);
            let mut those = self.forms.iter().skip(first).take_while(|f| f.bytes.starts_with(rest));
            those.any(|form| form.is_hex || !is_hex)
        };
        begins(rest, false)
            || (rest.iter().all(u8::is_ascii_hexdigit) && begins(&rest.to_ascii_lowercase(), true))
    }
}

/// How far apart the samples may lie: every form must cover one of them as a whole. With many
/// forms they lie closer, because each form is in the table once for each byte of the stride.
fn stride(shortest: usize, forms: usize) -> usize {
    let covered = shortest.min(FORM_COVERED_BYTES) - SAMPLE_BYTES + 1;
    let affordable = SAMPLES_MOST / forms.max(1);
    covered.min(STRIDE_MOST).min(affordable.max(STRIDE_LEAST))
}

/// The first eight bytes, letters in lower case; a few other bytes fall together by that.
fn sample(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|chunk| u64::from_le_bytes(*chunk) | LOWER_CASE)
}

fn beginnings(forms: &[Form]) -> Vec<u64> {
    let mut bits = vec![0_u64; (1 << 16) / 64];
    let mut add = |first: u8, second: u8| {
        let pair = usize::from(u16::from_be_bytes([first, second]));
        bits[pair / 64] |= 1 << (pair % 64);
    };
    for form in forms {
        let [first, second, ..] = **form.bytes else { continue };
        add(first, second);
        if form.is_hex {
            let upper = [first, second].map(|byte| byte.to_ascii_uppercase());
            add(upper[0], upper[1]);
            add(first, upper[1]);
            add(upper[0], second);
        }
    }
    bits
}

/// Upper-case digits need no mention: shapes have all letters.
fn alphabet(forms: &[Form]) -> Alphabet {
    Alphabet::of(forms.iter().flat_map(|form| form.bytes.iter().copied()))
}

/// The shortest secret that is protected; its spellings are no shorter. A short one makes the
/// search slower for all: its samples lie close together.
pub(super) const FORM_LEAST_BYTES: usize = SAMPLE_BYTES;

/// What is compared with the bitmap at once.
const SAMPLE_BYTES: usize = 8;

/// Turns each upper-case letter of a sample into its lower-case one.
const LOWER_CASE: u64 = 0x2020_2020_2020_2020;

/// More than an AppSecret has makes the table larger and the search no faster.
const FORM_COVERED_BYTES: usize = 32;

/// The longest stride that [`FORM_COVERED_BYTES`] allow.
const STRIDE_MOST: usize = FORM_COVERED_BYTES - SAMPLE_BYTES + 1;

/// About 4 MiB of samples; what a thousand accounts need beyond that, they get with a shorter
/// stride.
const SAMPLES_MOST: usize = 1 << 18;

/// A shorter one would save no memory worth its time.
const STRIDE_LEAST: usize = 5;

/// One sample in this many is let through by mistake.
const BITS_A_SAMPLE: usize = 64;

/// Odd, and its bits spread well: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn exact(text: impl AsRef<[u8]>) -> Form {
        Form { bytes: Zeroizing::new(text.as_ref().to_vec()), is_hex: false }
    }

    fn matcher(forms: &[Vec<u8>]) -> Matcher {
        Matcher::new(forms.iter().map(exact).collect())
    }

    fn find(matcher: &Matcher, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        matcher.find(bytes, false, &mut found);
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found
    }

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
            forms in proptest::collection::vec("[abA]{8,40}", 1..40),
            before in "[abc]{0,70}", behind in "[abc]{0,70}", which in any::<prop::sample::Index>(),
        ) {
            let forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
            let form: &Vec<u8> = which.get(&forms);
            let text = [before.as_bytes(), form, behind.as_bytes()].concat();
            let expected = slow(&forms, &text);
            prop_assert!(!expected.is_empty());
            prop_assert_eq!(find(&matcher(&forms), &text), expected);
        }

        #[test]
        fn what_begins_at_the_end_is_the_earliest_beginning(
            forms in proptest::collection::vec("[abA]{8,20}", 1..5), text in "[abc]{0,30}",
        ) {
            let forms: Vec<Vec<u8>> = forms.into_iter().map(String::into_bytes).collect();
            let begins = |start: &usize| {
                let rest = &text.as_bytes()[*start..];
                forms.iter().any(|form| form.len() > rest.len() && form.starts_with(rest))
            };
            let expected = (0..text.len()).find(begins);
            prop_assert_eq!(matcher(&forms).begun_at_end(text.as_bytes()), expected);
        }

        #[test]
        fn letter_case_is_nothing_where_it_means_nothing(
            digits in "[0-9a-f]{12,40}", upper in proptest::collection::vec(any::<bool>(), 40),
            cut in 0_usize..12,
        ) {
            let written: String = digits.chars().zip(upper)
                .map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c }).collect();
            let text = format!("x{written}x");
            let hex = Matcher::new(vec![Form { is_hex: true, ..exact(&digits) }]);
            let place = 1..1 + digits.len();
            prop_assert!(find(&hex, text.as_bytes()).first() == Some(&place));
            prop_assert!(hex.begun_at_end(&text.as_bytes()[..1 + cut.max(1)]).is_some());
            let mut found = Vec::new();
            Matcher::new(vec![exact(&digits)]).find(text.as_bytes(), true, &mut found);
            prop_assert_eq!(found.first(), Some(&place));
            let is_found = !find(&Matcher::new(vec![exact(&digits)]), text.as_bytes()).is_empty();
            prop_assert_eq!(is_found, written == digits);
        }
    }

    #[test]
    fn a_table_of_thousands_of_secrets_stays_small_and_finds_them_all() {
        let form = |n: u32| format!("{n:08x}-secret-of-an-account-with-a-long-token").into_bytes();
        let matcher = Matcher::new((0..100_000).map(form).map(exact).collect());
        assert!(matcher.samples.len() <= 5 * 100_000, "{}", matcher.samples.len());
        for n in [0, 1, 4711, 99_999] {
            let text = [b"x".repeat(n as usize % 7), form(n), b" ".to_vec()].concat();
            assert_eq!(find(&matcher, &text).len(), 1, "{n}");
        }
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing_to_find() {
        let matcher = Matcher::new(Vec::new());
        assert!(find(&matcher, &[0; 1000]).is_empty() && find(&matcher, b"").is_empty());
        assert_eq!(matcher.begun_at_end(b"abc"), None);
    }
}
