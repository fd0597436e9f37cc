//! `POST /v1/installation-key/rotate`: another key seals from now on.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{api::Api, limit_routes::audit_row, problem::Problem};
use crate::base::chain::Chain;

/// Makes the key and tells how many the installation has. What the earlier ones sealed still
/// opens, so nobody has to fetch anything.
pub(super) async fn rotate(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let now = api.clock.now();
    let row =
        move |t: &rusqlite::Transaction<'_>| audit_row(t, now, "cli", "rotate", "installation key");
    api.db.write(row).await?;
    let rotate = api.rotate.clone();
    let done = tokio::task::spawn_blocking(move || rotate().map_err(|e| Chain(&e).to_string()));
    let done = done.await.unwrap_or_else(|_| Err("it ended in a panic; see the log".to_owned()));
    let hint = "the earlier key stays in force; see that the data folder can be written";
    done.map(|keys| Json(json!({ "keys": keys })))
        .map_err(|error| Problem::unprocessable(error, hint))
}
