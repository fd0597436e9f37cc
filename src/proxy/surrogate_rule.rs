//! Whether a surrogate may be used as it is used: for its account, on its lane, from its networks.

use super::{error::ProxyError, merchant, passage::Passage};
use crate::{
    access::permit,
    base::{code::ErrorCode, permission::Lane},
    token::{Damage, SurrogateFault},
    wechat::token_form::{TOKEN_EXPIRED, TOKEN_INVALID},
};

/// A text that is no surrogate of this installation. An SDK fetches another, and that one is good.
pub(super) fn damaged(damage: Damage) -> ProxyError {
    let reason = match damage {
        Damage::Form => "surrogate: not whole",
        Damage::Key => "surrogate: sealed elsewhere, or long ago",
        Damage::Seal => "surrogate: forged or changed",
    };
    ProxyError::AsPlatform { refusal: TOKEN_INVALID, code: ErrorCode::SurrogateRefused, reason }
}

/// Before an account is chosen: where it comes from, and whether its time is over.
pub(super) fn check_caller(passage: &Passage) -> Result<(), ProxyError> {
    let Some(claims) = &passage.surrogate else { return Ok(()) };
    if permit::network(passage.key()?, passage.client).is_err() {
        return Err(ProxyError::SurrogateRefused { fault: SurrogateFault::Network });
    }
    if claims.is_over_at(passage.time) {
        return Err(ProxyError::AsPlatform {
            refusal: TOKEN_EXPIRED,
            code: ErrorCode::SurrogateRefused,
            reason: "surrogate: expired",
        });
    }
    Ok(())
}

/// When the account was chosen. A request may ask for less than its surrogate, not for more.
pub(super) fn check_use(passage: &Passage) -> Result<(), ProxyError> {
    let Some(claims) = &passage.surrogate else { return Ok(()) };
    let account = passage.account()?;
    if claims.account != account.config.name && !merchant::is_of(claims, account) {
        return Err(ProxyError::SurrogateRefused { fault: SurrogateFault::Account });
    }
    let asked = passage.lane()?;
    let asks_for_less = asked == Lane::Sandbox && passage.wants_sandbox;
    if claims.lane == asked || asks_for_less {
        return Ok(());
    }
    Err(ProxyError::SurrogateRefused { fault: SurrogateFault::Lane })
}
