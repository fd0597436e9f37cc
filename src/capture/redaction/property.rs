//! Whatever the secret, its spelling, its place in an exchange and the coding of the body:
//! nothing of it is stored, shown or exported.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    base::redact_specimen::Specimen,
    capture::{Captured, Exchange, StoredExchange, content_coding::tests::coded, har, testing},
};

/// Where in an exchange the text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    Path,
    Query,
    RequestHeader,
    ResponseHeader,
    RequestBody,
    ResponseBody,
    Errmsg,
    Rid,
    AttemptError,
    Fault,
    Note,
}

const SPOTS: [Spot; 11] = [
    Spot::Path,
    Spot::Query,
    Spot::RequestHeader,
    Spot::ResponseHeader,
    Spot::RequestBody,
    Spot::ResponseBody,
    Spot::Errmsg,
    Spot::Rid,
    Spot::AttemptError,
    Spot::Fault,
    Spot::Note,
];

fn exchange_with(text: &str, spot: Spot, chunk: usize) -> Exchange {
    let mut exchange = testing::documented();
    let owned = text.to_owned();
    let body = || Captured {
        chunks: text.as_bytes().chunks(chunk).map(Bytes::copy_from_slice).collect(),
        size: text.len() as u64,
        truncated: false,
    };
    match spot {
        Spot::Path => exchange.path = owned,
        Spot::Query => exchange.query = owned,
        Spot::RequestHeader => {
            exchange.request.headers.append("x-echo", text.parse().unwrap());
        }
        Spot::ResponseHeader => {
            exchange.response.headers.append("x-echo", text.parse().unwrap());
        }
        Spot::RequestBody => exchange.request.body = body(),
        Spot::ResponseBody => exchange.response.body = body(),
        Spot::Errmsg => exchange.errmsg = Some(owned),
        Spot::Rid => exchange.rid = Some(owned),
        Spot::AttemptError => exchange.attempts[0].error = Some(owned),
        Spot::Fault => exchange.marks.fault = Some(owned),
        Spot::Note => exchange.note = Some(owned),
    }
    exchange
}

/// What stands there once it is stored.
fn stored_at(stored: &StoredExchange, spot: Spot) -> Option<Vec<u8>> {
    let text = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
    match spot {
        Spot::Path => text(Some(&stored.path)),
        Spot::Query => text(Some(&stored.query)),
        Spot::RequestHeader => stored.request.header("x-echo").map(<[u8]>::to_vec),
        Spot::ResponseHeader => stored.response.header("x-echo").map(<[u8]>::to_vec),
        Spot::RequestBody => stored.request.body().map(<[u8]>::to_vec),
        Spot::ResponseBody => stored.response.body().map(<[u8]>::to_vec),
        Spot::Errmsg => text(stored.errmsg.as_deref()),
        Spot::Rid => text(stored.rid.as_deref()),
        Spot::AttemptError => text(stored.attempts[0].error.as_deref()),
        Spot::Fault => text(stored.marks.fault.as_deref()),
        Spot::Note => text(stored.note.as_deref()),
    }
}

/// Neither the record as JSON nor the HAR archive holds the text, written as JSON writes it.
fn shows(stored: &StoredExchange, text: &str) -> bool {
    let mut archive = Vec::new();
    har::export([Ok(stored.clone())], &mut archive).unwrap();
    let quoted = serde_json::to_string(text).unwrap();
    let quoted = quoted.trim_matches('"').as_bytes();
    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, quoted).is_some();
    holds(stored.to_json().as_bytes()) || holds(&archive)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_secret_is_stored_or_exported_wherever_it_stood(
        specimen in Specimen::any(3), spot in prop::sample::select(&SPOTS[..]), chunk in 1_usize..600,
    ) {
        let exchange = exchange_with(&specimen.text, spot, chunk);
        let stored = testing::redacted(&exchange, &specimen.redactor());
        let text = stored_at(&stored, spot);
        prop_assert!(text.is_some(), "{spot:?} is gone");
        specimen.check(&text.unwrap_or_default())?;
        prop_assert!(!shows(&stored, specimen.core_text()), "{spot:?}");
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_secret_hides_in_a_compressed_body_or_at_its_cut_end(
        specimen in Specimen::any(2), which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(), is_long in any::<bool>(),
    ) {
        // A long one is kept in chunks.
        let front = if is_long { "long ".repeat(2000) } else { String::new() };
        let text = format!("{front}{}", specimen.text);
        let end = front.len() + specimen.core.start + 1 + cut.index(specimen.core.len());
        let mut codings = coded(text.as_bytes());
        let (coding, bytes) = codings.swap_remove(which.index(codings.len()));
        let mut exchange = testing::documented();
        exchange.response.headers.append("content-encoding", coding.parse().unwrap());
        exchange.response.body = Captured::of(&bytes.into(), 1 << 20);
        let whole = testing::redacted(&exchange, &specimen.redactor());
        specimen.check(&whole.response.body().unwrap_or_default()[front.len()..])?;
        // Of a body that was cut in the middle of the secret, nothing of that is left.
        if coding == "identity" {
            exchange.response.body = Captured::of(&text.clone().into(), end);
        }
        let cut = testing::redacted_up_to(&exchange, &specimen.redactor(), end);
        let begun = &cut.response.body().unwrap_or_default()[front.len() + specimen.core.start..];
        prop_assert!(begun.iter().all(|byte| *byte == MASK), "{}", String::from_utf8_lossy(begun));
    }
}

#[test]
fn a_text_that_was_cut_in_a_secret_does_not_show_its_beginning() {
    let token = "97_".to_owned() + &"0123456789abcdefghijklmnopqrstuv".repeat(4);
    let redactor = Redactor::new();
    redactor.protect("shop/token", &crate::base::secret::Secret::new(token.clone()));
    let mut exchange = testing::documented();
    let before = "x ".repeat((ERRMSG_MOST_BYTES - 100) / 2);
    exchange.errmsg = Some(format!("{before}{}", &token[..100]));
    let shown = testing::redacted(&exchange, &redactor).errmsg.unwrap();
    assert_eq!(shown, format!("{before}{}", "*".repeat(100)));
}
