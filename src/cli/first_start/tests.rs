//! The first screen.

use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

use super::*;
use crate::{access::KeyText, config::model::Account};

fn ready(public: &[&str], key: Option<KeyText>) -> Ready {
    Ready {
        event: "ready",
        public: public.iter().map(ToString::to_string).collect(),
        metrics: None,
        ca: Some("certs/ca.pem".into()),
        fingerprint: Some("AB:CD".into()),
        first_key: key,
        pid: 1,
        version: "0.1.0",
    }
}

fn config() -> Config {
    let mut config = Config::builtin(Path::new("/x"));
    config.server.language = Language::En;
    config
}

#[test]
fn the_first_screen_has_a_call_that_can_be_pasted_and_what_postman_wants() {
    let ready = ready(&["https://127.0.0.1:8443"], None);
    let shown = text(&ready, &config(), &FirstKey::Shown("wxgk_abc".into()));
    for part in [
        "wxgate 0.1.0 https://127.0.0.1:8443\n",
        "CA certs/ca.pem  SHA-256 AB:CD\n",
        "\nwxgk_abc\n",
        "\n  curl --cacert certs/ca.pem -H \"Authorization: Bearer wxgk_abc\" https://127.0.0.1:8443/cgi-bin/getcallbackip\n",
        "1. put https://127.0.0.1:8443 in place of https://api.weixin.qq.com",
        "2. Authorization → Bearer Token",
        "3. Settings → Certificates → CA Certificates: certs/ca.pem",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let again = text(&ready, &config(), &FirstKey::None);
    assert!(again.contains("wxgk_…") && !again.contains("Postman"), "{again}");
}

#[test]
fn several_accounts_and_odd_listeners_still_give_a_call_that_works() {
    let mut config = config();
    let demo = config.accounts[0].clone();
    config
        .accounts
        .push(Arc::new(Account { name: "shop".parse().unwrap(), ..Account::clone(&demo) }));
    config.server.hosts = vec!["wx.example.com".into(), "127.0.0.1".into()];
    let url = |public: &[&str]| {
        let ready = ready(public, None);
        curl(&ready, &config, &base_url(&ready.public, &config), "K")
    };
    let wanted = "https://wx.example.com:8443/@demo/cgi-bin/getcallbackip";
    assert!(url(&["http://127.0.0.1:8080", "https://0.0.0.0:8443"]).ends_with(wanted));
    assert!(
        url(&["https://[::]:443"]).ends_with(" https://wx.example.com/@demo/cgi-bin/getcallbackip")
    );
    assert!(url(&["https://10.0.0.9:8443"]).ends_with(wanted), "not among hosts");
    let plain = url(&["http://127.0.0.1:8080"]);
    assert!(
        plain.contains("http://127.0.0.1:8080/@demo") && !plain.contains("--cacert"),
        "{plain}"
    );
}

#[test]
fn a_key_that_nobody_sees_goes_into_a_file_of_the_owner() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("first-key"), "old").unwrap();
    let file = keep("wxgk_abc", dir.path()).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "wxgk_abc\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let ready = ready(&["https://127.0.0.1:8443"], None);
    let shown = text(&ready, &config(), &FirstKey::In(file.clone()));
    assert!(!shown.contains("wxgk_abc"), "{shown}");
    assert!(shown.contains(&format!("Bearer $(cat {})", file.display())), "{shown}");
}

#[test]
fn the_ready_line_has_the_documented_fields() {
    let key = KeyText::generate();
    let line = serde_json::to_value(ready(&["https://127.0.0.1:8443"], Some(key.clone()))).unwrap();
    assert_eq!(line["first_key"], key.reveal());
    for field in ["event", "public", "metrics", "ca", "fingerprint"] {
        assert!(line.get(field).is_some(), "{field}");
    }
}

#[test]
fn a_path_with_spaces_survives_the_shell() {
    assert_eq!(quoted("certs/ca.pem"), "certs/ca.pem");
    assert_eq!(quoted("/my dir/it's"), "'/my dir/it'\\''s'");
}
