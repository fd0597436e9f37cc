//! The routes of the control API.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, post},
};
use bytes::Bytes;
use http::Uri;
use serde::de::DeserializeOwned;

use super::{
    api::Api, key_routes, limit_routes, log, platform_routes, problem::Problem, refresh, reload,
    rotate, status, tail, token_routes,
};

/// Every route. Whoever mounts it elsewhere checks first who is asking.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/keys", get(key_routes::list).post(key_routes::create))
        .route("/v1/keys/{name}", delete(key_routes::revoke))
        .route("/v1/keys/{name}/rotate", post(key_routes::rotate))
        .route("/v1/tokens", get(token_routes::list))
        .route("/v1/tokens/history", get(token_routes::history_of_all))
        .route("/v1/tokens/{account}/refresh", post(refresh::refresh))
        .route("/v1/tokens/{account}", delete(platform_routes::forget))
        .route("/v1/tokens/{account}/ticket", post(platform_routes::ticket))
        .route("/v1/tokens/{account}/history", get(token_routes::history))
        .route("/v1/installation-key/rotate", post(rotate::rotate))
        .route("/v1/limits/reset", post(limit_routes::reset))
        .route("/v1/audit", post(limit_routes::audit))
        .route("/v1/reload", post(reload::reload))
        .route("/v1/tail", get(tail::tail))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_MOST_BYTES))
        .layer(middleware::from_fn(log::each))
        .with_state(api)
}

/// A JSON body as a form; an empty one counts as `{}`.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        Problem::bad_request(
            format!("the request's body is not understood: {error}"),
            "command line and gateway may be of different versions; restart the gateway",
        )
    })
}

async fn unknown(uri: Uri) -> Problem {
    Problem::not_found(
        format!("the gateway has no control route {} for this method", uri.path()),
        "command line and gateway may be of different versions; restart the gateway",
    )
}

/// No form is longer than this.
const BODY_MOST_BYTES: usize = 64 * 1024;
