//! Whatever the chunks: nothing of a secret passes.

use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use proptest::prelude::*;

use super::*;
use crate::base::{redact_specimen::Specimen, secret::Secret};

/// What comes out of a body in these chunks.
fn passed(redactor: Redactor, content: Content, chunks: Vec<Bytes>) -> Vec<u8> {
    let frames = chunks.into_iter().map(|chunk| Ok(Frame::data(chunk)));
    let body = Body::wrap(StreamBody::new(futures_util::stream::iter(frames)));
    let collected = masked(&Arc::new(redactor), body, content).collect();
    collected.now_or_never().unwrap().unwrap().to_bytes().to_vec()
}

/// `text` cut into chunks of these lengths, over and over.
fn cut(text: &[u8], lengths: &[usize]) -> Vec<Bytes> {
    let mut rest = Bytes::copy_from_slice(text);
    let mut chunks = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        chunks.push(rest.split_to(rest.len().min(*length)));
    }
    chunks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_secret_passes_however_the_answer_is_cut(
        specimen in Specimen::any(3), lengths in prop::collection::vec(1_usize..200, 1..6),
    ) {
        let chunks = cut(specimen.text.as_bytes(), &lengths);
        specimen.check(&passed(specimen.redactor(), Content::Text, chunks))?;
    }
}

proptest! {
    #[test]
    fn a_picture_has_no_secret_either(
        specimen in Specimen::any(0), lengths in prop::collection::vec(1_usize..200, 1..6),
    ) {
        let chunks = cut(specimen.text.as_bytes(), &lengths);
        specimen.check(&passed(specimen.redactor(), Content::Picture, chunks))?;
    }

    #[test]
    fn a_key_never_passes_however_the_answer_is_cut(
        body in "[A-Za-z0-9]{10}_[A-Za-z0-9]{49}", before in "[ -~]{0,60}", size in 1_usize..40,
    ) {
        let text = format!("{before}wxgk_{body} behind");
        let shown = passed(Redactor::new(), Content::Text, cut(text.as_bytes(), &[size]));
        let stars = format!("wxgk_{} behind", "*".repeat(60));
        prop_assert!(shown.ends_with(stars.as_bytes()), "{}", String::from_utf8_lossy(&shown));
    }

    #[test]
    fn what_holds_no_secret_passes_as_it_is(
        text in any::<Vec<u8>>(), lengths in prop::collection::vec(1_usize..20, 1..6),
    ) {
        prop_assert_eq!(passed(Redactor::new(), Content::Text, cut(&text, &lengths)), text);
    }
}

#[test]
fn a_chunk_without_a_secret_is_not_copied() {
    let redactor = Redactor::new();
    redactor.protect("a/token", &Secret::new("81_a-token-of-the-platform".into()));
    let text = Bytes::from_static(br#"{"errcode":0,"errmsg":"ok","list":[{"id":1}]}"#);
    let body = StreamBody::new(futures_util::stream::iter([Ok(Frame::data(text.clone()))]));
    let mut body = masked(&Arc::new(redactor), Body::wrap(body), Content::Text);
    let first = body.frame().now_or_never().unwrap().unwrap().unwrap().into_data().unwrap();
    assert_eq!((first.as_ptr(), first.len()), (text.as_ptr(), text.len()));
}

#[test]
fn a_body_that_breaks_off_keeps_what_may_begin_a_secret() {
    let redactor = Redactor::new();
    redactor.protect("a/token", &Secret::new("81_a-token-of-the-platform".into()));
    let text = Bytes::from_static(b"x 81_a-token-of-the-plat");
    let frames = [Ok(Frame::data(text)), Err(BodyError::Aborted)];
    let body = Body::wrap(StreamBody::new(futures_util::stream::iter(frames)));
    let mut body = masked(&Arc::new(redactor), body, Content::Text);
    let mut next = || body.frame().now_or_never().unwrap().unwrap();
    assert_eq!(next().unwrap().into_data().unwrap(), "x ");
    assert!(next().is_err());
}
