//! The timeline in the database.

use std::time::Duration;

use super::*;
use crate::{
    base::{clock::from_unix_ms, secret::Secret},
    store::GATEWAY_SCHEMA,
    token::issued::Birth,
};

const SHOP: &str = "shop/token";

/// A token of two hours that came at 1 000 000 ms.
fn issued(generation: u64) -> Issued {
    numbered(generation, generation)
}

/// The same, with the text of token `number`.
fn numbered(generation: u64, number: u64) -> Issued {
    let birth = Birth {
        secret: Secret::new(format!("75_token_number_{number}")),
        generation,
        edition: generation,
        fetched_by: FetchedBy::Stable,
        asked_by: Some(AskedBy::Request),
        born_at: from_unix_ms(1_000_000),
        life: Duration::from_secs(7200),
    };
    Issued::new(birth, Duration::ZERO, from_unix_ms(1_000_000))
}

fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    GATEWAY_SCHEMA.iter().for_each(|batch| connection.execute_batch(batch).unwrap());
    connection
}

/// Writes in one transaction, and reads what became of it.
fn written(work: impl FnOnce(&Transaction<'_>)) -> Vec<Generation> {
    let mut connection = in_memory();
    let t = connection.transaction().unwrap();
    work(&t);
    t.commit().unwrap();
    history(&connection, None, usize::MAX).unwrap()
}

#[test]
fn a_life_is_read_as_it_was_written() {
    let verdict = Some(Verdict::ForeignFetch);
    let mut lives = written(|t| {
        let token = issued(7);
        begin(t, SHOP, &token).unwrap();
        token.stamp_good(1_060_000);
        token.stamp_refused(1_090_000, 40001);
        end(t, &token, End { at_ms: 1_090_000, reason: EndReason::Refused, verdict }).unwrap();
        assert_eq!(newest_id(t).unwrap(), 7);
        assert_eq!(verdicts(t).unwrap().len(), 1);
    });
    let at = |ms| jiff::Timestamp::from_millisecond(ms).unwrap();
    let wanted = Generation {
        generation: 7,
        slot: SHOP.into(),
        fingerprint: issued(7).fingerprint.to_string(),
        fetched_by: FetchedBy::Stable,
        asked_by: Some(AskedBy::Request),
        born: at(1_000_000),
        planned_end: at(8_200_000),
        ended: Some(at(1_090_000)),
        end_reason: Some(EndReason::Refused),
        last_good: Some(at(1_060_000)),
        first_refusal: Some(at(1_090_000)),
        errcode: Some(40001),
        verdict,
    };
    assert_eq!(lives.remove(0), wanted);
}

#[test]
fn the_newest_thousand_are_kept_for_each_slot_and_the_newest_of_all() {
    let mut connection = in_memory();
    let t = connection.transaction().unwrap();
    begin(&t, "other/token", &issued(1)).unwrap();
    for generation in 2..=1102 {
        begin(&t, SHOP, &issued(generation)).unwrap();
    }
    t.commit().unwrap();
    let kept = history(&connection, Some(SHOP), usize::MAX).unwrap();
    assert_eq!(kept.len(), 1000);
    assert_eq!((kept[0].generation, kept[999].generation), (1102, 103));
    assert_eq!(kept[1].end_reason, Some(EndReason::Lost), "nobody wrote its end");
    assert_eq!(history(&connection, Some("other/token"), 10).unwrap().len(), 1);
    assert_eq!(history(&connection, None, 1001).unwrap().len(), 1001);

    let t = connection.transaction().unwrap();
    begin(&t, SHOP, &issued(200_001)).unwrap();
    t.commit().unwrap();
    assert!(history(&connection, Some("other/token"), 10).unwrap().is_empty());
}

#[test]
fn a_stamp_never_goes_back_and_the_first_refusal_since_the_last_good_call_stays() {
    let lives = written(|t| {
        begin(t, SHOP, &issued(1)).unwrap();
        let (first, second, third) = (issued(1), issued(1), issued(1));
        first.stamp_good(9_000_000);
        first.stamp_refused(9_500_000, 40001);
        second.stamp_good(8_000_000);
        second.stamp_refused(9_900_000, 40014);
        stamp(t, &first).unwrap();
        stamp(t, &second).unwrap();
        let life = history(t, None, 1).unwrap().remove(0);
        assert_eq!(life.last_good.unwrap().as_millisecond(), 9_000_000);
        assert_eq!(life.first_refusal.unwrap().as_millisecond(), 9_500_000);
        assert_eq!(life.errcode, Some(40001));
        // It was accepted again, and after a restart refused once more.
        third.stamp_good(9_950_000);
        stamp(t, &third).unwrap();
        let restored = issued(1);
        restored.stamp_refused(9_990_000, 42001);
        stamp(t, &restored).unwrap();
    });
    assert_eq!(lives[0].first_refusal.unwrap().as_millisecond(), 9_990_000);
    assert_eq!(lives[0].errcode, Some(42001));
}

#[test]
fn what_an_earlier_run_left_open_is_judged_when_the_next_token_comes() {
    // Refused how, when, and what came next: the end that it gets.
    for (errcode, refused_ms, next, wanted) in [
        (40001, 1_090_000, 2, Some(Verdict::ForeignFetch)),
        (40001, 1_090_000, 1, Some(Verdict::IssuerDisagrees)),
        (42001, 1_090_000, 2, Some(Verdict::ExpiredEarly)),
        (40001, 8_000_000, 2, None),
    ] {
        let lives = written(|t| {
            begin(t, SHOP, &issued(1)).unwrap();
            let token = issued(1);
            token.stamp_refused(refused_ms, errcode);
            stamp(t, &token).unwrap();
            let closed = begin(t, SHOP, &numbered(2, next)).unwrap();
            assert_eq!((closed.len(), closed[0].verdict), (1, wanted));
        });
        assert_eq!((lives[1].end_reason, lives[1].verdict), (Some(EndReason::Refused), wanted));
        assert_eq!(lives[1].ended, lives[1].first_refusal);
    }
}

#[test]
fn what_ran_out_while_nothing_ran_is_closed_at_its_planned_end() {
    let lives = written(|t| {
        begin(t, SHOP, &issued(1)).unwrap();
        assert!(lapse(t, SHOP, 8_199_999).unwrap().is_empty());
        assert!(lapse(t, "other/token", 9_000_000).unwrap().is_empty());
        assert_eq!(lapse(t, SHOP, 9_000_000).unwrap().len(), 1);
        assert!(lapse(t, SHOP, 9_000_000).unwrap().is_empty(), "once");
    });
    assert_eq!(lives[0].end_reason, Some(EndReason::Expired));
    assert_eq!(lives[0].ended, Some(lives[0].planned_end));
}

#[test]
fn nothing_ends_before_it_was_born() {
    let lives = written(|t| {
        begin(t, SHOP, &issued(1)).unwrap();
        let at_ms = 500_000;
        end(t, &issued(1), End { at_ms, reason: EndReason::Renewed, verdict: None }).unwrap();
    });
    assert_eq!(lives[0].ended, Some(lives[0].born));
}
