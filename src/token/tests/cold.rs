//! The first token: one fetch for everybody.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_requests_on_a_cold_token_cause_one_fetch() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.hang();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let slot = gateway.slot.clone();
        requests.spawn(async move { slot.token(LIMIT).await });
    }
    world.platform.let_through(10_000);
    while let Some(token) = requests.join_next().await {
        assert!(world.platform.accepts(&token.unwrap().unwrap()));
    }
    assert_eq!(world.platform.fetches(), 1);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_leaves_cancels_nothing() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.hang();
    let slot = gateway.slot.clone();
    let first = gateway.tasks.spawn(async move { slot.token(LIMIT).await });
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    world.platform.let_through(1);
    settle().await;
    assert!(gateway.slot.current().is_some(), "the fetch went on without its first waiter");
    assert_eq!(world.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_no_longer_than_its_limit_and_the_fetch_goes_on() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.hang();
    let slot = gateway.slot.clone();
    let waiting = gateway.tasks.spawn(async move { slot.token(Duration::from_secs(3)).await });
    settle().await;
    world.pass(Duration::from_secs(4)).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, TokenError::Waited { limit, .. } if limit.as_secs() == 3));
    world.platform.let_through(1);
    gateway.slot.token(LIMIT).await.unwrap();
    assert_eq!(world.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn everybody_who_waited_gets_the_error_of_the_one_fetch() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.answer(Some(refused(40125, "invalid appsecret", None)));
    let waiting = (0..50).map(|_| gateway.slot.token(LIMIT));
    let results = futures_util::future::join_all(waiting).await;
    for error in results.into_iter().map(Result::unwrap_err) {
        assert_eq!(error.errcode(), Some(40125));
        assert_eq!(error.errmsg(), Some("invalid appsecret"));
    }
    assert_eq!(world.platform.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_or_hangs_does_not_block_the_slot_for_ever() {
    let world = World::stable();
    let gateway = world.start().await;
    world.platform.panic_once();
    let error = gateway.slot.token(LIMIT).await.unwrap_err();
    assert!(matches!(error, TokenError::Malformed { .. }), "{error}");
    world.pass(Duration::from_secs(2)).await;
    gateway.slot.token(LIMIT).await.unwrap();

    world.platform.foreign_fetch();
    world.platform.hang();
    let token = gateway.slot.current().unwrap();
    gateway.slot.report_dead(&token, 40001);
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(gateway.status().last_error.unwrap().errcode, None);
    world.platform.let_through(100);
    gateway.slot.token(LIMIT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_shown_or_logged_holds_the_token_or_the_secret() {
    let world = World::stable();
    let gateway = world.start().await;
    let token = gateway.slot.token(LIMIT).await.unwrap();
    let history = gateway.history().await;
    let shown = [
        format!("{token:?} {:?} {:?}", gateway.slot, gateway.broker),
        format!("{:?} {history:?}", gateway.status()),
        serde_json::to_string(&gateway.status()).unwrap(),
        serde_json::to_string(&history).unwrap(),
        format!("{:?}", world.platform.credential()),
    ]
    .concat();
    assert!(!shown.contains(&world.platform.token_text()), "{shown}");
    assert!(!shown.contains(world.platform.credential().app_secret.expose()), "{shown}");
    assert!(shown.contains(&token.fingerprint.to_string()), "{shown}");
    for secret in [&token.secret, &world.platform.credential().app_secret] {
        let masked = world.redactor.text(secret.expose());
        assert!(masked.bytes().all(|byte| byte == b'*'), "unknown to the redactor: {masked}");
    }
}
