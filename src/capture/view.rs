//! Hides private fields of an exchange for whoever may not see them.

use super::{
    field_names::FieldNames, json_mask::mask_json, query_mask::mask_query, stored::StoredExchange,
    stored_message::StoredMessage,
};

/// The exchange with the values of `mask` replaced by stars of equal length, in the query and
/// anywhere in JSON and form bodies. What is stored stays as it is.
#[must_use]
pub fn masked(exchange: &StoredExchange, mask: &FieldNames) -> StoredExchange {
    let mut shown = exchange.clone();
    if mask.is_empty() {
        return shown;
    }
    let mut query = std::mem::take(&mut shown.query).into_bytes();
    mask_query(&mut query, &|name| mask.contains(name), &mut |_| {});
    // Whole values were replaced by ASCII, so it is text as before.
    shown.query = String::from_utf8(query).unwrap_or_default();
    mask_message(&mut shown.request, mask);
    mask_message(&mut shown.response, mask);
    shown
}

fn mask_message(message: &mut StoredMessage, mask: &FieldNames) {
    if message.body().is_none() {
        return;
    }
    let hides = |name: &[u8]| mask.contains(name);
    let (headers, body) = message.parts();
    let (header_bytes, mut bytes) = (headers.len(), [headers, body].concat());
    let body = bytes.split_at_mut(header_bytes).1;
    mask_json(body, &hides, &mut |_| {});
    if message.header("content-type").is_some_and(|given| given.starts_with(FORM)) {
        mask_query(body, &hides, &mut |_| {});
    }
    *message = StoredMessage::new(bytes.into(), header_bytes, message.size, message.truncated);
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing;

    #[test]
    fn private_fields_are_hidden_in_query_and_bodies_and_nothing_else_is() {
        let mut exchange = testing::documented();
        exchange.query = "openid=oABC&lang=zh".into();
        exchange.request.body =
            testing::body(r#"{"to":{"OpenID":"oABC"},"id":12345678901234567890}"#);
        exchange.response.body = testing::body(r#"{"phone":13800000000,"name":"张三"}"#);
        let stored = testing::stored(&exchange);
        let shown = masked(&stored, &FieldNames::new(["openid", "phone", "name"]));
        assert_eq!(shown.query, "openid=****&lang=zh");
        assert_eq!(
            shown.request.body(),
            Some(&br#"{"to":{"OpenID":"****"},"id":12345678901234567890}"#[..])
        );
        assert_eq!(shown.response.body(), Some(&br#"{"phone":"*********","name":"******"}"#[..]));
        let untouched = masked(&stored, &FieldNames::default());
        assert_eq!(untouched.to_json(), stored.to_json());
    }
}
