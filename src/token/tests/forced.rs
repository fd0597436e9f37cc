//! Forced refreshes: allowed to a gateway that production uses too, and then rarely.

use super::*;

fn exclusive() -> World {
    World::new(FetchedBy::Stable, ForceRefresh::Auto)
}

#[tokio::test(start_paused = true)]
async fn normal_mode_comes_first_and_is_enough_after_a_foreign_fetch() {
    let world = exclusive();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.foreign_fetch();
    gateway.call(&world.platform).await.unwrap();
    assert_eq!((world.platform.fetches(), world.platform.forced()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_dead_token_again_is_answered_by_one_forced_refresh() {
    let world = exclusive();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.poison();
    let calls = (0..200).map(|_| gateway.call(&world.platform));
    for result in futures_util::future::join_all(calls).await {
        assert!(world.platform.accepts(&result.unwrap()));
    }
    assert_eq!((world.platform.fetches(), world.platform.forced()), (3, 1));
    let history = gateway.history().await;
    assert_eq!(history[0].fetched_by, FetchedBy::Forced);
    assert_eq!(history[0].asked_by, Some(AskedBy::Replacement));
    assert_eq!(history[1].verdict, Some(Verdict::IssuerDisagrees), "nobody is accused");
    assert_eq!(gateway.status().forced_today, 1);
}

#[tokio::test(start_paused = true)]
async fn forced_refreshes_are_five_minutes_apart_and_ten_a_day_across_restarts() {
    let world = exclusive();
    let mut forced_at = Vec::new();
    let mut gateway = world.start().await;
    // Every token dies at once, for ten hours from noon on; a request every ten seconds.
    for step in 0..3600 {
        let before = world.platform.forced();
        world.platform.poison();
        let _ = gateway.call(&world.platform).await;
        if world.platform.forced() > before {
            forced_at.push(Instant::now());
        }
        if step % 500 == 499 {
            gateway.stop().await;
            gateway = world.start().await;
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        settle().await;
    }
    assert_eq!(world.platform.forced(), 10);
    let gaps = forced_at.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.min().unwrap() >= Duration::from_secs(300));

    // It is 22:00; two hours later Beijing has a new day.
    world.pass(Duration::from_secs(2 * 3600 + 60)).await;
    world.platform.foreign_fetch();
    gateway.call(&world.platform).await.unwrap();
    world.platform.poison();
    gateway.call(&world.platform).await.unwrap();
    assert_eq!(world.platform.forced(), 11);
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_force_but_not_beyond_the_platforms_limits() {
    let world = World::stable();
    let gateway = world.start().await;
    let first = gateway.broker.refresh(&shop(), false).await.unwrap();
    let second = gateway.broker.refresh(&shop(), true).await.unwrap();
    assert_ne!(first.fingerprint, second.fingerprint);
    let error = gateway.broker.refresh(&shop(), true).await.unwrap_err();
    assert!(matches!(error, TokenError::ForceBudget { used: 1, most: 20, .. }), "{error}");
    assert_eq!(error.retry_after(Instant::now()), Some(Duration::from_secs(30)));
    world.pass(Duration::from_secs(30)).await;
    gateway.broker.refresh(&shop(), true).await.unwrap();
    assert_eq!(world.platform.forced(), 2);

    let history = gateway.history().await;
    assert!(history.iter().all(|life| life.asked_by == Some(AskedBy::Operator)));
    let reasons: Vec<_> = history.iter().map(|g| (g.fetched_by, g.end_reason)).collect();
    let forced = Some(EndReason::Forced);
    assert_eq!(
        reasons,
        [(FetchedBy::Forced, None), (FetchedBy::Forced, forced), (FetchedBy::Stable, forced)]
    );
    assert!(history.iter().all(|generation| generation.verdict.is_none()));
    let unknown = SlotId::shadow("shop".parse().unwrap());
    let error = gateway.broker.refresh(&unknown, false).await.unwrap_err();
    assert!(matches!(error, TokenError::NotConfigured { .. }));
}
