//! Pushes of events to an account's own URL.
//!
//! Here live where an account wants its pushes, the log of what was pushed, and the delivery.
//! What the messages say is told elsewhere: see `events.rs`.

mod config;
pub(super) mod control;
pub(super) mod courier;
mod log;
mod parcel;
mod reply;
mod sender;
mod trust;
mod url;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use self::sender::Sender;
use self::{
    config::PushConfig,
    log::{Attempt, Outcome, PushLog},
};
use super::{events::EventLog, settings::Settings};

/// The message push of one account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Push {
    /// None until a URL is set.
    config: Option<PushConfig>,
    log: PushLog,
    /// Somebody delivers for this account right now.
    #[serde(skip)]
    is_served: bool,
    /// Stands for this very value: whoever delivers notices that the account was reset.
    #[serde(skip)]
    mark: Arc<()>,
}

/// The right to deliver for an account, until it is reset.
struct Claim(Arc<()>);

/// One push that is to be delivered, with all that it takes.
struct Job {
    id: u64,
    /// When it was entered.
    entered_ms: i64,
    config: PushConfig,
    event: String,
    message: Map<String, Value>,
    limits: Limits,
}

/// How patient the platform is.
#[derive(Clone, Copy)]
struct Limits {
    deadline_ms: u64,
    retries: u32,
    wait_ms: u64,
}

impl Push {
    /// Whether there is a URL to push to.
    pub(super) fn is_set(&self) -> bool {
        self.config.is_some()
    }

    /// The host of that URL.
    pub(super) fn host(&self) -> Option<&str> {
        self.config.as_ref().map(|config| config.url.host())
    }

    /// Enters the push of an event that was told.
    pub(super) fn enter(&mut self, seq: u64, event: &str, now_ms: i64) {
        let address = self.config.as_ref().map(PushConfig::address);
        self.log.enter(seq, event, address, None, now_ms);
    }

    /// Whether something waits that nobody is delivering.
    pub(super) fn wants_courier(&self) -> bool {
        !self.is_served && self.log.is_waiting()
    }

    /// Whether a push was entered by hand since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        self.log.take_news()
    }

    /// Takes the account for whoever asks; none if there is nothing to do or somebody has it.
    fn claim(&mut self) -> Option<Claim> {
        if !self.wants_courier() {
            return None;
        }
        self.is_served = true;
        Some(Claim(self.mark.clone()))
    }

    /// Whether `claim` was made here and not before a reset.
    fn knows(&self, claim: &Claim) -> bool {
        Arc::ptr_eq(&self.mark, &claim.0)
    }

    /// The next push in order. None gives the account back.
    fn next_job(&mut self, claim: &Claim, events: &EventLog, settings: &Settings) -> Option<Job> {
        if !self.knows(claim) {
            return None;
        }
        while let Some((id, seq, entered_ms)) = self.log.next_waiting() {
            let Some(config) = &self.config else {
                self.log.close(id, Outcome::Skipped);
                continue;
            };
            let Some(event) = events.numbered(seq) else {
                self.log.close(id, Outcome::Failed);
                continue;
            };
            self.log.address(id, config.address());
            let limits = Limits {
                deadline_ms: settings.push_deadline_ms,
                retries: settings.push_retries,
                wait_ms: settings.push_retry_wait_ms,
            };
            return Some(Job {
                id,
                entered_ms,
                config: config.clone(),
                event: event.name.clone(),
                message: event.message.clone(),
                limits,
            });
        }
        self.is_served = false;
        None
    }

    /// Writes down an attempt; the push's outcome, if it is over with it.
    fn note(&mut self, claim: &Claim, id: u64, attempt: Attempt, outcome: Option<Outcome>) {
        if !self.knows(claim) {
            return;
        }
        self.log.note(id, attempt);
        if let Some(outcome) = outcome {
            self.log.close(id, outcome);
        }
    }
}
