//! `GET /v1/status`: how the gateway stands.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::api::Api;
use crate::{
    base::clock::from_unix_ms,
    capture::{CaptureState, Recorder},
};

/// The ready line, the accounts, capture and tokens.
pub(super) async fn status(State(api): State<Api>) -> Json<Value> {
    let now = api.clock.now();
    let keys = api.keys.list().iter().filter(|key| key.usable_at(now).is_ok()).count();
    Json(json!({
        "ready": api.ready,
        "accounts": (api.accounts)(),
        "keys": keys,
        "capture": capture(&api.recorder),
        "tokens": api.broker.status(),
    }))
}

fn capture(recorder: &Recorder) -> Value {
    let (state, reason, since) = match recorder.state() {
        CaptureState::Recording => ("recording", None, None),
        CaptureState::Disabled => ("disabled", None, None),
        CaptureState::Stopped { reason, since_ms } => {
            let since = jiff::Timestamp::try_from(from_unix_ms(since_ms)).ok();
            ("stopped", Some(reason), since)
        }
        CaptureState::Closed => ("closed", None, None),
    };
    json!({
        "state": state, "reason": reason, "since": since,
        "dropped": recorder.dropped(), "queued": recorder.queue_len(),
    })
}
