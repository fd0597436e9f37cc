//! Client certificates: who is let in by one, who is not, and what ends it.

use std::fs;

use http::Method;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};

use crate::{
    support::{
        Client, Gateway,
        client::{Identity, Speak},
        eventually,
        gateway::{Builder, DEMO},
    },
    tools::{base_url, text, tool},
};

const CALL: &str = "/cgi-bin/getcallbackip";

/// Issues client certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "clients of the shop");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Shop");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

/// A gateway that believes certificates of `authority`, with these tables besides.
async fn gateway(authority: &Authority, tables: &str) -> Gateway {
    Builder::new(&format!("[tls]\nclient_ca = \"clients.pem\"\n{tables}{DEMO}"))
        .secret_file("clients.pem", &authority.pem)
        .start()
        .await
}

fn showing(gateway: &Gateway, identity: &Identity) -> Client {
    let ca = fs::read(gateway.folder().join("certs/ca.pem")).unwrap();
    gateway.client.with_certificate(&ca, identity)
}

#[tokio::test]
async fn a_bound_certificate_is_its_key_on_both_protocols() {
    let ours = Authority::new();
    let gateway = gateway(&ours, "").await;
    let made = gateway.cli_json(&["key", "create", "ci", "--subject", "cn=ci,o=Shop"]);
    assert_eq!(made["subject"], "CN=ci,O=Shop");
    let ci = showing(&gateway, &ours.issue("ci"));
    for speak in [Speak::Http1, Speak::Http2] {
        let mut session = ci.session(speak).await;
        for _ in 0..2 {
            let reply = session.send(ci.request(Method::GET, CALL, "")).await.unwrap();
            assert_eq!((reply.status.as_u16(), reply.errcode()), (200, 0), "{}", reply.text());
        }
    }
    assert_eq!(ci.get(&format!("{CALL}?access_token=ACCESS_TOKEN")).await.errcode(), 0);
    // The key of the same name opens as ever, alone and beside its certificate.
    let key = made["key"].as_str().unwrap();
    assert_eq!(gateway.client.with_key(key).get(CALL).await.errcode(), 0);
    assert_eq!(ci.with_key(key).get(CALL).await.errcode(), 0);
    let list = text(&gateway.cli(&["key", "list"]));
    assert!(list.contains("subject=CN=ci,O=Shop"), "{list}");
}

#[tokio::test]
async fn a_stranger_s_certificate_ends_the_handshake() {
    let ours = Authority::new();
    let gateway = gateway(&ours, "").await;
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    let foreign = showing(&gateway, &Authority::new().issue("ci"));
    for speak in [Speak::Http1, Speak::Http2] {
        assert!(!answers(&foreign, speak).await);
    }
    assert_eq!(gateway.client.get(CALL).await.errcode(), 0, "who shows none needs none");
    let told = || gateway.log().contains("refused a client certificate from 127.0.0.1");
    eventually("the log tells what the client cannot see", || async { told() }).await;
    assert!(!gateway.log().contains("no TLS with"), "that is for the level debug");
}

/// Whether a request over a new connection gets an answer.
async fn answers(client: &Client, speak: Speak) -> bool {
    let Ok(mut session) = client.try_session(speak).await else { return false };
    session.send(client.request(Method::GET, CALL, "")).await.is_ok()
}

#[tokio::test]
async fn a_certificate_that_is_bound_to_no_key_says_how_to_bind_it() {
    let ours = Authority::new();
    let gateway = gateway(&ours, "").await;
    let nobody = showing(&gateway, &ours.issue("some one"));
    let reply = nobody.get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "key_missing"));
    let hint = reply.json()["wxgate"]["hint"].as_str().unwrap().to_owned();
    let command = "wxgate key create NAME --subject 'CN=some one,O=Shop'";
    assert!(hint.contains(command), "{hint}");
    let key = gateway.client.key.clone().unwrap();
    assert_eq!(nobody.with_key(&key).get(CALL).await.errcode(), 0, "its key is enough");
    gateway.cli_json(&["key", "create", "someone", "--subject", "CN=some one,O=Shop"]);
    assert_eq!(nobody.get(CALL).await.errcode(), 0);
}

#[tokio::test]
async fn a_certificate_and_the_key_of_another_are_ambiguous() {
    let ours = Authority::new();
    let gateway = gateway(&ours, "").await;
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    let ci = showing(&gateway, &ours.issue("ci"));
    let other = gateway.key("other", &[]).key.unwrap();
    let reply = ci.with_key(&other).get(CALL).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "ambiguous_key"));
    let reply = ci.with_key("wxgk_short").get(CALL).await;
    assert_eq!(reply.code(), "key_malformed", "a bad key is no reason to look further");
    let refused = gateway.cli(&["key", "create", "cd", "--subject", "CN=ci,O=Shop"]);
    let said = text(&refused);
    assert!(!refused.status.success() && said.contains("`ci`") && said.contains("`cd`"), "{said}");
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_the_next_request_of_the_same_connection() {
    let ours = Authority::new();
    let gateway = gateway(&ours, "").await;
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    let ci = showing(&gateway, &ours.issue("ci"));
    for speak in [Speak::Http1, Speak::Http2] {
        let mut session = ci.session(speak).await;
        let ask = || ci.request(Method::GET, CALL, "");
        assert_eq!(session.send(ask()).await.unwrap().errcode(), 0);
        gateway.cli_json(&["key", "rotate", "ci"]);
        assert_eq!(session.send(ask()).await.unwrap().errcode(), 0, "rotation keeps the subject");
        gateway.cli_json(&["key", "revoke", "ci"]);
        let reply = session.send(ask()).await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "key_revoked"));
        gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
        assert_eq!(session.send(ask()).await.unwrap().errcode(), 0);
    }
}

#[tokio::test]
async fn headers_tell_no_certificate_and_other_sites_may_not_use_the_browser_s() {
    let ours = Authority::new();
    let gateway = gateway(&ours, "").await;
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    let stranger = gateway.client.without_key();
    let mut request = stranger.request(Method::GET, CALL, "");
    for name in ["x-ssl-client-s-dn", "ssl-client-subject-dn", "x-forwarded-client-cert"] {
        request.headers_mut().insert(name, "CN=ci,O=Shop".parse().unwrap());
    }
    assert_eq!(stranger.send(Speak::Http1, request).await.code(), "key_missing");
    let ci = showing(&gateway, &ours.issue("ci"));
    let mut request = ci.request(Method::POST, CALL, "");
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    let reply = ci.send(Speak::Http1, request).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "key_missing"));
    assert!(reply.text().contains("another site"), "{}", reply.text());
}

#[tokio::test]
async fn a_key_of_the_file_needs_no_hash_and_a_taken_subject_is_refused_by_reload() {
    let ours = Authority::new();
    let gateway =
        gateway(&ours, "[[key]]\nname = \"robot\"\nsubject = \"CN=robot,O=Shop\"\n").await;
    let robot = showing(&gateway, &ours.issue("robot"));
    assert_eq!(robot.get(CALL).await.errcode(), 0);
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    let file = gateway.folder().join("proxy.toml");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, before.replace("CN=robot", "CN=ci")).unwrap();
    let refused = gateway.cli(&["reload"]);
    let said = text(&refused);
    assert!(
        !refused.status.success() && said.contains("`ci`") && said.contains("`robot`"),
        "{said}"
    );
    assert_eq!(robot.get(CALL).await.errcode(), 0, "the old configuration stays");
}

#[tokio::test]
async fn a_ca_that_is_taken_away_vouches_for_nobody_from_then_on() {
    let (ours, other) = (Authority::new(), Authority::new());
    let gateway = gateway(&ours, "").await;
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    let ci = showing(&gateway, &ours.issue("ci"));
    assert!(answers(&ci, Speak::Http1).await);
    let (folder, file) = (gateway.folder(), gateway.folder().join("proxy.toml"));
    fs::write(folder.join("clients.pem"), ours.issue("ci").certificate).unwrap();
    let said = text(&gateway.cli(&["reload"]));
    assert!(said.contains("proxy.toml:") && said.contains("is no CA"), "{said}");
    assert!(answers(&ci, Speak::Http1).await, "the old bundle stays");
    fs::write(folder.join("clients.pem"), &other.pem).unwrap();
    assert!(gateway.cli(&["reload"]).status.success());
    assert!(!answers(&ci, Speak::Http1).await);
    assert!(answers(&showing(&gateway, &other.issue("ci")), Speak::Http1).await);
    let without = fs::read_to_string(&file).unwrap().replace("client_ca = \"clients.pem\"\n", "");
    fs::write(&file, without).unwrap();
    assert!(gateway.cli(&["reload"]).status.success());
    assert_eq!(ci.get(CALL).await.code(), "key_missing", "nobody asks for it now");
}

#[tokio::test]
async fn the_bundle_is_read_again_when_its_file_changes() {
    let (ours, other) = (Authority::new(), Authority::new());
    let gateway = gateway(&ours, "").await;
    gateway.cli_json(&["key", "create", "ci", "--subject", "CN=ci,O=Shop"]);
    fs::write(gateway.folder().join("clients.pem"), &other.pem).unwrap();
    let newcomer = showing(&gateway, &other.issue("ci"));
    eventually("the new CA is believed", || answers(&newcomer, Speak::Http1)).await;
    assert!(!answers(&showing(&gateway, &ours.issue("ci")), Speak::Http1).await);
}

/// The commands of the README, as they stand there.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_openssl_commands_make_a_certificate_that_curl_gets_in_with() {
    let Some(curl) = tool("WXGATE_TEST_CURL", "curl", &["--version"]) else { return };
    let Some(_) = tool("WXGATE_TEST_OPENSSL", "openssl", &["version"]) else { return };
    let gateway = gateway(&Authority::new(), "").await;
    let readme = include_str!("../../README.md");
    let chapter = readme.split("### Client certificates").nth(1).unwrap();
    let script = chapter.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let run = |script: &str| {
        let output = std::process::Command::new("sh")
            .args(["-euc", script])
            .current_dir(gateway.folder())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    let made = run(script);
    let subject = made.lines().find_map(|line| line.strip_prefix("subject=")).unwrap();
    assert_eq!(subject, "CN=ci,O=Shop");
    fs::rename(gateway.folder().join("certs/clients.pem"), gateway.folder().join("clients.pem"))
        .unwrap();
    assert!(gateway.cli(&["reload"]).status.success());
    gateway.cli_json(&["key", "create", "ci", "--account", "demo", "--subject", subject]);
    let url = format!("{}{CALL}", base_url(&gateway));
    for version in ["--http1.1", "--http2"] {
        let curl = curl.display();
        let answer = run(&format!(
            "{curl} -sS --fail-with-body --cacert certs/ca.pem --cert ci.pem --key ci-key.pem {version} {url}"
        ));
        assert!(answer.contains("ip_list"), "{answer}");
    }
}
