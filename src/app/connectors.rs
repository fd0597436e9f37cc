//! The connectors of one configuration.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use rustls::RootCertStore;

use crate::{
    base::roots::Roots,
    config::model::{Account, Egress, Family},
    sandbox::Sandbox,
    wire::{
        ConnectLimits, Connector, ConnectorOptions, OwnListeners, Resolver, RootsSource, WireError,
    },
};

/// Reads trusted roots once, however many accounts trust them: those of the system are more than a
/// hundred certificates. The next configuration reads them anew.
pub(super) struct Connectors<'a> {
    own: &'a OwnListeners,
    resolver: &'a Arc<Resolver>,
    sandbox: &'a Sandbox,
    stores: TrustStores,
    to_sandbox: Option<Connector>,
}

#[derive(Default)]
struct TrustStores(HashMap<Roots, Arc<RootCertStore>>);

impl TrustStores {
    fn of(&mut self, roots: &Roots) -> Result<Arc<RootCertStore>, WireError> {
        let store = match self.0.entry(roots.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(RootsSource::Config(roots.clone()).load()?),
        };
        Ok(Arc::clone(store))
    }
}

impl<'a> Connectors<'a> {
    pub(super) fn new(
        own: &'a OwnListeners,
        resolver: &'a Arc<Resolver>,
        sandbox: &'a Sandbox,
    ) -> Self {
        Self { own, resolver, sandbox, stores: TrustStores::default(), to_sandbox: None }
    }

    /// To the platform, as this account wants it.
    pub(super) fn of(&mut self, account: &Account) -> Result<Connector, WireError> {
        Connector::new(ConnectorOptions {
            egress: account.egress.clone(),
            roots: RootsSource::Store(self.stores.of(&account.roots)?),
            offer_http2: account.upstream_http2,
            limits: ConnectLimits::default(),
            own: self.own.clone(),
            resolver: Arc::clone(self.resolver),
        })
    }

    /// To the sandbox in this process, by its own CA and no other; one for all accounts.
    pub(super) fn of_sandbox(&mut self) -> Result<Connector, WireError> {
        if let Some(known) = &self.to_sandbox {
            return Ok(known.clone());
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.sandbox.ca_der());
        let connector = Connector::new(ConnectorOptions {
            egress: Egress { family: Family::Any, bind: None, proxy: None },
            roots: RootsSource::Store(Arc::new(roots)),
            offer_http2: false,
            limits: ConnectLimits::default(),
            own: OwnListeners::default(),
            resolver: Arc::clone(self.resolver),
        })?;
        Ok(self.to_sandbox.insert(connector).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read_once_for_a_configuration_and_anew_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let ca = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&file, ca.cert.pem()).unwrap();
        let roots = Roots::File(file.clone());
        let mut read = TrustStores::default();
        let first = read.of(&roots).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(Arc::ptr_eq(&first, &read.of(&roots).unwrap()));
        assert!(TrustStores::default().of(&roots).is_err(), "the next configuration looks again");
    }
}
