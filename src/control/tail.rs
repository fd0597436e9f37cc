//! `GET /v1/tail?filter=`: exchanges as they are stored, a line of JSON each.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::header;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, MissedTickBehavior, interval},
};

use super::{api::Api, problem::Problem};
use crate::capture::{Filter, StoredExchange};

/// What is asked for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    filter: String,
}

/// Streams until the client leaves or the gateway stops. The first line comes at once.
pub(super) async fn tail(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let filter = Filter::parse(&wanted.filter, api.clock.now()).map_err(|error| {
        Problem::bad_request(error.render(), "`wxgate tail --help` shows the words")
    })?;
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed { exchanges: api.recorder.subscribe(), filter, beat, api };
    let body = Body::from_stream(stream::unfold(feed, next_line));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

struct Feed {
    exchanges: Receiver<Arc<StoredExchange>>,
    filter: Filter,
    beat: Interval,
    api: Api,
}

async fn next_line(mut feed: Feed) -> Option<(Result<Bytes, Infallible>, Feed)> {
    loop {
        let line = tokio::select! {
            () = feed.api.tasks.stopping() => return None,
            _ = feed.beat.tick() => {
                Some(json!({ "heartbeat": feed.api.clock.unix_ms() }).to_string())
            }
            received = feed.exchanges.recv() => match received {
                Ok(exchange) => feed.wanted(&exchange),
                Err(RecvError::Lagged(missed)) => Some(json!({ "gap": missed }).to_string()),
                Err(RecvError::Closed) => return None,
            },
        };
        if let Some(line) = line {
            return Some((Ok(Bytes::from(format!("{line}\n"))), feed));
        }
    }
}

impl Feed {
    fn wanted(&self, exchange: &StoredExchange) -> Option<String> {
        let shown = || (self.api.mask)().hide(exchange).to_json();
        self.filter.matches(exchange).then(shown)
    }
}

/// How the client knows that the gateway lives, and the gateway that the client does.
const HEARTBEAT: Duration = Duration::from_secs(10);
