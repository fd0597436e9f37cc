//! Whether a call of the component is let through to its handler.

use std::sync::LazyLock;

use super::{check, fields::Fields};
use crate::{
    sandbox::{
        dispatch::{CallSpec, Cx},
        refusal::Refusal,
        state::State,
    },
    wechat::endpoint::endpoint,
};

/// The component must be open, the dedicated merchant account too where the call needs it, and
/// the body must fit the call's table of fields.
pub(in crate::sandbox) fn admit(cx: &Cx<'_>, spec: &CallSpec) -> Result<(), Refusal> {
    let Some(endpoint) = endpoint(spec.path) else { return Ok(()) };
    let state = cx.state();
    if endpoint.is_retired() {
        check_open(&state, spec.path)?;
    }
    let is_product = spec.path.starts_with("/shop/spu/");
    let settings = &state.settings;
    let is_checked =
        settings.component.check_fields && (settings.component.check_products || !is_product);
    let usual_errcode = settings.component.argument_errcode;
    drop(state);
    if is_checked && !endpoint.is_multipart {
        check::check(endpoint, cx.body(), usual_errcode)?;
    }
    Ok(())
}

/// By default everything is open, so that a call can be tried at once; switches ask for the
/// whole access process.
fn check_open(state: &State, path: &str) -> Result<(), Refusal> {
    let settings = &state.settings;
    let access = &state.shop.access;
    if settings.component.component_banned && !path.starts_with("/shop/register/") {
        return Err(Refusal::new(48004));
    }
    if settings.component.require_component
        && !access.is_joined()
        && !path.starts_with("/shop/register/")
    {
        return Err(Refusal::new(settings.component.not_joined_errcode));
    }
    let needs_account = MERCHANT_ACCOUNT.iter().any(|beginning| path.starts_with(beginning));
    if settings.component.require_merchant_account
        && needs_account
        && !access.has_merchant_account()
    {
        return Err(Refusal::new(48001));
    }
    Ok(())
}

impl Cx<'_> {
    /// The JSON body; empty where there is none.
    pub(in crate::sandbox) fn body(&self) -> &Fields {
        static EMPTY: LazyLock<Fields> = LazyLock::new(Fields::new);
        self.form.object().unwrap_or(&EMPTY)
    }
}

/// Calls that work on the dedicated merchant account.
const MERCHANT_ACCOUNT: &[&str] =
    &["/shop/ecaftersale/", "/shop/order/getpaymentparams", "/shop/funds/", "/shop/pay/"];
