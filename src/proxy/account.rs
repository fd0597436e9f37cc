//! Chooses the account of a request, and asks whether this key may do this there.

use std::{str::FromStr as _, sync::Arc};

use http::{HeaderMap, HeaderName, Method};

use super::{
    alarm_bell::AlarmBell,
    error::ProxyError,
    json_secret,
    live::AccountRuntime,
    merchant,
    passage::Passage,
    path_rule,
    stage::{Answering, Next, Stage},
    surrogate_rule, token_call,
};
use crate::{
    access::{Accounts, permit},
    base::{body::Body, kind::AccountKind, name::Name},
    wechat::{
        CallClass, KnownPath,
        credential::{self, CredentialCall},
    },
};

/// `/@name/`, header, AppID of a credential call, the surrogate's account, the key's only one.
#[derive(Default)]
pub(super) struct ChooseAccount {
    lost: AlarmBell,
}

impl Stage for ChooseAccount {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        match choose(passage) {
            Ok(()) => next.run(passage, body),
            Err(error @ ProxyError::SurrogateRefused { .. }) => {
                self.cry_out(passage, &error);
                Box::pin(async { Err(error) })
            }
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

impl ChooseAccount {
    /// A surrogate that is used for what it was not given for is in other hands, or mixed up.
    fn cry_out(&self, passage: &Passage, error: &ProxyError) {
        let (Some(key), Some(claims)) = (&passage.key, &passage.surrogate) else { return };
        if !self.lost.may_ring(&key.name) {
            return;
        }
        let (reason, own) = (error.reason().unwrap_or_default(), &claims.account);
        tracing::warn!(
            request.id = %passage.id,
            client.addr = %passage.client,
            key = key.name.as_str(),
            account = own.as_str(),
            reason,
            "ALARM: a surrogate of key {} for account {own} was refused ({reason}); if nobody mixed \
             up two accounts, it was stolen: wxgate key rotate {}",
            key.name, key.name
        );
    }
}

fn choose(passage: &mut Passage) -> Result<(), ProxyError> {
    let (named, path) = path_rule::split_account(passage.uri.path()).map_err(refused)?;
    passage.wants_sandbox = passage.seen.upstream && wants_sandbox(&passage.headers)?;
    let header = if passage.seen.account { account_header(&passage.headers, named)? } else { None };
    let account = find(passage, named.or(header), path);
    let account = account.map_err(|error| token_call::as_platform(passage, error))?;
    let begins = named.map_or(0, |name| "/@".len() + name.len());
    match account.config.kind {
        AccountKind::Generic => {
            passage.known = KnownPath::default();
            passage.token_form = None;
        }
        AccountKind::Wecom => {
            passage.known = passage.known.on_wecom(path);
            check_platform(passage, path)?;
        }
        AccountKind::MiniProgram | AccountKind::OfficialAccount | AccountKind::OpenPlatform => {
            check_platform(passage, path)?;
        }
    }
    token_call::check_form(passage)?;
    passage.path_begins = Some(begins);
    passage.call = passage.known.call(&passage.method);
    let is_platform = account.config.kind == AccountKind::OpenPlatform;
    let wanted = named.or(header).filter(|_| is_platform).map(str::to_owned);
    passage.account = Some(account);
    surrogate_rule::check_use(passage)?;
    merchant::choose(passage, wanted.as_deref())?;
    check_permission(passage)
}

fn find(
    passage: &Passage,
    named: Option<&str>,
    path: &str,
) -> Result<Arc<AccountRuntime>, ProxyError> {
    let app_id = || {
        if let Some(id) = token_call::app_id(passage) {
            return Some(id.to_owned());
        }
        let query = passage.query.as_ref()?;
        json_secret::may_hold_secret(passage)
            .then(|| query.plain_value(credential::app_id_name(path)))?
            .filter(|id| !id.is_empty())
    };
    match named {
        Some(name) => {
            let found = Name::from_str(name).ok().and_then(|n| passage.live.accounts.get(&n));
            let named = by_name(passage, name, found);
            named.or_else(|unknown| merchant::account_of(passage, name).ok_or(unknown))
        }
        None => match app_id() {
            Some(id) => by_app_id(passage, &id),
            None => match &passage.surrogate {
                Some(claims) => {
                    let name = claims.account.as_str();
                    by_name(passage, name, passage.live.accounts.get(name))
                }
                None => only_account(passage),
            },
        },
    }
}

fn account_header<'a>(
    headers: &'a HeaderMap,
    named: Option<&str>,
) -> Result<Option<&'a str>, ProxyError> {
    let mut headers = headers.get_all(ACCOUNT_HEADER).iter();
    let header = headers.next().map(|value| value.to_str().unwrap_or_default());
    let differs = named.is_some() && header.is_some_and(|name| Some(name) != named);
    if headers.next().is_some() || differs {
        let why = "names a second account";
        return Err(ProxyError::HeaderRefused { name: "X-Wxgate-Account", why });
    }
    Ok(header)
}

/// An account that the key may not use is answered like one that does not exist.
fn by_name(
    passage: &Passage,
    name: &str,
    found: Option<&Arc<AccountRuntime>>,
) -> Result<Arc<AccountRuntime>, ProxyError> {
    let key = passage.key()?;
    found
        .filter(|account| permit::account(key, &account.config.name).is_ok())
        .cloned()
        .ok_or_else(|| ProxyError::AccountUnknown { name: name.to_owned() })
}

/// An account's name will do in place of its AppID. Several accounts may have the same one, as the
/// apps of a company do: then the one that the key may use is meant.
fn by_app_id(passage: &Passage, id: &str) -> Result<Arc<AccountRuntime>, ProxyError> {
    let (key, accounts) = (passage.key()?, &passage.live.accounts);
    if let Some(named) = accounts.get(id) {
        return by_name(passage, id, Some(named));
    }
    let has_id = |account: &&Arc<AccountRuntime>| {
        account.config.app_id == id && permit::account(key, &account.config.name).is_ok()
    };
    let found: Vec<_> = accounts.values().filter(has_id).collect();
    match found.as_slice() {
        [] => Err(ProxyError::AccountUnknown { name: id.to_owned() }),
        [only] => Ok((*only).clone()),
        several => Err(ambiguous(several)),
    }
}

fn only_account(passage: &Passage) -> Result<Arc<AccountRuntime>, ProxyError> {
    let accounts = &passage.live.accounts;
    let only = match &passage.key()?.accounts {
        Accounts::All if accounts.len() == 1 => accounts.values().next(),
        Accounts::Some(names) if names.len() == 1 => names.first().and_then(|n| accounts.get(n)),
        Accounts::All | Accounts::Some(_) => None,
    };
    if let Some(only) = only {
        return Ok(only.clone());
    }
    let choices: Vec<&Arc<AccountRuntime>> = match &passage.key()?.accounts {
        Accounts::All => accounts.values().collect(),
        Accounts::Some(names) => names.iter().filter_map(|name| accounts.get(name)).collect(),
    };
    match choices.as_slice() {
        [only] => Ok((*only).clone()),
        several => Err(ambiguous(several)),
    }
}

/// In the order of names, so that the answer is the same each time.
fn ambiguous(choices: &[&Arc<AccountRuntime>]) -> ProxyError {
    let mut choices: Vec<Name> = choices.iter().map(|a| a.config.name.clone()).collect();
    choices.sort();
    ProxyError::AccountAmbiguous { choices }
}

fn check_platform(passage: &Passage, path: &str) -> Result<(), ProxyError> {
    if passage.method == Method::PATCH {
        return Err(ProxyError::MethodRefused { method: passage.method.to_string() });
    }
    path_rule::check_platform(path, &passage.known).map_err(refused)
}

fn wants_sandbox(headers: &HeaderMap) -> Result<bool, ProxyError> {
    match headers.get(UPSTREAM_HEADER).map(http::HeaderValue::as_bytes) {
        None => Ok(false),
        Some(b"sandbox") => Ok(true),
        Some(_) => Err(ProxyError::HeaderRefused {
            name: "X-Wxgate-Upstream",
            why: "the only value is `sandbox`",
        }),
    }
}

fn check_permission(passage: &Passage) -> Result<(), ProxyError> {
    let (key, path) = (passage.key()?, passage.path()?);
    let goes_to_sandbox = passage.lanes()?.is_sandbox;
    // A path that is dangerous with its documented method is dangerous with every method.
    let class = passage.known.class(&passage.method);
    let is_known_read = passage.call.is_some_and(|call| call.class == CallClass::Read);
    let is_for_token = passage.known.credential_call == Some(CredentialCall::AuthorizerToken);
    if passage.token_form.is_some() || is_for_token {
        // A surrogate opens nothing that its key does not: every key may have one.
        return Ok(());
    }
    permit::path(key, path)
        .and_then(|()| permit::lane(key, is_known_read))
        .and_then(|()| permit::danger(key, class == Some(CallClass::Danger), goes_to_sandbox))
        .map_err(ProxyError::denied)
}

fn refused(why: path_rule::BadPath) -> ProxyError {
    ProxyError::PathRefused { why }
}

const ACCOUNT_HEADER: HeaderName = HeaderName::from_static("x-wxgate-account");
const UPSTREAM_HEADER: HeaderName = HeaderName::from_static("x-wxgate-upstream");
