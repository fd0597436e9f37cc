//! `/v1/tokens`: how each account stands with its issuer, and how its tokens lived.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{api::Api, problem::Problem};
use crate::token::{Generation, SlotId};

/// Every slot. Never a token.
pub(super) async fn list(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "tokens": api.broker.status() }))
}

/// How many generations are asked for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<usize>,
}

/// The newest generations of an account's tokens, newest first.
pub(super) async fn history(
    State(api): State<Api>,
    Path(account): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let slot = slot(&api, &account)?;
    let limit = wanted.limit.unwrap_or(GENERATIONS).min(GENERATIONS_MOST);
    let generations = api.broker.history(&slot, limit).await?;
    Ok(Json(json!({ "generations": generations.iter().map(explained).collect::<Vec<_>>() })))
}

/// A generation with what its early death means, as a sentence.
#[must_use]
pub fn explained(generation: &Generation) -> Value {
    let mut shown = json!(generation);
    if let Value::Object(fields) = &mut shown {
        fields.insert("explanation".to_owned(), json!(generation.explanation()));
    }
    shown
}

/// The slot that `shop` or `shop~sandbox` names.
pub(super) fn slot(api: &Api, account: &str) -> Result<SlotId, Problem> {
    let found = api.broker.slots().into_iter().map(|slot| slot.id().clone());
    let mut names = Vec::new();
    for id in found {
        let name = id.to_string();
        let name = name.strip_suffix("/token").unwrap_or(&name).to_owned();
        if name == account {
            return Ok(id);
        }
        names.push(name);
    }
    Err(Problem::not_found(
        format!("no token is kept for `{account}`"),
        &format!("there are: {}", names.join(", ")),
    ))
}

/// Without a wish.
const GENERATIONS: usize = 20;

/// An answer stays small.
const GENERATIONS_MOST: usize = 1000;
