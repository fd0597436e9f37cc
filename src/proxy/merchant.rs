//! The merchant for whom a third-party platform acts: who it is, and whose token a call carries.

use std::{str::FromStr as _, sync::Arc};

use super::{error::ProxyError, inject, live::AccountRuntime, passage::Passage};
use crate::{
    access::permit,
    base::{code::ErrorCode, kind::AccountKind, name::Name},
    token::{Claims, Slot, SurrogateFault},
    wechat::{
        Credential, credential,
        token_form::{COMPONENT_TOKEN_WANTED, NOT_AUTHORIZED},
    },
};

/// A merchant that acts through its platform's account.
pub(super) struct Merchant {
    /// Its AppID.
    pub(super) app_id: Arc<str>,
    /// Its token.
    slot: Arc<Slot>,
}

/// The account that an AppID stands for where an account may be named: a merchant of the
/// configuration, or a platform that the merchant authorized. Only accounts of the key count.
pub(super) fn account_of(passage: &Passage, app_id: &str) -> Option<Arc<AccountRuntime>> {
    let key = passage.key().ok()?;
    let mut allowed: Vec<&Arc<AccountRuntime>> = passage
        .live
        .accounts
        .values()
        .filter(|account| permit::account(key, &account.config.name).is_ok())
        .collect();
    allowed.sort_by(|a, b| a.config.name.cmp(&b.config.name));
    let is_it = |account: &&&Arc<AccountRuntime>| {
        account.config.provider.is_some() && account.config.app_id == app_id
    };
    let knows_it = |account: &&&Arc<AccountRuntime>| {
        let lanes = account.lanes(key.lane, passage.wants_sandbox);
        lanes.platform.as_ref().is_some_and(|platform| platform.merchant(app_id).is_some())
    };
    allowed
        .iter()
        .find(is_it)
        .or_else(|| allowed.iter().find(knows_it))
        .map(|found| (*found).clone())
}

/// Notes the merchant of a call, once account and lane are known: the AppID that was `named`,
/// or the surrogate's.
pub(super) fn choose(passage: &mut Passage, named: Option<&str>) -> Result<(), ProxyError> {
    let account = passage.account()?.clone();
    if account.config.kind != AccountKind::OpenPlatform {
        return Ok(());
    }
    let own_name = account.config.name.as_str();
    let named = named.filter(|name| *name != own_name && *name != account.config.app_id);
    let claimed = passage.surrogate.as_ref().and_then(|claims| claims.merchant.clone());
    let platform = passage.lanes()?.platform.clone();
    let platform = platform
        .ok_or_else(|| ProxyError::NoCredential { account: account.config.name.clone() })?;
    let (app_id, slot) = match (named, claimed) {
        (None, None) => return Ok(()),
        (Some(named), Some(claimed)) if named != &*claimed => return Err(of_another()),
        (Some(_), None) if passage.surrogate.is_some() => return Err(of_another()),
        (_, Some(claimed)) => {
            // A merchant that was forgotten stays so, whatever old surrogate of it turns up.
            let gone = || ProxyError::AsPlatform {
                refusal: NOT_AUTHORIZED,
                code: ErrorCode::AccountUnknown,
                reason: "a surrogate of a merchant that is not known",
            };
            let slot = platform.merchant(&claimed).ok_or_else(gone)?;
            (claimed, slot)
        }
        (Some(named), None) => {
            let unknown = || ProxyError::AccountUnknown { name: named.to_owned() };
            let slot = platform.merchant(named).ok_or_else(unknown)?;
            (Arc::from(named), slot)
        }
    };
    passage.merchant = Some(Merchant { app_id, slot });
    Ok(())
}

/// Whether a surrogate of the platform is one of this very account: a merchant that the
/// configuration names.
pub(super) fn is_of(claims: &Claims, account: &AccountRuntime) -> bool {
    account.config.provider.as_ref() == Some(&claims.account)
        && claims.merchant.as_deref() == Some(account.config.app_id.as_str())
}

/// The place of the token that the call carries; none where its account has no such.
pub(super) fn slot(passage: &Passage) -> Result<Option<&Arc<Slot>>, ProxyError> {
    let needed = inject::needed(passage)?;
    let lanes = passage.lanes()?;
    let is_platform = passage.account()?.config.kind == AccountKind::OpenPlatform;
    match (needed, &passage.merchant) {
        (Credential::ComponentToken, Some(_)) if passage.surrogate.is_some() => {
            Err(ProxyError::AsPlatform {
                refusal: COMPONENT_TOKEN_WANTED,
                code: ErrorCode::PathNotAllowed,
                reason: "a merchant's surrogate on a call of its platform",
            })
        }
        (Credential::ComponentToken, _) => Ok(lanes.slot.as_ref().filter(|_| is_platform)),
        (_, Some(merchant)) => Ok(Some(&merchant.slot)),
        (_, None) if is_platform && !is_for_platforms(passage) => {
            Err(ProxyError::MerchantMissing { platform: passage.account()?.config.name.clone() })
        }
        (_, None) => Ok(lanes.slot.as_ref()),
    }
}

/// The token that the call really carries: a few ordinary calls take a component token too.
pub(super) fn carried(passage: &Passage) -> Result<Credential, ProxyError> {
    let needed = inject::needed(passage)?;
    let is_platform = passage.account()?.config.kind == AccountKind::OpenPlatform;
    Ok(match needed {
        Credential::AppToken if is_platform && passage.merchant.is_none() => {
            Credential::ComponentToken
        }
        other => other,
    })
}

/// The query parameter in which the token stands.
pub(super) fn parameter(passage: &Passage) -> Result<&'static str, ProxyError> {
    Ok(credential::token_parameter(inject::needed(passage)?, passage.path()?))
}

/// Whose quota the platform counts for the call; none where that has no name here.
pub(super) fn quota_name(passage: &Passage) -> Result<Option<Name>, ProxyError> {
    let takes_own = inject::needed(passage)? == Credential::ComponentToken;
    Ok(match &passage.merchant {
        Some(merchant) if !takes_own => Name::from_str(&merchant.app_id).ok(),
        Some(_) | None => Some(passage.account()?.config.name.clone()),
    })
}

/// Calls whose pages name third-party platforms among those who may make them.
fn is_for_platforms(passage: &Passage) -> bool {
    let call = passage.call.or_else(|| passage.known.any_call());
    call.is_some_and(|call| call.kinds.holds(AccountKind::OpenPlatform))
}

fn of_another() -> ProxyError {
    ProxyError::SurrogateRefused { fault: SurrogateFault::Account }
}
