//! `[tls] client_ca`: whose client certificates are believed.

use std::path::PathBuf;

use crate::base::client_ca::{self, BadBundle, MOST};

use super::{
    field::Field,
    message::{Message, say},
    tls::existing_file,
};

/// The path of a bundle that can be used now. It is read again by whoever serves with it.
pub(super) fn read(field: &Field<'_>) -> Option<PathBuf> {
    let path = existing_file(field)?;
    match std::fs::read(&path) {
        Ok(pem) => match client_ca::authorities_of(&pem) {
            Ok(_) => Some(path),
            Err(error) => {
                let (message, advice) = words(&error);
                field.refused(message, Some(advice))
            }
        },
        Err(error) => {
            let cause = error.kind();
            let message = say!("读不到文件：{cause}", "the file cannot be read: {cause}");
            field.refused(message, None)
        }
    }
}

/// What is wrong with the file, and what to do.
fn words(error: &BadBundle) -> (Message, Message) {
    let zh = match error {
        BadBundle::Empty => "里面没有 PEM 证书".to_owned(),
        BadBundle::NotPem(_) => "里面的 PEM 不完整或已损坏".to_owned(),
        BadBundle::NotACertificate { number } => format!("第 {number} 个证书无法读取"),
        BadBundle::NotACa { number, name } => format!("第 {number} 个证书（{name}）不是 CA 证书"),
        BadBundle::HoldsKey => "里面有私钥".to_owned(),
        BadBundle::TooMany => format!("里面的证书超过 {MOST} 个"),
    };
    let advice = match error {
        BadBundle::Empty | BadBundle::NotPem(_) | BadBundle::NotACertificate { .. } => say!(
            "请写签发客户端证书的 CA 证书（PEM，可多个）",
            "name a PEM file with the certificates of the CAs that issue client certificates"
        ),
        BadBundle::NotACa { .. } => say!(
            "请放签发者的 CA 证书，不是客户端证书；哪个客户端是谁由 key create --subject 决定",
            "put the issuer's CA certificate there, not the client's; which client is who is said by key create --subject"
        ),
        BadBundle::HoldsKey => say!(
            "请只放证书，CA 的私钥不应在这台机器上",
            "leave only certificates in it; the CA's key does not belong on this host"
        ),
        BadBundle::TooMany => say!(
            "请只放自己的 CA，不要放公共根证书",
            "put only your own CAs there, not a list of public roots"
        ),
    };
    (Message::new(zh, error.to_string()), advice)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, client_ca_pem, expect_problem};

    const TEXT: &str = "[tls]\nclient_ca = 'c.pem'\n";

    #[test]
    fn a_bundle_is_named_relative_to_the_config_and_read() {
        let files = Files::new();
        files.write("c.pem", &client_ca_pem(true), 0o644);
        assert_eq!(files.accept(TEXT).client_ca, Some(files.path("c.pem")));
        assert_eq!(files.accept("").client_ca, None);
        let text = "[tls]\nmode = 'files'\ncert = 'c.pem'\nkey = 'k.pem'\nclient_ca = 'c.pem'\n";
        files.write("k.pem", "key", 0o600);
        assert!(files.accept(text).client_ca.is_some(), "in every mode");
    }

    #[test]
    fn a_bundle_that_verifies_nobody_is_refused_at_its_place() {
        let files = Files::new();
        expect_problem(TEXT, (2, "cannot be read", "folder of the config"));
        for (text, says, advice) in [
            ("", "no PEM certificate", "CAs that issue"),
            ("-----BEGIN CERTIFICATE-----\naGk=\n", "broken", "CAs that issue"),
            (&client_ca_pem(false), "is no CA", "issuer's CA"),
            ("-----BEGIN EC PRIVATE KEY-----\n", "private key", "only certificates"),
        ] {
            files.write("c.pem", text, 0o644);
            files.expect_problem(TEXT, (2, says, advice));
        }
    }
}
