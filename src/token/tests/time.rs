//! Renewal, and clocks that jump.

use std::sync::atomic::AtomicU64;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_in_the_background_before_its_end() {
    let world = World::stable();
    let gateway = world.start().await;
    let begin = Instant::now();
    let first = gateway.slot.token(LIMIT).await.unwrap();
    for _ in 0..4 * 7200 / 60 {
        assert!(gateway.slot.current().is_some(), "there is always a valid one");
        world.pass(Duration::from_secs(60)).await;
    }
    let times = world.platform.call_times();
    assert_eq!(times.len(), 5);
    for (index, at) in times.iter().enumerate() {
        let due_s = 6930 * u64::try_from(index).unwrap();
        let offset = (*at - begin).as_secs().abs_diff(due_s);
        assert!(offset <= 5, "fetch {index} was {offset} s off");
    }
    let history = gateway.history().await;
    assert_eq!(history.last().unwrap().fingerprint, first.fingerprint.to_string());
    assert!(history[1..].iter().all(|g| g.end_reason == Some(EndReason::Renewed)));
}

#[tokio::test(start_paused = true)]
async fn no_request_waits_while_the_next_token_is_fetched_slowly() {
    let world = World::stable();
    let gateway = world.start().await;
    gateway.slot.token(LIMIT).await.unwrap();
    world.platform.hang();
    for _ in 0..6940 {
        world.pass(Duration::from_secs(1)).await;
        assert!(gateway.slot.current().is_some());
    }
    let first = gateway.slot.current().unwrap();
    assert_eq!(gateway.status().state, SlotState::Valid);
    world.platform.let_through(1);
    settle().await;
    assert_ne!(gateway.slot.current().unwrap().generation, first.generation);
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_wall_clock_causes_no_failure_and_no_fetch() {
    for jump_s in [3600, -3600, 86_400, -86_400] {
        let world = World::stable();
        let gateway = world.start().await;
        let token = gateway.slot.token(LIMIT).await.unwrap();
        world.pass(Duration::from_secs(600)).await;
        world.set_wall_clock(jump_s);
        world.pass(Duration::from_secs(600)).await;
        assert!(Arc::ptr_eq(&gateway.slot.current().unwrap(), &token), "{jump_s}");
        assert_eq!(world.platform.fetches(), 1, "{jump_s}");
        let status = gateway.status().token.unwrap();
        assert_eq!((status.age_s, status.expires_in_s), (1200, 6000), "{jump_s}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expired_while_the_machine_slept_is_not_used() {
    static SLEPT_S: AtomicU64 = AtomicU64::new(0);
    static STARTED: Mutex<Option<Instant>> = Mutex::new(None);
    let world = World::stable();
    *STARTED.lock().unwrap() = Some(Instant::now());
    let since_boot = || {
        let awake = STARTED.lock().unwrap().map(|started| started.elapsed())?;
        Some(awake + Duration::from_secs(SLEPT_S.load(Ordering::Relaxed)))
    };
    let gateway = world.start_with_boot_clock(since_boot).await;
    gateway.slot.token(LIMIT).await.unwrap();
    world.pass(Duration::from_secs(30)).await;

    SLEPT_S.store(6000, Ordering::Relaxed);
    world.pass(Duration::from_secs(6)).await;
    assert_eq!(gateway.status().token.unwrap().expires_in_s, 7200 - 36 - 6000);
    SLEPT_S.store(10_000, Ordering::Relaxed);
    world.pass(Duration::from_secs(6)).await;
    assert!(gateway.slot.current().is_none(), "noticed before it was used");
    gateway.slot.token(LIMIT).await.unwrap();
}
