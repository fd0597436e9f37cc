//! `/v1/keys`: made, listed, revoked, rotated; in force when the answer is there.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    api::Api,
    key_form::{KeyForm, RotateForm, made},
    problem::Problem,
    router::read,
};

/// Every key, revoked and fixed ones too, without any secret.
pub(super) async fn list(State(api): State<Api>) -> Json<Value> {
    let keys = api.keys.list();
    let keys: Vec<_> = keys.iter().map(AsRef::as_ref).collect();
    Json(json!({ "keys": keys }))
}

/// A new key, with its text this one time.
pub(super) async fn create(
    State(api): State<Api>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let form: KeyForm = read(&body)?;
    let known = (api.accounts)();
    if let Some(unknown) = form.accounts.iter().find(|name| !known.contains(name)) {
        let list = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Problem::bad_request(
            format!("the running gateway has no account `{unknown}`"),
            &format!("it has: {list}; `wxgate reload` applies a changed proxy.toml"),
        ));
    }
    let new = form.into_new_key().map_err(|error| Problem::bad_request(error.to_string(), ""))?;
    let (key, text) = api.keys.create(new, BY).await?;
    Ok((StatusCode::CREATED, Json(made(&key, &text))))
}

/// Takes a key back.
pub(super) async fn revoke(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let key = api.keys.revoke(&name, BY).await?;
    Ok(Json(json!(key.as_ref())))
}

/// Replaces a key by one with the same rules.
pub(super) async fn rotate(
    State(api): State<Api>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let form: RotateForm = read(&body)?;
    let grace = form.grace_s.map(Duration::from_secs);
    let (key, text) = api.keys.rotate(&name, grace, BY).await?;
    Ok((StatusCode::CREATED, Json(made(&key, &text))))
}

/// Who did it, in the audit: somebody with a shell on the host.
const BY: &str = "cli";
