//! Control calls of a sandbox over HTTP.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::reach::{Http, Place, header_value};
use crate::{
    base::secret::Secret,
    cli::exit::{Exit, Failure},
    wire::WireError,
};

/// The control of one account.
#[derive(Debug)]
pub(super) struct Control {
    http: Http,
    origin: String,
    account: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What control said.
#[derive(Debug)]
pub(super) struct ControlAnswer {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its body.
    pub(super) body: Bytes,
    /// Who was asked: scheme, host and port.
    pub(super) origin: String,
}

impl Control {
    /// `bearer` is an operator's key of a gateway, or the control token of a sandbox. Without an
    /// account a sandbox takes its only one.
    ///
    /// # Errors
    /// When `bearer` is no possible header.
    pub(super) fn new(
        http: Http,
        place: &Place,
        account: Option<String>,
        bearer: Option<&Secret>,
    ) -> Result<Self, Failure> {
        let mut headers = Vec::new();
        if let Some(bearer) = bearer {
            let mut value = header_value(&format!("Bearer {}", bearer.expose()))?;
            value.set_sensitive(true);
            headers.push((header::AUTHORIZATION, value));
        }
        Ok(Self { http, origin: place.origin.clone(), account, headers })
    }

    /// Asks for what stands behind `/-/sandbox/{account}/`.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) async fn ask(
        &self,
        method: &Method,
        rest: &str,
        body: Bytes,
    ) -> Result<ControlAnswer, WireError> {
        // Accounts belong to the platform, not to one of them.
        let account = self.account.as_ref().filter(|_| !is_of_platform(rest));
        let account = account.map_or_else(String::new, |name| format!("{name}/"));
        let url = format!("{}/-/sandbox/{account}{}", self.origin, rest.trim_start_matches('/'));
        let mut headers = self.headers.clone();
        if !body.is_empty() {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let answer = self.http.try_send(method, &url, &headers, body).await?;
        let origin = self.origin.clone();
        Ok(ControlAnswer { status: answer.status(), body: answer.into_body(), origin })
    }

    /// [`Control::ask`] with JSON.
    pub(super) async fn ask_json(
        &self,
        method: &Method,
        rest: &str,
        body: Option<&Value>,
    ) -> Result<ControlAnswer, WireError> {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        self.ask(method, rest, body).await
    }
}

impl ControlAnswer {
    /// What was answered.
    ///
    /// # Errors
    /// The sentence with which it was refused.
    pub(super) fn value(&self) -> Result<Value, String> {
        let value = serde_json::from_slice::<Value>(&self.body).unwrap_or(Value::Null);
        if self.status.is_success() {
            return Ok(value);
        }
        let told = ["message", "error", "errmsg"].iter().find_map(|name| value.get(name)?.as_str());
        Err(match told {
            // A gateway says who it is, and so does this command.
            Some(told) => told.strip_prefix("wxgate: ").unwrap_or(told).to_owned(),
            None => format!("HTTP {}", self.status.as_u16()),
        })
    }

    /// [`ControlAnswer::value`] as the end of a command.
    pub(super) fn value_or_end(&self) -> Result<Value, Failure> {
        self.value().map_err(|told| {
            let failure = Failure::say(Exit::Platform, told);
            if self.status == StatusCode::UNAUTHORIZED {
                return failure.hint("--control-token TOKEN at a sandbox, --key KEY at a gateway");
            }
            failure
        })
    }
}

fn is_of_platform(rest: &str) -> bool {
    let first = rest.trim_start_matches('/').split(['/', '?']).next();
    first == Some("accounts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_whoever_refused() {
        let answer = |status: u16, body: &'static str| {
            let status = StatusCode::from_u16(status).unwrap();
            let body = Bytes::from_static(body.as_bytes());
            ControlAnswer { status, body, origin: String::new() }.value()
        };
        assert_eq!(answer(200, "{\"a\":1}").unwrap()["a"], 1);
        assert_eq!(answer(400, "{\"message\":\"no such fault\"}").unwrap_err(), "no such fault");
        assert_eq!(
            answer(403, "{\"errcode\":-1,\"errmsg\":\"operators\"}").unwrap_err(),
            "operators"
        );
        assert_eq!(answer(401, "{\"errmsg\":\"wxgate: no key\"}").unwrap_err(), "no key");
        assert_eq!(answer(502, "<html>").unwrap_err(), "HTTP 502");
    }

    #[test]
    fn accounts_are_not_an_accounts_own() {
        assert!(is_of_platform("accounts/shop") && is_of_platform("/accounts?x"));
        assert!(!is_of_platform("accountsx") && !is_of_platform("state"));
    }
}
