//! A third-party platform: its ticket and its merchants, kept over restarts.

use super::*;

fn open() -> SlotId {
    SlotId::real("open".parse().unwrap())
}

fn parts(app_id: &str) -> PlatformParts {
    PlatformParts {
        id: open(),
        credential: Credential {
            app_id: app_id.into(),
            app_secret: Secret::new("a-component-secret-of-32-letters".into()),
        },
        origins: Vec::new(),
        policy: SlotPolicy { force_refresh: ForceRefresh::Never, forced_per_day: 10 },
        callback: "https://gateway.example/-/callback/open".into(),
        ask_ticket: None,
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn grant(text: &str) -> TokenGrant {
    TokenGrant { token: secret(text), valid_for: Duration::from_secs(7200) }
}

/// Rows of the table `sealed`, by name.
async fn rows(gateway: &Gateway) -> Vec<String> {
    gateway.broker.flush().await;
    let read = |c: &rusqlite::Connection| {
        c.prepare("SELECT slot FROM sealed ORDER BY slot")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<String>>>()
    };
    gateway.store.read(read).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_ticket_the_error_names_the_url_and_with_one_the_issuer_is_asked() {
    let world = World::stable();
    let gateway = world.start().await;
    let platform = gateway.broker.register_platform(parts("wxopen"));
    let error = platform.component().token(LIMIT).await.unwrap_err();
    let TokenError::Ticket { fault, callback, .. } = error.root() else { panic!("{error}") };
    assert_eq!((fault, &**callback), (&TicketFault::NeverCame, &*parts("").callback));
    assert!(error.to_string().contains("component_verify_ticket"), "{error}");

    // A ticket ends the pause: no origin is configured, which is the next thing that is wrong.
    assert!(platform.keep_ticket(&secret("ticket@@@0123456789abcdef"), world.clock.now()));
    let error = platform.component().token(LIMIT).await.unwrap_err();
    assert!(matches!(error.root(), TokenError::NotConfigured { .. }), "{error}");
    assert_eq!(world.redactor.text("ticket@@@0123456789abcdef"), "*".repeat(25));

    world.set_wall_clock(12 * 3600);
    platform.component().wake();
    let error = platform.component().token(LIMIT).await.unwrap_err();
    assert!(error.root().to_string().contains("12 h"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_merchants_token_is_used_at_once_and_the_want_of_a_component_token_is_told() {
    let world = World::stable();
    let gateway = world.start().await;
    let platform = gateway.broker.register_platform(parts("wxopen"));
    let refresh = secret("refreshtoken@@@0123456789");
    let slot = platform
        .authorized("wx1", Some(&refresh), Some(grant("76_merchant-token-0123456789")))
        .unwrap();
    assert_eq!(slot.id().to_string(), "open/merchant/wx1/token");
    let token = slot.token(LIMIT).await.unwrap();
    assert!(token.secret.matches(b"76_merchant-token-0123456789"));
    for text in ["refreshtoken@@@0123456789", "76_merchant-token-0123456789"] {
        assert!(!world.redactor.text(text).contains(text), "{text}");
    }
    slot.report_dead(&token, 40001);
    let error = slot.after(&token, LIMIT).await.unwrap_err();
    assert!(matches!(error.root(), TokenError::Ticket { .. }), "{error}");
    assert_eq!(gateway.broker.slot(slot.id()).unwrap().status().provider, FetchedBy::Authorizer);
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_ticket_merchants_and_tokens() {
    let world = World::stable();
    let gateway = world.start().await;
    let platform = gateway.broker.register_platform(parts("wxopen"));
    platform.keep_ticket(&secret("ticket@@@0123456789abcdef"), world.clock.now());
    platform.authorized(
        "wx1",
        Some(&secret("refreshtoken@@@one")),
        Some(grant("76_merchant-token-0123456789")),
    );
    platform.authorized("wx2", Some(&secret("refreshtoken@@@two")), None);
    assert!(platform.forget("wx2") && !platform.forget("wx2"));
    gateway.stop().await;

    let gateway = world.start().await;
    let platform = gateway.broker.register_platform(parts("wxopen"));
    assert_eq!(platform.merchants(), [Arc::from("wx1")]);
    assert!(platform.merchant("wx1").unwrap().current().is_some());
    let error = platform.component().token(LIMIT).await.unwrap_err();
    assert!(
        matches!(error.root(), TokenError::NotConfigured { .. }),
        "the ticket is there: {error}"
    );
    gateway.broker.retire(&"open".parse().unwrap());
    assert_eq!(rows(&gateway).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn another_component_begins_with_an_empty_book() {
    let world = World::stable();
    let gateway = world.start().await;
    let first = gateway.broker.register_platform(parts("wxopen"));
    first.authorized("wx1", Some(&secret("refreshtoken@@@one")), None);
    let same = gateway.broker.register_platform(parts("wxopen"));
    assert!(Arc::ptr_eq(&first, &same), "a reload keeps the book");
    let ask: AskTicket = Arc::new(|| Box::pin(async { None }));
    let simulated = PlatformParts { ask_ticket: Some(ask), ..parts("wxopen") };
    assert!(gateway.broker.register_platform(simulated).merchants().is_empty());
    let other = gateway.broker.register_platform(parts("wxother"));
    assert_eq!((other.app_id(), other.merchants().len()), ("wxother", 0));
    assert_eq!(gateway.broker.platform(&open()).unwrap().app_id(), "wxother");
    assert_eq!(rows(&gateway).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_the_sandbox_of_this_process_gave_is_not_kept() {
    let world = World::stable();
    let gateway = world.start().await;
    let ask: AskTicket = Arc::new(|| Box::pin(async { Some(secret("ticket@@@asked-for")) }));
    let with_sandbox = PlatformParts { ask_ticket: Some(ask), ..parts("wxopen") };
    let platform = gateway.broker.register_platform(with_sandbox);
    platform.authorized("wx1", Some(&secret("refreshtoken@@@one")), None);
    let error = platform.component().token(LIMIT).await.unwrap_err();
    assert!(matches!(error.root(), TokenError::NotConfigured { .. }), "no origin: {error}");
    assert_eq!(rows(&gateway).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_command_line_can_store_a_ticket_for_the_next_start() {
    let world = World::stable();
    let gateway = world.start().await;
    let key = InstallationKey::load_or_create(&world.dir.path().join("installation.key")).unwrap();
    let ticket = secret("ticket@@@0123456789abcdef");
    let name = "open".parse().unwrap();
    let store = store_ticket(&key, &name, "wxopen", &ticket, world.clock.now()).unwrap();
    gateway.store.write(store).await.unwrap();
    gateway.stop().await;
    let gateway = world.start().await;
    let platform = gateway.broker.register_platform(parts("wxopen"));
    let error = platform.component().token(LIMIT).await.unwrap_err();
    assert!(matches!(error.root(), TokenError::NotConfigured { .. }), "{error}");
}
