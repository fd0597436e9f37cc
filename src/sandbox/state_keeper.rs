//! The task that keeps the state file up to date.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{Platform, state_file::StateFile};
use crate::base::{chain::Chain, tasks::Tasks};

/// Writes the file every few seconds if something may have changed. The last time is for
/// whoever stopped the tasks: calls may still be under way when this ends.
pub(super) async fn run(platform: Arc<Platform>, file: Arc<StateFile>, tasks: Tasks) {
    let mut seen = Vec::new();
    loop {
        tokio::select! {
            () = tasks.stopping() => return,
            () = sleep(PAUSE) => {}
        }
        let now: Vec<u64> = platform.accounts().iter().map(|account| account.changes()).collect();
        if now == seen {
            continue;
        }
        seen = now;
        let (platform, file) = (platform.clone(), file.clone());
        let saved = tokio::task::spawn_blocking(move || file.save(&platform)).await;
        if let Ok(Err(error)) = saved {
            tracing::error!(error = %Chain(&error), "the sandbox could not keep its state");
            // Try again, whether something changes or not.
            seen.clear();
        }
    }
}

const PAUSE: Duration = Duration::from_secs(3);
