//! Whether a call is let through to its handler.

use std::net::IpAddr;

use http::Method;

use super::{
    credential::{Credential, Proof, refusal_to, secret_refusal, token_refusal},
    dispatch::CallSpec,
    form::Form,
    refusal::Refusal,
    settings::{IpCheck, Settings},
    shop::argument,
    state::State,
};
use crate::base::kind::AccountKind;

/// What is judged.
pub(super) struct Case<'a> {
    /// The call's line in the table; none for an unknown path.
    pub(super) spec: Option<&'static CallSpec>,
    /// What kind of account it is for.
    pub(super) kind: AccountKind,
    /// Its method.
    pub(super) method: &'a Method,
    /// What the caller proved.
    pub(super) proof: &'a Proof,
    /// Its body.
    pub(super) form: &'a Form,
    /// Where it comes from.
    pub(super) peer: IpAddr,
    /// The account's time.
    pub(super) now_ms: i64,
}

/// The errcode of an address that is not on the list of such an account.
pub(super) fn address_errcode(kind: AccountKind) -> i64 {
    match kind {
        AccountKind::MiniProgram | AccountKind::OfficialAccount | AccountKind::Generic => 40164,
        AccountKind::OpenPlatform => 61004,
        AccountKind::Wecom => 60020,
    }
}

impl Case<'_> {
    /// Path, method, credential, address, permission, quota, body: the first that is wrong
    /// refuses. Only a call that is let through, or has a bad body, uses up quota.
    pub(super) fn judge(&self, state: &mut State) -> Result<&'static CallSpec, Refusal> {
        let spec = self.spec.ok_or_else(|| Refusal::new(40066))?;
        if let Some(errcode) = spec.method_errcode(self.method) {
            return Err(Refusal::new(errcode));
        }
        if matches!(spec.credential, Credential::SecretInJson(_) | Credential::ComponentSecret(_)) {
            // Without a body there is nothing to look for a secret in.
            self.check_form()?;
        }
        self.check_proof(state)?;
        let settings = &state.settings;
        self.check_address(spec, settings)?;
        if settings.frozen && spec.credential.is_secret() {
            return Err(Refusal::new(40243));
        }
        if settings.denied_paths.iter().any(|path| path == spec.path) {
            return Err(Refusal::new(48001));
        }
        let limits = settings.quotas.get(spec.path).copied().unwrap_or(spec.limits);
        state.quotas.take(spec.path, limits, self.now_ms)?;
        self.check_form()?;
        Ok(spec)
    }

    /// The claim itself is judged here, because only the ledger knows what a token is worth.
    fn check_proof(&self, state: &State) -> Result<(), Refusal> {
        let refusal = match self.proof {
            Proof::Refused(errcode) => Some(Refusal::new(*errcode)),
            Proof::Secret | Proof::Bearer => None,
            Proof::WrongSecret => Some(secret_refusal(&state.settings)),
            Proof::Acting(refusal) => refusal.clone(),
            Proof::Token(token) => {
                let standing = state.ledger.standing(token, self.now_ms);
                token_refusal(standing, self.kind, &state.settings)
            }
        };
        refusal.map_or(Ok(()), Err)
    }

    /// An empty list is no list. The second account type checks calls with a token too; whoever
    /// acts for the account was held against a list of its own.
    fn check_address(&self, spec: &CallSpec, settings: &Settings) -> Result<(), Refusal> {
        let is_checked = !settings.ip_list.is_empty()
            && !matches!(self.proof, Proof::Acting(_))
            && match settings.ip_check {
                IpCheck::All => true,
                IpCheck::Secret => spec.credential.is_secret(),
            };
        let address = settings.caller_ip.unwrap_or(self.peer);
        if is_checked && !settings.ip_list.iter().any(|rule| rule.allows(address)) {
            return Err(refusal_to(address_errcode(self.kind), address));
        }
        Ok(())
    }

    /// What was found wrong while the body was read.
    fn check_form(&self) -> Result<(), Refusal> {
        match self.form {
            Form::Bad(refusal) if refusal.errcode == 47001 => {
                let path = self.spec.map_or("", |spec| spec.path);
                let own = argument::broken_json(path).map(Refusal::new);
                Err(own.unwrap_or_else(|| refusal.clone()))
            }
            Form::Bad(refusal) => Err(refusal.clone()),
            Form::None | Form::Json(_) | Form::Parts(_) => Ok(()),
        }
    }
}
