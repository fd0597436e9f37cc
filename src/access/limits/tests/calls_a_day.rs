//! Limits a day: counted, stored, turned.

use std::time::Duration;

use super::{Home, at, key, settings};

#[tokio::test]
async fn calls_a_day_survive_a_restart_and_begin_anew_at_midnight_in_beijing() {
    let mut home = Home::new();
    let limits = settings(Some("4/d"), &[("/a/**", "5/d", None)]);
    let limiter = home.limiter(&limits);
    let (alice, bob) = (key("alice", None), key("bob", None));
    assert_eq!(home.admitted(&limiter, &alice, "/a/b", 3), 3);
    limiter.flush(home.now).await.unwrap();
    drop(limiter);

    let limiter = home.limiter(&limits);
    assert_eq!(home.admitted(&limiter, &alice, "/x", 5), 1, "one of four was left");
    assert_eq!(home.admitted(&limiter, &bob, "/a/c", 5), 2, "two of five were left");
    let limited = home.ask(&limiter, &alice, "/x").unwrap_err();
    assert_eq!(limited.retry_after, Duration::from_secs(6 * 3600 + 1800));
    assert_eq!(limited.standing.policy().unwrap(), "\"key\";q=4;w=86400");

    home.now = at("2026-11-22T16:00:00Z");
    let standing = home.ask(&limiter, &alice, "/a/b").unwrap();
    assert_eq!(standing.rate_limit().unwrap(), "\"key\";r=3;t=86400, \"/a/**\";r=4;t=86400");
    home.now = at("2026-11-22T15:59:00Z");
    assert_eq!(home.admitted(&limiter, &alice, "/x", 9), 3, "a clock set back refills nothing");
}

#[tokio::test]
async fn a_changed_number_of_calls_a_day_keeps_the_count() {
    let home = Home::new();
    let limiter = home.limiter(&settings(None, &[("/a", "3/d", None)]));
    let alice = key("alice", None);
    assert_eq!(home.admitted(&limiter, &alice, "/a", 9), 3);
    limiter.apply(&settings(None, &[("/a", "5/d", None)]));
    assert_eq!(home.admitted(&limiter, &alice, "/a", 9), 2);
    limiter.apply(&settings(None, &[("/a", "9/d", None), ("/a", "6/d", None)]));
    assert_eq!(home.admitted(&limiter, &alice, "/a", 9), 1, "the smaller of two, counted once");
}

#[tokio::test]
async fn old_counts_leave_the_database_and_other_rooms_rows_stay() {
    let mut home = Home::new();
    let limiter = home.limiter(&settings(Some("9/d"), &[]));
    home.ask(&limiter, &key("alice", None), "/a").unwrap();
    limiter.flush(home.now).await.unwrap();
    limiter
        .db
        .write(|t| t.execute("INSERT INTO counter VALUES ('forced shop', '2020-01-01', 1, 0)", []))
        .await
        .unwrap();
    home.now += Duration::from_secs(9 * 86_400);
    home.ask(&limiter, &key("bob", None), "/a").unwrap();
    limiter.flush(home.now).await.unwrap();
    let names = |c: &rusqlite::Connection| -> rusqlite::Result<Vec<String>> {
        c.prepare("SELECT name FROM counter ORDER BY name")?.query_map([], |r| r.get(0))?.collect()
    };
    assert_eq!(limiter.db.read_blocking(names).unwrap(), ["forced shop", "limit bob"]);
}

#[tokio::test]
async fn the_day_book_is_bounded_and_swept_when_the_day_is_over() {
    let mut home = Home { most_keys: 3, ..Home::new() };
    let limiter = home.limiter(&settings(Some("2/d"), &[]));
    let ask_all = |home: &Home| -> usize {
        (0..20).map(|n| home.admitted(&limiter, &key(&format!("k{n}"), None), "/x", 5)).sum()
    };
    assert_eq!(ask_all(&home), 3 * 2 + 2);
    limiter.apply(&settings(None, &[("/a", "5/d", None), ("/b", "7/d", None)]));
    assert_eq!(home.admitted(&limiter, &key("a", None), "/a", 9), 5, "a path never shares");
    assert_eq!(home.admitted(&limiter, &key("a", None), "/b", 9), 7);
    limiter.apply(&settings(Some("2/d"), &[]));
    limiter.sweep(home.now);
    assert_eq!(limiter.tracked().1, 6, "today's counters stay");

    home.now += Duration::from_secs(86_400);
    limiter.sweep(home.now);
    assert_eq!(limiter.tracked().1, 6, "what was never stored stays");
    limiter.flush(home.now).await.unwrap();
    limiter.sweep(home.now);
    assert_eq!(limiter.tracked().1, 0);
}
