//! What a verified client certificate says of its holder.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;

use crate::base::subject::{BadSubject, Subject};

/// Of a connection whose handshake verified a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Whom it names; none that a key can be bound to where it names nobody.
    pub subject: Result<Subject, BadSubject>,
    /// The certificate's end. The connection may outlive it.
    pub not_after: SystemTime,
}

impl ClientCertificate {
    /// Reads the leaf, after it was verified; none when it cannot be read, although webpki
    /// could.
    pub(super) fn read(leaf: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
        let end_s = u64::try_from(parsed.validity().not_after.timestamp()).ok()?;
        Some(Self {
            subject: Subject::of(parsed.subject()),
            not_after: UNIX_EPOCH.checked_add(Duration::from_secs(end_s))?,
        })
    }
}
