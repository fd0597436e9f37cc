//! One debug line for each control request.

use axum::{extract::Request, middleware::Next, response::Response};
use tokio::time::Instant;

/// Logs method, path, status and time; never a query or a body, which may name secrets.
pub(super) async fn each(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    tracing::debug!(http.method = %method, http.path = path, http.status = status, duration_ms, "control request");
    response
}
