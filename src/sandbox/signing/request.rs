//! A sealed request, opened before its body is read.

use http::HeaderMap;
use serde_json::Value;

use super::{Seal, is_supported};
use crate::{
    sandbox::{
        account::Account, call::Call, form::Form, refusal::Refusal, roster::Roster, state::State,
    },
    wechat::api_signing::{Binding, Opened, SigningError, header},
};

/// The form of a call, opened if it was sealed, and then what its answer is sealed for. What is
/// wrong with the seal is a bad form: the token is judged before it.
pub(in crate::sandbox) fn open(
    account: &Account,
    roster: &Roster,
    call: &Call,
    form: Form,
) -> (Form, Option<Seal>) {
    if !is_supported(&call.path) {
        return (form, None);
    }
    let is_sealed = [header::SIGNATURE, header::TIMESTAMP, header::APP_ID]
        .iter()
        .any(|name| call.headers.contains_key(*name));
    let now_ms = account.now_ms();
    let mut state = account.state_at(now_ms);
    let is_needed = state.settings.signing.require_signing;
    if matches!(form, Form::Bad(_)) || !(is_sealed || is_needed) {
        return (form, None);
    }
    let request = Sealed { account, roster, call, now_ms };
    match request.open(&mut state) {
        Ok((opened, seal)) => (Form::Json(Value::Object(opened.fields)), Some(seal)),
        Err(error) => (Form::Bad(Refusal::new(error.errcode())), None),
    }
}

struct Sealed<'a> {
    account: &'a Account,
    roster: &'a Roster,
    call: &'a Call,
    now_ms: i64,
}

impl Sealed<'_> {
    /// Headers, AppID, keys, time, seal, repetition: the first that is wrong.
    fn open(&self, state: &mut State) -> Result<(Opened, Seal), SigningError> {
        let headers = &self.call.headers;
        let switches = &state.settings.signing;
        if switches.signing_serial_required && text(headers, header::SERIAL).is_none() {
            return Err(SigningError::NoSerial);
        }
        let signature = text(headers, header::SIGNATURE).ok_or(SigningError::NoSignature)?;
        let timestamp = text(headers, header::TIMESTAMP).and_then(|text| text.parse().ok());
        let timestamp_s: i64 = timestamp.ok_or(SigningError::NoTimestamp)?;
        let app_id = text(headers, header::APP_ID).ok_or(SigningError::NoAppId)?;
        self.check_app_id(app_id)?;
        let (key, public) = (state.signing.symmetric()?, state.signing.application()?);
        let away_s = timestamp_s.abs_diff(self.now_ms / 1000);
        if switches.signing_window_s.is_some_and(|window_s| away_s > u64::from(window_s)) {
            return Err(SigningError::Expired);
        }
        let mut outcome = Err(SigningError::WrongSignature);
        for origin in &switches.signing_origins {
            let url = format!("{origin}{}", self.call.path);
            let binding = Binding { url: &url, app_id, timestamp_s };
            let opened = binding.open(&key, &public, &self.call.body, signature);
            // Another origin is tried only for the signature's sake.
            if opened != Err(SigningError::WrongSignature) {
                outcome = opened.map(|opened| (opened, Seal { url }));
                break;
            }
        }
        let (opened, seal) = outcome?;
        let refuses_repeats = switches.signing_repeats_refused;
        if !state.signing.note_nonce(&opened.nonce) && refuses_repeats {
            return Err(SigningError::Expired);
        }
        Ok((opened, seal))
    }

    fn check_app_id(&self, app_id: &str) -> Result<(), SigningError> {
        if app_id == self.account.identity.app_id {
            Ok(())
        } else if self.roster.by_app_id(app_id, |_| true).is_some() {
            Err(SigningError::OtherAppId)
        } else {
            Err(SigningError::WrongAppId)
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.map(str::trim).filter(|value| !value.is_empty())
}
