//! Asks the limits of key, account and path, and whether the platform's quota is known to be gone.

use std::sync::Arc;

use super::{
    error::ProxyError,
    merchant,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    access::{Limiter, QuotaGate},
    base::body::Body,
};

/// Inside capture, so that a refusal can be seen.
pub(super) struct Limit {
    limiter: Arc<Limiter>,
    quota: Arc<QuotaGate>,
}

impl Limit {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { limiter: parts.limiter.clone(), quota: parts.quota.clone() }
    }

    fn check(&self, passage: &mut Passage) -> Result<(), ProxyError> {
        let (key, account, path) = (passage.key()?, passage.account()?, passage.rule_path()?);
        let now = passage.time;
        let lanes = passage.lanes()?;
        // A shadow has nobody's limits but the key's, and simulates its platform's refusals.
        let is_shadow = lanes.is_sandbox && !account.real.is_sandbox;
        let asked = if is_shadow {
            self.limiter.check_key(key, now)
        } else {
            self.limiter.check(key, &account.config.name, path, now)
        };
        asked.map_err(|limited| ProxyError::RateLimited {
            limit: limited.limit.to_string(),
            retry_after: limited.retry_after,
            headers: limited.standing.rate_limit().zip(limited.standing.policy()),
        })?;
        if lanes.is_sandbox {
            return Ok(());
        }
        let Some(name) = merchant::quota_name(passage)? else { return Ok(()) };
        let pass =
            self.quota.check(&name, path, now).map_err(|blocked| ProxyError::QuotaExhausted {
                errcode: blocked.errcode,
                retry_after: blocked.retry_after(now),
            })?;
        passage.quota_pass = Some(pass);
        Ok(())
    }
}

impl Stage for Limit {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        match self.check(passage) {
            Ok(()) => next.run(passage, body),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}
