//! What a sandbox is started with.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::{
    base::{kind::AccountKind, secret::Secret},
    wire::OwnListeners,
};

/// Everything that is fixed at the start; the rest is changed by control calls.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where it listens; port 0 = any. Off loopback a control token is needed if control is
    /// allowed over HTTP.
    pub listen: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: Tls,
    /// Its accounts; more can come and go while it runs.
    pub accounts: Vec<SandboxAccount>,
    /// What `Authorization: Bearer` must carry on control calls over HTTP; none = no check.
    pub control_token: Option<Secret>,
    /// Whether `/-/sandbox/…` is answered on the sandbox's own port. Off in the gateway, which
    /// calls [`crate::sandbox::Sandbox::control`] in process.
    pub allow_control_over_http: bool,
    /// With a seed, tokens, ids and rids come in the same order in every run, and time begins at
    /// a fixed moment and is made by calls alone, until control lets it run.
    pub seed: Option<u64>,
    /// Hosts beside this one that events may be pushed to.
    pub push_hosts: Vec<String>,
    /// Doors of the process that the sandbox is part of, which no event is pushed to.
    pub own_listeners: OwnListeners,
    /// Life of a new access token; the platform's is [`SandboxOptions::TOKEN_LIFE`].
    pub token_life: Duration,
    /// Where all accounts are kept while it does not run; none = nowhere.
    pub state_file: Option<PathBuf>,
}

impl SandboxOptions {
    /// How long the platform's tokens live.
    pub const TOKEN_LIFE: Duration = Duration::from_secs(7200);
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: Tls::SelfMade,
            accounts: Vec::new(),
            control_token: None,
            allow_control_over_http: false,
            seed: None,
            push_hosts: Vec::new(),
            own_listeners: OwnListeners::default(),
            token_life: Self::TOKEN_LIFE,
            state_file: None,
        }
    }
}

/// What the sandbox speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS with a certificate from a CA that is made at each start and kept in memory only.
    SelfMade,
    /// Plain HTTP.
    Plain,
}

/// One simulated app. Two accounts may share an AppID when their secrets differ: a gateway's
/// account and its shadow.
#[derive(Clone, PartialEq, Eq)]
pub struct SandboxAccount {
    /// What control calls name it by, such as `shop` or `shop~sandbox`.
    pub name: String,
    /// What it is an account of; a `generic` one is simulated as a mini program.
    pub kind: AccountKind,
    /// Its AppID; of WeCom the CorpID, of a third-party platform the component's AppID.
    pub app_id: String,
    /// Its simulated AppSecret; opens nothing but this sandbox.
    pub app_secret: String,
}

/// Without the secret: somebody may have put a real one here.
impl std::fmt::Debug for SandboxAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxAccount")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
