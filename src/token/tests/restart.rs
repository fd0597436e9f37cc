//! What survives a restart, and what must not.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_token_that_is_still_valid_is_used_again_without_a_fetch() {
    let world = World::stable();
    let gateway = world.start().await;
    let before = gateway.call(&world.platform).await.unwrap();
    gateway.stop().await;
    world.pass(Duration::from_secs(1000)).await;

    let gateway = world.start().await;
    let after = gateway.slot.current().unwrap();
    assert_eq!(after.generation, before.generation);
    assert!(world.platform.accepts(&after));
    assert_eq!(world.platform.fetches(), 1);
    let token = gateway.status().token.unwrap();
    assert_eq!((token.age_s, token.expires_in_s), (1000, 6200));
    assert_eq!(token.fetched_by, FetchedBy::Restored);

    let history = gateway.history().await;
    assert_eq!(history.len(), 1, "one life, however many runs");
    assert_eq!(history[0].fetched_by, FetchedBy::Stable);
    assert_eq!(history[0].last_good.unwrap().as_millisecond(), NOON_MS);
    assert_eq!(history[0].ended, None);
}

#[tokio::test(start_paused = true)]
async fn a_token_ages_while_the_gateway_is_down_and_is_renewed_on_time() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    gateway.stop().await;
    world.pass(Duration::from_secs(7000)).await;
    let gateway = world.start().await;
    assert!(gateway.slot.current().is_some());
    settle().await;
    world.pass(Duration::from_secs(160)).await;
    assert_eq!(world.platform.fetches(), 2, "renewed in the background");
    gateway.stop().await;

    world.pass(Duration::from_secs(7200)).await;
    let gateway = world.start().await;
    assert!(gateway.slot.current().is_none(), "expired meanwhile");
    gateway.slot.token(LIMIT).await.unwrap();
    let history = gateway.history().await;
    assert_eq!(history.len(), 3);
    assert_eq!(history[1].end_reason, Some(EndReason::Expired));
    assert_eq!(history[1].ended, Some(history[1].planned_end));
}

#[tokio::test(start_paused = true)]
async fn the_file_holds_neither_token_nor_secret() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    gateway.broker.flush().await;
    let mut bytes = Vec::new();
    for name in ["wxgate.db", "wxgate.db-wal"] {
        bytes.extend(std::fs::read(world.dir.path().join(name)).unwrap());
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("shop/token"), "the right file");
    assert!(!holds(&world.platform.token_text()));
    assert!(!holds(world.platform.credential().app_secret.expose()));
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_account_or_a_damaged_one_is_dropped() {
    for damage in [
        "UPDATE sealed SET slot = 'shop/token' WHERE slot = 'other/token'",
        "UPDATE sealed SET slot = 'shop/token', value = x'00' WHERE slot = 'other/token'",
        "UPDATE sealed SET slot = 'shop/token', value = zeroblob(400)",
    ] {
        let world = World::stable();
        let gateway = world.start().await;
        let other = SlotId::real("other".parse().unwrap());
        let other = gateway.broker.register(other, world.platform.clone(), world.policy);
        other.token(LIMIT).await.unwrap();
        gateway.broker.flush().await;
        gateway.store.write(move |t| t.execute(damage, [])).await.unwrap();
        gateway.stop().await;

        let gateway = world.start().await;
        assert!(gateway.slot.current().is_none(), "{damage}");
        gateway.broker.flush().await;
        let count = "SELECT count(*) FROM sealed";
        let left: i64 =
            gateway.store.read(move |c| c.query_row(count, [], |row| row.get(0))).await.unwrap();
        assert_eq!(left, 0, "{damage}");
        gateway.slot.token(LIMIT).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_makes_the_stored_token_useless() {
    let mut world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    gateway.stop().await;
    world.platform = Platform::with_secret(FetchedBy::Stable, "an-app-secret-of-32-characters-2");
    let gateway = world.start().await;
    assert!(gateway.slot.current().is_none());
    assert_eq!(world.platform.fetches(), 0, "and nothing is fetched before it is needed");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_refused_does_not_come_back_with_a_restart() {
    let world = World::stable();
    let gateway = world.start().await;
    let token = gateway.slot.token(LIMIT).await.unwrap();
    world.platform.answer(Some(refused(-1, "system error", None)));
    gateway.slot.report_dead(&token, 40001);
    settle().await;
    gateway.stop().await;
    let gateway = world.start().await;
    assert!(gateway.slot.current().is_none());
    assert!(gateway.history().await[0].first_refusal.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_was_set_back_does_not_lengthen_a_life() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    gateway.stop().await;
    world.set_wall_clock(-86_400);
    let gateway = world.start().await;
    assert_eq!(gateway.status().token.unwrap().expires_in_s, 7200);
}
