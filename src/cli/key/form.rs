//! From the flags of `key create` to the form that the gateway takes.

use super::{create::CreateArgs, setup::Sdk};
use crate::{
    base::{
        name::Name,
        permission::{ErrorStyle, Lane},
    },
    cli::{
        exit::{Exit, Failure},
        host::Host,
    },
    config::model::{Account, Upstream},
    control::KeyForm,
};

/// Fills in what was left out, where that is safe.
///
/// # Errors
/// With the exit code for wrong usage: an unknown account; no lane where real accounts would be
/// called; dangerous calls on a lane that has none.
pub(super) fn of(args: &CreateArgs, host: &Host) -> Result<KeyForm, Failure> {
    let accounts = accounts(args, host)?;
    let lane = lane(args, &accounts)?;
    if args.allow_danger && lane == Lane::ReadOnly {
        let text = "--allow-danger means nothing on the lane read-only: it passes known reading calls alone";
        return Err(Failure::say(Exit::Usage, text));
    }
    if args.expires.is_some_and(|life| life.as_secs() == 0) {
        return Err(Failure::say(Exit::Usage, "--expires must be at least a second"));
    }
    let for_sdk = || args.sdk.map(Sdk::errors);
    Ok(KeyForm {
        name: args.name.clone(),
        role: args.role,
        lane,
        allow_danger: args.allow_danger,
        errors: args.errors.or_else(for_sdk).unwrap_or(ErrorStyle::Http),
        accounts: args.accounts.clone(),
        paths: args.paths.clone(),
        networks: args.networks.clone(),
        subject: args.subject.clone(),
        rate: args.rate.map(|rate| rate.to_string()),
        expires_s: args.expires.map(|life| life.as_secs()),
    })
}

/// The accounts that the key would call.
fn accounts<'a>(args: &CreateArgs, host: &'a Host) -> Result<Vec<&'a Account>, Failure> {
    let all = &host.config.accounts;
    if args.accounts.is_empty() {
        return Ok(all.iter().map(AsRef::as_ref).collect());
    }
    let find = |name: &Name| {
        all.iter()
            .find(|account| account.name == *name)
            .map(AsRef::as_ref)
            .ok_or_else(|| name.clone())
    };
    args.accounts.iter().map(find).collect::<Result<_, _>>().map_err(|name| {
        let list =
            all.iter().map(|account| account.name.to_string()).collect::<Vec<_>>().join(", ");
        Failure::say(Exit::Usage, format!("proxy.toml has no account `{name}`; it has: {list}"))
    })
}

/// A key for real accounts says how far it reaches; nobody gets `live` there by leaving it out.
fn lane(args: &CreateArgs, accounts: &[&Account]) -> Result<Lane, Failure> {
    if let Some(lane) = args.lane {
        return Ok(lane);
    }
    let real = accounts.iter().find(|account| account.upstream != Upstream::Sandbox);
    let Some(real) = real else { return Ok(Lane::Live) };
    let text = format!(
        "--lane must be given: account `{}` calls the real platform, not the sandbox",
        real.name
    );
    let hint =
        "--lane live calls for real, read-only only reads, sandbox never reaches the platform";
    Err(Failure::say(Exit::Usage, text).hint(hint))
}
