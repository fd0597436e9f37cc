//! The third-party platforms of a broker.

use std::sync::{Arc, PoisonError};

use super::{
    broker::Broker,
    open_platform::{OpenPlatform, PlatformParts},
    slot_id::{Held, SlotId},
    strongbox::Strongbox,
};
use crate::base::name::Name;

impl Broker {
    /// Adds a third-party platform, or gives a known one its reloaded configuration. With
    /// another component AppID, or the sandbox in place of the real one, it is another platform:
    /// nothing of the one before stays.
    pub fn register_platform(self: &Arc<Self>, parts: PlatformParts) -> Arc<OpenPlatform> {
        let mut platforms = self.platforms.lock().unwrap_or_else(PoisonError::into_inner);
        match platforms.get(&parts.id) {
            Some(known) if known.is_of(&parts) => {
                known.reload(parts, self);
                return known.clone();
            }
            Some(other) => other.retire(),
            None => {}
        }
        let is_kept = parts.ask_ticket.is_none();
        let app_id = parts.credential.app_id.clone();
        let strongbox = Strongbox::new(self.key.clone(), &parts.id, app_id, is_kept);
        // What the real platform gave is none of the sandbox's, and waits for the way back.
        let rows = if is_kept { self.take_rows(&strongbox) } else { Vec::new() };
        let id = parts.id.clone();
        let platform = OpenPlatform::start(parts, self, self.shared.clone(), strongbox, rows);
        platforms.insert(id, platform.clone());
        platform
    }

    /// The platform whose component token is in this slot.
    #[must_use]
    pub fn platform(&self, id: &SlotId) -> Option<Arc<OpenPlatform>> {
        let id = id.with(Held::Token);
        self.platforms.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Forgets the platforms of an account that is gone, real and shadow.
    pub(super) fn retire_platforms(&self, account: &Name) {
        let mut platforms = self.platforms.lock().unwrap_or_else(PoisonError::into_inner);
        platforms.retain(|id, platform| {
            let stays = id.account != *account;
            if !stays {
                platform.retire();
            }
            stays
        });
    }

    /// Removes one slot.
    pub(super) fn retire_slot(&self, id: &SlotId) {
        let gone = self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(slot) = gone {
            slot.retire();
        }
    }

    fn take_rows(&self, strongbox: &Strongbox) -> Vec<(String, Vec<u8>)> {
        let ticket_row = strongbox.ticket_row();
        let mut sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = |row: &str| row == ticket_row || strongbox.merchant_of(row).is_some();
        sealed.extract_if(|row, _| is_ours(row)).collect()
    }
}
