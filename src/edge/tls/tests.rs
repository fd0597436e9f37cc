//! Certificates as real verifiers see them, and what happens when files change.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{CaEvent, Certificates, TlsError, local_ca::LocalCa, server_config::verify};
use crate::edge::tool::is_here;
use crate::{
    base::{clock::MovableClock, tasks::Tasks},
    config::model::Tls,
    edge::tests::harness::{after, now},
};

const DAY: Duration = Duration::from_secs(86_400);

fn hosts(list: &[&str]) -> Vec<String> {
    list.iter().map(|&host| host.to_owned()).collect()
}

fn own(dir: &Path) -> Tls {
    Tls::SelfSigned { dir: dir.to_owned() }
}

fn open(dir: &Path, names: &[&str], at: SystemTime) -> (Arc<Certificates>, CaEvent) {
    Certificates::open(&own(dir), &hosts(names), at).unwrap()
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

/// Writes a pair made by a CA of its own to `cert.pem` and `key.pem` of `dir`.
fn write_pair(dir: &Path, host: &str) -> (PathBuf, PathBuf) {
    let (ca, _) = LocalCa::make(&hosts(&[host]), now()).unwrap();
    let issued = ca.issue(&hosts(&[host]), now()).unwrap();
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    fs::write(&cert, issued.cert_pem).unwrap();
    super::pem_file::write(&key, issued.key_pem.as_bytes(), super::pem_file::Privacy::Secret)
        .unwrap();
    (cert, key)
}

fn shown(certificates: &Certificates) -> CertificateDer<'static> {
    certificates.shown().cert[0].clone()
}

#[test]
fn a_certificate_is_kept_as_long_as_it_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["localhost", "127.0.0.1", "::1"];
    let (first, event) = open(dir.path(), &names, now());
    assert_eq!(event, CaEvent::Made);
    let (second, event) = open(dir.path(), &names, now() + 300 * DAY);
    assert_eq!(event, CaEvent::Kept);
    assert_eq!(shown(&first), shown(&second));
    assert_eq!(first.ca_fingerprint(), second.ca_fingerprint());
    let pem = first.ca_pem().unwrap();
    assert_eq!(
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap(),
        certificate(&dir.path().join("ca.pem"))
    );
}

#[test]
fn a_leaf_that_ends_soon_or_lacks_a_host_of_the_ca_is_made_anew_by_the_same_ca() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = open(dir.path(), &["gw.example", "192.0.2.1"], now());
    let (renewed, event) = open(dir.path(), &["gw.example", "192.0.2.1"], now() + 367 * DAY);
    assert_eq!(event, CaEvent::Kept);
    assert_ne!(shown(&first), shown(&renewed));
    assert_eq!(first.ca_fingerprint(), renewed.ca_fingerprint());
    // A subdomain is within the constraints of the CA.
    let (_, event) = open(dir.path(), &["a.gw.example"], now());
    assert_eq!(event, CaEvent::Kept);
    fs::remove_file(dir.path().join("cert.pem")).unwrap();
    assert_eq!(open(dir.path(), &["gw.example"], now()).1, CaEvent::Kept);
    fs::write(dir.path().join("key.pem"), "garbage").unwrap();
    assert_eq!(open(dir.path(), &["gw.example"], now()).1, CaEvent::Kept);
}

#[test]
fn a_host_beyond_the_ca_makes_a_new_ca_and_keeps_the_old_files() {
    let dir = tempfile::tempdir().unwrap();
    let (old, _) = open(dir.path(), &["gw.example"], now());
    for added in ["192.0.2.1", "other.example", "192.0.2.2"] {
        let names = ["gw.example", added];
        let before = fs::read(dir.path().join("ca.pem")).unwrap();
        let (_, event) = open(dir.path(), &names, now());
        let CaEvent::Replaced { reason, old } = event else { panic!("{event:?}") };
        assert!(reason.contains(added), "{reason}");
        assert_eq!(fs::read(&old).unwrap(), before, "set aside as {}", old.display());
        assert_eq!(open(dir.path(), &names, now()).1, CaEvent::Kept);
    }
    let aside = fs::read_dir(dir.path()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("ca-key-")
    });
    assert_eq!(aside.count(), 3, "each old key has a name of its own");
    let event = old.reload(&own(dir.path()), &hosts(&["gw.example"]), now()).unwrap();
    assert_eq!(event, CaEvent::Kept);
}

#[test]
fn a_ca_that_has_ended_or_is_broken_is_replaced_and_a_lost_key_matters_only_later() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), &["gw.example"], now());
    let key = dir.path().join("ca-key.pem");
    fs::remove_file(&key).unwrap();
    assert_eq!(open(dir.path(), &["gw.example"], now()).1, CaEvent::Kept);
    let event = open(dir.path(), &["gw.example"], now() + 380 * DAY).1;
    assert!(matches!(&event, CaEvent::Replaced { reason, .. } if reason.contains("ca-key.pem")));
    fs::write(dir.path().join("ca.pem"), "garbage").unwrap();
    let event = open(dir.path(), &["gw.example"], now()).1;
    assert!(matches!(&event, CaEvent::Replaced { reason, .. } if reason.contains("ca.pem")));
    let event = open(dir.path(), &["gw.example"], now() + 3640 * DAY).1;
    assert!(matches!(&event, CaEvent::Replaced { reason, .. } if reason.contains("ended")));
}

#[test]
fn keys_are_for_their_owner_only_and_an_open_one_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), &["gw.example"], now());
    for (file, mode) in [("ca-key.pem", 0o600), ("key.pem", 0o600), ("ca.pem", 0o644)] {
        let found = fs::metadata(dir.path().join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{file}");
    }
    for file in ["ca-key.pem", "key.pem"] {
        let path = dir.path().join(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error =
            Certificates::open(&own(dir.path()), &hosts(&["gw.example"]), now()).unwrap_err();
        assert!(matches!(error, TlsError::Exposed { .. }), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_stolen_ca_key_vouches_for_no_other_name() {
    for (names, foreign) in [
        (&["gw.example"][..], "evil.example"),
        (&["gw.example"], "192.0.2.9"),
        (&["192.0.2.1"], "evil.example"),
        (&["192.0.2.1"], "192.0.2.9"),
        (&["192.0.2.1"], "2001:db8::9"),
        (&["gw.example", "192.0.2.1"], "evil.example"),
    ] {
        let (ca, _) = LocalCa::make(&hosts(names), now()).unwrap();
        let stolen = ca.issue(&hosts(&[foreign]), now()).unwrap();
        let leaf = CertificateDer::from_pem_slice(stolen.cert_pem.as_bytes()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ca.pem"), super::certificates::pem(&ca.cert)).unwrap();
        fs::write(dir.path().join("cert.pem"), &stolen.cert_pem).unwrap();
        assert!(verify(&ca.cert, &leaf, foreign, now()).is_err(), "{names:?} {foreign}");
        if is_here("openssl") {
            let said = openssl_verify(dir.path());
            assert!(!said.contains("cert.pem: OK") && said.contains("subtree"), "{said}");
        }
    }
}

/// The same verifier that curl and Python's `ssl` use.
fn openssl_verify(dir: &Path) -> String {
    let verified = Command::new("openssl")
        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "cert.pem"])
        .current_dir(dir)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[verified.stdout, verified.stderr].concat()).into_owned()
}

#[test]
fn openssl_accepts_the_certificate_with_strict_checks() {
    if !is_here("openssl") {
        return;
    }
    for names in [&["localhost", "127.0.0.1", "::1"][..], &["gw.example"], &["192.0.2.1"]] {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), names, now());
        assert_eq!(openssl_verify(dir.path()).trim(), "cert.pem: OK", "{names:?}");
    }
}

#[test]
fn files_are_served_and_a_pair_that_does_not_match_is_refused_by_name() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, key) = write_pair(one.path(), "one.example");
    let (_, other_key) = write_pair(other.path(), "other.example");
    let tls = |cert: &Path, key: &Path| Tls::Files { cert: cert.to_owned(), key: key.to_owned() };
    let (certificates, event) = Certificates::open(&tls(&cert, &key), &[], now()).unwrap();
    assert_eq!((event, certificates.ca_pem()), (CaEvent::NotOurs, None));
    assert_eq!(shown(&certificates), certificate(&cert));
    let refused =
        |cert: &Path, key: &Path| Certificates::open(&tls(cert, key), &[], now()).unwrap_err();
    assert!(matches!(refused(&cert, &other_key), TlsError::Mismatch { .. }));
    assert!(matches!(refused(&key, &key), TlsError::NotPem { expected: "certificate", .. }));
    assert!(matches!(refused(&cert, &cert), TlsError::Exposed { .. }), "it is 0644");
    let text = refused(&one.path().join("none.pem"), &key).to_string();
    assert!(text.contains("could not read") && text.contains("none.pem"), "{text}");
}

#[test]
fn a_broken_pair_keeps_the_last_good_one_and_a_good_one_takes_over() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = write_pair(dir.path(), "one.example");
    let tls = Tls::Files { cert: cert.clone(), key: key.clone() };
    let (certificates, _) = Certificates::open(&tls, &[], now()).unwrap();
    let first = shown(&certificates);
    fs::write(&cert, "-----BEGIN CERTIFICATE-----\nbroken").unwrap();
    certificates.check(now());
    assert_eq!(shown(&certificates), first);
    fs::remove_file(&key).unwrap();
    certificates.check(now());
    assert_eq!(shown(&certificates), first);
    // The certificate arrives before its key, as renewal tools do it.
    let fresh = tempfile::tempdir().unwrap();
    let (new_cert, new_key) = write_pair(fresh.path(), "two.example");
    fs::copy(&new_cert, &cert).unwrap();
    certificates.check(now());
    assert_eq!(shown(&certificates), first);
    fs::copy(&new_key, &key).unwrap();
    certificates.check(now());
    assert_eq!(shown(&certificates), certificate(&new_cert));
    assert!(certificates.reload(&own(fresh.path()), &[], now()).is_err(), "no hosts");
    assert_eq!(shown(&certificates), certificate(&new_cert));
}

#[tokio::test(start_paused = true)]
async fn the_watch_takes_up_new_files_within_seconds_and_renews_our_own() {
    let (files, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, key) = write_pair(files.path(), "one.example");
    let tls = Tls::Files { cert: cert.clone(), key };
    let (watched, _) = Certificates::open(&tls, &[], now()).unwrap();
    let (renewed, _) = open(ours.path(), &["gw.example"], now());
    let (clock, tasks) = (Arc::new(MovableClock::default()), Tasks::default());
    for certificates in [&watched, &renewed] {
        tasks.spawn(Arc::clone(certificates).watch(clock.clone(), tasks.clone()));
    }
    let (before, own_before) = (shown(&watched), shown(&renewed));
    write_pair(files.path(), "two.example");
    clock.advance(380 * DAY);
    let begun = tokio::time::Instant::now();
    while shown(&watched) == before {
        after(Duration::from_millis(100)).await;
        assert!(begun.elapsed() < Duration::from_secs(6));
    }
    while shown(&renewed) == own_before {
        after(Duration::from_secs(60)).await;
        assert!(begun.elapsed() < DAY + Duration::from_secs(120));
    }
    tasks.shutdown().await;
}
