//! The one door to a credential's text is guarded: only these files may write `expose()`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{fs, path::Path};

/// Each with its reason.
const MAY_EXPOSE: &[(&str, &str)] = &[
    ("src/base/secret.rs", "defines it"),
    ("src/base/redact.rs", "must know a secret to hide it"),
    ("src/proxy/inject.rs", "puts the credential into the upstream request"),
    ("src/proxy/answer.rs", "hands a ticket to the page that asked for it"),
    ("src/token/", "asks the issuer, seals tokens"),
    ("src/access/", "shows a new key once, compares keys"),
    ("src/config/", "reads secrets from where the file says, and checks their shape"),
    ("src/wechat/crypto.rs", "signs and encrypts"),
    ("src/wechat/push_crypto.rs", "signs pushes and reads their key"),
    (
        "src/sandbox/push/config.rs",
        "shows made-up keys of a simulated app once, and keeps them in its state",
    ),
    ("src/cli/", "prints a new key once, to the person who asked for it"),
    (
        "src/control/",
        "hands a new key to the command line, over a socket that only the owner opens",
    ),
];

#[test]
fn only_the_listed_files_open_a_secret() {
    let mut wrong = Vec::new();
    visit(Path::new("src"), &mut |path, text| {
        let name = path.to_string_lossy().replace('\\', "/");
        if text.contains(".expose()")
            && !MAY_EXPOSE.iter().any(|(allowed, _)| name.starts_with(allowed))
        {
            wrong.push(name);
        }
    });
    assert!(wrong.is_empty(), "these files open a secret and are not on the list: {wrong:?}");
}

#[test]
fn nothing_derives_a_way_to_print_a_secret() {
    let text = fs::read_to_string("src/base/secret.rs").unwrap();
    assert!(
        !text.contains("derive(Debug, Clone)]\npub struct Secret")
            && !text.contains("impl fmt::Display for Secret")
    );
    assert!(!text.contains("Serialize for Secret"));
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
