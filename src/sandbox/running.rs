//! A sandbox that runs.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Method, Response};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{
    Platform, SandboxAccount, SandboxError, SandboxOptions, Tls,
    certificate::{self, Certificate},
    control,
    control_door::ControlDoor,
    intake::Intake,
    push::{Sender, courier},
    server::Server,
    service::Service,
    state_file::StateFile,
    state_keeper, timekeeper,
};
use crate::{base::tasks::Tasks, wire::LetterCases};

/// The platform behind its listener. Clones are the same sandbox; it runs until its tasks are
/// told to stop.
#[derive(Clone, Debug)]
pub struct Sandbox {
    platform: Arc<Platform>,
    sender: Arc<Sender>,
    address: SocketAddr,
    ca: Option<Arc<(CertificateDer<'static>, String)>>,
    state_file: Option<Arc<StateFile>>,
}

impl Sandbox {
    /// Listens and serves on tasks of `tasks`.
    ///
    /// # Errors
    /// When the address is taken, TLS cannot be set up, two accounts cannot be told apart,
    /// control would be open to a network, or the state file is broken.
    pub async fn start(options: SandboxOptions, tasks: Tasks) -> Result<Self, SandboxError> {
        let listen = options.listen;
        let is_open = options.allow_control_over_http && options.control_token.is_none();
        if is_open && !listen.ip().to_canonical().is_loopback() {
            return Err(SandboxError::ControlTokenNeeded { address: listen });
        }
        let platform = Arc::new(Platform::new(options.seed, options.token_life));
        for account in options.accounts {
            platform.add_account(account)?;
        }
        let state_file = options.state_file.map(|path| Arc::new(StateFile::new(path)));
        if let Some(file) = &state_file {
            file.load(&platform)?;
        }
        let certificate = match options.tls {
            Tls::SelfMade => Some(certificate::make(listen)?),
            Tls::Plain => None,
        };
        let bound = |source| SandboxError::Bind { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bound)?;
        let address = listener.local_addr().map_err(bound)?;
        let sender = Arc::new(Sender::new(&options.push_hosts, options.own_listeners));
        let service = Arc::new(Service {
            platform: platform.clone(),
            sender: sender.clone(),
            door: options.allow_control_over_http.then(|| ControlDoor::new(options.control_token)),
            intake: Intake::new(),
            letter_cases: LetterCases::default(),
        });
        let tls = certificate.as_ref().map(|made| TlsAcceptor::from(made.server.clone()));
        let server = Server { listener, tls, service, tasks: tasks.clone() };
        tasks.spawn(server.run());
        tasks.spawn(timekeeper::run(platform.clone(), tasks.clone()));
        tasks.spawn(courier::run(platform.clone(), sender.clone(), tasks.clone()));
        if let Some(file) = &state_file {
            tasks.spawn(state_keeper::run(platform.clone(), file.clone(), tasks.clone()));
        }
        let ca = certificate.map(|Certificate { ca_der, ca_pem, .. }| Arc::new((ca_der, ca_pem)));
        Ok(Self { platform, sender, address, ca, state_file })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its CA, to be trusted by whoever calls; none for plain HTTP.
    #[must_use]
    pub fn ca_der(&self) -> Option<CertificateDer<'static>> {
        self.ca.as_ref().map(|ca| ca.0.clone())
    }

    /// The same as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_ref().map(|ca| ca.1.as_str())
    }

    /// The platform without its server.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Writes the state file, if there is one: for after the last call.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<(), SandboxError> {
        self.state_file.as_ref().map_or(Ok(()), |file| file.save(&self.platform))
    }

    /// Name and AppID of every account, by name.
    #[must_use]
    pub fn accounts(&self) -> Vec<(String, String)> {
        let accounts = self.platform.accounts();
        accounts.iter().map(|a| (a.identity.name.clone(), a.identity.app_id.clone())).collect()
    }

    /// Adds an account while it runs; see [`Platform::add_account`].
    ///
    /// # Errors
    /// When the account could not be told from another one, or not be named.
    pub fn add_account(&self, account: SandboxAccount) -> Result<(), SandboxError> {
        self.platform.add_account(account)
    }

    /// Removes an account while it runs; false if there is none of that name.
    pub fn remove_account(&self, name: &str) -> bool {
        self.platform.remove_account(name)
    }

    /// A control call in process: `rest` is what stands behind `/-/sandbox/{account}/`, its
    /// query included. It waits for nothing but a push URL that is to be verified.
    pub async fn control(
        &self,
        account: &str,
        method: &Method,
        rest: &str,
        body: &[u8],
    ) -> Response<Bytes> {
        control::serve(&self.platform, &self.sender, account, method, rest, body).await
    }
}
