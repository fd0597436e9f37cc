//! `/metrics` for Prometheus, on a listener of its own that is never public.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, http::header, routing::get};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;

use super::{error::StartError, start::Core};
use crate::capture::Recorder;

/// Starts to listen; the address with the port that was found.
///
/// # Errors
/// [`StartError::Metrics`] when the address cannot be taken.
pub(super) async fn open(
    address: SocketAddr,
    registry: Registry,
    core: &Core,
) -> Result<SocketAddr, StartError> {
    let wrap = |source| StartError::Metrics { address, source };
    let listener = TcpListener::bind(address).await.map_err(wrap)?;
    let bound = listener.local_addr().map_err(wrap)?;
    let shared = Arc::new((registry, core.recorder.clone()));
    let router = Router::new().route("/metrics", get(move || page(shared.clone())));
    let stop = core.tasks.clone();
    core.tasks.spawn(async move {
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(async move { stop.stopping().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "the metrics listener ended");
        }
    });
    Ok(bound)
}

async fn page(
    shared: Arc<(Registry, Recorder)>,
) -> ([(header::HeaderName, &'static str); 1], String) {
    let (registry, recorder) = &*shared;
    recorder.observe();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode(&mut text, registry);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
