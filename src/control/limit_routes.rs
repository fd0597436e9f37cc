//! `/v1/limits/reset` frees paths that are out of quota; `/v1/audit` writes down what was seen.

use std::time::SystemTime;

use axum::{Json, extract::State};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{api::Api, problem::Problem, router::read};
use crate::{
    base::{clock::unix_ms, name::Name},
    token::SlotId,
};

/// Which accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetForm {
    /// None = all.
    #[serde(default)]
    pub account: Option<Name>,
}

/// Something that the command line did by itself and that must be on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditForm {
    /// `unmask`.
    pub what: String,
    /// To which thing.
    pub subject: String,
}

/// Frees what 45009 and 45011 have blocked.
pub(super) async fn reset(State(api): State<Api>, body: Bytes) -> Result<Json<Value>, Problem> {
    let form: ResetForm = read(&body)?;
    let known = (api.accounts)();
    let wanted = match form.account {
        Some(account) if !known.contains(&account) => {
            let list = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let error = format!("there is no account `{account}`");
            return Err(Problem::not_found(error, &format!("there are: {list}")));
        }
        Some(account) => vec![account],
        None => known,
    };
    let merchants = wanted.iter().flat_map(|account| merchants(&api, account));
    let freed: usize =
        wanted.iter().cloned().chain(merchants).map(|name| api.quota.clear(&name)).sum();
    let now = api.clock.now();
    api.quota.flush(now).await?;
    let subject = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    api.db.write(move |t| audit_row(t, now, "cli", "reset limits", &subject)).await?;
    Ok(Json(json!({ "freed": freed })))
}

/// Merchants of a third-party platform have quotas of their own, by AppID.
fn merchants(api: &Api, account: &Name) -> Vec<Name> {
    let platform = api.broker.platform(&SlotId::real(account.clone()));
    let merchants = platform.map(|platform| platform.merchants()).unwrap_or_default();
    merchants.iter().filter_map(|app_id| app_id.parse().ok()).collect()
}

/// Writes a row before the thing is shown.
pub(super) async fn audit(State(api): State<Api>, body: Bytes) -> Result<Json<Value>, Problem> {
    let form: AuditForm = read(&body)?;
    let now = api.clock.now();
    api.db.write(move |t| audit_row(t, now, "cli", &form.what, &form.subject)).await?;
    Ok(Json(json!({ "stored": true })))
}

/// Who did what to which thing.
///
/// # Errors
/// As SQLite says.
pub fn audit_row(
    transaction: &rusqlite::Transaction<'_>,
    now: SystemTime,
    who: &str,
    what: &str,
    subject: &str,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO audit (time_ms, who, what, subject) VALUES (?1, ?2, ?3, ?4)",
        rusqlite::params![unix_ms(now), who, what, subject],
    )?;
    Ok(())
}
