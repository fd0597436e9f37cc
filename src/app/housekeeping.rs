//! Small things that must be done from time to time, and the control socket.

use std::sync::Arc;

use super::{error::StartError, run_file::Ready, start::Core};
use crate::{
    access,
    base::name::Name,
    control::{self, Api, Mask},
};

impl Core {
    /// Stores counts and blocks, and forgets what has turned.
    pub(super) fn spawn_housekeeping(self: &Arc<Self>) {
        let (limiter, quota, clock) =
            (self.limiter.clone(), self.quota.clone(), self.clock.clone());
        self.tasks.spawn(access::keep(limiter, quota, clock, self.tasks.clone()));
    }

    /// `data/control.sock`, for the command line.
    pub(super) fn open_control(self: &Arc<Self>, ready: &Ready) -> Result<(), StartError> {
        let (reloading, listing, masking) =
            (Arc::downgrade(self), Arc::downgrade(self), Arc::downgrade(self));
        let seal = self.seal.clone();
        let api = Api {
            keys: self.keys.clone(),
            broker: self.factory.broker.clone(),
            quota: self.quota.clone(),
            recorder: self.recorder.clone(),
            db: self.store.clone(),
            accounts: Arc::new(move || {
                listing.upgrade().map(|core| core.account_names()).unwrap_or_default()
            }),
            mask: Arc::new(move || masking.upgrade().map(|core| core.mask()).unwrap_or_default()),
            reload: Arc::new(move || {
                let core =
                    reloading.upgrade().ok_or_else(|| "the gateway is shutting down".to_owned())?;
                let report = core.reload()?;
                serde_json::to_value(report).map_err(|error| error.to_string())
            }),
            rotate: Arc::new(move || seal.rotate()),
            ready: serde_json::to_value(ready.without_key()).unwrap_or_default(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
        };
        control::serve(&self.data.file(control::SOCKET), api, &self.tasks)
            .map_err(StartError::Control)
    }

    fn account_names(&self) -> Vec<Name> {
        self.config.load().accounts.iter().map(|account| account.name.clone()).collect()
    }

    fn mask(&self) -> Mask {
        Mask::of(&self.config.load().capture)
    }
}
