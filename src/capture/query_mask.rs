//! Masks the values of named parameters in a query or form body, in place, with equal length.

use std::ops::Range;

use memchr::memchr;

use crate::base::redact::MASK;

/// Masks every value whose parameter name `hides`, and tells `found` each such name. Names are
/// compared decoded: `access%5Ftoken` is `access_token`.
pub(super) fn mask_query(
    query: &mut [u8],
    hides: &impl Fn(&[u8]) -> bool,
    found: &mut dyn FnMut(&[u8]),
) {
    let mut begin = 0;
    while begin < query.len() {
        let length = memchr(b'&', &query[begin..]).unwrap_or(query.len() - begin);
        let pair = begin..begin + length;
        if let Some(value) = hidden_value(query, pair.clone(), hides) {
            if !value.is_empty() {
                found(&decoded(&query[begin..value.start - 1]));
            }
            query[value].fill(MASK);
        }
        begin = pair.end + 1;
    }
}

/// Where the value of this `name=value` stands, if it is to be hidden.
fn hidden_value(
    query: &[u8],
    pair: Range<usize>,
    hides: &impl Fn(&[u8]) -> bool,
) -> Option<Range<usize>> {
    let name_length = memchr(b'=', &query[pair.clone()])?;
    let name = &query[pair.start..pair.start + name_length];
    let is_hidden = if memchr(b'%', name).is_some() { hides(&decoded(name)) } else { hides(name) };
    is_hidden.then_some(pair.start + name_length + 1..pair.end)
}

fn decoded(name: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture::field_names::FieldNames;

    fn masked(query: &str) -> (String, Vec<Vec<u8>>) {
        let names = FieldNames::new(["access_token"]);
        let mut bytes = query.as_bytes().to_vec();
        let mut found = Vec::new();
        mask_query(&mut bytes, &|n| names.contains(n), &mut |name| found.push(name.to_vec()));
        (String::from_utf8_lossy(&bytes).into_owned(), found)
    }

    #[test]
    fn named_parameters_are_masked_in_any_spelling() {
        for (query, expected) in [
            ("access_token=abc&a=1", "access_token=***&a=1"),
            ("a=1&ACCESS%5ftoken=a%20b", "a=1&ACCESS%5ftoken=*****"),
            ("access_token=a=b&&access_token", "access_token=***&&access_token"),
            ("my_access_token=abc&a=access_token", "my_access_token=abc&a=access_token"),
            ("", ""),
        ] {
            assert_eq!(masked(query).0, expected);
        }
        assert!(masked("access_token=&b").1.is_empty(), "there was nothing to hide");
        assert_eq!(masked("access%5Ftoken=x").1, [b"access_token".to_vec()]);
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_length(query in "[a&=%_5F]{0,40}") {
            prop_assert_eq!(masked(&query).0.len(), query.len());
        }
    }
}
