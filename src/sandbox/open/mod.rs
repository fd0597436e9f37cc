//! Third-party platforms: what an account of kind `open-platform` is asked for.
//!
//! Here live its tickets, its authorizations with their tokens, the calls about them, and how a
//! call with such a token comes to the account that it acts for.

pub(super) mod acting;
mod authorization;
mod authorizer_calls;
pub(super) mod control;
mod login_calls;
mod option_calls;
mod platform;
mod switches;
pub(super) mod ticket;
mod token_calls;

pub(super) use self::{option_calls::Options, platform::OpenPlatform, switches::Switches};
use super::{
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// All calls of third-party platforms, one list a family.
pub(super) const FAMILIES: &[&[CallSpec]] =
    &[token_calls::CALLS, authorizer_calls::CALLS, option_calls::CALLS, login_calls::CALLS];

/// `component_appid`, wherever it stands, is the caller's own.
fn check_component(cx: &Cx<'_>, given: Option<&str>) -> Result<(), Refusal> {
    let is_own = given == Some(cx.account.identity.app_id.as_str());
    if is_own { Ok(()) } else { Err(Refusal::new(61011)) }
}

/// The account's own fetch, where it is set so, ends the tokens that others have for it.
pub(super) fn note_own_fetch(cx: &Cx<'_>) {
    if cx.state().settings.open.acting_tokens_apart {
        return;
    }
    for platform in cx.roster.open_platforms() {
        let now_ms = platform.now_ms();
        platform.state_at(now_ms).open.replace_tokens_of(&cx.account.identity.app_id, now_ms);
    }
}
