//! Tokens that the platform refuses before their end.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_at_once_survive_a_foreign_fetch_with_one_more_fetch() {
    for at_once in [1_000, 10_000] {
        let world = World::stable();
        let gateway = Arc::new(world.start().await);
        gateway.call(&world.platform).await.unwrap();
        world.platform.foreign_fetch();

        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (gateway, platform) = (gateway.clone(), world.platform.clone());
            requests.spawn(async move { gateway.call(&platform).await });
        }
        while let Some(result) = requests.join_next().await {
            assert!(world.platform.accepts(&result.unwrap().unwrap()));
        }
        assert_eq!(world.platform.fetches(), 2, "the first token, and one replacement");
        assert_eq!(world.platform.forced(), 0);
        gateway.tasks.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_does_not_take_a_newer_token_out_of_use() {
    let world = World::stable();
    let gateway = world.start().await;
    let first = gateway.slot.token(LIMIT).await.unwrap();
    world.platform.foreign_fetch();
    gateway.slot.report_dead(&first, 40001);
    assert!(gateway.slot.current().is_none(), "nobody uses a dead token");
    let second = gateway.slot.after(&first, LIMIT).await.unwrap();
    assert_ne!(first.fingerprint, second.fingerprint);

    gateway.slot.report_dead(&first, 40001);
    let third = gateway.slot.after(&first, LIMIT).await.unwrap();
    assert!(Arc::ptr_eq(&second, &third));
    assert_eq!(world.platform.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_early_death_names_the_interval_in_which_somebody_else_fetched() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(400)).await;
    gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(20)).await;
    world.platform.foreign_fetch();
    world.pass(Duration::from_secs(20)).await;
    gateway.call(&world.platform).await.unwrap();

    let history = gateway.history().await;
    assert_eq!(history.len(), 2);
    assert_eq!((history[0].end_reason, history[0].verdict), (None, None));
    assert_eq!(history[1].end_reason, Some(EndReason::Refused));
    let interval = history[1].foreign_fetch().unwrap();
    assert_eq!(interval.after.as_millisecond(), NOON_MS + 400_000 - 300_000);
    assert_eq!(interval.before.as_millisecond(), NOON_MS + 440_000);
    assert_eq!(history[1].last_good.unwrap().as_millisecond(), NOON_MS + 400_000);
    assert_eq!(
        (history[1].errcode, history[0].asked_by),
        (Some(40001), Some(AskedBy::Replacement))
    );
    assert!(history[1].explanation().unwrap().contains("another holder of the AppSecret"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_near_the_end_accuses_nobody() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(7200 - 295)).await;
    world.platform.foreign_fetch();
    gateway.call(&world.platform).await.unwrap();
    let history = gateway.history().await;
    assert_eq!((history[1].end_reason, history[1].verdict), (Some(EndReason::Refused), None));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_never_heals_is_asked_for_less_and_less() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.poison();
    // Ten requests a second for ten minutes.
    let mut refused_upstream = 0;
    for _ in 0..600 {
        for _ in 0..10 {
            let had_token = gateway.slot.current().is_some();
            let error = gateway.call(&world.platform).await.unwrap_err();
            assert!(error.is_rejection() && error.errcode() == Some(40001), "{error}");
            refused_upstream += usize::from(had_token);
        }
        world.pass(Duration::from_secs(1)).await;
    }
    let fetches = world.platform.fetches();
    assert!((10..=30).contains(&fetches), "{fetches} fetches in ten minutes");
    assert!(refused_upstream <= 30, "{refused_upstream} calls went out in vain");
    assert_eq!(world.platform.forced(), 0, "forcing would kill production's token");
    // The pause may have ended in this very second; whoever calls then begins the next one.
    gateway.call(&world.platform).await.unwrap_err();
    assert_eq!(gateway.status().state, SlotState::Rejected);
    assert!(gateway.status().next_try_in_s.is_some());

    world.platform.foreign_fetch();
    world.pass(Duration::from_secs(61)).await;
    gateway.call(&world.platform).await.unwrap();
    let history = gateway.history().await;
    assert_eq!(history.len(), 2, "the same token is one generation, however often it came");
    assert_eq!(history[1].verdict, Some(Verdict::IssuerDisagrees));
    assert_eq!(gateway.status().state, SlotState::Valid);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_other_calls_succeed_with_stays_in_use() {
    let world = World::stable();
    let gateway = world.start().await;
    let token = gateway.slot.token(LIMIT).await.unwrap();
    gateway.slot.report_dead(&token, 40001);
    let again = gateway.slot.token(LIMIT).await.unwrap();
    assert!(again.secret.matches(token.secret.expose().as_bytes()));
    let fetches = world.platform.fetches();
    // One node of the platform knows the token, the other does not.
    for _ in 0..100 {
        let token = gateway.slot.token(LIMIT).await.unwrap();
        gateway.slot.note_good(&token);
        gateway.slot.report_dead(&token, 40001);
        assert!(gateway.slot.after(&token, LIMIT).await.unwrap_err().is_rejection());
    }
    assert!(gateway.slot.current().is_some());
    assert_eq!(world.platform.fetches(), fetches, "and does not cause a fetch each");
    assert_eq!(gateway.status().state, SlotState::Rejected);
    world.pass(Duration::from_secs(601)).await;
    assert_eq!(gateway.status().state, SlotState::Valid, "forgiven after ten minutes of peace");
}

#[tokio::test(start_paused = true)]
async fn two_holders_of_a_classic_token_do_not_burn_the_days_quota() {
    let world = World::new(FetchedBy::Classic, ForceRefresh::Never);
    let gateway = world.start().await;
    // Each of our fetches kills the token of the other holder, who fetches at once.
    for _ in 0..600 {
        let _ = gateway.call(&world.platform).await;
        world.platform.foreign_fetch();
        world.pass(Duration::from_secs(1)).await;
    }
    let fetches = world.platform.fetches();
    assert!((20..=35).contains(&fetches), "{fetches} fetches in ten minutes");
    assert_eq!(world.platform.forced(), 0);
}
