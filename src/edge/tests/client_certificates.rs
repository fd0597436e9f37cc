//! Clients that show a certificate. In real time: paused time jumps to the handshake's limit
//! where the last flight is the client's and long.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};
use rustls::{
    ClientConfig, HandshakeKind, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsConnector;

use super::harness::{GET, TestEdge, after, ask, client_config, until_closed};
use crate::edge::metrics::Refusal;

/// Issues client certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(2100, 1, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Shop");
        params.distinguished_name.push(DnType::CommonName, "ci");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_after = date_time_ymd(2100, 1, 1);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

/// Believes the certificates of `authorities` from now on.
fn ask_clients_of(edge: &TestEdge, authorities: &[&Authority]) -> PathBuf {
    let path = edge.ca_file().with_file_name("clients.pem");
    let pem: String = authorities.iter().map(|authority| authority.pem.as_str()).collect();
    fs::write(&path, pem).unwrap();
    let certificates = edge.shared.certificates().unwrap();
    certificates.ask(certificates.clients(Some(&path)).unwrap());
    path
}

fn showing(
    edge: &TestEdge,
    identity: Identity,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(edge.ca()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(identity.0, identity.1)
        .unwrap()
}

/// Says what the edge knows of the certificate, and which kind of handshake there was.
async fn shown(
    edge: &TestEdge,
    config: &Arc<ClientConfig>,
) -> std::io::Result<(String, HandshakeKind)> {
    let connector = TlsConnector::from(Arc::clone(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = connector.connect(name, edge.tcp().await).await?;
    let answer = ask(&mut tls, b"GET /certificate HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let body = answer.rsplit("\r\n").next().unwrap_or_default().to_owned();
    Ok((body, tls.get_ref().1.handshake_kind().unwrap()))
}

/// Whether the edge ends the connection instead of answering.
async fn is_refused(edge: &TestEdge, config: ClientConfig) -> bool {
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    // In TLS 1.3 a client believes that it is through before its certificate was looked at.
    match connector.connect(name, edge.tcp().await).await {
        Ok(mut tls) => {
            let _ = tls.write_all(GET).await;
            until_closed(&mut tls).await.0.is_empty()
        }
        Err(_) => true,
    }
}

#[tokio::test]
async fn a_certificate_is_verified_and_none_is_as_good_as_before() {
    let edge = TestEdge::https().await;
    let ours = Authority::new("ours");
    ask_clients_of(&edge, &[&Authority::new("another"), &ours]);
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(showing(&edge, ours.issue(|_| {}), version));
        let (said, kind) = shown(&edge, &config).await.unwrap();
        assert_eq!((said.as_str(), kind), (r#"Some(Ok("CN=ci,O=Shop"))"#, HandshakeKind::Full));
    }
    let nameless = ours.issue(|params| params.distinguished_name = DistinguishedName::new());
    let config = Arc::new(showing(&edge, nameless, &TLS13));
    assert_eq!(shown(&edge, &config).await.unwrap().0, "Some(Err(Empty))");
    let silent = Arc::new(client_config(edge.ca()));
    assert_eq!(shown(&edge, &silent).await.unwrap().0, "None");
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_ends_the_handshake_and_is_counted() {
    let edge = TestEdge::https().await;
    let ours = Authority::new("ours");
    ask_clients_of(&edge, &[&ours]);
    // The name of the CA says nothing; its key does.
    let impostor = Authority::new("ours");
    let mut refused = 0;
    for identity in [
        Authority::new("foreign").issue(|_| {}),
        impostor.issue(|_| {}),
        ours.issue(|params| params.not_after = date_time_ymd(2020, 1, 1)),
        ours.issue(|params| params.not_before = date_time_ymd(2099, 1, 1)),
        ours.issue(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
    ] {
        for version in [&TLS12, &TLS13] {
            let identity = (identity.0.clone(), identity.1.clone_key());
            refused += 1;
            assert!(is_refused(&edge, showing(&edge, identity, version)).await, "{refused}");
        }
    }
    assert_eq!(edge.shared.metrics.refusals(Refusal::ClientCertificate), refused);
    assert_eq!(edge.shared.metrics.refusals(Refusal::Handshake), 0);
}

#[tokio::test]
async fn no_session_is_resumed_while_certificates_are_asked_for() {
    for version in [&TLS12, &TLS13] {
        let edge = TestEdge::https().await;
        let ours = Authority::new("ours");
        let config = Arc::new(showing(&edge, ours.issue(|_| {}), version));
        let kinds = async || {
            let first = shown(&edge, &config).await.unwrap().1;
            [first, shown(&edge, &config).await.unwrap().1]
        };
        assert_eq!(kinds().await, [HandshakeKind::Full, HandshakeKind::Resumed]);
        ask_clients_of(&edge, &[&ours]);
        // The first of these offers a ticket from before.
        assert_eq!(kinds().await, [HandshakeKind::Full, HandshakeKind::Full], "{version:?}");
        assert!(shown(&edge, &config).await.unwrap().0.contains("CN=ci"));
        let certificates = edge.shared.certificates().unwrap();
        certificates.ask(certificates.clients(None).unwrap());
        assert_eq!(kinds().await[1], HandshakeKind::Resumed, "as ever without client_ca");
        assert_eq!(shown(&edge, &config).await.unwrap().0, "None");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_changes_is_taken_up_and_a_bad_one_is_not() {
    let edge = TestEdge::https().await;
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let path = ask_clients_of(&edge, &[&ours]);
    let certificates = edge.shared.certificates().unwrap();
    let works = async |authority: &Authority| {
        !is_refused(&edge, showing(&edge, authority.issue(|_| {}), &TLS12)).await
    };
    assert!(works(&ours).await && !works(&other).await);
    for bad in ["", "-----BEGIN CERTIFICATE-----\nbroken"] {
        fs::write(&path, bad).unwrap();
        certificates.check_clients();
        assert!(works(&ours).await);
    }
    fs::remove_file(&path).unwrap();
    certificates.check_clients();
    assert!(works(&ours).await);
    let tasks = crate::base::tasks::Tasks::default();
    let clock = Arc::new(crate::base::clock::MovableClock::default());
    tasks.spawn(Arc::clone(certificates).watch(clock, tasks.clone()));
    fs::write(&path, &other.pem).unwrap();
    let begun = tokio::time::Instant::now();
    while !works(&other).await {
        after(Duration::from_millis(500)).await;
        assert!(begun.elapsed() < Duration::from_secs(6));
    }
    assert!(!works(&ours).await, "its CA was taken away");
    tasks.shutdown().await;
}
