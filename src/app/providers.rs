//! Who issues the token of an account: one choice for each kind.

use std::sync::Arc;

use crate::{
    base::{kind::AccountKind, secret::Secret},
    config::model::{Account, TokenFamily},
    token::{Credential, Origins, Recipe, SecretIssuer, SlotId, TokenProvider},
};

/// The provider that fills `slot` with the token of `account`; none where there is no token.
/// `secret` may be that of the account's shadow.
pub(super) fn provider_of(
    account: &Account,
    slot: SlotId,
    secret: &Secret,
    origins: Origins,
) -> Option<Arc<dyn TokenProvider>> {
    let recipe = match account.kind {
        AccountKind::MiniProgram | AccountKind::OfficialAccount => match account.token {
            TokenFamily::Stable => Recipe::Stable,
            TokenFamily::Classic => Recipe::Classic,
        },
        AccountKind::Wecom => Recipe::Corp,
        // A third-party platform has a book of merchants beside its token: see `platforms`.
        AccountKind::OpenPlatform | AccountKind::Generic => return None,
    };
    let credential = Credential { app_id: account.app_id.clone(), app_secret: secret.clone() };
    Some(Arc::new(SecretIssuer::new(recipe, slot, credential, origins)))
}
