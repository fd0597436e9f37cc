//! Tests of what is hidden in each place.

use std::io::Write as _;

use super::*;
use crate::{
    base::{clock::from_unix_ms, secret::Secret},
    capture::{Captured, Exchange, StoredExchange, testing},
};

const KEY: &str = "wxgk_0123456789_abcdefghijabcdefghijabcdefghijabcdefghij";
const TOKEN: &str = "97_Zm9vYmFyQmF6UXV4_real-access-token-of-the-platform";

fn redactor() -> Redactor {
    let redactor = Redactor::new();
    redactor.protect("shop/token", &Secret::new(TOKEN.into()));
    redactor
}

fn redact(exchange: &Exchange) -> StoredExchange {
    testing::redacted(exchange, &redactor())
}

fn body(exchange: &StoredExchange) -> &str {
    std::str::from_utf8(exchange.request.body().unwrap()).unwrap()
}

#[test]
fn credential_headers_are_masked_as_a_whole_and_others_by_value() {
    let mut exchange = testing::at("/x", 0);
    for (name, value) in [
        ("authorization", format!("Bearer {KEY}")),
        ("x-api-key", "short".into()),
        ("cookie", "a=b".into()),
        ("x-note", format!("see {TOKEN}!")),
        ("x-key", KEY.into()),
        ("referer", "https://h/p?access_token=abc&lang=zh".into()),
        ("x-plain", "what? nothing".into()),
    ] {
        exchange.request.headers.append(name, value.parse().unwrap());
    }
    let stored = redact(&exchange);
    let shown =
        |name: &str| String::from_utf8_lossy(stored.request.header(name).unwrap()).into_owned();
    assert_eq!(shown("authorization"), format!("Bearer {}", "*".repeat(KEY.len())));
    assert_eq!(shown("x-api-key"), "*****");
    assert_eq!(shown("cookie"), "***");
    assert_eq!(shown("x-note"), format!("see {}!", "*".repeat(TOKEN.len())));
    assert_eq!(shown("x-key"), format!("wxgk_{}", "*".repeat(KEY.len() - 5)));
    assert_eq!(shown("referer"), "https://h/p?access_token=***&lang=zh");
    assert_eq!(shown("x-plain"), "what? nothing");
    assert!(stored.redacted.is_empty(), "headers are no part of a replay");
}

#[test]
fn query_body_and_path_are_masked_and_a_replay_knows_what_is_missing() {
    let mut exchange = testing::at(&format!("/x/{TOKEN}"), 0);
    exchange.query = format!("access_token={KEY}&a={TOKEN}&b=1");
    exchange.request.body = testing::body(&format!(r#"{{"secret":"s3","t":"{TOKEN}","n":1.0}}"#));
    exchange.response.body = testing::body(r#"{"session_key":"abc"}"#);
    let stored = redact(&exchange);
    let stars = "*".repeat(TOKEN.len());
    assert_eq!(stored.path, format!("/x/{stars}"));
    assert_eq!(stored.query, format!("access_token={}&a={stars}&b=1", "*".repeat(KEY.len())));
    assert_eq!(body(&stored), format!(r#"{{"secret":"**","t":"{stars}","n":1.0}}"#));
    assert_eq!(stored.response.body(), Some(&br#"{"session_key":"***"}"#[..]));
    assert_eq!(stored.redacted, ["access_token", "query", "path", "secret", "body"]);
    assert!(!stored.is_complete());
    assert!(redact(&testing::documented()).is_complete());
}

#[test]
fn fields_of_the_call_and_tickets_are_never_stored() {
    let mut exchange = testing::at("/sns/jscode2session", 0);
    exchange.query = "js_code=0a1b&x=1".into();
    exchange.extra_redact = &["js_code"];
    assert_eq!(redact(&exchange).query, "js_code=****&x=1");
    for (path, ticket) in [("/cgi-bin/ticket/getticket", "***"), ("/cgi-bin/qrcode/create", "abc")]
    {
        let mut exchange = testing::at(path, 0);
        exchange.response.body = testing::body(r#"{"ticket":"abc"}"#);
        let expected = format!(r#"{{"ticket":"{ticket}"}}"#);
        assert_eq!(redact(&exchange).response.body(), Some(expected.as_bytes()), "{path}");
    }
}

#[test]
fn forms_are_masked_like_queries() {
    let mut exchange = testing::at("/x", 0);
    let form = "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap();
    exchange.request.headers.insert("content-type", form);
    exchange.request.body = testing::body("appid=wx&secret=abc");
    assert_eq!(body(&redact(&exchange)), "appid=wx&secret=***");
}

#[test]
fn a_compressed_body_is_stored_plain_so_that_nothing_hides_in_it() {
    let mut exchange = testing::at("/x", 0);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(format!("token {TOKEN}").as_bytes()).unwrap();
    let gzip = Bytes::from(gzip.finish().unwrap());
    exchange.request.headers.insert("content-encoding", "gzip".parse().unwrap());
    exchange.request.body = Captured::of(&gzip, 1 << 20);
    let stored = redact(&exchange);
    assert_eq!(body(&stored), format!("token {}", "*".repeat(TOKEN.len())));
    assert_eq!(stored.request.size, gzip.len() as u64, "the size is that of the wire");
}

#[test]
fn a_cut_body_ends_before_a_cut_character_and_hides_a_cut_secret() {
    for (text, cap, expected) in [
        ("商品名", 7, "商品".to_owned()),
        (&*format!("x {TOKEN}"), 22, format!("x {}", "*".repeat(20))),
        (r#"{"secret":"abcdef"}"#, 14, r#"{"secret":"***"#.to_owned()),
    ] {
        let mut exchange = testing::at("/x", 0);
        exchange.request.body = Captured::of(&Bytes::copy_from_slice(text.as_bytes()), cap);
        let stored = redact(&exchange);
        assert_eq!(body(&stored), expected);
        assert!(stored.request.truncated && stored.request.size == text.len() as u64);
    }
}

#[test]
fn a_body_cut_right_behind_a_secret_hides_all_of_it() {
    let redactor = redactor();
    // What is last in the token is first in this one, and in all its spellings.
    redactor.protect("other/token", &Secret::new("m-another-token-of-the-platform".into()));
    redactor.protect("third/token", &Secret::new("ormm-another-token-of-the-platform".into()));
    for before in ["x ".to_owned(), "x".repeat(6000)] {
        for behind in 0..3 {
            let text = format!("{before}{TOKEN}mm and more");
            let cap = before.len() + TOKEN.len() + behind;
            let whole = Bytes::from(text.clone());
            let mut plain = testing::at("/x", 0);
            plain.request.body = Captured::of(&whole, cap);
            let mut zipped = testing::at("/x", 0);
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            zipped.request.headers.append("content-encoding", "gzip".parse().unwrap());
            zipped.request.body = Captured::of(&gzip.finish().unwrap().into(), 1 << 20);
            for exchange in [plain, zipped] {
                let stored = testing::redacted_up_to(&exchange, &redactor, cap);
                let (begin, end) = body(&stored).split_at(before.len());
                assert!(begin == before && end.trim_start_matches('*').len() <= behind, "{end}");
                assert!(stored.request.truncated && stored.redacted.contains(&"body".into()));
            }
        }
    }
}

#[test]
fn names_of_keys_and_accounts_stay_names_whatever_a_secret_is() {
    let redactor = redactor();
    redactor.protect("a/app_secret", &Secret::new("shop-of-the-north".into()));
    let mut exchange = testing::at("/x/shop-of-the-north", 0);
    exchange.account = Some("shop-of-the-north".parse().unwrap());
    exchange.key = Some("ci-shop-of-the-north".parse().unwrap());
    let stored = testing::redacted(&exchange, &redactor);
    assert_eq!((&stored.account, &stored.key), (&exchange.account, &exchange.key));
    assert_eq!(
        (&*stored.path, &stored.redacted[..]),
        ("/x/*****************", &["path".into()][..])
    );
}

#[test]
fn chunks_are_joined_before_they_are_searched() {
    let mut exchange = testing::at("/x", 0);
    let (left, right) = TOKEN.split_at(10);
    let chunks = [left, right, "!"].map(|part| Bytes::copy_from_slice(part.as_bytes()));
    exchange.request.body =
        Captured { chunks: chunks.to_vec(), size: TOKEN.len() as u64 + 1, truncated: false };
    assert_eq!(body(&redact(&exchange)), format!("{}!", "*".repeat(TOKEN.len())));
}

#[test]
fn texts_that_the_platform_or_a_user_wrote_are_searched_too() {
    let mut exchange = testing::documented();
    exchange.time = from_unix_ms(0);
    exchange.errmsg = Some(format!("bad {TOKEN}"));
    exchange.rid = Some(TOKEN.into());
    exchange.note = Some(format!("my key is {KEY}"));
    exchange.marks.fault = Some(TOKEN.into());
    exchange.attempts[0].error = Some(format!("GET ?access_token={TOKEN}"));
    let stored = redact(&exchange);
    let json = stored.to_json();
    assert!(!json.contains(TOKEN) && !json.contains(KEY), "{json}");
    assert!(json.contains("my key is wxgk_***"));
}
