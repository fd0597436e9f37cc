//! `/v1/tokens/{account}/ticket` and `/v1/tokens/{account}`: what a third-party platform is told by hand.

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
use crate::{token::Held, wechat::authorizer::read_ticket};

/// A verify ticket, as the platform pushed it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketForm {
    /// `component_verify_ticket`.
    pub ticket: String,
}

/// Without the ticket.
impl std::fmt::Debug for TicketForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketForm(..)")
    }
}

/// Keeps the ticket, asks for a component token with it, and shows how that stands then.
pub(super) async fn ticket(
    State(api): State<Api>,
    Path(account): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let form: TicketForm = read(&body)?;
    let id = slot(&api, &account)?;
    let platform =
        api.broker.platform(&id).filter(|_| id.held == Held::Token).ok_or_else(|| {
            Problem::unprocessable(
                format!("`{account}` is no third-party platform, so it has no verify ticket"),
                "name an account of kind = \"open-platform\"",
            )
        })?;
    let ticket = read_ticket(&form.ticket).map_err(|fault| {
        Problem::unprocessable(
            format!("that is no component_verify_ticket: {fault}"),
            "it is the text inside <ComponentVerifyTicket>, as in ticket@@@…",
        )
    })?;
    let (now, subject) = (api.clock.now(), id.to_string());
    let row =
        move |t: &rusqlite::Transaction<'_>| audit_row(t, now, "cli", "verify ticket", &subject);
    api.db.write(row).await?;
    let is_newest = platform.keep_ticket(&ticket, now);
    api.broker.flush().await;
    // How it went is in the status.
    let _ = api.broker.refresh(&id, false).await;
    Ok(Json(json!({ "stored": is_newest, "token": platform.component().status() })))
}

/// Forgets a merchant that withdrew its authorization.
pub(super) async fn forget(
    State(api): State<Api>,
    Path(account): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = slot(&api, &account)?;
    let no_merchant = || {
        Problem::unprocessable(
            format!("`{account}` is no merchant of a third-party platform"),
            "name it as PLATFORM/APPID; `wxgate token show` lists them",
        )
    };
    let Held::Merchant(app_id) = &id.held else { return Err(no_merchant()) };
    let platform = api.broker.platform(&id).ok_or_else(no_merchant)?;
    let (now, subject) = (api.clock.now(), id.to_string());
    let row =
        move |t: &rusqlite::Transaction<'_>| audit_row(t, now, "cli", "forget merchant", &subject);
    api.db.write(row).await?;
    if !platform.forget(app_id) {
        return Err(Problem::unprocessable(
            format!("proxy.toml names {app_id} as an account of this platform"),
            "remove that account, then run: wxgate reload",
        ));
    }
    api.broker.flush().await;
    Ok(Json(json!({ "forgotten": id })))
}
