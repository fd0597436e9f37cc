//! The end, in order: the start read upside down.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::start::{Core, Running};

/// What a shutdown left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that did not end in time.
    pub connections_left: usize,
}

impl Running {
    /// Ends the gateway within `shutdown_grace`. Must not be called on a runtime's thread.
    pub fn shutdown(self) -> DrainReport {
        let Self { core, workers, runtime, .. } = self;
        let report = runtime.block_on(drain(&core));
        for worker in workers {
            if worker.join().is_err() {
                tracing::error!("a worker ended in a panic");
            }
        }
        runtime.shutdown_timeout(LAST_MOMENT);
        drop(core);
        report
    }
}

/// Readiness off; stop accepting and tell connections; wait for them; stop what runs in the
/// background; flush capture. The databases close when the last owner is dropped.
async fn drain(core: &Arc<Core>) -> DrainReport {
    let grace = core.config.load().server.shutdown_grace;
    let end = Instant::now() + grace;
    core.is_ready.store(false, Ordering::Relaxed);
    core.edge.begin_drain();
    let connections_left = core.edge.drained(grace.saturating_sub(LAST_MOMENT)).await.left;
    if connections_left > 0 {
        tracing::warn!(
            connections_left,
            "{connections_left} connections did not end within the grace period"
        );
    }
    core.worker_tasks.stop();
    core.factory.broker.flush().await;
    core.tasks.stop();
    if timeout_at(end, core.tasks.shutdown()).await.is_err() {
        tracing::warn!(
            tasks = core.tasks.len(),
            "{} background tasks did not end in time",
            core.tasks.len()
        );
    }
    core.recorder
        .flush_and_close(end.saturating_duration_since(Instant::now()).max(LAST_MOMENT))
        .await;
    DrainReport { connections_left }
}

/// Kept back from the grace period for what comes behind the connections.
const LAST_MOMENT: Duration = Duration::from_secs(1);
