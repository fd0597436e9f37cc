//! A worker: a thread with a runtime, listening sockets, stages and upstream connections of its own.

use std::{io, net::TcpListener, sync::Arc, thread::JoinHandle};

use super::{error::StartError, start::Core};
use crate::{
    base::tasks::Tasks,
    config::model::Scheme,
    edge::{self, BoundListener, EdgeShared},
    proxy::{Parts, ProxyService},
    upstream::Pool,
};

/// Everything but the pool, which each worker makes for itself.
#[derive(Clone)]
struct WorkerParts {
    edge: Arc<EdgeShared>,
    /// Makes the stages' parts around the worker's pool.
    parts: Arc<dyn Fn(Arc<Pool>) -> Parts + Send + Sync>,
    /// Ends when the connections have been drained.
    tasks: Tasks,
}

/// Starts one worker for each socket of a listener.
///
/// # Errors
/// [`StartError::Thread`] when the system has no thread, or no runtime can be made.
pub(super) fn start(
    core: &Arc<Core>,
    listeners: Vec<BoundListener>,
) -> Result<Vec<JoinHandle<()>>, StartError> {
    let shared = core.clone();
    let parts = WorkerParts {
        edge: core.edge.clone(),
        parts: Arc::new(move |pool| Parts {
            live: shared.live.clone(),
            keys: shared.keys.clone(),
            surrogates: shared.surrogates.clone(),
            limiter: shared.limiter.clone(),
            quota: shared.quota.clone(),
            in_flight: shared.in_flight.clone(),
            recorder: shared.recorder.clone(),
            redactor: shared.redactor.clone(),
            sandbox: shared.sandbox.clone(),
            clock: shared.clock.clone(),
            metrics: shared.proxy_metrics.clone(),
            access_metrics: shared.access_metrics.clone(),
            is_ready: shared.is_ready.clone(),
            pool,
        }),
        tasks: core.worker_tasks.clone(),
    };
    let started = by_worker(listeners)
        .into_iter()
        .enumerate()
        .map(|(number, sockets)| spawn(number, sockets, parts.clone()));
    started.collect::<Result<_, _>>().map_err(StartError::Thread)
}

/// One socket of each listener to each worker. They are moved, not cloned: a clone left alive
/// would keep the port open after the drain.
fn by_worker(listeners: Vec<BoundListener>) -> Vec<Vec<(Scheme, TcpListener)>> {
    let workers = listeners.iter().map(|listener| listener.sockets.len()).max().unwrap_or(0);
    let mut by_worker: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
    for listener in listeners {
        for (worker, socket) in by_worker.iter_mut().zip(listener.sockets) {
            worker.push((listener.scheme, socket));
        }
    }
    by_worker
}

/// Starts the worker; it ends when its tasks are told to stop.
fn spawn(
    number: usize,
    sockets: Vec<(Scheme, TcpListener)>,
    worker: WorkerParts,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        runtime.block_on(run(sockets, worker));
        // What is left are idle upstream connections: nothing of theirs is worth waiting for.
        runtime.shutdown_background();
    })
}

async fn run(sockets: Vec<(Scheme, TcpListener)>, worker: WorkerParts) {
    let pool = Arc::new(Pool::new(worker.tasks.clone()));
    let service = ProxyService::new((worker.parts)(pool));
    for (scheme, socket) in sockets {
        match tokio::net::TcpListener::from_std(socket) {
            Ok(listener) => {
                let serving = edge::serve(listener, scheme, worker.edge.clone(), service.clone());
                worker.tasks.spawn(serving);
            }
            Err(error) => tracing::error!(%error, "a worker cannot use its listening socket"),
        }
    }
    worker.tasks.stopping().await;
}
