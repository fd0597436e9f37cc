//! Surrogates: sealed, opened, forged.

use proptest::prelude::*;

use super::*;
use crate::base::{clock::from_unix_ms, permission::Lane};

/// 2026-11-22T04:00:00Z.
const NOON_MS: i64 = 1_795_320_000_000;

fn noon() -> SystemTime {
    from_unix_ms(NOON_MS)
}

fn installation() -> (tempfile::TempDir, Arc<InstallationKey>) {
    let dir = tempfile::tempdir().unwrap();
    let key = InstallationKey::load_or_create(&dir.path().join("installation.key")).unwrap();
    (dir, Arc::new(key))
}

fn surrogates() -> Surrogates {
    Surrogates::new(installation().1)
}

fn claims() -> Claims {
    Claims {
        key: "4fZ0aQ81bC".parse().unwrap(),
        account: "shop".parse().unwrap(),
        lane: Lane::ReadOnly,
        merchant: None,
        expires_ms: NOON_MS + 7_200_000,
    }
}

#[test]
fn a_surrogate_looks_like_a_token_and_says_nothing_by_itself() {
    let (surrogates, mut claims) = (surrogates(), claims());
    claims.account = "a".repeat(32).parse().unwrap();
    claims.merchant = Some("wx".repeat(32).into());
    let text = surrogates.seal(&claims, noon()).unwrap();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    assert!(text.starts_with("wxgt_") && text.chars().all(is_plain), "{text}");
    assert!(text.len() <= 512, "{}", text.len());
    assert!(!text.contains("4fZ0aQ81bC") && !text.contains("aaaa"));
    assert_ne!(text, surrogates.seal(&claims, noon()).unwrap(), "each has a nonce of its own");
    assert_eq!(surrogates.open(&text, noon()).unwrap(), claims);
}

#[test]
fn an_old_surrogate_is_told_from_a_forged_one_for_a_year() {
    let surrogates = surrogates();
    let text = surrogates.seal(&claims(), noon()).unwrap();
    let later = |days: u64| noon() + Duration::from_secs(days * 86_400);
    for days in [0, 1, 30, 400] {
        let opened = surrogates.open(&text, later(days)).unwrap();
        assert_eq!(opened.is_over_at(later(days)), days > 0, "{days}");
    }
    assert_eq!(surrogates.open(&text, later(401)), Err(Damage::Key));
    let tomorrow = surrogates.seal(&claims(), later(1)).unwrap();
    assert!(surrogates.open(&tomorrow, noon()).is_ok(), "clocks may differ by some hours");
    assert_eq!(surrogates.open(&tomorrow, noon() - Duration::from_secs(86_400)), Err(Damage::Key));
    assert!(surrogates.recent.load().len() <= KEYS_KEPT);
}

#[test]
fn a_rotation_of_the_installation_key_takes_no_surrogate_back() {
    let (_dir, installation) = installation();
    let surrogates = Surrogates::new(installation.clone());
    let text = surrogates.seal(&claims(), noon()).unwrap();
    let handle = Handle {
        account: "open".parse().unwrap(),
        shadow: true,
        merchant: "wx0123456789abcdef".into(),
        mark: 7,
    };
    let sealed = surrogates.seal_handle(&handle).unwrap();
    installation.rotate().unwrap();
    assert_eq!(surrogates.open(&text, noon()), Ok(claims()));
    assert_eq!(surrogates.open_handle(&sealed), Ok(handle));
    let newer = surrogates.seal(&claims(), noon()).unwrap();
    assert_ne!(text[..10], newer[..10], "the new key seals");
    assert_eq!(surrogates.open(&newer, noon()), Ok(claims()));
    assert!(surrogates.recent.load().len() <= KEYS_KEPT);
}

#[test]
fn another_installation_opens_nothing() {
    let text = surrogates().seal(&claims(), noon()).unwrap();
    assert!(surrogates().open(&text, noon()).is_err());
}

#[test]
fn a_handle_is_no_surrogate_and_a_surrogate_no_handle() {
    let surrogates = surrogates();
    let text = surrogates.seal(&claims(), noon()).unwrap();
    let as_handle = text.replacen("wxgt_", "wxgr_", 1);
    assert!(surrogates.open_handle(&as_handle).is_err());
    assert_eq!(surrogates.open(&as_handle, noon()), Err(Damage::Form));
    let handle = Handle {
        account: "open".parse().unwrap(),
        shadow: false,
        merchant: "wx1".into(),
        mark: u32::MAX,
    };
    let sealed = surrogates.seal_handle(&handle).unwrap();
    assert_eq!(surrogates.open_handle(&sealed).unwrap(), handle);
    assert!(surrogates.open(&sealed.replacen("wxgr_", "wxgt_", 1), noon()).is_err());
}

proptest! {
    #[test]
    fn no_changed_or_cut_surrogate_opens(at in 0_usize..200, to in "[A-Za-z0-9_-]", cut in 0_usize..200) {
        let surrogates = surrogates();
        let text = surrogates.seal(&claims(), noon()).unwrap();
        let (at, cut) = (at % text.len(), cut % text.len());
        let mut changed = text.clone();
        changed.replace_range(at..=at, &to);
        // The last character has bits that stand for nothing: a decoder refuses those too.
        prop_assert!(changed == text || surrogates.open(&changed, noon()).is_err());
        prop_assert!(surrogates.open(&text[..cut], noon()).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(wxgt_|wxgr_)?[A-Za-z0-9_-]{0,520}", odd in "\\PC{0,60}") {
        let surrogates = surrogates();
        for text in [&text, &odd] {
            prop_assert!(surrogates.open(text, noon()).is_err());
            prop_assert!(surrogates.open_handle(text).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_claims_by_accident(bytes: Vec<u8>) {
        let _ = Claims::read(&bytes);
        let _ = Handle::read(&bytes);
    }
}
