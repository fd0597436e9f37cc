//! `POST /v1/tokens/{account}/refresh`: a token fetched because somebody asked.

use axum::{
    Json,
    extract::{Path, State},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    api::Api, limit_routes::audit_row, problem::Problem, router::read, token_routes::slot,
};

/// How a token is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshForm {
    /// Retires the token of every holder of the AppSecret, production's too.
    #[serde(default)]
    pub force: bool,
}

/// Fetches now, whatever pause the account is in, and shows how it stands then.
pub(super) async fn refresh(
    State(api): State<Api>,
    Path(account): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let form: RefreshForm = read(&body)?;
    let id = slot(&api, &account)?;
    if form.force {
        let (now, subject) = (api.clock.now(), id.to_string());
        let row = move |t: &rusqlite::Transaction<'_>| {
            audit_row(t, now, "cli", "force refresh", &subject)
        };
        api.db.write(row).await?;
    }
    api.broker.refresh(&id, form.force).await?;
    let status = api.broker.slot(&id).map(|slot| slot.status());
    Ok(Json(json!(status)))
}
