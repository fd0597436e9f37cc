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
    refresh_token: Mutex<Option<Keepsake>>,
    strongbox: Arc<Strongbox>,
    shared: Arc<Shared>,
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
        Self { app_id, refresh_token: Mutex::new(kept), strongbox, shared }
    }

    /// What its next token is fetched with; none where the platform must be asked for it.
    pub(super) fn refresh_token(&self) -> Option<Secret> {
        self.lock().as_ref().map(|kept| kept.secret.clone())
    }

    /// Tells its refresh tokens apart without telling any: from the first bytes of a hash.
    pub(super) fn mark(&self) -> Option<u32> {
        let known = self.lock();
        let digest = Sha256::digest(known.as_ref()?.secret.expose().as_bytes());
        digest.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// Keeps a refresh token in place of the one before. True if it is another.
    pub(super) fn keep(&self, secret: &Secret) -> bool {
        let row = self.strongbox.merchant_row(&self.app_id);
        self.shared.redactor.protect(&row, secret);
        let mut known = self.lock();
        let is_known = |kept: &Keepsake| kept.secret.matches(secret.expose().as_bytes());
        if known.as_ref().is_some_and(is_known) {
            return false;
        }
        let kept = Keepsake { secret: secret.clone(), since: self.shared.clock.now() };
        // Under the lock, so that the newest is the last that is written.
        self.strongbox.put(&self.shared.journal, row, &kept);
        *known = Some(kept);
        true
    }

    /// Forgets it here and on disk. It stays protected: answers under way may still echo it.
    pub(super) fn forget(&self) {
        let row = self.strongbox.merchant_row(&self.app_id);
        let mut known = self.lock();
        self.strongbox.forget(&self.shared.journal, row);
        *known = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Keepsake>> {
        self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
