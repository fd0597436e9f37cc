//! What a known key may not do whatever the account: call from elsewhere, or from a mini program.

use http::{HeaderMap, header};

use super::{
    alarm_bell::AlarmBell,
    error::ProxyError,
    passage::Passage,
    stage::{Answering, Next, Stage},
    surrogate_rule,
};
use crate::{
    access::{Key, permit},
    base::body::Body,
};

/// Inside capture: the key is known, so its holder shall see the refusal.
#[derive(Default)]
pub(super) struct CheckCaller {
    shipped: AlarmBell,
    lost: AlarmBell,
}

impl CheckCaller {
    fn check(&self, passage: &Passage) -> Result<(), ProxyError> {
        let key = passage.key()?;
        if let Err(error) = surrogate_rule::check_caller(passage) {
            if matches!(error, ProxyError::SurrogateRefused { .. }) {
                self.cry_out_lost(passage, key);
            }
            return Err(error);
        }
        permit::network(key, passage.client).map_err(ProxyError::denied)?;
        if passage.seen.referer && comes_from_mini_program(&passage.headers) {
            self.cry_out(passage, key);
            return Err(ProxyError::ClientCall { key: key.name.clone() });
        }
        Ok(())
    }

    fn cry_out_lost(&self, passage: &Passage, key: &Key) {
        if !self.lost.may_ring(&key.name) {
            return;
        }
        tracing::warn!(
            request.id = %passage.id,
            client.addr = %passage.client,
            key = key.name.as_str(),
            "ALARM: a surrogate of key {} came from {}, where that key may not be used; if it was \
             not its holder, it was stolen: wxgate key rotate {}",
            key.name, passage.client, key.name
        );
    }

    fn cry_out(&self, passage: &Passage, key: &Key) {
        if !self.shipped.may_ring(&key.name) {
            return;
        }
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
