//! Tests of the language as a whole.

use std::time::Duration;

use super::*;
use crate::{
    base::clock::from_unix_ms,
    capture::{
        stored_message::StoredMessage,
        testing::{self, TIME_MS},
    },
};

fn parse(text: &str) -> Result<Filter, FilterError> {
    Filter::parse(text, from_unix_ms(TIME_MS + 60_000))
}

fn sample() -> StoredExchange {
    let mut exchange = testing::documented();
    exchange.call = Some("添加商品 Add product");
    exchange.rid = Some("63f-Ab".into());
    exchange.duration = Duration::from_millis(501);
    exchange.errcode = Some(40001);
    exchange.outcome = Outcome::Token;
    testing::stored(&exchange)
}

#[test]
fn every_documented_word_lets_through_what_it_should() {
    for (text, passes) in [
        ("", true),
        ("  ", true),
        ("spu", true),
        ("SPU/add", true),
        ("商品", true),
        ("63F-ab", true),
        ("8mbsxe", true),
        ("order", false),
        ("key:alice account:shop", true),
        ("key:bob", false),
        ("path:/shop/spu", true),
        ("path:/shop/*/add", true),
        ("method:post", true),
        ("status:>=400", false),
        ("status:200..299", true),
        ("errcode:40001", true),
        ("errcode:!0", true),
        ("outcome:token", true),
        ("lane:live", true),
        ("lane:sandbox", false),
        ("is:replay", false),
        ("is:error", true),
        ("body:\"890}\"", true),
        ("body:890}", true),
        ("body:P-2026", false),
        ("json:$.id=12345678901234567890", true),
        ("json:$.id=12345678901234567891", false),
        ("larger-than:26", true),
        ("larger-than:27", false),
        ("larger-than:10k", false),
        ("slower-than:500ms", true),
        ("slower-than:1s", false),
        ("since:1m", true),
        ("since:59s", false),
        ("until:1m", true),
        ("until:61s", false),
        ("since:2026-11-20", true),
        ("since:2026-11-22T09:30:00.124Z", false),
    ] {
        assert_eq!(parse(text).unwrap().matches(&sample()), passes, "{text}");
    }
}

#[test]
fn words_are_joined_by_and_or_not_and_brackets() {
    for (text, passes) in [
        ("spu -order", true),
        ("-spu", false),
        ("--spu", true),
        ("order | spu", true),
        ("order | spu key:bob", false),
        ("(order | spu) key:alice", true),
        ("-(order | spu)", false),
        ("-(order spu)", true),
        ("order|spu", true),
        ("\"spu/add\"", true),
        ("\"key:alice\"", false),
        ("-status:404 -is:replay", true),
    ] {
        assert_eq!(parse(text).unwrap().matches(&sample()), passes, "{text}");
    }
}

#[test]
fn a_number_that_is_not_there_fits_no_test_of_it() {
    let mut exchange = sample();
    exchange.errcode = None;
    assert!(!parse("errcode:!0").unwrap().matches(&exchange));
    assert!(!parse("errcode:0").unwrap().matches(&exchange));
    assert!(parse("-errcode:0").unwrap().matches(&exchange));
}

#[test]
fn bodies_that_are_no_longer_kept_fit_nothing() {
    let mut exchange = sample();
    exchange.request = StoredMessage::without_parts(27, false);
    exchange.response = StoredMessage::without_parts(13, false);
    assert!(!parse("body:890").unwrap().matches(&exchange));
    assert!(!parse("json:$.id").unwrap().matches(&exchange));
}

#[test]
fn an_unknown_word_is_an_error_with_a_caret_the_list_and_a_guess() {
    let error = parse("商品 statu:404 x").unwrap_err();
    assert_eq!(error.at, 7..12);
    assert_eq!(error.suggestion, Some("status:"));
    let rendered = error.render();
    let mut lines = rendered.lines();
    assert_eq!(lines.next(), Some("商品 statu:404 x"));
    assert_eq!(lines.next(), Some("     ^^^^^"));
    assert_eq!(
        lines.next(),
        Some("`statu:` is no word of the filter language; did you mean `status:`?")
    );
    assert!(lines.next().unwrap().starts_with("one of: key: account: path:"));
    let error = parse("outcome:tokn").unwrap_err();
    assert_eq!((error.at.clone(), error.suggestion), (8..12, Some("token")));
}

#[test]
fn a_mistake_is_pointed_at() {
    for (text, at, part) in [
        ("a \"b", 2..4, "quote"),
        ("a (b", 2..3, "never closed"),
        ("a) b", 1..2, "never opened"),
        ("a | | b", 2..3, "between two"),
        ("| a", 0..1, "between two"),
        ("a -", 2..3, "behind this `-`"),
        ("a ()", 2..3, "nothing in these"),
        ("\"\"", 0..2, "nothing between"),
        ("status:", 7..7, "needs a value, as in `status:>=400`"),
        ("status:abc", 7..10, "number such as"),
        ("slower-than:5", 12..13, "`5` is not a time"),
        ("since:yesterday", 6..15, "time such as"),
        ("json:id=3", 5..9, "begins with `$.`"),
        ("larger-than:10x", 12..15, "a size such as"),
        ("http://x", 0..4, "no word"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.at, at, "{text}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    assert!(parse(&"(".repeat(2000)).is_err());
    assert!(parse(&"-".repeat(4000)).is_err());
    assert!(parse(&"a ".repeat(3000)).is_err());
}

#[test]
fn each_word_in_the_list_is_understood_as_in_its_example() {
    for word in WORDS {
        assert!(word.example.starts_with(word.name));
        parse(word.example).unwrap();
    }
}

#[test]
fn only_what_must_hold_bounds_the_time() {
    let minute_ago = TIME_MS;
    assert_eq!(parse("a since:1m").unwrap().time_bounds(), (minute_ago, i64::MAX));
    assert_eq!(parse("since:2m until:1m").unwrap().time_bounds().1, minute_ago);
    for unbounded in ["a | since:1m", "-since:1m", "a"] {
        assert_eq!(parse(unbounded).unwrap().time_bounds(), (i64::MIN, i64::MAX), "{unbounded}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_place_within_it(text in "[a-z:\"()|\\- $.=>!商0-9]{0,40}") {
        if let Err(error) = parse(&text) {
            proptest::prop_assert!(text.get(error.at.clone()).is_some(), "{:?}", error);
            let _ = error.render();
        }
    }
}
