//! The certificate that is shown to clients.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::CertificateDer;

use super::{
    CaEvent, Clients, TlsError,
    files::{self, Stamp},
    local_ca::fingerprint,
    self_signed,
    server_config::server_config,
};
use crate::{
    base::{
        chain::Chain,
        clock::{SharedClock, unix_ms},
        tasks::Tasks,
    },
    config::model::Tls,
};

/// Shows one certificate to every client, whatever name it asks for: whether the name fits
/// the request is the front door's question. Swapped while connections live.
#[derive(Debug)]
pub struct Certificates {
    shown: Arc<Shown>,
    /// Asks no client for a certificate. Kept while another is in service: its tickets live.
    open: Arc<ServerConfig>,
    clients: ArcSwap<Clients>,
    source: ArcSwap<Source>,
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

/// Where the certificate came from, and what is worth telling of it.
#[derive(Debug)]
struct Source {
    tls: Tls,
    hosts: Vec<String>,
    ca: Option<CertificateDer<'static>>,
    stamp: Stamp,
}

impl Certificates {
    /// Reads the certificate, or makes one.
    ///
    /// # Errors
    /// [`TlsError`]: there is none to serve.
    pub fn open(
        tls: &Tls,
        hosts: &[String],
        now: SystemTime,
    ) -> Result<(Arc<Self>, CaEvent), TlsError> {
        let (source, certified, event) = read(tls, hosts, now)?;
        let shown = Arc::new(Shown(ArcSwap::new(certified)));
        let open = server_config(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>)?;
        let clients = ArcSwap::from_pointee(Clients::nobody(Arc::clone(&open)));
        let source = ArcSwap::from_pointee(source);
        Ok((Arc::new(Self { shown, open, clients, source }), event))
    }

    /// Reads the bundle of `[tls] client_ca`; nothing changes until [`Certificates::ask`].
    ///
    /// # Errors
    /// [`TlsError`]: nobody's certificate could be verified with it.
    pub fn clients(&self, client_ca: Option<&Path>) -> Result<Clients, TlsError> {
        match client_ca {
            Some(path) => Clients::read(path, Arc::clone(&self.shown) as _),
            None => Ok(Clients::nobody(Arc::clone(&self.open))),
        }
    }

    /// From now on these clients' certificates are believed. What an open connection has shown
    /// stays verified for as long as it lives.
    pub fn ask(&self, clients: Clients) {
        self.clients.store(Arc::new(clients));
    }

    /// Reads again, from a new place or with new hosts. Connections that are open stay. Reads
    /// files and may make keys, some milliseconds in all: not for a thread that serves.
    ///
    /// # Errors
    /// [`TlsError`]: the old certificate is still shown.
    pub fn reload(
        &self,
        tls: &Tls,
        hosts: &[String],
        now: SystemTime,
    ) -> Result<CaEvent, TlsError> {
        let (source, certified, event) = read(tls, hosts, now)?;
        self.shown.0.store(certified);
        self.source.store(Arc::new(source));
        Ok(event)
    }

    /// For the next handshake.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.clients.load().config)
    }

    /// Our CA's certificate as PEM; none when the certificate comes from files.
    #[must_use]
    pub fn ca_pem(&self) -> Option<String> {
        self.source.load().ca.as_ref().map(pem)
    }

    /// SHA-256 of our CA's certificate, `AA:BB:…`; none when the certificate comes from files.
    #[must_use]
    pub fn ca_fingerprint(&self) -> Option<String> {
        self.source.load().ca.as_ref().map(fingerprint)
    }

    /// Where our CA's certificate lies; none when the certificate comes from files.
    #[must_use]
    pub fn ca_path(&self) -> Option<PathBuf> {
        match &self.source.load().tls {
            Tls::SelfSigned { dir } => Some(dir.join("ca.pem")),
            Tls::Files { .. } => None,
        }
    }

    /// The end of the certificate that is shown, in seconds since 1970.
    #[must_use]
    pub fn not_after(&self) -> Option<i64> {
        files::not_after(self.shown.0.load().cert.first()?)
    }

    /// Looks after the certificate until `tasks` stop: files are read again when they change,
    /// our own certificate is renewed before it ends.
    pub async fn watch(self: Arc<Self>, clock: SharedClock, tasks: Tasks) {
        let mut next_renewal = tokio::time::Instant::now() + RENEWAL_EVERY;
        loop {
            tokio::select! {
                () = tokio::time::sleep(POLL_EVERY) => {}
                () = tasks.stopping() => return,
            }
            let own = matches!(self.source.load().tls, Tls::SelfSigned { .. });
            let is_quiet = own && tokio::time::Instant::now() < next_renewal;
            if is_quiet && self.clients.load().path.is_none() {
                continue;
            }
            if !is_quiet {
                next_renewal = tokio::time::Instant::now() + RENEWAL_EVERY;
            }
            let this = Arc::clone(&self);
            let now = clock.now();
            let look = move || {
                this.check_clients();
                if !is_quiet {
                    this.check(now);
                }
            };
            // Files and key generation: not on the runtime's own threads.
            if tokio::task::spawn_blocking(look).await.is_err() {
                tracing::error!("the certificate check panicked; the certificate stays as it is");
            }
        }
    }

    #[cfg(test)]
    pub(super) fn shown(&self) -> Arc<CertifiedKey> {
        self.shown.0.load_full()
    }

    /// One look at the bundle of the clients' CAs. A bad one is logged, once for each change,
    /// and the last good one stays.
    pub(in crate::edge) fn check_clients(&self) {
        let before = self.clients.load_full();
        let Some(changed) = before.changed(Arc::clone(&self.shown) as _) else { return };
        let now = match changed {
            Ok(clients) => {
                tracing::info!("client certificates are verified with the new client_ca");
                clients
            }
            Err((error, seen)) => {
                tracing::warn!(
                    error = %Chain(&error),
                    "the new client_ca is not usable; the last good one stays in service"
                );
                seen
            }
        };
        // A reload that came in between knows better.
        self.clients.compare_and_swap(&before, Arc::new(now));
    }

    /// One look at the source. A bad pair of files is logged, once for each change, and the
    /// last good one stays.
    pub(super) fn check(&self, now: SystemTime) {
        let source = self.source.load_full();
        if let Tls::Files { cert, key } = &source.tls {
            let stamp = Stamp::of(cert, key);
            if stamp == source.stamp {
                return;
            }
            // Even if reading fails: the same bad files are not read and logged again.
            self.source.store(Arc::new(Source { stamp, ..source.clone_parts() }));
        }
        let before = self.shown.0.load_full();
        match self.reload(&source.tls, &source.hosts, now) {
            Ok(CaEvent::Replaced { reason, old }) => tracing::warn!(
                fingerprint = self.ca_fingerprint(), old = %old.display(),
                "made a new CA ({reason}); clients have to trust it again: /-/ca.pem"
            ),
            Ok(CaEvent::NotOurs | CaEvent::Kept | CaEvent::Made) => {
                if before.cert != self.shown.0.load().cert {
                    tracing::info!(not_after = self.not_after(), "serving a new certificate");
                }
            }
            Err(error) => tracing::warn!(
                error = %Chain(&error),
                "the new certificate is not usable; the last good one stays in service"
            ),
        }
    }
}

/// A certificate in the form that people save.
pub(super) fn pem(cert: &CertificateDer<'_>) -> String {
    let text = BASE64_STANDARD.encode(cert);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

impl Source {
    fn clone_parts(&self) -> Self {
        Self {
            tls: self.tls.clone(),
            hosts: self.hosts.clone(),
            ca: self.ca.clone(),
            stamp: self.stamp.clone(),
        }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn read(
    tls: &Tls,
    hosts: &[String],
    now: SystemTime,
) -> Result<(Source, Arc<CertifiedKey>, CaEvent), TlsError> {
    let (certified, ca, event, stamp) = match tls {
        Tls::SelfSigned { dir } => {
            let made = self_signed::prepare(dir, hosts, now)?;
            (made.certified, Some(made.ca), made.event, Stamp::default())
        }
        Tls::Files { cert, key } => {
            // Before reading: a change in between is then seen at the next look.
            let stamp = Stamp::of(cert, key);
            let certified = files::load(cert, key)?;
            warn_of_its_end(&certified, now);
            (certified, None, CaEvent::NotOurs, stamp)
        }
    };
    let source = Source { tls: tls.clone(), hosts: hosts.to_vec(), ca, stamp };
    Ok((source, certified, event))
}

/// A certificate that has ended is served nevertheless: clients say so more clearly than a
/// gateway that does not start.
fn warn_of_its_end(certified: &CertifiedKey, now: SystemTime) {
    let Some(end) = certified.cert.first().and_then(files::not_after) else { return };
    let now = unix_ms(now) / 1000;
    if end <= now {
        tracing::warn!(not_after = end, "the certificate has ended: clients will refuse it");
    } else if end - now < 7 * 86_400 {
        tracing::warn!(not_after = end, "the certificate ends within a week");
    }
}

/// How often the files are looked at.
const POLL_EVERY: Duration = Duration::from_secs(5);
/// How often the end of our own certificate is looked at.
const RENEWAL_EVERY: Duration = Duration::from_secs(86_400);
