//! A merchant that authorized a third-party platform: its refresh token, kept and protected.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::{
    slot::Shared,
    strongbox::{Keepsake, Strongbox},
};
use crate::base::secret::Secret;

/// One merchant in the book of a platform.
pub(super) struct Merchant {
    /// Its AppID.
    pub(super) app_id: Arc<str>,
    known: Mutex<Known>,
    strongbox: Arc<Strongbox>,
    shared: Arc<Shared>,
}

struct Known {
    refresh_token: Option<Keepsake>,
    /// Whether it left the book: a call that is under way brings nothing back.
    is_forgotten: bool,
}

impl Merchant {
    /// With what an earlier run kept, if there is something.
    pub(super) fn new(
        app_id: Arc<str>,
        kept: Option<Keepsake>,
        strongbox: Arc<Strongbox>,
        shared: Arc<Shared>,
    ) -> Self {
        if let Some(kept) = &kept {
            shared.redactor.protect(&strongbox.merchant_row(&app_id), &kept.secret);
        }
        let known = Known { refresh_token: kept, is_forgotten: false };
        Self { app_id, known: Mutex::new(known), strongbox, shared }
    }

    /// What its next token is fetched with; none where the platform must be asked for it.
    pub(super) fn refresh_token(&self) -> Option<Secret> {
        self.lock().refresh_token.as_ref().map(|kept| kept.secret.clone())
    }

    /// Tells its refresh tokens apart without telling any: from the first bytes of a hash.
    pub(super) fn mark(&self) -> Option<u32> {
        let known = self.lock();
        let digest = Sha256::digest(known.refresh_token.as_ref()?.secret.expose().as_bytes());
        digest.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// Keeps a refresh token in place of the one before. True if it is another.
    pub(super) fn keep(&self, secret: &Secret) -> bool {
        self.protect(secret);
        self.put(&mut self.lock(), secret)
    }

    /// The same for what a call brought that was made with `before`: a merchant that authorized
    /// again meanwhile has a newer one than that call knows.
    pub(super) fn keep_in_place_of(&self, before: Option<&Secret>, secret: &Secret) {
        self.protect(secret);
        let mut known = self.lock();
        let is_same = match (&known.refresh_token, before) {
            (Some(kept), Some(before)) => kept.secret.matches(before.expose().as_bytes()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_same {
            self.put(&mut known, secret);
        }
    }

    fn protect(&self, secret: &Secret) {
        self.shared.redactor.protect(&self.strongbox.merchant_row(&self.app_id), secret);
    }

    /// Under the lock, so that the newest is the last that is written.
    fn put(&self, known: &mut Known, secret: &Secret) -> bool {
        let is_known = |kept: &Keepsake| kept.secret.matches(secret.expose().as_bytes());
        if known.is_forgotten || known.refresh_token.as_ref().is_some_and(is_known) {
            return false;
        }
        let kept = Keepsake { secret: secret.clone(), since: self.shared.clock.now() };
        let row = self.strongbox.merchant_row(&self.app_id);
        self.strongbox.put(&self.shared.journal, row, &kept);
        known.refresh_token = Some(kept);
        true
    }

    /// Forgets it here and on disk. It stays protected: answers under way may still echo it.
    pub(super) fn forget(&self) {
        let row = self.strongbox.merchant_row(&self.app_id);
        let mut known = self.lock();
        self.strongbox.forget(&self.shared.journal, row);
        *known = Known { refresh_token: None, is_forgotten: true };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
