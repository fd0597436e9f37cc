//! Keys that a client certificate counts as.

use super::*;
use crate::{access::KeyRefusal, base::subject::Subject};

fn subject(text: &str) -> Subject {
    text.parse().unwrap()
}

fn bound(name: &str, to: &str) -> NewKey {
    NewKey { subject: Some(subject(to)), ..new(name) }
}

fn fixed_bound(name: &str, to: &str) -> FixedKey {
    FixedKey { sha256: None, subject: Some(subject(to)), ..fixed(name, &KeyText::generate()) }
}

fn found(ring: &KeyRing, home: &Home, of: &str) -> String {
    match ring.check_subject(&subject(of), home.now()) {
        None => "nobody".to_owned(),
        Some(Ok(key)) => key.name.to_string(),
        Some(Err(refusal)) => refusal.code().name().to_owned(),
    }
}

#[tokio::test]
async fn a_subject_is_its_key_until_that_ends_also_after_a_restart() {
    let home = Home::new();
    let ring = home.ring();
    ring.create(bound("ci", "cn=ci,o=Shop"), "cli").await.unwrap();
    ring.create(new("other"), "cli").await.unwrap();
    assert_eq!(found(&ring, &home, "CN=ci,O=Shop"), "ci");
    assert_eq!(found(&ring, &home, "CN=ci"), "nobody");
    drop(ring);
    let ring = home.ring();
    assert_eq!(found(&ring, &home, "CN=ci,O=Shop"), "ci");
    ring.revoke("ci", "cli").await.unwrap();
    assert_eq!(found(&ring, &home, "CN=ci,O=Shop"), "key_revoked");
    drop(ring);
    assert_eq!(found(&home.ring(), &home, "CN=ci,O=Shop"), "key_revoked");
}

#[tokio::test]
async fn two_live_keys_never_share_a_subject_and_the_refusal_names_both() {
    let home = Home::new();
    let ring = home.try_ring(&[fixed_bound("robot", "CN=robot")]).unwrap();
    ring.create(NewKey { lifetime: Some(HOUR), ..bound("ci", "CN=ci") }, "cli").await.unwrap();
    for (name, to, holder) in [("cd", "CN=ci", "ci"), ("cd", "CN=robot", "robot")] {
        let error = ring.create(bound(name, to), "cli").await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{holder}`")) && error.contains("`cd`"), "{error}");
    }
    let error = ring.check_fixed(&[fixed_bound("cd", "CN=ci")]).unwrap_err().to_string();
    assert!(error.contains("`ci`") && error.contains("`cd`"), "{error}");
    ring.check_fixed(&[fixed_bound("cd", "CN=cd")]).unwrap();
    home.clock.advance(HOUR);
    ring.create(bound("cd", "CN=ci"), "cli").await.unwrap();
    assert_eq!(found(&ring, &home, "CN=ci"), "cd", "an expired key gives its subject up");
    drop(ring);
    assert_eq!(found(&home.ring(), &home, "CN=ci"), "cd");
}

#[tokio::test]
async fn a_rotated_key_keeps_its_subject() {
    let home = Home::new();
    let ring = home.ring();
    let (old, _) = ring.create(bound("ci", "CN=ci"), "cli").await.unwrap();
    let (key, _) = ring.rotate("ci", Some(HOUR), "cli").await.unwrap();
    assert_eq!(key.subject, old.subject);
    for _ in 0..2 {
        let ring = home.ring();
        let id = ring.check_subject(&subject("CN=ci"), home.now()).unwrap().unwrap().id;
        assert_eq!(id, key.id, "the new one, also while the old one has its grace");
        home.clock.advance(HOUR);
    }
    ring.revoke("ci", "cli").await.unwrap();
    let refused = ring.check_subject(&subject("CN=ci"), home.now()).unwrap().unwrap_err();
    assert!(matches!(refused, KeyRefusal::Revoked { .. }), "{refused}");
}

#[tokio::test]
async fn a_key_of_the_file_is_told_by_its_subject_and_has_a_lasting_id() {
    let home = Home::new();
    let ring = home.try_ring(&[fixed_bound("robot", "CN=robot")]).unwrap();
    let key = ring.check_subject(&subject("CN=robot"), home.now()).unwrap().unwrap();
    assert!(key.fixed && ring.check_id(&key.id, home.now()).is_ok());
    ring.set_fixed(&[]);
    assert_eq!(found(&ring, &home, "CN=robot"), "nobody");
    ring.create(bound("robot", "CN=robot"), "cli").await.unwrap();
    ring.revoke("robot", "cli").await.unwrap();
    assert_eq!(found(&ring, &home, "CN=robot"), "key_revoked");
    ring.set_fixed(&[fixed_bound("robot-2", "CN=robot")]);
    assert_eq!(found(&ring, &home, "CN=robot"), "robot-2", "a revoked key gives it up");
    ring.set_fixed(&[fixed_bound("robot", "CN=robot")]);
    assert_eq!(ring.check_subject(&subject("CN=robot"), home.now()).unwrap().unwrap().id, key.id);
}

#[test]
fn a_subject_that_was_damaged_on_disk_is_named_and_opens_nothing() {
    let home = Home::new();
    home.ring().create_blocking(bound("ci", "CN=ci"), "cli").unwrap();
    let spoil = |t: &rusqlite::Transaction<'_>| t.execute("UPDATE key SET subject = 'x'", []);
    home.db().write_blocking(spoil).unwrap();
    let error = home.try_ring(&[]).unwrap_err();
    assert!(matches!(error, KeyError::Damaged { field: "subject", .. }), "{error}");
}
