//! What the stories need: a gateway, a client, an upstream that misbehaves, and patience.

pub(crate) mod client;
pub(crate) mod gateway;
pub(crate) mod open_platform;
pub(crate) mod origin;

use std::time::Duration;

pub(crate) use client::{Client, Reply};
pub(crate) use gateway::Gateway;

/// Asks until the answer is yes. Fails the test after ten seconds.
pub(crate) async fn eventually<F>(what: &str, mut condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < patience, "still waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
