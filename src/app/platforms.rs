//! Third-party platforms and their merchants among the accounts of a configuration.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::accounts::AccountFactory;
use crate::{
    base::{kind::AccountKind, name::Name, secret::Secret},
    config::model::{Account, Config},
    sandbox::Sandbox,
    token::{
        AskTicket, Credential, OpenPlatform, Origins, PlatformParts, Slot, SlotId, SlotPolicy,
    },
};

/// What the token of a platform is got with.
pub(super) struct PlatformWay<'a> {
    /// The place of its component token.
    pub(super) id: SlotId,
    pub(super) secret: &'a Secret,
    pub(super) origins: Origins,
    pub(super) policy: SlotPolicy,
    /// Its name in the sandbox of this process, where that is its upstream.
    pub(super) sandbox_name: Option<String>,
}

impl AccountFactory {
    /// Registers an account of kind `open-platform`.
    pub(super) fn platform(
        &self,
        account: &Account,
        way: PlatformWay<'_>,
        config: &Config,
    ) -> Arc<OpenPlatform> {
        let credential =
            Credential { app_id: account.app_id.clone(), app_secret: way.secret.clone() };
        let host = config.server.hosts.first().map_or("localhost", String::as_str);
        self.broker.register_platform(PlatformParts {
            id: way.id,
            credential,
            origins: way.origins,
            policy: way.policy,
            callback: format!("https://{host}/-/callback/{}", account.name).into(),
            ask_ticket: way.sandbox_name.map(|name| ask_ticket(self.sandbox.clone(), name)),
        })
    }

    /// The token with which `provider` acts for the account. `id` tells real from shadow.
    pub(super) fn merchant(
        &self,
        account: &Account,
        provider: &Name,
        id: &SlotId,
    ) -> Option<Arc<Slot>> {
        // It may have had an AppSecret, and tokens of its own, until now.
        self.broker.retire(&account.name);
        let platform = SlotId { account: provider.clone(), ..id.clone() };
        self.broker.platform(&platform)?.configured(&account.app_id)
    }
}

/// Platforms first, because merchants look for them.
pub(super) fn by_dependence<T>(prepared: &mut [(&Arc<Account>, T)]) {
    prepared.sort_by_key(|(account, _)| account.kind != AccountKind::OpenPlatform);
}

fn ask_ticket(sandbox: Arc<Sandbox>, name: String) -> AskTicket {
    Arc::new(move || {
        let (sandbox, name) = (sandbox.clone(), name.clone());
        Box::pin(async move {
            let answer = sandbox.control(&name, &Method::GET, "component", b"").await;
            let shown: Value = serde_json::from_slice(answer.body()).ok()?;
            let ticket = shown.get("component_verify_ticket")?.as_str()?;
            Some(Secret::new(ticket.to_owned()))
        })
    })
}
