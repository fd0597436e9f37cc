//! Background tasks that a shutdown can stop and wait for.

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A group of tasks with one stop signal. Clones share the group.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts `task` on the runtime of the caller. It must end soon after [`Tasks::stopping`].
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.tracker.spawn(task)
    }

    /// Starts `task` on another runtime.
    pub fn spawn_on<F>(&self, task: F, runtime: &tokio::runtime::Handle) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.tracker.spawn_on(task, runtime)
    }

    /// Ends when the group was told to stop.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the group was told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells every task to stop; returns at once.
    pub fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
    }

    /// How many tasks have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tracker.len()
    }

    /// Whether no task is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tracker.is_empty()
    }

    /// Tells every task to stop and waits until all have. The caller sets the time limit.
    pub async fn shutdown(&self) {
        self.stop();
        self.tracker.wait().await;
    }
}
