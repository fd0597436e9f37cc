//! Whatever the secret, its spelling and its place: nothing of it stays, and all else does.

use proptest::prelude::*;

use super::*;
use crate::base::redact_specimen::Specimen;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_spelling_of_a_secret_survives_anywhere(
        specimen in Specimen::any(4), cut in any::<prop::sample::Index>(),
    ) {
        let redactor = specimen.redactor();
        let text = specimen.text.as_bytes();
        specimen.check(&redactor.bytes(text))?;
        // Cut within the secret, what is there of it is held back until more comes.
        let core = specimen.core.clone();
        let end = core.start + 1 + cut.index(core.len() - 1);
        let undecided = redactor.undecided(&text[..end]);
        prop_assert!(undecided >= end - core.start, "{undecided} of {}", &specimen.text[..end]);
    }

}

proptest! {
    #[test]
    fn what_holds_no_secret_stays_as_it_is(specimen in Specimen::any(4), bytes in any::<Vec<u8>>()) {
        let mut almost = specimen.secret.clone();
        let middle = almost.len() / 2;
        let other = if almost.as_bytes()[middle] == b'0' { "1" } else { "0" };
        almost.replace_range(middle..=middle, other);
        let redactor = Redactor::new();
        redactor.protect("a/token", &Secret::new(almost));
        let text = specimen.text.as_bytes();
        prop_assert!(matches!(redactor.bytes(text), Cow::Borrowed(_)), "{}", &specimen.text);
        prop_assert!(matches!(redactor.bytes(&bytes), Cow::Borrowed(_)));
        prop_assert!(redactor.undecided(&bytes) <= bytes.len());
    }
}
