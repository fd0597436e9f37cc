//! The task that lets things happen when nobody looks.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::Platform;
use crate::base::tasks::Tasks;

/// Lets happen what is due, and sleeps until something is due again or there is news.
pub(super) async fn run(platform: Arc<Platform>, tasks: Tasks) {
    loop {
        let pause = platform.settle().unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        tokio::select! {
            () = tasks.stopping() => return,
            () = platform.news() => {}
            () = sleep(pause) => {}
        }
    }
}

/// The machine's clock may be set while we sleep.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
