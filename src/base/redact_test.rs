//! Secrets come and go, and are found meanwhile.

use super::*;

fn text(number: usize) -> String {
    format!("secret-number-{number:06}-of-many")
}

#[test]
fn every_secret_of_many_is_masked_from_the_moment_it_is_protected() {
    let redactor = Redactor::new();
    let count = 3 * ONE_TABLE;
    for number in 0..count {
        redactor.protect(&format!("slot-{number}"), &Secret::new(text(number)));
        // The newest, the oldest, and one that came in between.
        for known in [number, 0, number / 2] {
            let text = format!("a {} b", text(known));
            let masked = redactor.text(&text).into_owned();
            assert_eq!(
                masked,
                format!("a {} b", "*".repeat(text.len() - 4)),
                "{known} of {number}"
            );
        }
    }
    let both = format!("{}{}", text(count - 1), text(1));
    assert_eq!(redactor.text(&both), "*".repeat(both.len()));
    let ranges = redactor.find(both.as_bytes());
    assert!(ranges.is_sorted_by_key(|range| range.start), "{ranges:?}");
    let begun = &both[..both.len() - 1];
    assert_eq!(redactor.undecided(begun.as_bytes()), text(1).len() - 1);
}

#[test]
fn the_large_table_is_made_seldom() {
    let redactor = Redactor::new();
    let (mut made, mut table) = (0, redactor.known.load_full());
    for number in 0..600 {
        redactor.protect(&format!("slot-{number}"), &Secret::new(text(number)));
        let now = redactor.known.load_full();
        made += usize::from(!now.shares_large_table(&table));
        table = now;
    }
    assert!((ONE_TABLE..120).contains(&made), "{made} times for six hundred secrets");
}

#[test]
fn a_secret_of_two_slots_stands_in_one_place() {
    let redactor = Redactor::new();
    for number in 0..=ONE_TABLE {
        redactor.protect(&format!("slot-{number}"), &Secret::new(text(number)));
    }
    redactor.protect("another", &Secret::new(text(0)));
    let all = redactor.known.load_full();
    assert!(all.has_two_tables(), "else this shows nothing");
    assert_eq!(redactor.find(text(0).as_bytes()).len(), 1);
}

#[test]
fn what_is_retired_stays_masked_until_many_more_have_gone() {
    let redactor = Redactor::new();
    let kept = Secret::new(text(0));
    redactor.protect("kept/token", &kept);
    for number in 1..=2 * RETIRED_MOST {
        let owner = format!("shop-{number}");
        redactor.protect(&format!("{owner}/token"), &Secret::new(text(number)));
        redactor.retire(&owner);
        redactor.retire("kep");
        for known in [number, 0, number.saturating_sub(RETIRED_MOST - 1)] {
            assert_ne!(redactor.text(&text(known)), text(known), "{known} of {number}");
        }
    }
    assert_eq!(redactor.text(&text(1)), text(1), "the first of them is let go");
    let live = redactor.live.lock().unwrap();
    assert_eq!((live.count, live.slots.len()), (RETIRED_MOST + 1, 1), "the bound holds");
}

#[test]
fn a_secret_that_comes_back_is_not_the_next_to_go() {
    let redactor = Redactor::new();
    for number in [0, 1, 2, 3, 0, 4, 5, 6, 7, 8, 9, 10] {
        redactor.protect("shop/token", &Secret::new(text(number)));
    }
    redactor.protect("other", &Secret::new(text(99)));
    assert_ne!(redactor.text(&text(0)), text(0));
    assert_eq!(redactor.text(&text(1)), text(1), "it is gone, so eight are kept");
}

#[test]
fn a_name_holds_a_secret_in_whatever_letter_case() {
    let redactor = Redactor::new();
    redactor.protect("shop/token", &Secret::new("81_AbCdEf-GhIjKlMn".into()));
    let known = redactor.snapshot();
    assert!(known.is_in_name("x-81_abcdef-ghijklmn") && !known.is_in_name("x-81_abcdef"));
}
