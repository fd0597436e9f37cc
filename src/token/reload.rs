//! What a start or a change of the configuration does to a slot.

use std::sync::{Arc, atomic::Ordering};

use super::{
    error::TokenError,
    fetch::Asked,
    generation::{End, EndReason},
    issued::{Birth, Issued},
    journal::Entry,
    provider::{FetchedBy, TokenProvider},
    slot::Slot,
    state::{SlotPolicy, State},
    vault::Kept,
};
use crate::base::clock::unix_ms;

impl Slot {
    /// Takes up the token that an earlier run sealed; what is not ours or over is dropped.
    pub(super) fn restore(&self, sealed: Vec<u8>) {
        let shared = &self.shared;
        let slot = self.id.to_string();
        let wall_now = shared.clock.now();
        let mut state = self.lock();
        match shared.vault.open(&self.id, state.provider.as_ref(), &sealed, wall_now) {
            Ok(Some(kept)) => {
                shared.redactor.protect(&slot, &kept.secret);
                let issued = self.revive(kept);
                state.living = Some(issued.clone());
                self.current.store(Some(issued.clone()));
                self.resume(issued, sealed);
            }
            Ok(None) => {
                shared.journal.note(Entry::Forgotten { slot: slot.clone() });
                shared.journal.note(Entry::Lapsed { slot });
            }
            Err(error) => {
                tracing::warn!(
                    slot, %error,
                    "the stored token of {slot} is not used and was removed: the account's \
                     AppID, AppSecret or provider changed, or the value is from elsewhere"
                );
                shared.journal.note(Entry::Forgotten { slot });
            }
        }
    }

    fn revive(&self, kept: Kept) -> Arc<Issued> {
        let shared = &self.shared;
        // The timeline may have been lost while the token was not.
        shared.generations.fetch_max(kept.generation, Ordering::Relaxed);
        let birth = Birth {
            secret: kept.secret,
            generation: kept.generation,
            edition: shared.next_edition(),
            fetched_by: FetchedBy::Restored,
            asked_by: None,
            born_at: kept.born_at,
            life: kept.left,
        };
        Arc::new(Issued::new(birth, shared.stopwatch.now(), shared.clock.now()))
    }

    /// Takes over a reloaded configuration. A changed AppID, AppSecret or provider discards the
    /// token; in any case the issuer may be asked again at once.
    pub(super) fn replace(self: &Arc<Self>, provider: Arc<dyn TokenProvider>, policy: SlotPolicy) {
        let mut state = self.lock();
        let is_same = state.provider.credential().is_same_as(provider.credential())
            && state.provider.family() == provider.family();
        state.provider = provider;
        state.policy = policy;
        state.pause.forget();
        if !is_same {
            self.discard(&mut state, EndReason::Discarded);
            // Somebody waits for the fetch whose answer nobody wants any more.
            if std::mem::take(&mut state.is_fetching) {
                self.begin(&mut state, Asked::Normal);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The account is gone: no token from now on. Its secrets stay protected, because answers
    /// that are under way may still echo them.
    pub(super) fn retire(&self) {
        let mut state = self.lock();
        state.is_retired = true;
        self.discard(&mut state, EndReason::Retired);
        state.is_fetching = false;
        self.announce(Err(TokenError::NotConfigured { account: self.id.clone() }));
    }

    fn discard(&self, state: &mut State, reason: EndReason) {
        let shared = &self.shared;
        state.epoch += 1;
        state.dead = None;
        state.failure = None;
        self.current.store(None);
        if let Some(issued) = state.living.take() {
            let now_ms = unix_ms(shared.clock.now());
            let at_ms = now_ms.min(unix_ms(issued.expires_at));
            self.end(issued, End { at_ms, reason, verdict: None });
        }
        shared.journal.note(Entry::Forgotten { slot: self.id.to_string() });
    }
}
