//! Keys read from database and file, and looked up.

use super::{HOUR, Home, fixed, new, with_other_secret};
use crate::{
    access::{Accounts, Key, KeyError, KeyText, NewKey, base62},
    base::{
        code::ErrorCode,
        permission::{ErrorStyle, Lane, Role},
    },
};

#[tokio::test]
async fn a_new_key_opens_at_once_and_after_a_restart_with_all_its_rules() {
    let home = Home::new();
    let ring = home.ring();
    let wanted = NewKey {
        role: Role::Viewer,
        lane: Lane::Sandbox,
        allow_danger: true,
        errors: ErrorStyle::Wechat,
        accounts: Accounts::Some(vec!["shop".parse().unwrap(), "bank".parse().unwrap()]),
        paths: vec!["/shop".into(), "/cgi-bin/menu/".into()],
        networks: vec!["203.0.113.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        rate: "600/m".parse().ok(),
        lifetime: Some(HOUR),
        ..new("alice")
    };
    let (made, text) = ring.create(wanted, "cli").await.unwrap();
    assert_eq!(home.check(&ring, &text).unwrap().id, made.id);
    drop(ring);
    let again = home.check(&home.ring(), &text).unwrap();
    let json = |key: &Key| {
        let mut value = serde_json::to_value(key).unwrap();
        // Stored to the millisecond, made to the nanosecond.
        for field in ["created", "expires"] {
            value[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            value[field] = serde_json::Value::Null;
        }
        value
    };
    assert_eq!(json(&again), json(&made));
    assert_eq!(again.expires.unwrap().duration_since(again.created).unwrap(), HOUR);
}

#[tokio::test]
async fn each_wrong_credential_is_told_apart_and_counted() {
    let home = Home::new();
    let ring = home.ring();
    let (_, text) = ring.create(new("alice"), "cli").await.unwrap();
    let now = home.now();
    let code = |presented: &str| ring.check(presented, now).unwrap_err().code();
    assert_eq!(code(KeyText::generate().reveal()), ErrorCode::KeyUnknown);
    assert_eq!(code(&with_other_secret(&text)), ErrorCode::KeyUnknown, "right id, wrong secret");
    assert_eq!(code(""), ErrorCode::KeyMalformed);
    assert_eq!(code(&text.reveal()[..64]), ErrorCode::KeyMalformed);
    for n in 0..65 {
        let mut typo = text.reveal().as_bytes().to_vec();
        typo[n] = if typo[n] == b'x' { b'y' } else { b'x' };
        assert_eq!(code(std::str::from_utf8(&typo).unwrap()), ErrorCode::KeyMalformed, "{n}");
    }
    assert_eq!(ring.metrics.refusals_of(ErrorCode::KeyUnknown), 2);
    assert_eq!(ring.metrics.refusals_of(ErrorCode::KeyMalformed), 67);
}

#[tokio::test]
async fn the_first_key_is_an_operator_without_danger() {
    let home = Home::new();
    let ring = home.ring();
    assert!(ring.is_empty());
    let (key, text) = ring.first_key().await.unwrap();
    assert_eq!((key.name.as_str(), key.role, key.lane), ("first", Role::Operator, Lane::Live));
    assert!(!key.allow_danger && key.accounts == Accounts::All && key.expires.is_none());
    assert!(!ring.is_empty() && home.check(&ring, &text).is_ok());
    ring.revoke("first", "cli").await.unwrap();
    assert!(!ring.is_empty(), "a revoked key is no reason for a new operator");
}

#[tokio::test]
async fn fixed_keys_come_and_go_with_the_file() {
    let home = Home::new();
    let (text, other) = (KeyText::generate(), KeyText::generate());
    let ring = home.try_ring(&[fixed("robot", &text)]).unwrap();
    assert!(!ring.is_empty());
    let key = home.check(&ring, &text).unwrap();
    assert!(key.fixed && key.lane == Lane::ReadOnly && key.errors == ErrorStyle::Wechat);
    assert_eq!(ring.check_id(&key.id, home.now()).unwrap().name.as_str(), "robot");

    for given in ["robot", key.id.as_str()] {
        let error = ring.revoke(given, "cli").await.unwrap_err();
        assert!(matches!(error, KeyError::Fixed { .. }), "{error}");
        let error = ring.rotate(given, None, "cli").await.unwrap_err();
        assert!(matches!(error, KeyError::Fixed { .. }), "{error}");
    }
    let error = ring.create(new("robot"), "cli").await.unwrap_err();
    assert!(matches!(error, KeyError::NameTaken { .. }), "{error}");

    ring.set_fixed(&[fixed("robot-2", &other)]);
    assert_eq!(home.check(&ring, &text).unwrap_err(), ErrorCode::KeyUnknown);
    assert!(ring.check_id(&key.id, home.now()).is_err(), "nor what was made from it");
    let kept = home.check(&ring, &other).unwrap().created;
    home.clock.advance(HOUR);
    ring.set_fixed(&[fixed("robot-2", &other), fixed("robot", &text)]);
    assert_eq!(home.check(&ring, &other).unwrap().created, kept);
    assert_eq!(ring.list().len(), 2);
}

#[tokio::test]
async fn a_revoked_key_cannot_come_back_through_the_file() {
    let home = Home::new();
    let ring = home.ring();
    let (_, text) = ring.create(new("alice"), "cli").await.unwrap();
    ring.set_fixed(&[fixed("alice", &text)]);
    ring.revoke("alice", "cli").await.expect("the name means the key of the database");
    assert_eq!(home.check(&ring, &text).unwrap_err(), ErrorCode::KeyRevoked);
}

#[tokio::test]
async fn no_text_of_a_key_is_in_the_database_file() {
    let home = Home::new();
    let ring = home.ring();
    let (_, text) = ring.create(new("alice"), "cli").await.unwrap();
    drop(ring);
    for file in std::fs::read_dir(home.dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let secret = &text.reveal().as_bytes()[16..59];
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn a_row_that_cannot_be_read_stops_the_start_and_is_named() {
    let home = Home::new();
    let ring = home.ring();
    let (key, _) = ring.create_blocking(new("alice"), "cli").unwrap();
    for (column, value) in [
        ("role", "'emperor'"),
        ("lane", "''"),
        ("networks", "'[\"x\"]'"),
        ("accounts", "'shop'"),
        ("rate", "'5'"),
        ("hash", "x'00'"),
    ] {
        let sql = format!("UPDATE key SET {column} = {value}");
        let undo = home.db();
        undo.write_blocking(|t| t.execute("CREATE TABLE saved AS SELECT * FROM key", [])).unwrap();
        undo.write_blocking(move |t| t.execute(&sql, [])).unwrap();
        match home.try_ring(&[]) {
            Err(KeyError::Damaged { id, field }) => {
                assert_eq!((id.as_str(), field), (key.id.as_str(), column));
            }
            other => panic!("{column}: {other:?}"),
        }
        undo.write_blocking(|t| {
            t.execute_batch(
                "DELETE FROM key; INSERT INTO key SELECT * FROM saved; DROP TABLE saved",
            )
        })
        .unwrap();
    }
    assert!(home.try_ring(&[]).is_ok());
}

#[test]
fn a_hundred_thousand_keys_are_loaded_found_and_changed() {
    let home = Home::new();
    let texts: Vec<KeyText> = (0..100).map(|_| KeyText::generate()).collect();
    let known: Vec<_> = texts.iter().map(|text| (text.id().to_string(), text.sha256())).collect();
    home.db()
        .write_blocking(move |t| {
            let mut insert = t.prepare(
                "INSERT INTO key VALUES (?1, ?2, ?3, 'developer', 'live', 0, 'http', '[\"shop\"]',
                                         '[]', '[]', NULL, 0, NULL, NULL, NULL)",
            )?;
            for (n, (id, hash)) in known.iter().enumerate() {
                insert.execute((id, format!("known-{n}"), hash.as_slice()))?;
            }
            for n in 0..99_900_u64 {
                // Multiplied, so that the ids spread as random ones do.
                let id = base62::encode::<10>(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let id = std::str::from_utf8(&id).unwrap_or_default();
                insert.execute((id, format!("k-{n}"), [0_u8; 32].as_slice()))?;
            }
            Ok(())
        })
        .unwrap();
    let ring = home.ring();
    assert_eq!(ring.list().len(), 100_000);
    for text in &texts {
        assert!(home.check(&ring, text).is_ok());
    }
    assert_eq!(home.check(&ring, &KeyText::generate()).unwrap_err(), ErrorCode::KeyUnknown);
    let (_, text) = ring.create_blocking(new("one-more"), "cli").unwrap();
    assert!(home.check(&ring, &text).is_ok());
    ring.revoke_blocking("known-7", "cli").unwrap();
    assert_eq!(home.check(&ring, &texts[7]).unwrap_err(), ErrorCode::KeyRevoked);
}
