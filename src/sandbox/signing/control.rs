//! What an administrator sets in the console under API signing, by control.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::keys::{Application, Symmetric};
use crate::sandbox::{account::Account, control_form};

/// Everything may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningForm {
    /// `{"sn","key","kind"}`, the key in Base64.
    symmetric: Option<Symmetric>,
    /// `{"sn","public_key_pem"}`.
    application: Option<Application>,
    #[serde(default)]
    platform: PlatformForm,
}

/// The platform's own key; the first one is made unasked.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PlatformForm {
    /// Makes a new key. The one before signs too until it is retired.
    generate: bool,
    /// Ends the one before.
    retire: bool,
}

/// What `method` asks of the account's keys.
pub(in crate::sandbox) fn act(
    account: &Account,
    method: &Method,
    body: &[u8],
) -> Result<Value, (StatusCode, String)> {
    match method.as_str() {
        "GET" => Ok(account.quiet_state().signing.to_json()),
        "POST" => set(account, body).map_err(|text| (StatusCode::BAD_REQUEST, text)),
        _ => Err((StatusCode::METHOD_NOT_ALLOWED, format!("signing: not with {method}"))),
    }
}

/// All that is named, or, if one is wrong, nothing.
fn set(account: &Account, body: &[u8]) -> Result<Value, String> {
    let form: SigningForm = control_form::read(body)?;
    let mut changed = account.state().signing.clone();
    if let Some(symmetric) = form.symmetric {
        changed.set_symmetric(symmetric).map_err(|error| format!("symmetric: {error}"))?;
    }
    if let Some(application) = form.application {
        changed.set_application(application).map_err(|error| format!("application: {error}"))?;
    }
    if form.platform.generate || !changed.has_platform_key() {
        let bytes = [account.ids.next().to_be_bytes(), account.ids.next().to_be_bytes()].concat();
        let sn = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        changed.renew_platform_key(sn)?;
    }
    if form.platform.retire {
        changed.retire_deprecated();
    }
    let shown = changed.to_json();
    account.state().signing = changed;
    Ok(shown)
}
