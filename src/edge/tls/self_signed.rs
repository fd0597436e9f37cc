//! The folder with our own CA and the certificate made from it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::KeyPair;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::{
    TlsError, files,
    local_ca::LocalCa,
    pem_file::{self, Privacy},
    server_config::verify,
};
use crate::base::clock::unix_ms;

/// What became of the CA, for whoever has to trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaEvent {
    /// There is none: the certificate comes from files.
    NotOurs,
    /// The one that was there.
    Kept,
    /// The first one: clients have to trust it.
    Made,
    /// A new one in place of the old: clients have to trust the new one.
    Replaced {
        /// Why the old one would not do.
        reason: String,
        /// Where it lies now.
        old: PathBuf,
    },
}

/// A folder with everything in it good for the hosts asked for.
pub(super) struct Prepared {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) ca: CertificateDer<'static>,
    pub(super) event: CaEvent,
}

/// Makes what is missing in `dir`, ended, ends within [`RENEW_BEFORE`] or lacks a host, and
/// nothing else: the CA stays as long as it can, because people trusted it by hand.
pub(super) fn prepare(dir: &Path, hosts: &[String], now: SystemTime) -> Result<Prepared, TlsError> {
    if hosts.is_empty() {
        return Err(TlsError::NoHosts);
    }
    let folder = Folder::new(dir);
    let unfit = match folder.read_ca(now)? {
        Found::Good(ca) => match folder.leaf_from(&ca, hosts, now)? {
            Ok(certified) => {
                return Ok(Prepared { certified, ca: ca.cert, event: CaEvent::Kept });
            }
            Err(reason) => Some(reason),
        },
        Found::Unfit(reason) => Some(reason),
        Found::Nothing => None,
    };
    pem_file::make_dir(dir)?;
    let event = match unfit {
        Some(reason) => CaEvent::Replaced { reason, old: folder.set_ca_aside(now)? },
        None => CaEvent::Made,
    };
    let ca = folder.new_ca(hosts, now)?;
    let certified = folder.new_leaf(&ca, hosts, now)?;
    Ok(Prepared { certified, ca: ca.cert, event })
}

/// The four files; what is set aside gets other names.
struct Folder {
    ca: PathBuf,
    ca_key: PathBuf,
    cert: PathBuf,
    key: PathBuf,
    dir: PathBuf,
}

/// The CA in the folder, and why it may not do.
enum Found {
    Good(LocalCa),
    Unfit(String),
    Nothing,
}

impl Folder {
    fn new(dir: &Path) -> Self {
        let path = |name: &str| dir.join(name);
        Self {
            ca: path("ca.pem"),
            ca_key: path("ca-key.pem"),
            cert: path("cert.pem"),
            key: path("key.pem"),
            dir: dir.to_owned(),
        }
    }

    fn read_ca(&self, now: SystemTime) -> Result<Found, TlsError> {
        let cert = pem_file::read_if_there(&self.ca, Privacy::Public)?;
        let key = pem_file::read_if_there(&self.ca_key, Privacy::Secret)?;
        let Some(cert) = cert else {
            return Ok(match key {
                Some(_) => Found::Unfit("ca.pem is missing".to_owned()),
                None => Found::Nothing,
            });
        };
        let Some(cert) = files::chain(&self.ca, &cert).ok().and_then(|c| c.into_iter().next())
        else {
            return Ok(Found::Unfit("ca.pem holds no certificate".to_owned()));
        };
        let soon = unix_ms(now + RENEW_BEFORE) / 1000;
        if files::not_after(&cert).is_none_or(|end| end < soon) {
            return Ok(Found::Unfit("the old CA has ended or soon will".to_owned()));
        }
        // Somebody may keep the key elsewhere; it is needed again only for the next leaf.
        let key = key.and_then(|pem| KeyPair::from_pem(&String::from_utf8(pem).ok()?).ok());
        Ok(Found::Good(LocalCa { cert, key }))
    }

    /// The leaf that is there, or a new one; the reason when this CA cannot make one.
    fn leaf_from(
        &self,
        ca: &LocalCa,
        hosts: &[String],
        now: SystemTime,
    ) -> Result<Result<Arc<CertifiedKey>, String>, TlsError> {
        if let Some(certified) = self.good_leaf(ca, hosts, now)? {
            return Ok(Ok(certified));
        }
        if ca.key.is_none() {
            return Ok(Err("ca-key.pem is missing or broken".to_owned()));
        }
        if let Some(host) = beyond(ca, hosts, now)? {
            return Ok(Err(format!("the old CA cannot vouch for {host}")));
        }
        self.new_leaf(ca, hosts, now).map(Ok)
    }

    /// The leaf that is there, if clients will accept it for every host, for a while yet.
    fn good_leaf(
        &self,
        ca: &LocalCa,
        hosts: &[String],
        now: SystemTime,
    ) -> Result<Option<Arc<CertifiedKey>>, TlsError> {
        let certified = match files::load(&self.cert, &self.key) {
            Ok(certified) => certified,
            Err(error @ TlsError::Exposed { .. }) => return Err(error),
            Err(_) => return Ok(None),
        };
        Ok(unverified(ca, &certified, hosts, now).is_none().then_some(certified))
    }

    /// The key first: a certificate whose key was lost in a crash would have to be trusted
    /// for nothing.
    fn new_ca(&self, hosts: &[String], now: SystemTime) -> Result<LocalCa, TlsError> {
        let (ca, issued) = LocalCa::make(hosts, now)?;
        pem_file::write(&self.ca_key, issued.key_pem.as_bytes(), Privacy::Secret)?;
        pem_file::write(&self.ca, issued.cert_pem.as_bytes(), Privacy::Public)?;
        Ok(ca)
    }

    fn new_leaf(
        &self,
        ca: &LocalCa,
        hosts: &[String],
        now: SystemTime,
    ) -> Result<Arc<CertifiedKey>, TlsError> {
        let issued = ca.issue(hosts, now)?;
        let chain = files::chain(&self.cert, issued.cert_pem.as_bytes())?;
        for (host, leaf) in hosts.iter().zip(chain.iter().cycle()) {
            verify(&ca.cert, leaf, host, now)
                .map_err(|source| TlsError::Unverified { host: host.clone(), source })?;
        }
        pem_file::write(&self.key, issued.key_pem.as_bytes(), Privacy::Secret)?;
        pem_file::write(&self.cert, issued.cert_pem.as_bytes(), Privacy::Public)?;
        files::load(&self.cert, &self.key)
    }

    /// Where the old certificate lies afterwards.
    fn set_ca_aside(&self, now: SystemTime) -> Result<PathBuf, TlsError> {
        let day = jiff::Timestamp::try_from(now)
            .map(|now| now.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default();
        let name = |kind: &str, n: u32| match n {
            1 => self.dir.join(format!("{kind}-{day}.pem")),
            _ => self.dir.join(format!("{kind}-{day}-{n}.pem")),
        };
        let free = (1..1000)
            .find(|&n| !name("ca", n).exists() && !name("ca-key", n).exists())
            .unwrap_or(1000);
        pem_file::set_aside(&self.ca_key, &name("ca-key", free))?;
        pem_file::set_aside(&self.ca, &name("ca", free))?;
        Ok(name("ca", free))
    }
}

/// The first host that the CA's name constraints leave out. Asked one by one, because a
/// certificate with one name too many is good for none.
fn beyond(ca: &LocalCa, hosts: &[String], now: SystemTime) -> Result<Option<String>, TlsError> {
    for host in hosts {
        let issued = ca.issue(std::slice::from_ref(host), now)?;
        let chain = files::chain(Path::new(host), issued.cert_pem.as_bytes())?;
        if chain.first().is_none_or(|leaf| verify(&ca.cert, leaf, host, now).is_err()) {
            return Ok(Some(host.clone()));
        }
    }
    Ok(None)
}

/// The first host that a client would not accept, now or in [`RENEW_BEFORE`].
fn unverified(
    ca: &LocalCa,
    certified: &CertifiedKey,
    hosts: &[String],
    now: SystemTime,
) -> Option<String> {
    let Some(leaf) = certified.cert.first() else { return Some(String::new()) };
    let good = |host: &str, at| verify(&ca.cert, leaf, host, at).is_ok();
    hosts.iter().find(|host| !good(host, now) || !good(host, now + RENEW_BEFORE)).cloned()
}

/// When a certificate is renewed, counted back from its end.
pub(super) const RENEW_BEFORE: Duration = Duration::from_secs(30 * 86_400);
