//! Tokens of WeCom, which is another platform: one token for all holders, until its end.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_corp_token_is_asked_for_once_before_its_end_and_then_at_it() {
    is_asked_for_once_before_its_end(FetchedBy::Corp).await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_asked_for_once_before_its_end_and_then_at_it() {
    is_asked_for_once_before_its_end(FetchedBy::Ticket).await;
}

async fn is_asked_for_once_before_its_end(family: FetchedBy) {
    let world = World::new(family, ForceRefresh::Never);
    let gateway = world.start().await;
    let first = gateway.call(&world.platform).await.unwrap();
    for _ in 0..7199 {
        world.pass(Duration::from_secs(1)).await;
        let token = gateway.call(&world.platform).await.unwrap();
        assert!(token.is_same_token_as(&first.secret));
    }
    assert_eq!(world.platform.fetches(), 2, "the first, and one that might have brought another");
    world.pass(Duration::from_secs(2)).await;
    let second = gateway.call(&world.platform).await.unwrap();
    assert!(!second.is_same_token_as(&first.secret));
    assert_eq!(world.platform.fetches(), 3);
    let history = gateway.history().await;
    assert_eq!((history.len(), history[0].fetched_by), (2, family));
    assert_eq!((history[1].end_reason, history[1].verdict), (Some(EndReason::Expired), None));
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_forces_where_nothing_can_be_forced_spends_no_budget() {
    let world = World::new(FetchedBy::Corp, ForceRefresh::Never);
    let gateway = world.start().await;
    for _ in 0..25 {
        gateway.broker.refresh(&shop(), true).await.unwrap();
    }
    assert_eq!(world.platform.forced(), 0);
    assert_eq!(gateway.history().await.len(), 1, "it is the same token");
}

#[tokio::test(start_paused = true)]
async fn a_corp_token_that_ends_early_accuses_nobody() {
    let world = World::new(FetchedBy::Corp, ForceRefresh::Never);
    let gateway = world.start().await;
    let first = gateway.call(&world.platform).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    world.platform.foreign_fetch();
    let second = gateway.call(&world.platform).await.unwrap();
    assert!(!second.is_same_token_as(&first.secret));
    let history = gateway.history().await;
    assert_eq!((history[1].end_reason, history[1].verdict), (Some(EndReason::Refused), None));
    assert_eq!(world.platform.forced(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_corp_token_that_the_issuer_insists_on_is_told_as_such() {
    let world = World::new(FetchedBy::Corp, ForceRefresh::Auto);
    let gateway = world.start().await;
    gateway.call(&world.platform).await.unwrap();
    world.platform.poison();
    assert!(gateway.call(&world.platform).await.unwrap_err().is_rejection());
    assert_eq!((world.platform.fetches(), world.platform.forced()), (2, 0));
    world.platform.foreign_fetch();
    world.pass(Duration::from_secs(61)).await;
    gateway.call(&world.platform).await.unwrap();
    let history = gateway.history().await;
    assert_eq!(history[1].verdict, Some(Verdict::IssuerDisagrees));
}
