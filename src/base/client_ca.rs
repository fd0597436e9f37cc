//! The authorities whose client certificates are believed: a PEM bundle, understood.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::{
    CertificateDer, UnixTime,
    pem::{self, PemObject as _},
};

use super::subject::Subject;

/// One authority of a bundle.
#[derive(Clone, Debug)]
pub struct ClientCa {
    /// Its subject, for messages.
    pub name: String,
    /// It alone, as a verifier wants it.
    pub roots: Arc<RootCertStore>,
    not_before_s: i64,
    not_after_s: i64,
}

impl ClientCa {
    /// Whether it is valid at `now`. rustls does not ask this of an authority.
    #[must_use]
    pub fn is_valid_at(&self, now: UnixTime) -> bool {
        let valid = self.not_before_s..=self.not_after_s;
        i64::try_from(now.as_secs()).is_ok_and(|now| valid.contains(&now))
    }
}

/// Every authority of a bundle; at least one.
///
/// # Errors
/// [`BadBundle`]: the first thing that is wrong with it.
pub fn authorities_of(pem: &[u8]) -> Result<Vec<ClientCa>, BadBundle> {
    if memchr::memmem::find(pem, b" PRIVATE KEY-----").is_some() {
        return Err(BadBundle::HoldsKey);
    }
    let mut authorities = Vec::new();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let number = index + 1;
        if number > MOST {
            return Err(BadBundle::TooMany);
        }
        authorities.push(authority(number, &certificate.map_err(BadBundle::NotPem)?)?);
    }
    if authorities.is_empty() { Err(BadBundle::Empty) } else { Ok(authorities) }
}

fn authority(number: usize, der: &CertificateDer<'static>) -> Result<ClientCa, BadBundle> {
    let (_, parsed) = x509_parser::parse_x509_certificate(der)
        .map_err(|_| BadBundle::NotACertificate { number })?;
    let subject = Subject::of(parsed.subject());
    let name = subject.map_or_else(|_| "without a subject".to_owned(), |name| name.to_string());
    if !parsed.is_ca() {
        return Err(BadBundle::NotACa { number, name });
    }
    let validity = parsed.validity();
    let (not_before_s, not_after_s) =
        (validity.not_before.timestamp(), validity.not_after.timestamp());
    let mut roots = RootCertStore::empty();
    roots.add(der.clone()).map_err(|_| BadBundle::NotACertificate { number })?;
    Ok(ClientCa { name, roots: Arc::new(roots), not_before_s, not_after_s })
}

/// Why nobody's certificate could be verified against a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BadBundle {
    /// No certificate at all.
    #[error("it holds no PEM certificate")]
    Empty,
    /// A block that begins and does not end, or is no base64.
    #[error("a PEM block in it is broken")]
    NotPem(#[source] pem::Error),
    /// A block with something else in it.
    #[error("its certificate number {number} cannot be read")]
    NotACertificate {
        /// Counted from 1.
        number: usize,
    },
    /// A client's or a server's certificate.
    #[error("its certificate number {number} ({name}) is no CA")]
    NotACa {
        /// Counted from 1.
        number: usize,
        /// Its subject.
        name: String,
    },
    /// What signs certificates does not belong on this host.
    #[error("a private key stands in it")]
    HoldsKey,
    /// A public list of roots rather than one's own authorities.
    #[error("it holds more than {MOST} certificates")]
    TooMany,
}

/// Each is tried in turn by a handshake with a certificate, and named in every other.
pub const MOST: usize = 32;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(is_ca: bool) -> String {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "somebody");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_bundle_is_one_authority_or_more_and_each_has_its_time() {
        let text = format!("{}a comment\n{}", certificate(true), certificate(true));
        let bundle = authorities_of(text.as_bytes()).unwrap();
        assert_eq!((bundle.len(), bundle[0].name.as_str()), (2, "CN=somebody"));
        let at = |s| UnixTime::since_unix_epoch(Duration::from_secs(s));
        assert!(bundle[0].is_valid_at(at(1_700_000_000)));
        assert!(!bundle[0].is_valid_at(at(1_500_000_000)), "not yet");
        assert!(!bundle[0].is_valid_at(at(1_900_000_000)), "no longer");
    }

    #[test]
    fn a_bundle_that_verifies_nobody_is_refused_for_its_reason() {
        let (ca, leaf) = (certificate(true), certificate(false));
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        let other = "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n";
        for (text, says) in [
            (String::new(), "no PEM certificate"),
            ("hello".to_owned(), "no PEM certificate"),
            (broken.to_owned(), "broken"),
            (other.to_owned(), "number 1 cannot be read"),
            (format!("{ca}{leaf}"), "number 2 (CN=somebody) is no CA"),
            (format!("{ca}{key}"), "private key"),
            (ca.repeat(MOST + 1), "more than 32"),
        ] {
            let error = authorities_of(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
    }
}
