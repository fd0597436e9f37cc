//! `accounts`, and `faults` of all accounts: control that no account is named for.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Platform, bad_request, faults, read, told};
use crate::{
    base::kind::AccountKind,
    sandbox::{SandboxAccount, ids::Ids},
};

/// Does what `method` on `rest` asks of the sandbox as a whole; none where `rest` is about one
/// account.
pub(in crate::sandbox) fn answer_for_all(
    platform: &Platform,
    method: &Method,
    rest: &str,
    body: &[u8],
) -> Option<Response<Bytes>> {
    let (noun, of) = rest.split_once('/').unwrap_or((rest, ""));
    let (is_get, is_post) = (method == Method::GET, method == Method::POST);
    let is_delete = method == Method::DELETE;
    let done = match (noun, of) {
        ("accounts", "") if is_get => Ok(list(platform)),
        ("accounts", "") if is_post => add(platform, body),
        ("accounts", name) if is_delete => remove(platform, name),
        ("accounts", _) => {
            let choices = "GET or POST accounts, DELETE accounts/{name}";
            Err((StatusCode::METHOD_NOT_ALLOWED, format!("not with {method}: {choices}")))
        }
        ("faults", "") if is_get => Ok(faults::list_all(platform)),
        ("faults", "") if is_post => faults::arm_in_all(platform, body),
        ("faults", "") if is_delete => Ok(faults::clear_all(platform)),
        _ => return None,
    };
    Some(told(done.map(|value| value.to_string().into())))
}

/// Who there is, without secrets.
fn list(platform: &Platform) -> Value {
    let shown =
        |one: &SandboxAccount| json!({ "name": one.name, "kind": one.kind, "app_id": one.app_id });
    let accounts = platform.accounts();
    json!({ "accounts": accounts.iter().map(|a| shown(&a.identity)).collect::<Vec<_>>() })
}

/// `{"name","kind"?,"app_id"?,"app_secret"?}`; what is missing is made, a mini program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountForm {
    name: String,
    kind: Option<AccountKind>,
    app_id: Option<String>,
    app_secret: Option<String>,
}

/// The AppSecret is shown this once, and only if it was made here.
fn add(platform: &Platform, body: &[u8]) -> Done {
    let form: AccountForm = read(body)?;
    if platform.account(&form.name).is_some() {
        let text = format!("there is an account `{}` already; DELETE it first", form.name);
        return Err((StatusCode::CONFLICT, text));
    }
    if ["accounts", "faults"].contains(&&*form.name) {
        return Err(bad_request(format!("control calls mean something else by `{}`", form.name)));
    }
    if platform.account_names().len() >= MOST_ACCOUNTS {
        return Err(bad_request(format!("a sandbox has at most {MOST_ACCOUNTS} accounts")));
    }
    let ids = platform.ids();
    let made = form.app_secret.is_none().then(|| hex(ids, 32));
    let account = SandboxAccount {
        kind: form.kind.unwrap_or(AccountKind::MiniProgram),
        app_id: form.app_id.unwrap_or_else(|| format!("wx{}", hex(ids, 16))),
        app_secret: form.app_secret.or_else(|| made.clone()).unwrap_or_default(),
        name: form.name,
    };
    let mut shown = json!({ "name": account.name, "app_id": account.app_id });
    if let (Some(made), Some(shown)) = (made, shown.as_object_mut()) {
        shown.insert("app_secret".to_owned(), made.into());
    }
    platform.add_account(account).map_err(|error| bad_request(error.to_string()))?;
    Ok(shown)
}

fn remove(platform: &Platform, name: &str) -> Done {
    if !platform.remove_account(name) {
        let names = platform.account_names().join(", ");
        let text = format!("there is no sandbox account `{name}`; there are: {names}");
        return Err((StatusCode::NOT_FOUND, text));
    }
    Ok(list(platform))
}

fn hex(ids: &Ids, length: usize) -> String {
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        text.push_str(&format!("{:016x}", ids.next()));
    }
    text.truncate(length);
    text
}

/// Each may fill bounds of its own.
const MOST_ACCOUNTS: usize = 100;
