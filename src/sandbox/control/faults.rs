//! `faults`: what is to go wrong, in one account or in all.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Done, Platform, Refused, bad_request, read};
use crate::sandbox::{
    account::Account,
    exchange::strike_tokens,
    fault::{Fault, FaultKind},
    fault_list::TokenFault,
};

/// A token fault without a path strikes at once; what is left of its count, and every other
/// fault, waits for its calls.
pub(super) fn arm(account: &Account, body: &[u8]) -> Done {
    let struck = arm_fault(account, Fault::parse(body).map_err(bad_request)?)?;
    Ok(armed(list(account), struck))
}

/// Else an empty list would look as if nothing had happened.
fn armed(mut list: Value, struck: bool) -> Value {
    if let Some(fields) = list.as_object_mut().filter(|_| struck) {
        fields.insert("struck_at_once".to_owned(), true.into());
    }
    list
}

/// Those that wait.
pub(super) fn list(account: &Account) -> Value {
    json!({ "faults": account.quiet_state().faults.to_json() })
}

/// Forgets all that wait.
pub(super) fn clear(account: &Account) -> Value {
    account.state().faults.clear();
    list(account)
}

/// Forgets the one of that id.
pub(super) fn remove(account: &Account, id: &str) -> Done {
    let is_removed = id.parse().is_ok_and(|id| account.state().faults.remove(id));
    if is_removed {
        return Ok(list(account));
    }
    Err((StatusCode::NOT_FOUND, format!("no fault `{id}` waits; GET faults lists those that do")))
}

/// Arms a fault in every account, or in the one that `account` in the body names; each account
/// counts for itself.
pub(super) fn arm_in_all(platform: &Platform, body: &[u8]) -> Done {
    let mut form: Map<String, Value> = read(body)?;
    let named = form.remove("account");
    let fault = Fault::parse(Value::Object(form).to_string().as_bytes()).map_err(bad_request)?;
    let accounts = match named {
        None => platform.accounts(),
        Some(name) => {
            let account = name.as_str().and_then(|name| platform.account(name));
            let unknown = || {
                let names = platform.account_names().join(", ");
                bad_request(format!("there is no account {name}; there are: {names}"))
            };
            vec![account.ok_or_else(unknown)?]
        }
    };
    let mut struck = false;
    for account in accounts {
        struck |= arm_fault(&account, fault.clone())?;
        account.announce(&mut account.state());
    }
    Ok(armed(list_all(platform), struck))
}

/// Those that wait anywhere, each with its account's name.
pub(super) fn list_all(platform: &Platform) -> Value {
    let mut all = Vec::new();
    for account in platform.accounts() {
        for mut fault in account.quiet_state().faults.to_json() {
            if let Some(fault) = fault.as_object_mut() {
                fault.insert("account".to_owned(), account.identity.name.clone().into());
            }
            all.push(fault);
        }
    }
    json!({ "faults": all })
}

/// Forgets all that wait anywhere.
pub(super) fn clear_all(platform: &Platform) -> Value {
    platform.accounts().iter().for_each(|account| account.state().faults.clear());
    list_all(platform)
}

/// True if it struck at once.
fn arm_fault(account: &Account, mut fault: Fault) -> Result<bool, Refused> {
    let at_once = match fault.kind {
        FaultKind::ExpireToken => Some(TokenFault::Expire),
        FaultKind::ForeignFetch => Some(TokenFault::ForeignFetch),
        FaultKind::Delay
        | FaultKind::ResetBefore
        | FaultKind::ResetAfter
        | FaultKind::Status
        | FaultKind::EmptyGbk
        | FaultKind::Busy
        | FaultKind::Errcode
        | FaultKind::SlowBody
        | FaultKind::PlainJson
        | FaultKind::ControlCharacters
        | FaultKind::StringErrcode => None,
    };
    if !fault.is_certain() {
        fault.chance.get_or_insert_with(|| account.chance());
    }
    let now_ms = account.now_ms();
    let mut state = account.state();
    let at_once = at_once.filter(|_| fault.path.is_none() && fault.is_certain());
    if let Some(at_once) = at_once {
        strike_tokens(&mut state, account, at_once, now_ms);
        fault.note_strike();
    }
    if fault.left != Some(0) && !state.faults.arm(fault) {
        return Err(bad_request("too many faults wait; DELETE faults, or POST reset".to_owned()));
    }
    Ok(at_once.is_some())
}
