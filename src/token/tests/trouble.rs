//! Long troubles: an issuer that is down for hours, a day on which every token dies.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_for_90_minutes_fails_no_request_if_it_is_back_in_time() {
    let log = Log::begin();
    let world = World::stable();
    let gateway = world.start().await;
    let first = gateway.call(&world.platform).await.unwrap();
    // Down from the 29th to the 119th minute of a life of 120.
    let (down_s, back_s) = (1740, 1740 + 5400);
    for second in 0..7260 {
        if second == down_s {
            world.platform.answer(Some(refused(-1, "system error", None)));
        }
        if second == back_s {
            let tries = world.platform.fetches() - 1;
            assert!((4..=12).contains(&tries), "{tries} tries in the last minutes");
            assert_eq!(
                log.with("no new token for shop").len(),
                1,
                "said when the first try failed"
            );
            assert_eq!(gateway.status().state, SlotState::Failing);
            world.platform.answer(None);
        }
        world.pass(Duration::from_secs(1)).await;
        let token = gateway.call(&world.platform).await.unwrap();
        assert!(world.platform.accepts(&token), "in second {second}");
        assert!(second < back_s + 60 || token.generation > first.generation, "within a minute");
    }
    assert_eq!(log.with("gives tokens again").len(), 1);
    assert_eq!(gateway.status().state, SlotState::Valid);
    assert_eq!(world.platform.forced(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_back_after_the_end_is_used_within_seconds() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.answer(Some(refused(-1, "system error", None)));
    world.pass(Duration::from_secs(7200)).await;
    let before = world.platform.fetches();
    for _ in 0..600 {
        gateway.call(&world.platform).await.unwrap_err();
        world.pass(Duration::from_secs(1)).await;
    }
    let tries = world.platform.fetches() - before;
    assert!((110..=260).contains(&tries), "{tries} tries in ten minutes, not one a request");
    world.platform.answer(None);
    world.pass(Duration::from_secs(5)).await;
    gateway.call(&world.platform).await.unwrap();
}

/// From midnight to midnight in Beijing, a request every ten seconds. Every seven minutes the
/// platform begins to refuse the token that its issuer believes in; in every second half hour
/// another holder forces a refresh every four minutes, which ends that. Every six hours a restart.
///
/// Tells how many requests failed.
async fn day_of_trouble(world: &World) -> usize {
    world.set_wall_clock(12 * 3600);
    let mut failed = 0;
    let mut gateway = world.start().await;
    for step in 1..8640 {
        if step % 24 == 0 && step % 360 > 180 {
            world.platform.foreign_fetch();
        }
        if step % 42 == 0 {
            world.platform.poison();
        }
        failed += usize::from(gateway.call(&world.platform).await.is_err());
        tokio::time::advance(Duration::from_secs(10)).await;
        settle().await;
        // The database works in real time.
        while gateway.slot.lock().is_fetching {
            tokio::task::yield_now().await;
        }
        if step % 2160 == 0 {
            gateway.stop().await;
            gateway = world.start().await;
        }
    }
    let used = usize::try_from(gateway.status().forced_today).unwrap();
    assert_eq!(used, world.platform.forced(), "counted once each, whatever the restarts");
    gateway.stop().await;
    failed
}

#[tokio::test(start_paused = true)]
async fn a_day_of_trouble_forces_nothing_by_default() {
    let world = World::stable();
    let failed = day_of_trouble(&world).await;
    assert_eq!(world.platform.forced(), 0);
    assert!(failed > 0, "there was trouble");
    let fetches = world.platform.fetches();
    assert!((100..2000).contains(&fetches), "{fetches} fetches in a day");
}

#[tokio::test(start_paused = true)]
async fn a_day_of_trouble_forces_at_most_ten_times_where_that_is_allowed() {
    let world = World::new(FetchedBy::Stable, ForceRefresh::Auto);
    day_of_trouble(&world).await;
    let forced_at = world.platform.forced_times();
    assert!((1..=10).contains(&forced_at.len()), "{} forced refreshes", forced_at.len());
    let gaps = forced_at.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.min() >= Some(Duration::from_secs(300)));
}
