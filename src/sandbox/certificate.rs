//! The sandbox's own CA with the certificate that it serves.

use std::{net::SocketAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::SandboxError;

/// Made at each start and never written to a disk.
pub(super) struct Certificate {
    /// For the trust store of whoever calls.
    pub(super) ca_der: CertificateDer<'static>,
    /// The same as text.
    pub(super) ca_pem: String,
    /// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN.
    pub(super) server: Arc<ServerConfig>,
}

/// A CA and a leaf for loopback, for `listen`, and for the platform's own names, so that a
/// client whose host name cannot be changed can be led here by a hosts file.
pub(super) fn make(listen: SocketAddr) -> Result<Certificate, SandboxError> {
    let (ca, leaf, leaf_key) = issue(listen).map_err(SandboxError::Certificate)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![leaf], key))
        .map_err(SandboxError::Tls)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Certificate { ca_der: ca.der().clone(), ca_pem: ca.pem(), server: Arc::new(server) })
}

type Issued = (CertifiedIssuer<'static, KeyPair>, CertificateDer<'static>, KeyPair);

fn issue(listen: SocketAddr) -> Result<Issued, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "wxgate sandbox CA");
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate_for(ALGORITHM)?)?;

    let mut names: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
    if !listen.ip().is_unspecified() && !names.contains(&listen.ip().to_string()) {
        names.push(listen.ip().to_string());
    }
    let mut params = CertificateParams::new(names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name.push(DnType::CommonName, "wxgate sandbox");
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate_for(ALGORITHM)?;
    let leaf = params.signed_by(&key, &ca)?;
    let leaf = leaf.der().clone();
    Ok((ca, leaf, key))
}

static ALGORITHM: &rcgen::SignatureAlgorithm = &PKCS_ECDSA_P256_SHA256;
const NAMES: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "::1",
    "api.weixin.qq.com",
    "api2.weixin.qq.com",
    "sh.api.weixin.qq.com",
    "sz.api.weixin.qq.com",
    "hk.api.weixin.qq.com",
];
