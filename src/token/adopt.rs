//! A token that came to a slot without a fetch of its own.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    fetch::Origin,
    generation::AskedBy,
    provider::{FetchedBy, TokenGrant},
    slot::Slot,
};

impl Slot {
    /// Puts a token to use that the platform gave in the answer of another call: it is the
    /// newest. Who waits for a fetch gets it, and the answer of that fetch is thrown away.
    pub(super) fn adopt(self: &Arc<Self>, grant: TokenGrant, by: FetchedBy) {
        self.shared.redactor.protect(&self.id.to_string(), &grant.token);
        let mut state = self.lock();
        if state.is_retired {
            return;
        }
        state.epoch += 1;
        state.is_fetching = false;
        let origin = Origin { by, asked_by: AskedBy::Request, began: Instant::now() };
        let issued = self.accept(&mut state, grant, &origin);
        self.announce(Ok(issued));
    }
}
