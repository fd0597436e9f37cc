//! What a known key may not do whatever the account: call from elsewhere, or from a mini program.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, header};
use tokio::time::Instant;

use super::{
    error::ProxyError,
    passage::Passage,
    stage::{Answering, Next, Stage},
};
use crate::{
    access::{Key, permit},
    base::{body::Body, name::Name},
};

/// Inside capture: the key is known, so its holder shall see the refusal.
#[derive(Default)]
pub(super) struct CheckCaller {
    /// When each shipped key was last cried out.
    alarms: Mutex<HashMap<Name, Instant>>,
}

impl CheckCaller {
    fn check(&self, passage: &Passage) -> Result<(), ProxyError> {
        let key = passage.key()?;
        permit::network(key, passage.client).map_err(ProxyError::denied)?;
        if passage.seen.referer && comes_from_mini_program(&passage.headers) {
            self.cry_out(passage, key);
            return Err(ProxyError::ClientCall { key: key.name.clone() });
        }
        Ok(())
    }

    /// A key in a mini program is called by a million phones: once a minute is enough.
    fn cry_out(&self, passage: &Passage, key: &Key) {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Instant| at.elapsed() < ALARM_EVERY;
        if alarms.get(&key.name).is_some_and(is_recent) {
            return;
        }
        alarms.retain(|_, at| is_recent(at));
        alarms.insert(key.name.clone(), Instant::now());
        tracing::warn!(
            request.id = %passage.id,
            client.addr = %passage.client,
            key = key.name.as_str(),
            "ALARM: key {} is used from inside a mini program, so its users have it; revoke it",
            key.name
        );
    }
}

impl Stage for CheckCaller {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        match self.check(passage) {
            Ok(()) => next.run(passage, body),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// Mini programs send a fixed Referer that their code cannot change (WeChat, `wx.request`).
fn comes_from_mini_program(headers: &HeaderMap) -> bool {
    let mut referers = headers.get_all(header::REFERER).iter();
    referers.any(|value| value.as_bytes().starts_with(b"https://servicewechat.com/"))
}

const ALARM_EVERY: Duration = Duration::from_secs(60);
