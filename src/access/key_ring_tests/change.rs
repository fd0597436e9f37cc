//! Keys made, revoked, rotated.

use std::time::Duration;

use super::{HOUR, Home, new};
use crate::{
    access::{Key, KeyError, KeyRefusal, NewKey},
    base::code::ErrorCode,
};

#[tokio::test]
async fn a_key_ends_with_its_time() {
    let home = Home::new();
    let ring = home.ring();
    let (key, text) =
        ring.create(NewKey { lifetime: Some(HOUR), ..new("alice") }, "cli").await.unwrap();
    let secret = text.reveal();
    let end = key.expires.unwrap();
    assert!(ring.check(secret, end - Duration::from_millis(1)).is_ok());
    assert!(matches!(ring.check(secret, end), Err(KeyRefusal::Expired { at, .. }) if at == end));
    assert!(matches!(ring.check_id(&key.id, end), Err(KeyRefusal::Expired { .. })));

    // Its name is free now, and the old text still says what became of it.
    home.clock.advance(HOUR * 2);
    let (newer, other) = ring.create(new("alice"), "cli").await.unwrap();
    assert_eq!(home.check(&ring, &other).unwrap().id, newer.id);
    assert_eq!(home.check(&ring, &text).unwrap_err(), ErrorCode::KeyExpired);
    drop(ring);
    let ring = home.ring();
    assert_eq!(home.check(&ring, &text).unwrap_err(), ErrorCode::KeyExpired);
    assert_eq!(ring.live_key("alice").unwrap().id, newer.id);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_the_moment_the_command_returns() {
    let home = Home::new();
    let ring = home.ring();
    let (key, text) = ring.create(new("alice"), "cli").await.unwrap();
    let (_, other) = ring.create(new("bob"), "cli").await.unwrap();
    assert!(ring.check_id(&key.id, home.now()).is_ok());
    let revoked = ring.revoke("alice", "cli").await.unwrap();
    assert!(revoked.revoked.is_some());
    assert_eq!(home.check(&ring, &text).unwrap_err(), ErrorCode::KeyRevoked);
    assert!(ring.check_id(&key.id, home.now()).is_err(), "nor what was made from it");
    assert!(ring.live_key("alice").is_none());
    assert!(home.check(&ring, &other).is_ok());

    let again = ring.revoke("alice", "cli").await.unwrap_err();
    assert!(matches!(again, KeyError::AlreadyRevoked { .. }), "{again}");
    let missing = ring.revoke("nobody", "cli").await.unwrap_err();
    assert!(matches!(missing, KeyError::NotFound { .. }), "{missing}");
    ring.create(new("alice"), "cli").await.expect("the name is free again");
    drop(ring);
    assert_eq!(home.check(&home.ring(), &text).unwrap_err(), ErrorCode::KeyRevoked);
}

#[tokio::test]
async fn a_key_can_be_revoked_by_its_id() {
    let home = Home::new();
    let ring = home.ring();
    let (key, text) = ring.create(new("alice"), "cli").await.unwrap();
    ring.revoke(key.id.as_str(), "cli").await.unwrap();
    assert_eq!(home.check(&ring, &text).unwrap_err(), ErrorCode::KeyRevoked);
}

#[tokio::test]
async fn a_rotated_key_has_its_grace_and_its_successor_the_same_rules() {
    let home = Home::new();
    let ring = home.ring();
    let wanted = NewKey {
        rate: "5/s".parse().ok(),
        lifetime: Some(HOUR * 48),
        paths: vec!["/shop".into()],
        ..new("alice")
    };
    let (old, old_text) = ring.create(wanted, "cli").await.unwrap();
    home.clock.advance(HOUR);
    let (key, text) = ring.rotate("alice", Some(HOUR), "cli").await.unwrap();
    assert_ne!(key.id, old.id);
    assert_eq!((&key.name, key.rate, &key.paths), (&old.name, old.rate, &old.paths));
    assert_eq!(key.expires.unwrap().duration_since(key.created).unwrap(), HOUR * 48);
    assert!(home.check(&ring, &old_text).is_ok() && home.check(&ring, &text).is_ok());
    let error = ring.rotate(old.id.as_str(), None, "cli").await.unwrap_err();
    assert!(matches!(error, KeyError::AlreadyRevoked { .. }), "{error}");

    drop(ring);
    let ring = home.ring();
    assert!(home.check(&ring, &old_text).is_ok() && home.check(&ring, &text).is_ok());
    assert_eq!(ring.live_key("alice").unwrap().id, key.id);
    home.clock.advance(HOUR);
    assert_eq!(home.check(&ring, &old_text).unwrap_err(), ErrorCode::KeyRevoked);
    assert!(home.check(&ring, &text).is_ok());
}

#[tokio::test]
async fn a_name_that_is_revoked_or_rotated_without_grace_takes_its_predecessors_along() {
    let home = Home::new();
    let ring = home.ring();
    let (_, first) = ring.create(new("alice"), "cli").await.unwrap();
    let (_, second) = ring.rotate("alice", Some(HOUR), "cli").await.unwrap();
    let (_, third) = ring.rotate("alice", None, "cli").await.unwrap();
    assert_eq!(home.check(&ring, &first).unwrap_err(), ErrorCode::KeyRevoked);
    assert_eq!(home.check(&ring, &second).unwrap_err(), ErrorCode::KeyRevoked);
    let (fourth_key, fourth) = ring.rotate("alice", Some(HOUR), "cli").await.unwrap();
    assert!(home.check(&ring, &third).is_ok());

    // By id, only that key goes; by name then, the one in its grace.
    ring.revoke(fourth_key.id.as_str(), "cli").await.unwrap();
    assert_eq!(home.check(&ring, &fourth).unwrap_err(), ErrorCode::KeyRevoked);
    assert!(home.check(&ring, &third).is_ok());
    ring.revoke("alice", "cli").await.unwrap();
    assert_eq!(home.check(&ring, &third).unwrap_err(), ErrorCode::KeyRevoked);
}

#[tokio::test]
async fn a_change_is_finished_even_if_nobody_waits_for_it() {
    let home = Home::new();
    let ring = home.ring();
    let (_, text) = ring.create(new("alice"), "cli").await.unwrap();
    {
        let mut revoke = std::pin::pin!(ring.revoke("alice", "cli"));
        let first_poll =
            std::future::poll_fn(|cx| std::task::Poll::Ready(revoke.as_mut().poll(cx).is_ready()));
        first_poll.await;
    }
    let gone = async {
        while home.check(&ring, &text).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    drop(ring);
    assert_eq!(home.check(&home.ring(), &text).unwrap_err(), ErrorCode::KeyRevoked);
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_with_advice() {
    let home = Home::new();
    let ring = home.ring();
    ring.create(new("alice"), "cli").await.unwrap();
    let error = ring.create(new("alice"), "cli").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is a key `alice` already; rotate or revoke it, or take another name"
    );
    for bad in ["shop", "", "/a b", "/a*", "/a?b", "/a%2F", "/é"] {
        let key = NewKey { paths: vec!["/shop".into(), bad.into()], ..new("bob") };
        let error = ring.create(key, "cli").await.unwrap_err();
        assert!(matches!(&error, KeyError::BadPath { given } if given == bad), "{error}");
    }
    for life in [Duration::MAX, HOUR * 24 * 366 * 9000] {
        let key = NewKey { lifetime: Some(life), ..new("bob") };
        let error = ring.create(key, "cli").await.unwrap_err();
        assert!(matches!(error, KeyError::TooLong { .. }), "{error}");
    }
    let error = ring.rotate("alice", Some(Duration::MAX), "cli").await.unwrap_err();
    assert!(matches!(error, KeyError::TooLong { .. }), "{error}");
    assert_eq!(ring.list().len(), 1, "nothing of all that was kept");
}

#[tokio::test]
async fn every_change_is_written_down_with_its_author() {
    let home = Home::new();
    let ring = home.ring();
    let (first, _) = ring.create(new("alice"), "cli").await.unwrap();
    let (second, _) = ring.rotate("alice", None, "key root").await.unwrap();
    ring.revoke("alice", "console").await.unwrap();
    ring.create(NewKey { paths: vec!["bad".into()], ..new("bob") }, "cli").await.unwrap_err();
    let lines = |c: &rusqlite::Connection| -> rusqlite::Result<Vec<(String, String, String)>> {
        c.prepare("SELECT who, what, subject FROM audit ORDER BY id")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect()
    };
    let line = |who: &str, what: &str, key: &Key| {
        (who.to_owned(), what.to_owned(), format!("key alice ({})", key.id))
    };
    assert_eq!(
        ring.db.read_blocking(lines).unwrap(),
        [
            line("cli", "create", &first),
            line("key root", "rotate", &second),
            line("console", "revoke", &second)
        ]
    );
}
