//! Who issues the token of an account: one choice for each kind.

use std::sync::Arc;

use crate::{
    base::{kind::AccountKind, secret::Secret},
    config::model::{Account, TokenFamily},
    token::{ClassicIssuer, CorpIssuer, Origins, SlotId, StableIssuer, TokenProvider},
};

/// The provider that fills `slot` with the token of `account`; none where there is no token.
/// `secret` may be that of the account's shadow.
pub(super) fn provider_of(
    account: &Account,
    slot: SlotId,
    secret: &Secret,
    origins: Origins,
) -> Option<Arc<dyn TokenProvider>> {
    let (app_id, secret) = (account.app_id.clone(), secret.clone());
    Some(match account.kind {
        AccountKind::MiniProgram | AccountKind::OfficialAccount => match account.token {
            TokenFamily::Stable => Arc::new(StableIssuer::new(slot, app_id, secret, origins)),
            TokenFamily::Classic => Arc::new(ClassicIssuer::new(slot, app_id, secret, origins)),
        },
        AccountKind::Wecom => Arc::new(CorpIssuer::new(slot, app_id, secret, origins)),
        // A third-party platform has a book of merchants beside its token: see `platforms`.
        AccountKind::OpenPlatform | AccountKind::Generic => return None,
    })
}
