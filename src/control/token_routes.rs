//! `/v1/tokens`: how each account stands with its issuer, and how its tokens lived.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{api::Api, problem::Problem};
use crate::token::{Generation, Held, SlotId};

/// Every slot, with the newest verdict on one of its tokens. Never a token.
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let verdicts = api.broker.verdicts().await?;
    let tokens = api.broker.status();
    let tokens = tokens.iter().map(|slot| judged(json!(slot), &slot.slot.to_string(), &verdicts));
    Ok(Json(json!({ "tokens": tokens.collect::<Vec<_>>() })))
}

/// Adds to a slot its last generation that has a verdict, null without one.
#[must_use]
pub fn judged(mut status: Value, slot: &str, verdicts: &[Generation]) -> Value {
    let last = verdicts.iter().find(|life| life.slot == slot).map(explained);
    if let Value::Object(fields) = &mut status {
        fields.insert("last_verdict".to_owned(), json!(last));
    }
    status
}

/// How many generations are asked for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<usize>,
}

impl Wanted {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(GENERATIONS).min(GENERATIONS_MOST)
    }
}

/// The newest generations of all accounts' tokens, newest first.
pub(super) async fn history_of_all(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let generations = api.broker.history_of_all(wanted.limit()).await?;
    Ok(Json(listed(&generations)))
}

/// The newest generations of an account's tokens, newest first.
pub(super) async fn history(
    State(api): State<Api>,
    Path(account): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let slot = slot(&api, &account)?;
    let generations = api.broker.history(&slot, wanted.limit()).await?;
    Ok(Json(listed(&generations)))
}

/// What `wxgate token history --json` prints.
#[must_use]
pub fn listed(generations: &[Generation]) -> Value {
    json!({ "generations": generations.iter().map(explained).collect::<Vec<_>>() })
}

/// A generation with what its early death means: when somebody else fetched, and a sentence.
fn explained(generation: &Generation) -> Value {
    let mut shown = json!(generation);
    if let Value::Object(fields) = &mut shown {
        fields.insert("foreign_fetch".to_owned(), json!(generation.foreign_fetch()));
        fields.insert("explanation".to_owned(), json!(generation.explanation()));
    }
    shown
}

/// The slot that `shop`, `shop~sandbox` or, for a merchant, `open/wx…` names.
pub(super) fn slot(api: &Api, account: &str) -> Result<SlotId, Problem> {
    let found = api.broker.slots().into_iter().map(|slot| slot.id().clone());
    let mut names = Vec::new();
    for id in found {
        let name = called(&id);
        if name == account {
            return Ok(id);
        }
        names.push(name);
    }
    let rest = names.len().saturating_sub(NAMES_MOST);
    names.truncate(NAMES_MOST);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    Err(Problem::not_found(
        format!("no token is kept for `{account}`"),
        &format!("there are: {}{rest}", names.join(", ")),
    ))
}

/// What a slot is called on the command line.
fn called(id: &SlotId) -> String {
    let name = id.to_string();
    let name = name.strip_suffix("/token").unwrap_or(&name);
    match id.held {
        Held::Merchant(_) => name.replacen("/merchant/", "/", 1),
        Held::Token | Held::Ticket(_) => name.to_owned(),
    }
}

/// A platform may have thousands of merchants.
const NAMES_MOST: usize = 50;

/// Without a wish.
const GENERATIONS: usize = 20;

/// An answer stays small.
const GENERATIONS_MOST: usize = 1000;
