//! A test of a number: `404`, `!0`, `>=400`, `400..499`.

/// What a term asks of a number: whether it lies between two bounds, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberTest {
    least: i64,
    most: i64,
    is_negated: bool,
}

impl NumberTest {
    /// Beyond the last number there is none.
    const NOTHING: Self = Self::between(1, 0);

    /// Inclusive.
    pub(super) const fn between(least: i64, most: i64) -> Self {
        Self { least, most, is_negated: false }
    }

    pub(super) fn above(bound: i64) -> Self {
        bound.checked_add(1).map_or(Self::NOTHING, |least| Self::between(least, i64::MAX))
    }

    /// Reads the value of a term; `number` reads a bare number.
    pub(super) fn parse(text: &str, number: impl Fn(&str) -> Option<i64>) -> Option<Self> {
        if let Some((least, most)) = text.split_once("..") {
            return Some(Self::between(number(least)?, number(most)?));
        }
        let digits = text.trim_start_matches(['<', '>', '=', '!']);
        let value = number(digits)?;
        Some(match &text[..text.len() - digits.len()] {
            "" | "=" => Self::between(value, value),
            "!" | "!=" => Self { is_negated: true, ..Self::between(value, value) },
            ">" => Self::above(value),
            ">=" => Self::between(value, i64::MAX),
            "<" => value.checked_sub(1).map_or(Self::NOTHING, |m| Self::between(i64::MIN, m)),
            "<=" => Self::between(i64::MIN, value),
            _ => return None,
        })
    }

    pub(super) fn fits(self, number: i64) -> bool {
        (self.least..=self.most).contains(&number) != self.is_negated
    }

    /// Nothing outside of these can fit.
    pub(super) fn bounds(self) -> (i64, i64) {
        if self.is_negated { (i64::MIN, i64::MAX) } else { (self.least, self.most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_ranges_mean_what_they_look_like() {
        for (text, fitting, not) in [
            ("404", &[404][..], &[403, 405, 0][..]),
            ("=404", &[404], &[403]),
            ("!0", &[1, -1], &[0]),
            ("!=0", &[1], &[0]),
            (">=400", &[400, 599], &[399]),
            (">400", &[401], &[400]),
            ("<400", &[399, -5], &[400]),
            ("<=400", &[400], &[401]),
            ("400..499", &[400, 499], &[399, 500]),
            ("-1", &[-1], &[1, 0]),
            ("-5..-1", &[-5, -1], &[0, -6]),
            ("9223372036854775807", &[i64::MAX], &[0]),
            (">9223372036854775807", &[], &[i64::MAX, 0]),
        ] {
            let test = NumberTest::parse(text, |digits| digits.parse().ok()).unwrap();
            assert!(fitting.iter().all(|n| test.fits(*n)), "{text}");
            assert!(!not.iter().any(|n| test.fits(*n)), "{text}");
        }
        for bad in ["", ">", "=>5", "4xx", "1..", "..2", "1...2", "99999999999999999999"] {
            assert!(NumberTest::parse(bad, |digits| digits.parse().ok()).is_none(), "{bad}");
        }
    }
}
