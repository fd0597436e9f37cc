//! `clock`: an account's time.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Refused, bad_request, read};
use crate::sandbox::{account::Account, moment};

/// `{"freeze"?,"run"?,"advance_s"?,"at"?}`; the only way is forward.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockForm {
    freeze: Option<bool>,
    run: Option<bool>,
    advance_s: Option<u64>,
    at: Option<Timestamp>,
}

/// What it shows.
pub(super) fn show(account: &Account) -> Value {
    let now_ms = account.now_ms();
    json!({
        "now": moment::rfc3339(now_ms),
        "unix_ms": now_ms,
        "frozen": account.clock().is_frozen(),
    })
}

/// Stops it, lets it run, moves it: tokens age, quotas turn over, audits are decided.
pub(super) fn set(account: &Account, body: &[u8]) -> Done {
    let form: ClockForm = read(body)?;
    let by = form.step(account.now_ms())?;
    let clock = account.clock();
    if let Some(by) = by
        && !clock.advance(by)
    {
        return Err(bad_request("the clock ends with the year 2099".to_owned()));
    }
    if form.freeze.is_some() {
        clock.freeze();
    }
    if form.run.is_some() {
        clock.run();
    }
    account.ring();
    Ok(show(account))
}

impl ClockForm {
    /// How far to move it; everything that makes no sense is refused before anything is done.
    fn step(&self, now_ms: i64) -> Result<Option<Duration>, Refused> {
        if self.freeze == Some(false) || self.run == Some(false) {
            return Err(bad_request(
                "the opposite of `freeze` is `run`, each with true".to_owned(),
            ));
        }
        match (self.freeze, self.run, self.advance_s, self.at) {
            (None, None, None, None) => {
                Err(bad_request("clock takes one of `advance_s`, `at`, `freeze`, `run`".to_owned()))
            }
            (Some(_), Some(_), _, _) => {
                Err(bad_request("`freeze` and `run` contradict each other".to_owned()))
            }
            (_, _, Some(_), Some(_)) => {
                Err(bad_request("`advance_s` and `at` contradict each other".to_owned()))
            }
            (_, _, Some(advance_s), None) if advance_s > MOST_ADVANCE_S => {
                Err(bad_request(format!("advance_s is at most {MOST_ADVANCE_S}")))
            }
            (_, _, Some(advance_s), None) => Ok(Some(Duration::from_secs(advance_s))),
            (_, _, None, Some(at)) => {
                let by_ms = u64::try_from(at.as_millisecond().saturating_sub(now_ms));
                let by_ms = by_ms.map_err(|_| {
                    let now = moment::rfc3339(now_ms);
                    bad_request(format!("the only way is forward, and it is {now} already"))
                })?;
                Ok(Some(Duration::from_millis(by_ms)))
            }
            (_, _, None, None) => Ok(None),
        }
    }
}

/// A year at a time.
const MOST_ADVANCE_S: u64 = 366 * 86_400;
