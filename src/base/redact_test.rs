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
fn what_is_forgotten_is_not_masked_and_the_others_are() {
    let redactor = Redactor::new();
    for number in 0..2 * ONE_TABLE {
        redactor.protect(&format!("slot-{number}"), &Secret::new(text(number)));
    }
    for gone in [0, 2 * ONE_TABLE - 1] {
        redactor.forget(&format!("slot-{gone}"));
        assert_eq!(redactor.text(&text(gone)), text(gone));
    }
    for kept in [1, 2 * ONE_TABLE - 2] {
        assert_ne!(redactor.text(&text(kept)), text(kept));
    }
}
