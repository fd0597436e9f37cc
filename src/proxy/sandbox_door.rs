//! `/-/sandbox/{account}/…`: the control of an account's sandbox, for operators.

use std::sync::Arc;

use http::{Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use super::{
    error::ProxyError,
    live::AccountRuntime,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    access::permit,
    base::body::{Body, Response},
    sandbox::{RESTORE_CAP_BYTES, Sandbox, shadow_name},
    token::SurrogateFault,
};

/// Answers in process; the sandbox's own port is not involved.
pub(super) struct SandboxDoor {
    sandbox: Arc<Sandbox>,
}

impl SandboxDoor {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { sandbox: parts.sandbox.clone() }
    }

    async fn answer(&self, passage: &mut Passage, body: Body) -> Result<Response, ProxyError> {
        let key = passage.key()?;
        if passage.surrogate.is_some() {
            // It stands for a token, and no token opens this door.
            return Err(ProxyError::SurrogateRefused { fault: SurrogateFault::Door });
        }
        permit::operator(key).map_err(ProxyError::denied)?;
        let rest = passage.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let (account, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if account == "accounts" && passage.live.account_called(account).is_none() {
            let answer = accounts(passage)?;
            passage.own_answer = Some(0);
            return Ok(answer);
        }
        let unknown = || ProxyError::AccountUnknown { name: account.to_owned() };
        let runtime = passage.live.account_called(account).ok_or_else(unknown)?;
        permit::account(key, &runtime.config.name).map_err(|_| unknown())?;
        let name = sandbox_name(runtime);
        let cap_bytes = if rest == "restore" { RESTORE_CAP_BYTES } else { CONTROL_CAP_BYTES };
        let body = Limited::new(body, cap_bytes)
            .collect()
            .await
            .map_err(|_| ProxyError::BodyTooLarge { cap_bytes: cap_bytes as u64 })?
            .to_bytes();
        let rest = match passage.uri.query() {
            Some(query) => format!("{rest}?{query}"),
            None => rest.to_owned(),
        };
        let answer = self.sandbox.control(&name, &passage.method, &rest, &body).await;
        passage.own_answer = Some(0);
        Ok(answer.map(Body::from))
    }
}

impl Stage for SandboxDoor {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        if passage.uri.path().starts_with(PREFIX) {
            return Box::pin(self.answer(passage, body));
        }
        next.run(passage, body)
    }
}

/// The simulator's name for the account: itself where the sandbox is its upstream, else its shadow.
fn sandbox_name(account: &AccountRuntime) -> String {
    let name = &account.config.name;
    if account.real.is_sandbox { name.to_string() } else { shadow_name(name.as_str()) }
}

/// The accounts that the key may use; here they come and go with proxy.toml alone.
fn accounts(passage: &Passage) -> Result<Response, ProxyError> {
    let key = passage.key()?;
    let (status, value) = if passage.method == Method::GET {
        let mine = passage.live.accounts.values().map(|account| &account.config);
        let mine = mine.filter(|config| permit::account(key, &config.name).is_ok());
        let mut names: Vec<_> = mine.map(|config| (config.name.as_str(), &config.app_id)).collect();
        names.sort_unstable();
        let shown = names.into_iter().map(|(name, id)| json!({ "name": name, "app_id": id }));
        (StatusCode::OK, json!({ "accounts": shown.collect::<Vec<Value>>() }))
    } else {
        let text = "the gateway's accounts come from proxy.toml: change it there, then reload";
        (StatusCode::CONFLICT, json!({ "message": text }))
    };
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// Where the sandbox's doors are.
pub(super) const PREFIX: &str = "/-/sandbox/";

/// A state that is set by hand has a few hundred KiB at most.
const CONTROL_CAP_BYTES: usize = 4 << 20;
