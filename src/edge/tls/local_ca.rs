//! A certificate authority for the names of this gateway.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::TlsError;

/// The CA's certificate, and its key while it is at hand.
pub(super) struct LocalCa {
    pub(super) cert: CertificateDer<'static>,
    pub(super) key: Option<KeyPair>,
}

/// A certificate with its key, as PEM.
pub(super) struct Issued {
    pub(super) cert_pem: String,
    pub(super) key_pem: String,
}

impl LocalCa {
    /// Makes a CA that can vouch for `hosts` and for nothing else, so that whoever steals its
    /// key cannot pose as any other site to those who trust it.
    pub(super) fn make(hosts: &[String], now: SystemTime) -> Result<(Self, Issued), TlsError> {
        let failed = |source| TlsError::Issue { hosts: hosts.join(", "), source };
        let key = new_key().map_err(failed)?;
        let mut params = CertificateParams::default();
        set_validity(&mut params, now, CA_LIFE);
        // The name differs from CA to CA: clients look for issuers by name.
        let tag = &fingerprint(&CertificateDer::from(key.public_key_raw().to_vec()))[..11];
        params.distinguished_name.push(DnType::CommonName, format!("wxgate local CA {tag}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(only(hosts));
        let cert = params.self_signed(&key).map_err(failed)?;
        let issued = Issued { cert_pem: cert.pem(), key_pem: key.serialize_pem() };
        Ok((Self { cert: cert.into(), key: Some(key) }, issued))
    }

    /// Makes a server certificate with a key of its own.
    pub(super) fn issue(&self, hosts: &[String], now: SystemTime) -> Result<Issued, TlsError> {
        let failed = |source| TlsError::Issue { hosts: hosts.join(", "), source };
        let ca_key = self.key.as_ref().ok_or(TlsError::NoCaKey)?;
        let issuer = Issuer::from_ca_cert_der(&self.cert, ca_key).map_err(failed)?;
        let key = new_key().map_err(failed)?;
        let mut params = CertificateParams::default();
        set_validity(&mut params, now, LEAF_LIFE);
        params.subject_alt_names = hosts.iter().map(|host| san(host)).collect::<Result<_, _>>()?;
        // Nothing that looks like a DNS name: OpenSSL holds it against the name constraints.
        params.distinguished_name.push(DnType::CommonName, "wxgate server");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let cert = params.signed_by(&key, &issuer).map_err(failed)?;
        Ok(Issued { cert_pem: cert.pem(), key_pem: key.serialize_pem() })
    }
}

/// SHA-256 of a certificate as `AA:BB:…`, the way browsers and `openssl x509` show it.
pub(super) fn fingerprint(cert: &CertificateDer<'_>) -> String {
    let digest = digest::digest(&digest::SHA256, cert);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// The same of the first certificate in a PEM file; none when there is no certificate in it.
#[must_use]
pub fn pem_fingerprint(pem: &[u8]) -> Option<String> {
    CertificateDer::pem_slice_iter(pem).next()?.ok().as_ref().map(fingerprint)
}

fn new_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
}

fn set_validity(params: &mut CertificateParams, now: SystemTime, life: Duration) {
    params.not_before = (now - SKEW).into();
    params.not_after = (now + life).into();
}

fn san(host: &str) -> Result<SanType, TlsError> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => host
            .try_into()
            .map(SanType::DnsName)
            .map_err(|_| TlsError::BadHost { host: host.to_owned() }),
    }
}

/// A kind of name without a permitted subtree is *un*constrained (RFC 5280 4.2.1.10), so a
/// kind that `hosts` does not use is excluded as a whole.
fn only(hosts: &[String]) -> NameConstraints {
    let addresses = || hosts.iter().filter_map(|host| host.parse::<IpAddr>().ok());
    let names = || hosts.iter().filter(|host| host.parse::<IpAddr>().is_err());
    let whole = |address: IpAddr| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
    };
    let permitted = names()
        .map(|name| GeneralSubtree::DnsName(name.clone()))
        .chain(addresses().map(whole))
        .collect();
    let mut excluded = Vec::new();
    if names().next().is_none() {
        excluded.push(GeneralSubtree::DnsName(String::new()));
    }
    if addresses().next().is_none() {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)));
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix([0; 16], 0)));
    }
    NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded }
}

const DAY: Duration = Duration::from_secs(86_400);
/// Every client has to trust a new CA by hand, so one lasts.
const CA_LIFE: Duration = Duration::from_secs(3650 * 86_400);
/// Apple refuses more than 825 days, and what is public more than 398.
/// Source: <https://support.apple.com/en-us/103769>, read 2026-11.
const LEAF_LIFE: Duration = Duration::from_secs(396 * 86_400);
/// A client's clock may be behind ours.
const SKEW: Duration = DAY;

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&host| host.to_owned()).collect()
    }

    #[test]
    fn a_kind_of_name_that_is_not_used_is_excluded_as_a_whole() {
        let both = only(&hosts(&["gw.example", "192.0.2.1", "::1"]));
        assert_eq!((both.permitted_subtrees.len(), both.excluded_subtrees.len()), (3, 0));
        let names = only(&hosts(&["gw.example"]));
        assert_eq!((names.permitted_subtrees.len(), names.excluded_subtrees.len()), (1, 2));
        let addresses = only(&hosts(&["192.0.2.1"]));
        assert_eq!(addresses.excluded_subtrees, [GeneralSubtree::DnsName(String::new())]);
    }

    #[test]
    fn a_fingerprint_is_32_pairs_of_capital_hex() {
        let text = fingerprint(&CertificateDer::from(b"x".to_vec()));
        assert!(text.starts_with("2D:71:16:42:") && text.len() == 95, "{text}");
    }

    #[test]
    fn without_the_key_nothing_is_issued_and_a_bad_host_is_named() {
        let now = SystemTime::UNIX_EPOCH + 20_000 * DAY;
        let (mut ca, _) = LocalCa::make(&hosts(&["gw.example"]), now).unwrap();
        assert!(matches!(ca.issue(&hosts(&["münchen"]), now), Err(TlsError::BadHost { .. })));
        ca.key = None;
        assert!(matches!(ca.issue(&hosts(&["gw.example"]), now), Err(TlsError::NoCaKey)));
    }
}
