//! `POST /v1/reload`: a new proxy.toml without losing a request.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::Value;

use super::{api::Api, problem::Problem};

/// Reads the configuration again and applies it: what it did, as JSON with `needs_restart`; or
/// all problems as a text for people, and nothing has changed. Called where it may block.
pub type Reload = Arc<dyn Fn() -> Result<Value, String> + Send + Sync>;

/// Applies the file as it stands now.
pub(super) async fn reload(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let reload = api.reload.clone();
    let done = tokio::task::spawn_blocking(move || reload()).await;
    let done = done.unwrap_or_else(|_| Err("the reload ended in a panic; see the log".to_owned()));
    done.map(Json).map_err(|problems| {
        let hint = "the old configuration stays in force; correct the file and reload again";
        Problem::unprocessable(problems, hint)
    })
}
