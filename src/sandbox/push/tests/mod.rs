//! Pushes to a receiver on loopback, through real sockets.

mod delivery;
mod open_platform;
mod receiver;
mod setting;

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::{
    base::{kind::AccountKind, secret::Secret, tasks::Tasks},
    sandbox::{Sandbox, SandboxAccount, SandboxOptions, Tls, calls::bench::account},
    wechat::push_crypto::EncodingAesKey,
};

const TOKEN: &str = "simToken2026";
const KEY: &str = "q1Os1ZMe0nG28KUEx9lg3HjK7V5QyXvi212fzsgDqgz";

pub(super) struct Rig {
    pub(super) sandbox: Sandbox,
    pub(super) tasks: Tasks,
}

impl Rig {
    pub(super) async fn start() -> Self {
        Self::start_of(AccountKind::MiniProgram).await
    }

    pub(super) async fn start_of(kind: AccountKind) -> Self {
        let tasks = Tasks::default();
        let options = SandboxOptions {
            accounts: vec![SandboxAccount { kind, ..account("shop", "wx1", "s1") }],
            tls: Tls::Plain,
            seed: Some(1),
            ..SandboxOptions::default()
        };
        Self { sandbox: Sandbox::start(options, tasks.clone()).await.unwrap(), tasks }
    }

    pub(super) async fn control(
        &self,
        method: Method,
        rest: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let body = body.to_string();
        let answer = self.sandbox.control("shop", &method, rest, body.as_bytes()).await;
        (answer.status(), serde_json::from_slice(answer.body()).unwrap())
    }

    pub(super) async fn post(&self, rest: &str, body: Value) -> Value {
        let (status, answer) = self.control(Method::POST, rest, &body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(super) async fn push_to(&self, url: &str, more: Value) {
        let mut form = json!({ "url": url, "token": TOKEN, "aes_key": KEY, "verify": false });
        form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("push", form).await;
    }

    pub(super) async fn fire(&self, event: &str) -> Map<String, Value> {
        let answer = self.post("events", json!({ "event": event })).await;
        answer["message"].as_object().unwrap().clone()
    }

    /// The push of that number, once it is over.
    pub(super) async fn ended(&self, id: u64) -> Value {
        let ended = async {
            loop {
                let rest = format!("pushes?after={}", id - 1);
                let answer = self.control(Method::GET, &rest, &Value::Null).await.1;
                if answer["pushes"][0]["outcome"].as_str().is_some_and(|now| now != "waiting") {
                    return answer["pushes"][0].clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends")
    }
}

pub(super) fn key() -> EncodingAesKey {
    EncodingAesKey::parse(Secret::new(KEY.into())).unwrap()
}
