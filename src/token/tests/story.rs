//! The timeline tells every change once: in the log, in the metrics, in the database.

use prometheus_client::{encoding::text::encode, registry::Registry};

use super::*;

impl Gateway {
    /// The metrics whose line begins with `name`, without those that are 0.
    fn metrics(&self, name: &str) -> Vec<String> {
        let mut registry = Registry::with_prefix("wxgate");
        self.broker.register_metrics(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let is_it = |line: &&str| line.starts_with(name) && !line.ends_with(" 0");
        let mut found: Vec<String> = text.lines().filter(is_it).map(str::to_owned).collect();
        found.sort();
        found
    }

    /// Reason and verdict of each end so far, the first one first.
    async fn ends(&self) -> Vec<(EndReason, Option<Verdict>)> {
        let history = self.history().await;
        history.iter().rev().filter_map(|life| Some((life.end_reason?, life.verdict))).collect()
    }
}

/// Every end that a token can have while the gateway runs, in the order of [`live_every_way`].
const ENDS: [(EndReason, Option<Verdict>); 6] = [
    (EndReason::Renewed, None),
    (EndReason::Refused, Some(Verdict::ForeignFetch)),
    (EndReason::Refused, Some(Verdict::ExpiredEarly)),
    (EndReason::Forced, None),
    (EndReason::Expired, None),
    (EndReason::Retired, None),
];

/// Six tokens, with fifty calls at once wherever one is refused.
async fn live_every_way(world: &World, gateway: &Gateway, log: &Log) {
    gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(6935)).await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.foreign_fetch();
    let calls = (0..50).map(|_| gateway.call(&world.platform));
    for result in futures_util::future::join_all(calls).await {
        result.unwrap();
    }
    let token = gateway.slot.current().unwrap();
    world.platform.foreign_fetch();
    (0..50).for_each(|_| gateway.slot.report_dead(&token, 42001));
    gateway.call(&world.platform).await.unwrap();
    gateway.broker.refresh(&shop(), true).await.unwrap();
    world.platform.answer(Some(refused(-1, "system error", None)));
    world.pass(Duration::from_secs(7201)).await;
    assert_eq!(log.with("ended: expired").len(), 1, "told when it happens, though nobody calls");
    world.platform.answer(None);
    gateway.call(&world.platform).await.unwrap();
    gateway.broker.retire(&shop().account);
    assert_eq!(gateway.ends().await, ENDS);
}

#[tokio::test(start_paused = true)]
async fn a_life_of_every_kind_is_told_with_one_line_and_one_step_a_change() {
    let log = Log::begin();
    let world = World::stable();
    let gateway = world.start().await;
    live_every_way(&world, &gateway, &log).await;
    for (reason, verdict) in ENDS {
        let lines = log.with(&format!("reason=\"{}\"", reason.as_str()));
        let alike = ENDS.iter().filter(|end| end.0 == reason).count();
        assert_eq!(lines.len(), alike, "{reason}: {lines:#?}");
        assert_eq!(lines.iter().any(|line| line.contains("WARN")), verdict.is_some());
    }
    for (part, count) in [
        ("a new token for shop/token", 6),
        ("before its end", 2),
        ("account=\"shop\" token.fp=", 6 + 6 + 2),
        ("verdict=\"foreign_fetch\"", 1),
        ("verdict=\"expired_early\"", 1),
        ("asked_by=operator", 1),
        ("no new token for shop", 1),
        ("gives tokens again", 1),
    ] {
        assert_eq!(log.with(part).len(), count, "{part}: {:#?}", log.with(part));
    }
    let counted = [
        r#"wxgate_token_births_total{account="shop",fetched_by="forced"} 1"#,
        r#"wxgate_token_births_total{account="shop",fetched_by="stable"} 5"#,
        r#"wxgate_token_deaths_total{account="shop"} 2"#,
        r#"wxgate_token_ends_total{account="shop",reason="expired"} 1"#,
        r#"wxgate_token_ends_total{account="shop",reason="forced"} 1"#,
        r#"wxgate_token_ends_total{account="shop",reason="refused"} 2"#,
        r#"wxgate_token_ends_total{account="shop",reason="renewed"} 1"#,
        r#"wxgate_token_ends_total{account="shop",reason="retired"} 1"#,
        r#"wxgate_token_foreign_fetches_total{account="shop"} 1"#,
    ];
    let names = ["births", "deaths", "ends", "foreign_fetches"];
    let found = names.map(|name| gateway.metrics(&format!("wxgate_token_{name}"))).concat();
    assert_eq!(found, counted);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_again_and_again_dies_once() {
    let log = Log::begin();
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.poison();
    for _ in 0..300 {
        gateway.call(&world.platform).await.unwrap_err();
        world.pass(Duration::from_secs(1)).await;
    }
    assert!(world.platform.fetches() > 5);
    assert_eq!(log.with("before its end").len(), 1);
    assert_eq!(log.with("no new token for shop").len(), 1);
    assert_eq!(gateway.metrics("wxgate_token_deaths_total").len(), 1);
    assert_eq!(gateway.metrics("wxgate_token_births_total").len(), 1);
    assert!(gateway.ends().await.is_empty(), "the issuer believes in it still");
}

#[tokio::test(start_paused = true)]
async fn what_happened_around_a_restart_is_told_once_too() {
    let log = Log::begin();
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    // Refused while the issuer is down, and the gateway is restarted before it is back.
    world.pass(Duration::from_secs(1000)).await;
    world.platform.foreign_fetch();
    world.platform.answer(Some(refused(-1, "system error", None)));
    gateway.call(&world.platform).await.unwrap_err();
    gateway.stop().await;
    world.platform.answer(None);
    world.pass(Duration::from_secs(600)).await;

    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    let end = (EndReason::Refused, Some(Verdict::ForeignFetch));
    assert_eq!(gateway.ends().await, [end]);
    let interval = gateway.history().await[1].foreign_fetch().unwrap();
    assert_eq!(interval.after.as_millisecond(), NOON_MS);
    assert_eq!(interval.before.as_millisecond(), NOON_MS + 1_000_000);
    assert_eq!(log.with("verdict=\"foreign_fetch\"").len(), 1);
    assert_eq!(gateway.metrics("wxgate_token_foreign_fetches_total").len(), 1);
    gateway.stop().await;

    let gateway = world.start().await;
    assert_eq!(log.with("the stored token of shop/token is used on").len(), 1);
    assert_eq!(gateway.metrics("wxgate_token_births_total"), [""; 0], "a restart is no birth");
    gateway.stop().await;
    world.pass(Duration::from_secs(8000)).await;
    let gateway = world.start().await;
    assert_eq!(gateway.ends().await, [end, (EndReason::Expired, None)], "though nobody calls");
    assert_eq!(log.with("ended: expired").len(), 1);
    assert_eq!(gateway.metrics("wxgate_token_ends_total").len(), 1);
    assert_eq!(gateway.metrics("wxgate_token_state").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_fetch_during_a_restart_is_noticed_at_the_first_call() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    gateway.stop().await;
    world.pass(Duration::from_secs(1000)).await;
    world.platform.foreign_fetch();
    world.set_wall_clock(-7200);
    let gateway = world.start().await;
    world.pass(Duration::from_secs(1000)).await;
    gateway.call(&world.platform).await.unwrap();
    assert_eq!(gateway.ends().await, [(EndReason::Refused, Some(Verdict::ForeignFetch))]);
    let interval = gateway.history().await[1].foreign_fetch().unwrap();
    assert!(interval.after < interval.before, "the clock was set back: {interval:?}");
}

#[tokio::test(start_paused = true)]
async fn a_classic_token_dies_by_any_other_fetch_and_by_none_of_our_own() {
    let world = World::new(FetchedBy::Classic, ForceRefresh::Never);
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(1000)).await;
    world.platform.foreign_fetch();
    gateway.call(&world.platform).await.unwrap();
    gateway.broker.refresh(&shop(), false).await.unwrap();
    // The platform has retired the token already, and the answer with the next one is under way.
    let old = gateway.slot.current().unwrap();
    world.platform.hang();
    let broker = gateway.broker.clone();
    let refresh = gateway.tasks.spawn(async move { broker.refresh(&shop(), false).await });
    settle().await;
    world.pass(Duration::from_secs(1)).await;
    gateway.slot.report_dead(&old, 40001);
    world.platform.let_through(1);
    refresh.await.unwrap().unwrap();
    let renewed = (EndReason::Renewed, None);
    let foreign = (EndReason::Refused, Some(Verdict::ForeignFetch));
    assert_eq!(gateway.ends().await, [foreign, renewed, renewed]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_accused_of_what_a_lost_answer_of_our_own_may_have_done() {
    let world = World::new(FetchedBy::Classic, ForceRefresh::Never);
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    let limit = Duration::from_secs(10);
    world.platform.answer(Some(TokenError::Timeout { account: shop(), limit }));
    gateway.broker.refresh(&shop(), false).await.unwrap_err();
    world.platform.answer(None);
    world.platform.foreign_fetch();
    world.pass(Duration::from_secs(60)).await;
    gateway.call(&world.platform).await.unwrap();
    assert_eq!(gateway.ends().await, [(EndReason::Refused, None)]);
}

#[tokio::test(start_paused = true)]
async fn normal_mode_that_gives_another_token_early_shows_a_foreign_fetch() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    gateway.broker.refresh(&shop(), false).await.unwrap();
    assert!(gateway.ends().await.is_empty(), "the same token again");
    world.pass(Duration::from_secs(1000)).await;
    world.platform.foreign_fetch();
    gateway.broker.refresh(&shop(), false).await.unwrap();
    assert_eq!(gateway.ends().await, [(EndReason::Renewed, Some(Verdict::ForeignFetch))]);
    let interval = gateway.history().await[1].foreign_fetch().unwrap();
    assert_eq!(interval.before.as_millisecond(), NOON_MS + 1_000_000);
}
