//! Limits a second, minute or hour: buckets, shared and given back.

use std::time::Duration;

use super::{Home, key, rate, settings, shop};
use crate::{
    access::{
        Key,
        limits::{LimitName, LimitSettings},
    },
    config::model::PathLimit,
};

#[test]
fn without_limits_everything_passes_and_nothing_is_said() {
    let home = Home::new();
    let limiter = home.limiter(&LimitSettings::default());
    let standing = home.ask(&limiter, &key("a", None), "/x").unwrap();
    assert!(standing.is_empty());
    assert_eq!(limiter.tracked(), (0, 0));
}

#[test]
fn a_key_gets_its_burst_and_then_its_rate() {
    let home = Home::new();
    let limiter = home.limiter(&settings(Some("50/s"), &[]));
    let alice = key("alice", None);
    let first = home.ask(&limiter, &alice, "/x").unwrap();
    assert_eq!(first.rate_limit().unwrap(), "\"key\";r=49;t=1");
    assert_eq!(first.policy().unwrap(), "\"key\";q=50;w=1");
    assert_eq!(home.admitted(&limiter, &alice, "/x", 60), 49);

    let limited = home.ask(&limiter, &alice, "/x").unwrap_err();
    assert_eq!((&limited.limit, limited.rate), (&LimitName::Key, rate("50/s")));
    assert_eq!(limited.retry_after, Duration::from_millis(20));
    assert_eq!(limited.retry_after_field(), "1");
    assert_eq!(limited.standing.rate_limit().unwrap(), "\"key\";r=0;t=1");

    home.clock.advance(Duration::from_millis(20));
    assert_eq!(home.admitted(&limiter, &alice, "/x", 5), 1);
    home.clock.advance(Duration::from_secs(60));
    assert_eq!(home.admitted(&limiter, &alice, "/x", 100), 50, "never more than the burst");
}

#[test]
fn each_key_has_its_own_bucket_and_its_own_rate_goes_first() {
    let home = Home::new();
    let limiter = home.limiter(&settings(Some("5/s"), &[]));
    assert_eq!(home.admitted(&limiter, &key("a", None), "/x", 9), 5);
    assert_eq!(home.admitted(&limiter, &key("b", None), "/x", 9), 5);
    assert_eq!(home.admitted(&limiter, &key("c", Some("7/m")), "/x", 9), 7);
    assert_eq!(home.admitted(&limiter, &key("d", Some("2/h")), "/x", 9), 2);
}

#[test]
fn a_rotated_key_goes_on_with_its_bucket() {
    let home = Home::new();
    let limiter = home.limiter(&settings(Some("5/m"), &[]));
    assert_eq!(home.admitted(&limiter, &key("a", None), "/x", 5), 5);
    let rotated = Key { id: "0000000000".parse().unwrap(), ..key("a", None) };
    assert_eq!(home.admitted(&limiter, &rotated, "/x", 5), 0);
}

#[test]
fn callers_share_the_limit_of_an_account_path() {
    let home = Home::new();
    let limiter = home.limiter(&settings(None, &[("/cgi-bin/message/**", "100/s", Some(3))]));
    let (a, b) = (key("a", None), key("b", None));
    assert_eq!(home.admitted(&limiter, &a, "/cgi-bin/message/send", 2), 2);
    assert_eq!(home.admitted(&limiter, &b, "/cgi-bin/message/custom/send", 5), 1);
    assert_eq!(home.admitted(&limiter, &b, "/cgi-bin/menu/get", 5), 5, "another path");
    let bank = "bank".parse().unwrap();
    assert!(limiter.check(&a, &bank, "/cgi-bin/message/send", home.now).is_ok());
    assert!(limiter.check_key(&a, home.now).is_ok(), "the shadow does not count");

    let limited = home.ask(&limiter, &a, "/cgi-bin/message/send").unwrap_err();
    assert_eq!(limited.limit.to_string(), "/cgi-bin/message/**");
    assert_eq!(limited.retry_after, Duration::from_millis(10));
}

#[test]
fn a_refused_call_costs_the_other_limits_nothing() {
    let home = Home::new();
    let paths = [("/a/**", "100/h", None), ("/a/day", "100/d", None), ("/a/*", "2/h", None)];
    let limiter = home.limiter(&settings(Some("50/h"), &paths));
    let alice = key("alice", None);
    assert_eq!(home.admitted(&limiter, &alice, "/a/day", 30), 2);
    let limited = home.ask(&limiter, &alice, "/a/day").unwrap_err();
    assert_eq!(
        limited.standing.rate_limit().unwrap(),
        "\"/a/*\";r=0;t=1800, \"key\";r=48;t=216, \"/a/day\";r=98;t=23400, \"/a/**\";r=98;t=108"
    );
    // And the key's own refusal leaves the account's limits alone.
    let bob = key("bob", Some("1/h"));
    assert_eq!(home.admitted(&limiter, &bob, "/a/b/c", 10), 1);
    let standing = home.ask(&limiter, &alice, "/a/b/c").unwrap();
    assert_eq!(standing.rate_limit().unwrap(), "\"key\";r=47;t=216, \"/a/**\";r=96;t=144");
}

#[test]
fn a_reload_refills_nothing_that_has_not_changed() {
    let home = Home::new();
    let before = settings(Some("5/h"), &[("/a", "3/h", None), ("/b", "3/h", None)]);
    let limiter = home.limiter(&before);
    let alice = key("alice", None);
    assert_eq!(home.admitted(&limiter, &alice, "/a", 9), 3);
    assert_eq!(home.admitted(&limiter, &alice, "/b", 9), 2);

    limiter.apply(&settings(Some("5/h"), &[("/b", "4/h", None), ("/a", "3/h", None)]));
    assert!(home.ask(&limiter, &alice, "/x").is_err(), "the key's bucket is as empty as before");
    let fresh = key("fresh", None);
    assert!(home.ask(&limiter, &fresh, "/a").is_err());
    assert_eq!(home.admitted(&limiter, &fresh, "/b", 9), 4, "a changed limit begins anew");

    limiter.apply(&LimitSettings::default());
    assert!(home.ask(&limiter, &alice, "/a").unwrap().is_empty());
    limiter.apply(&before);
    assert!(home.ask(&limiter, &alice, "/x").is_err(), "off and on again refills no key");
}

#[test]
fn the_table_is_bounded_and_a_late_comer_shares_a_bucket() {
    let home = Home { most_keys: 3, ..Home::new() };
    let limiter = home.limiter(&settings(Some("2/s"), &[]));
    let admitted: usize =
        (0..50).map(|n| home.admitted(&limiter, &key(&format!("k{n}"), None), "/x", 5)).sum();
    assert_eq!(admitted, 3 * 2 + 2, "three buckets and the shared one");
    assert_eq!(limiter.tracked().0, 3);

    limiter.sweep(home.now);
    assert_eq!(limiter.tracked().0, 3, "a bucket that is not full stays");
    assert_eq!(home.admitted(&limiter, &key("k0", None), "/x", 5), 0, "no hot bucket is refilled");
    home.clock.advance(Duration::from_secs(5));
    limiter.sweep(home.now);
    assert_eq!(limiter.tracked().0, 0);
    assert_eq!(home.admitted(&limiter, &key("k9", None), "/x", 5), 2);
}

#[test]
fn absurd_bursts_and_rates_neither_overflow_nor_panic() {
    let home = Home::new();
    for text in ["1/h", "4294967295/s", "4294967295/h", "1/s"] {
        let limiter = home.limiter(&settings(Some(text), &[("/**", text, Some(u32::MAX))]));
        home.clock.advance(Duration::from_secs(3600));
        assert!(home.ask(&limiter, &key("a", None), "/x").is_ok(), "{text}");
    }
}

#[test]
fn threads_together_get_no_more_than_the_burst() {
    let home = Home::new();
    let paths = [("/**", "1000/h", Some(40)), ("/a", "1000/d", None)];
    let limiter = home.limiter(&settings(Some("500/h"), &paths));
    let alice = key("alice", None);
    let barrier = std::sync::Barrier::new(8);
    let admitted: usize = std::thread::scope(|scope| {
        let call = || {
            barrier.wait();
            home.admitted(&limiter, &alice, "/a", 300)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 40);
    // 2,360 refusals gave back exactly what they took.
    let limited = home.ask(&limiter, &alice, "/a").unwrap_err();
    let standing = limited.standing.rate_limit().unwrap();
    assert!(standing.to_str().unwrap().contains("\"key\";r=460"), "{standing:?}");
    let keys_of_many = key("late", None);
    assert!(home.ask(&limiter, &keys_of_many, "/a").is_err());
    limiter.apply(&settings(None, &[("/a", "1000/d", None)]));
    let standing = home.ask(&limiter, &alice, "/a").unwrap().rate_limit().unwrap();
    assert_eq!(standing, "\"/a\";r=959;t=23400");
}

#[test]
fn many_keys_once_each_are_all_tracked_and_all_swept() {
    let home = Home { most_keys: 100_000, ..Home::new() };
    let limiter = home.limiter(&settings(Some("1/s"), &[]));
    let names: Vec<Key> = (0..10_000).map(|n| key(&format!("k{n}"), None)).collect();
    let admitted = names.iter().filter(|key| home.ask(&limiter, key, "/x").is_ok()).count();
    assert_eq!((admitted, limiter.tracked().0), (10_000, 10_000));
    home.clock.advance(Duration::from_secs(3));
    limiter.sweep(home.now);
    assert_eq!(limiter.tracked().0, 0);
}

#[test]
fn a_path_that_is_no_pattern_is_refused_when_settings_are_made() {
    let mut settings = LimitSettings::default();
    let limit = PathLimit { path: "/a*".into(), rate: rate("1/s"), burst: 1.try_into().unwrap() };
    let error = settings.limit_account(&shop(), &[limit]).unwrap_err();
    assert!(error.to_string().contains("`/a*`"), "{error}");
}
