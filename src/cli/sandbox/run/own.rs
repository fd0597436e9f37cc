//! A sandbox in this process, for one scenario.

use std::net::SocketAddr;

use super::{Caller, Proof};
use crate::{
    base::{kind::AccountKind, secret::Secret, tasks::Tasks},
    cli::{
        exit::{Exit, Failure},
        sandbox::{
            control::Control,
            reach::{Http, Place, TrustArgs},
        },
    },
    sandbox::{Sandbox, SandboxAccount, SandboxOptions, Tls},
};

/// Runs until the tasks end.
pub(super) struct OwnSandbox {
    address: SocketAddr,
}

impl OwnSandbox {
    /// Plain HTTP on a free port of loopback, with a fixed seed.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub(super) async fn start(tasks: &Tasks) -> Result<Self, Failure> {
        let account = SandboxAccount {
            kind: AccountKind::MiniProgram,
            name: NAME.to_owned(),
            app_id: APP_ID.to_owned(),
            app_secret: APP_SECRET.to_owned(),
        };
        let options = SandboxOptions {
            tls: Tls::Plain,
            accounts: vec![account],
            allow_control_over_http: true,
            seed: Some(1),
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options, tasks.clone())
            .await
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        Ok(Self { address: sandbox.address() })
    }

    /// Whoever calls and controls it.
    pub(super) fn reach(&self, tasks: &Tasks) -> Result<(Caller, Option<Control>), Failure> {
        let place = Place::parse(&format!("http://{}", self.address))?;
        // Nothing here speaks TLS, so there is no trust store to be read.
        let http = Http::new(&TrustArgs { ca: None, insecure_loopback: true }, tasks)?;
        let secret = Secret::new(APP_SECRET.to_owned());
        let proof = Proof::App { app_id: APP_ID.to_owned(), secret };
        let control = Control::new(http.clone(), &place, Some(NAME.to_owned()), None)?;
        Ok((Caller::new(http, place, proof, None), Some(control)))
    }
}

/// As `wxgate sandbox` has them.
const NAME: &str = "demo";
const APP_ID: &str = "wx0123456789abcdef";
const APP_SECRET: &str = "sandbox-app-secret";
