//! Changes of the configuration, and what people see of it all.

use prometheus_client::{encoding::text::encode, registry::Registry};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_reload_without_a_change_keeps_the_token_and_the_slot() {
    let world = World::stable();
    let gateway = world.start().await;
    let token = gateway.slot.token(LIMIT).await.unwrap();
    let slot = gateway.broker.register(shop(), world.platform.clone(), world.policy);
    assert!(Arc::ptr_eq(&slot, &gateway.slot));
    assert!(Arc::ptr_eq(&slot.current().unwrap(), &token));
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_discards_the_token_and_serves_who_waits_with_the_new_one() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.hang();
    let slot = gateway.slot.clone();
    let waiting = gateway.tasks.spawn(async move { slot.token(LIMIT).await });
    settle().await;

    let renewed = Platform::with_secret(FetchedBy::Stable, "an-app-secret-of-32-characters-2");
    renewed.foreign_fetch();
    gateway.broker.register(shop(), renewed.clone(), world.policy);
    let token = waiting.await.unwrap().unwrap();
    assert!(renewed.accepts(&token));
    world.platform.let_through(1);
    settle().await;
    assert!(Arc::ptr_eq(&gateway.slot.current().unwrap(), &token), "the old answer came too late");

    gateway.broker.register(shop(), world.platform.clone(), world.policy);
    assert!(gateway.slot.current().is_none());
    assert_eq!(gateway.history().await[0].end_reason, Some(EndReason::Discarded));
}

#[tokio::test(start_paused = true)]
async fn a_retired_account_gives_no_token_and_wakes_who_waits() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.hang();
    let slot = gateway.slot.clone();
    let waiting = gateway.tasks.spawn(async move { slot.token(LIMIT).await });
    settle().await;
    gateway.broker.retire(&shop().account);
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, TokenError::NotConfigured { .. }), "{error}");
    world.platform.let_through(1);
    settle().await;
    assert!(gateway.slot.current().is_none());
    assert!(gateway.slot.token(LIMIT).await.is_err());
    assert!(gateway.broker.slot(&shop()).is_none() && gateway.broker.status().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_and_its_shadow_share_nothing() {
    let world = World::stable();
    let gateway = world.start().await;
    let sandbox = Platform::with_secret(FetchedBy::Stable, "a-sandbox-secret-of-32-character");
    sandbox.foreign_fetch();
    let shadow = SlotId::shadow("shop".parse().unwrap());
    let shadow = gateway.broker.register(shadow, sandbox.clone(), world.policy);
    let real = gateway.slot.token(LIMIT).await.unwrap();
    let unreal = shadow.token(LIMIT).await.unwrap();
    assert!(world.platform.accepts(&real) && sandbox.accepts(&unreal));
    gateway.slot.report_dead(&real, 40001);
    assert!(shadow.current().is_some());
}

#[tokio::test(start_paused = true)]
async fn prometheus_learns_fetches_age_and_state() {
    let world = World::stable();
    let gateway = world.start().await;
    let mut registry = Registry::with_prefix("wxgate");
    gateway.broker.register_metrics(&mut registry);
    gateway.call(&world.platform).await.unwrap();
    world.platform.foreign_fetch();
    gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        r#"wxgate_token_fetches_total{account="shop",mode="stable",result="ok"} 2"#,
        r#"wxgate_token_deaths_total{account="shop"} 1"#,
        r#"wxgate_token_age_seconds{account="shop"} 60.0"#,
        r#"wxgate_token_left_seconds{account="shop"} 7140.0"#,
        r#"wxgate_token_state{account="shop",state="valid"} 1"#,
        r#"wxgate_token_state{account="shop",state="rejected"} 0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
    }
}
