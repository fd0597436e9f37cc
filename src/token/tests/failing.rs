//! Issuers that do not answer, or refuse.

use super::*;

fn busy() -> TokenError {
    refused(-1, "system error", None)
}

#[tokio::test(start_paused = true)]
async fn requests_meanwhile_get_the_last_error_at_once_and_cause_no_fetch() {
    let world = World::stable();
    let gateway = world.start().await;
    let text = "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 1-2-3";
    world.platform.answer(Some(refused(40164, text, Some("203.0.113.9"))));
    gateway.slot.token(LIMIT).await.unwrap_err();
    for _ in 0..1000 {
        let error = gateway.slot.token(LIMIT).await.unwrap_err();
        assert!(matches!(error, TokenError::BackingOff { .. }), "{error}");
        assert_eq!(error.errcode(), Some(40164));
        assert_eq!(error.errmsg(), Some(text));
        assert_eq!(error.refused_ip(), "203.0.113.9".parse().ok());
        assert!(error.retry_after(Instant::now()).unwrap() <= Duration::from_secs(5));
    }
    assert_eq!(world.platform.fetches(), 1);
    let status = gateway.status();
    assert_eq!(status.state, SlotState::Unavailable);
    let last = status.last_error.unwrap();
    assert_eq!(last.refused_ip, "203.0.113.9".parse().ok());
    assert!(last.text.contains("40164"), "{}", last.text);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_an_issuer_that_is_back_is_used_within_five_seconds() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.answer(Some(busy()));
    for _ in 0..300 {
        gateway.slot.token(LIMIT).await.unwrap_err();
        world.pass(Duration::from_secs(1)).await;
    }
    let fetches = world.platform.fetches();
    assert!((60..=130).contains(&fetches), "{fetches} fetches in five minutes");
    world.platform.answer(None);
    world.pass(Duration::from_secs(5)).await;
    gateway.slot.token(LIMIT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_account_that_nobody_uses_is_not_asked_for_again_and_again() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.answer(Some(busy()));
    gateway.slot.token(LIMIT).await.unwrap_err();
    world.pass(Duration::from_secs(1000)).await;
    assert_eq!(world.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_person_is_tried_rarely_until_a_reload_says_it_is_done() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.answer(Some(refused(40125, "invalid appsecret", None)));
    for _ in 0..3600 {
        gateway.slot.token(LIMIT).await.unwrap_err();
        world.pass(Duration::from_secs(1)).await;
    }
    let fetches = world.platform.fetches();
    assert!((12..=35).contains(&fetches), "{fetches} fetches in an hour");
    // Right behind a try, so that none is due by chance.
    while world.platform.fetches() == fetches {
        gateway.slot.token(LIMIT).await.unwrap_err();
        world.pass(Duration::from_secs(1)).await;
    }
    world.platform.answer(None);
    gateway.slot.token(LIMIT).await.unwrap_err();
    gateway.broker.register(shop(), world.platform.clone(), world.policy);
    gateway.slot.token(LIMIT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_days_quota_is_probed_every_ten_minutes() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.answer(Some(refused(45009, "reach max api daily quota limit", None)));
    for _ in 0..3600 {
        gateway.slot.token(LIMIT).await.unwrap_err();
        world.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(world.platform.fetches(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_for_90_minutes_is_not_noticed_while_the_token_lives() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    world.pass(Duration::from_secs(1500)).await;
    world.platform.answer(Some(busy()));
    for _ in 0..5400 {
        let token = gateway.call(&world.platform).await.unwrap();
        assert!(world.platform.accepts(&token));
        world.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(world.platform.fetches(), 1, "nothing was due");
    // From 4.5 minutes before the end on, it is tried in the background.
    world.pass(Duration::from_secs(290)).await;
    assert_eq!(gateway.status().state, SlotState::Failing);
    let fetches = world.platform.fetches();
    assert!((6..=20).contains(&fetches), "{fetches} fetches, a minute apart in the end");
    assert!(gateway.slot.current().is_some(), "still the old one");
    world.pass(Duration::from_secs(11)).await;
    assert!(gateway.slot.current().is_none(), "and not a second longer");
    let error = gateway.slot.token(LIMIT).await.unwrap_err();
    assert_eq!(error.errcode(), Some(-1));
}

#[tokio::test(start_paused = true)]
async fn a_dead_token_does_not_break_through_the_backoff() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    world.platform.foreign_fetch();
    world.platform.answer(Some(refused(40164, "invalid ip", Some("203.0.113.9"))));
    for _ in 0..500 {
        gateway.call(&world.platform).await.unwrap_err();
    }
    assert_eq!(world.platform.fetches(), 2, "one for the first token, one that was refused");
}
