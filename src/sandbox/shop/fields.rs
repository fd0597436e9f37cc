//! Fields of a body that was checked, read by their place.

use serde_json::{Map, Value};

use crate::sandbox::refusal::Refusal;

/// A JSON object.
pub(in crate::sandbox) type Fields = Map<String, Value>;

/// What stands at `place`, names joined by dots; null counts as missing.
pub(in crate::sandbox) fn at<'a>(fields: &'a Fields, place: &str) -> Option<&'a Value> {
    let mut names = place.split('.');
    let first = fields.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// Text that is not empty.
pub(in crate::sandbox) fn text<'a>(fields: &'a Fields, place: &str) -> Option<&'a str> {
    at(fields, place)?.as_str().filter(|text| !text.is_empty())
}

/// A whole number that is not negative.
pub(in crate::sandbox) fn number(fields: &Fields, place: &str) -> Option<u64> {
    at(fields, place)?.as_u64()
}

/// The same as a signed one; what is larger counts as missing.
pub(in crate::sandbox) fn amount(fields: &Fields, place: &str) -> Option<i64> {
    at(fields, place)?.as_i64()
}

/// The objects of a list.
pub(in crate::sandbox) fn objects<'a>(
    fields: &'a Fields,
    place: &str,
) -> impl Iterator<Item = &'a Fields> {
    let list = at(fields, place).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}

/// A page of a list: `page` from 1, `page_size` at most `most`; `errcode` otherwise.
pub(in crate::sandbox) fn page(
    fields: &Fields,
    most: usize,
    errcode: i64,
) -> Result<(usize, usize), Refusal> {
    let read = |name: &str, most: usize| {
        let given = number(fields, name).and_then(|number| usize::try_from(number).ok());
        let given = given.filter(|number| (1..=most).contains(number));
        given.ok_or_else(|| Refusal::with(errcode, format_args!("{name} is from 1 to {most}")))
    };
    let (page, size) = (read("page", MOST_PAGES)?, read("page_size", most)?);
    Ok(((page - 1) * size, size))
}

const MOST_PAGES: usize = 1_000_000;
